/* SPDX-License-Identifier: MIT */
/* CTEST: nosan */
/*
 * Goal: where a goroutine asks for it, its faults are panics: caught, with everything around them in order.
 * Method: NULL pointers followed in loads, stores and calls, and divisions by zero, in goroutines that
 * compute with callee-saved registers and floating point meanwhile.  Sanitizers have handlers of their own.
 */
#include "test.h"

#include <stdatomic.h>

#define NIL "runtime error: invalid memory address or nil pointer dereference"

static void load(void *p)
{
	(void)*(volatile int *)p;
}

static void store(void *p)
{
	*(volatile int *)p = 1;
}

static void (*volatile no_function)(void);

static void call(void *p)
{
	(void)p;
	no_function();
	__asm__ volatile("");
}

static void check(void (*fn)(void *), void *arg, const char *message)
{
	leat_panic_info info;

	CHECK(leat_catch(fn, arg, &info));
	CHECK_STR(info.message, message);
	CHECK(info.runtime);
	CHECK(leat_any_is_nil(info.value));
	CHECK_EQ(info.goid, leat_goid());
}

TEST(line_90_main_catches_its_faults)
{
	CHECK(!leat_fault_panics(true));
	CHECK(leat_fault_panics(true));
	check(load, NULL, NIL);
	check(store, NULL, NIL);
	check(store, (void *)4088, NIL);
	check(call, NULL, NIL);
	CHECK(leat_fault_panics(false));
	CHECK(!leat_fault_panics(false));
}

#ifdef __x86_64__
static void divide(void *zero)
{
	volatile int one = 1;

	one = one / *(volatile int *)zero;
}

TEST(line_90_a_division_by_zero_is_caught)
{
	int zero = 0;

	leat_fault_panics(true);
	check(divide, &zero, "runtime error: integer divide by zero");
	leat_fault_panics(false);
}
#endif

static int order[8], ordered;

static void note(void *n)
{
	order[ordered++] = (int)(intptr_t)n;
}

static leat_mutex mutex;

static void deferring(void *arg)
{
	defer(note, (void *)2);
	with_lock(&mutex);
	{
		scope(s, NULL);
		defer(note, (void *)1);
		store(arg);
	}
	note((void *)3);
}

TEST(line_75_what_was_deferred_runs)
{
	leat_fault_panics(true);
	ordered = 0;
	check(deferring, NULL, NIL);
	CHECK_EQ(ordered, 2);
	CHECK(order[0] == 1 && order[1] == 2);
	CHECK(leat_mutex_trylock(&mutex));
	leat_mutex_unlock(&mutex);
	leat_fault_panics(false);
}

/* It is the goroutine's own, and goes with it: no other inherits it. */
struct asks {
	bool set;
};

static atomic_int wrong;

static void asks(struct asks *a)
{
	atomic_fetch_add(&wrong, leat_fault_panics(a->set));
	leat_yield();
	atomic_fetch_add(&wrong, leat_fault_panics(a->set) != a->set);
}

TEST(each_goroutine_says_for_itself)
{
	leat_fault_panics(true);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 50; i++)
			go(asks, i % 2 == 0);
		test_goroutines(1);
	}
	CHECK_EQ(atomic_load(&wrong), 0);
	CHECK(leat_fault_panics(false));
}

/* Faults in the middle of computing: what the catcher keeps in registers is as it was. */
struct computes {
	int seed;
	atomic_int *left;
};

__attribute__((noinline)) static void fault_at(void *arg)
{
	int depth = *(int *)arg;
	volatile char room[128];

	room[depth] = 1;
	if (depth == 0) {
		store(NULL);
		return;
	}
	depth--;
	fault_at(&depth);
	CHECK_EQ(room[depth + 1], 1);
}

static void computes(struct computes *a)
{
	double x = a->seed, y = 0;
	uint64_t h = (uint64_t)a->seed, want_h = h;
	double want_y = 0;

	leat_fault_panics(true);
	for (int i = 0; i < 200; i++) {
		int depth = i % 50;
		leat_panic_info info;

		h = h * 6364136223846793005u + (uint64_t)i;
		y += x * i;
		CHECK(leat_catch(fault_at, &depth, &info));
		CHECK_EQ(info.goid, leat_goid());
		if (i % 10 == 0)
			leat_yield();
	}
	for (int i = 0; i < 200; i++) {
		want_h = want_h * 6364136223846793005u + (uint64_t)i;
		want_y += x * i;
	}
	CHECK(h == want_h);
	CHECK(y == want_y);
	atomic_fetch_sub(a->left, 1);
}

TEST(line_90_goroutines_fault_catch_and_go_on)
{
	int n = test_count(1000) / 10;
	atomic_int left = n;

	for (int i = 0; i < n; i++)
		go(computes, i, &left);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&left), 0);
}

/* What is below the stack pointer is in use: a function that calls nobody keeps its variables there. */
#ifdef __x86_64__
static void fault_with_red_zone(void *sp)
{
	__asm__ volatile("movq %%rsp, (%0)\n\t"
	                 "movq $0x1234567, -128(%%rsp)\n\t"
	                 "movq $0x7654321, -8(%%rsp)\n\t"
	                 "movl (%1), %%eax"
	                 :
	                 : "r"(sp), "r"((void *)0)
	                 : "rax", "memory");
	load(sp); /* so that this function calls somebody */
}

static void look_at_red_zone(const leat_panic_info *info, void *sp)
{
	const volatile uint64_t *at = *(uint64_t **)sp;

	CHECK(info->runtime);
	CHECK(at[-16] == 0x1234567);
	CHECK(at[-1] == 0x7654321);
}

TEST(the_red_zone_is_left_alone)
{
	uint64_t *sp = NULL;

	leat_fault_panics(true);
	CHECK(leat_catch_with(fault_with_red_zone, &sp, look_at_red_zone, &sp));
	leat_fault_panics(false);
}
#endif

struct small {
	leat_waitgroup *wg;
};

static void small(struct small *a)
{
	leat_fault_panics(true);
	CHECK(leat_catch(store, NULL, NULL));
	CHECK(leat_catch(call, NULL, NULL));
	leat_waitgroup_done(a->wg);
}

TEST(line_90_on_a_packed_stack)
{
	leat_go_opts opts = {.stack_bytes = 4096};
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go_with(&opts, small, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

TEST_MAIN
