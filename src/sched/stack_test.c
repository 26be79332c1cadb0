/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: stacks have guards that fault, tops in different cache sets, and are where they should be: used
 * again last in, first out, moved between processors in batches, unmapped when they have a mapping of
 * their own; and where guards are not to be had, a canary tells of an overflow.
 *
 * Method: the real code, included here so that the system can be made to refuse guards.  What must
 * fault is done in a child.
 */
#include "os/os.h"

static size_t guard_or_not(const struct leat__range *ranges, size_t n);
#define leat__os_guard guard_or_not
#include "sched/stack.c"
#undef leat__os_guard

#include "test.h"

#include <signal.h>
#include <sys/wait.h>

static bool refuse;
extern __typeof__(guard_or_not) real_guard __asm__("leat__os_guard");

static size_t guard_or_not(const struct leat__range *ranges, size_t n)
{
	return refuse ? 0 : real_guard(ranges, n);
}

/* Writing there kills. */
static bool faults(char *at)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		*(volatile char *)at = 1;
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFSIGNALED(status))
		CHECK_EQ(WTERMSIG(status), SIGSEGV);
	return WIFSIGNALED(status);
}

static void check_usable(struct leat__stack *s, size_t bytes)
{
	CHECK((size_t)(leat__stack_high(s) - s->low) >= bytes);
	s->low[0] = 1;
	s->low[sizeof(uint64_t)] = 1;
	leat__stack_high(s)[-1] = 1;
	CHECK_EQ((uintptr_t)leat__stack_high(s) % 16, 0);
}

static void check_guard(struct leat__stack *s)
{
	CHECK(s->guarded);
	CHECK(faults(s->low - 1));
	CHECK(faults(s->low - LEAT__STACK_GUARD / 2));
	CHECK(faults(s->low - LEAT__STACK_GUARD));
	CHECK(!faults(s->low));
	CHECK(leat__stack_overflowed(s, (uintptr_t)s->low - 1));
	CHECK(leat__stack_overflowed(s, (uintptr_t)s->low - LEAT__STACK_GUARD));
	CHECK(!leat__stack_overflowed(s, (uintptr_t)s->low - LEAT__STACK_GUARD - 1));
	CHECK(!leat__stack_overflowed(s, (uintptr_t)s->low));
}

TEST(guards_fault)
{
	struct leat__stack_cache cache = {0};

	for (int i = 0; i < 2 * LEAT__STACK_BATCH; i++) {
		struct leat__stack *s = leat__stack_get(&cache);

		CHECK(s != NULL);
		check_usable(s, LEAT__STACK_USABLE);
		if (i % 13 == 0)
			check_guard(s);
	}
}

TEST(tops_have_16_colours)
{
	struct leat__stack_cache cache = {0};
	unsigned seen = 0;

	for (int i = 0; i < LEAT__STACK_BATCH; i++) {
		struct leat__stack *s = leat__stack_get(&cache);
		/* From the top of its slot, which ends with a page. */
		uintptr_t colour = (PAGE - sizeof *s - (uintptr_t)s % PAGE) % PAGE;

		CHECK_EQ(colour % COLOUR, 0);
		CHECK(colour / COLOUR < COLOURS);
		seen |= 1U << colour / COLOUR;
	}
	CHECK_EQ(seen, 0xffff);
}

TEST(cache_is_last_in_first_out)
{
	struct leat__stack_cache cache = {0};
	struct leat__stack *s[3];

	for (int i = 0; i < 3; i++)
		s[i] = leat__stack_get(&cache);
	for (int i = 0; i < 3; i++)
		leat__stack_put(&cache, s[i]);
	for (int i = 3; i-- > 0;)
		CHECK(leat__stack_get(&cache) == s[i]);
}

TEST(stacks_move_in_batches)
{
	enum { N = 3 * LEAT__STACK_BATCH + 1 };
	struct leat__stack_cache one = {0}, two = {0};
	struct leat__stack *s[N], *all;
	size_t carved;
	int found = 0;

	for (int i = 0; i < N; i++)
		s[i] = leat__stack_get(&one);
	carved = pool.carved;
	one = (struct leat__stack_cache){0}; /* what is left of it stays lost */
	for (int i = 0; i < N; i++)
		leat__stack_put(&one, s[i]);
	/* The last stays here, and a full spare; the rest is in the pool. */
	CHECK(one.list == s[N - 1]);
	CHECK_EQ(one.count, 1);
	CHECK(one.spare != NULL);
	for (int i = 0; i < 2 * LEAT__STACK_BATCH; i++) {
		all = leat__stack_get(&two);
		for (int k = 0; k < N; k++)
			found += s[k] == all;
	}
	CHECK_EQ(found, 2 * LEAT__STACK_BATCH);
	CHECK_EQ(pool.carved, carved);
	/* Around the end of a batch the spare serves: the pool is left alone. */
	all = pool.batches;
	for (int i = 0; i < 100; i++) {
		struct leat__stack *a = leat__stack_get(&one), *b = leat__stack_get(&one);

		leat__stack_put(&one, a);
		leat__stack_put(&one, b);
	}
	CHECK(pool.batches == all);
}

TEST(mapped_stack_has_what_was_asked_for)
{
	static const size_t sizes[] = {1, 4096, 100000, (size_t)8 << 20};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct leat__stack *s = leat__stack_map(sizes[i]);
		char *high = leat__stack_high(s);

		check_usable(s, sizes[i]);
		check_guard(s);
		CHECK(s->base == s->low - LEAT__STACK_GUARD);
		leat__stack_unmap(s);
		CHECK(faults(high - 1));
	}
}

TEST(canary_where_there_is_no_guard)
{
	struct leat__stack *mapped;
	struct leat__stack_cache cache = {0};
	struct leat__stack *s;

	refuse = true;
	/* Past what was carved with guards. */
	do
		s = leat__stack_get(&cache);
	while (s->guarded);
	mapped = leat__stack_map(5000);
	refuse = false;
	CHECK(!mapped->guarded);
	CHECK(leat__stack_intact(s));
	CHECK(leat__stack_intact(mapped));
	CHECK(!faults(s->low - 1));
	s->low[8] = 1; /* above it */
	CHECK(leat__stack_intact(s));
	s->low[3] ^= 1;
	CHECK(!leat__stack_intact(s));
	s->low[3] ^= 1;
	CHECK(leat__stack_intact(s));
	memset(mapped->low, 0, 8);
	CHECK(!leat__stack_intact(mapped));
	leat__stack_unmap(mapped);
}

TEST_MAIN
