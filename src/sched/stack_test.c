/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: stacks of every class are where they should be and nowhere twice; guards fault; tops lie in
 * different cache sets; they are used again last in, first out, and move between processors in
 * batches; idle ones lose their pages and are as before when they are wanted again; where guards are not
 * to be had, and between packed stacks, a canary tells of an overflow.
 *
 * Method: the real code, included here so that the system can be made to refuse guards.
 * What must fault is done in a child.  That a page was given back shows in its reading as zero.
 */
#include "os/os.h"

static size_t guard_or_not(const struct leat__range *ranges, size_t n);
#define leat__os_guard guard_or_not
#include "sched/stack.c"
#include "sched/stack_pool.c"
#undef leat__os_guard

#include "base/random.h"
#include "test.h"

#include <signal.h>
#include <sys/wait.h>

#define USUAL LEAT__STACK_USUAL

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
	s->low[64] = 1;
	leat__stack_high(s)[-1] = 1;
	CHECK_EQ((uintptr_t)leat__stack_high(s) % 16, 0);
}

static void check_guard(struct leat__stack *s)
{
	CHECK(!(s->special & LEAT__UNGUARDED));
	CHECK(faults(s->low - 1));
	CHECK(faults(s->low - LEAT__STACK_GUARD / 2));
	CHECK(faults(s->low - LEAT__STACK_GUARD));
	CHECK(!faults(s->low));
	CHECK(leat__stack_overflowed(s, (uintptr_t)s->low - 1, 0));
	CHECK(leat__stack_overflowed(s, (uintptr_t)s->low - LEAT__STACK_GUARD, 0));
	CHECK(!leat__stack_overflowed(s, (uintptr_t)s->low - LEAT__STACK_GUARD - 1, 0));
	CHECK(!leat__stack_overflowed(s, (uintptr_t)s->low, 0));
}

TEST(guards_fault)
{
	struct leat__stack_cache cache = {0};

	for (int i = 0; i < 2 * LEAT__STACK_BATCH; i++) {
		struct leat__stack *s = leat__stack_get(&cache, USUAL);

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
		struct leat__stack *s = leat__stack_get(&cache, USUAL);
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
		s[i] = leat__stack_get(&cache, USUAL);
	for (int i = 0; i < 3; i++)
		leat__stack_put(&cache, s[i]);
	for (int i = 3; i-- > 0;)
		CHECK(leat__stack_get(&cache, USUAL) == s[i]);
}

TEST(stacks_move_in_batches)
{
	enum { N = 3 * LEAT__STACK_BATCH + 1 };
	struct leat__stack_cache one = {0}, two = {0};
	struct leat__stack *s[N], *all;
	size_t carved;
	int found = 0;

	for (int i = 0; i < N; i++)
		s[i] = leat__stack_get(&one, USUAL);
	carved = slabs.carved;
	one = (struct leat__stack_cache){0}; /* what is left of it stays lost */
	for (int i = 0; i < N; i++)
		leat__stack_put(&one, s[i]);
	/* The last stays here, and a full spare; the rest is in the pool. */
	CHECK(one.list == s[N - 1]);
	CHECK_EQ(one.room, LEAT__STACK_BATCH - 1);
	CHECK(one.spare != NULL);
	for (int i = 0; i < 2 * LEAT__STACK_BATCH; i++) {
		all = leat__stack_get(&two, USUAL);
		for (int k = 0; k < N; k++)
			found += s[k] == all;
	}
	CHECK_EQ(found, 2 * LEAT__STACK_BATCH);
	CHECK_EQ(slabs.carved, carved);
	/* Around the end of a batch the spare serves: the pool is left alone. */
	all = pool.of[USUAL].warm;
	for (int i = 0; i < 100; i++) {
		struct leat__stack *a = leat__stack_get(&one, USUAL), *b = leat__stack_get(&one, USUAL);

		leat__stack_put(&one, a);
		leat__stack_put(&one, b);
	}
	CHECK(pool.of[USUAL].warm == all);
}

TEST(the_class_is_the_smallest_that_will_do)
{
	static const struct {
		size_t bytes;
		unsigned class;
	} all[] = {{1, LEAT__STACK_2K},
	           {2048, LEAT__STACK_2K},
	           {2200, LEAT__STACK_4K},
	           {4096, LEAT__STACK_4K},
	           {5000, LEAT__STACK_8K},
	           {8192, LEAT__STACK_8K},
	           {8193, LEAT__STACK_8K + 1},
	           {128 << 10, LEAT__STACK_8K + 4},
	           {(128 << 10) + 1, USUAL},
	           {192 << 10, USUAL},
	           {(192 << 10) + 1, LEAT__STACK_8K + 5},
	           {8 << 20, LEAT__STACK_8M},
	           {(8 << 20) + 1, LEAT__STACK_OWN}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool small = all[i].bytes <= LEAT__STACK_USABLE;

		CHECK_EQ(leat__stack_class(all[i].bytes),
		         leat__sanitizers && small ? USUAL : (int)all[i].class);
		if (all[i].class != LEAT__STACK_OWN)
			CHECK(leat__stack_sizes[all[i].class].usable >= all[i].bytes);
	}
}

TEST(every_class_is_usable_and_guarded)
{
	for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++) {
		struct leat__stack_cache cache = {0};
		struct leat__stack *s;

		for (int i = 0; i <= leat__stack_sizes[class].batch; i++) {
			s = leat__stack_get(&cache, class);
			CHECK_EQ(s->class, class);
			check_usable(s, leat__stack_sizes[class].usable);
		}
		if (!leat__stack_sizes[class].packed)
			check_guard(s);
	}
}

/* The first stack of a new chunk has the guard below; of each the canary is its own. */
TEST(packed_stacks_have_canaries_and_a_guard_below_all)
{
	for (unsigned class = LEAT__STACK_2K; class <= LEAT__STACK_4K; class ++) {
		const struct leat__stack_size *size = &leat__stack_sizes[class];
		struct leat__stack_cache cache = {0};
		struct leat__stack *s[LEAT__STACK_BATCH];
		uint64_t canary;

		/* The pool may have some of this class left. */
		do
			s[0] = leat__stack_get(&cache, class);
		while (s[0]->index != 0);
		CHECK(faults(s[0]->low - 1));
		CHECK(faults(s[0]->low - LEAT__STACK_GUARD));
		for (int i = 1; i < size->batch; i++) {
			s[i] = leat__stack_get(&cache, class);
			CHECK_EQ(s[i]->index, i);
			CHECK(s[i]->low == s[0]->low + (size_t)i * size->slot);
			CHECK((char *)(s[i - 1] + 1) == s[i]->low);
			CHECK(s[i]->special & LEAT__UNGUARDED);
		}
		/* The chunk's own list lies behind the last stack. */
		CHECK((char *)chunk_of(s[1]) >= (char *)(s[size->batch - 1] + 1));
		CHECK_EQ((uintptr_t)(chunk_of(s[3]) + 1) % PAGE, 0);
		for (int i = 0; i < size->batch; i++) {
			memcpy(&canary, s[i]->low, sizeof canary);
			CHECK_EQ(canary, CANARY);
			memset(s[i]->low + sizeof canary, 0xff, size->usable - sizeof canary);
		}
		/* A fault far below, with the stack pointer there, too. */
		CHECK(leat__stack_overflowed(s[5], (uintptr_t)s[0]->low - 9, (uintptr_t)s[0]->low - 1));
		CHECK(!leat__stack_overflowed(s[5], (uintptr_t)s[0]->low - 9, (uintptr_t)s[5]->low + 9));
		CHECK(!leat__stack_overflowed(s[5], 8, 16));
	}
}

TEST(mapped_stack_has_what_was_asked_for)
{
	static const size_t sizes[] = {1, 4096, 100000, (size_t)8 << 20};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct leat__stack *s = leat__stack_map(sizes[i]);
		char *high = leat__stack_high(s);

		check_usable(s, sizes[i]);
		check_guard(s);
		CHECK_EQ(s->class, LEAT__STACK_OWN);
		leat__stack_unmap(s);
		CHECK(faults(high - 1));
	}
}

/* Whether s is intact also depends on where the caller's frame is: here that of main. */
static bool intact(struct leat__stack *s)
{
	char here = 0;

	CHECK_EQ(leat__stack_intact(s), canary_lives(s) && &here > s->low);
	return canary_lives(s);
}

TEST(canary_where_there_is_no_guard)
{
	struct leat__stack *mapped;
	struct leat__stack_cache cache = {0};
	struct leat__stack *s;

	refuse = true;
	/* Past what was carved with guards. */
	do
		s = leat__stack_get(&cache, USUAL);
	while (!(s->special & LEAT__UNGUARDED));
	mapped = leat__stack_map(5000);
	refuse = false;
	CHECK(mapped->special & LEAT__UNGUARDED);
	CHECK(intact(s));
	CHECK(intact(mapped));
	CHECK(!faults(s->low - 1));
	s->low[64] = 1; /* above it */
	CHECK(intact(s));
	s->low[3] ^= 1;
	CHECK(!intact(s));
	s->low[3] ^= 1;
	CHECK(intact(s));
	memset(mapped->low, 1, 8);
	CHECK(!intact(mapped));
	leat__stack_unmap(mapped);
}

/* --- giving back */

/* Let all that is in the pool grow old, and give it back. */
static void give_all_back(void)
{
	leat__stack_pool_age();
	while (leat__stack_pool_step())
		;
	leat__stack_pool_age();
	while (leat__stack_pool_step())
		;
	CHECK(!leat__stack_pool_warm());
}

static void dirty(struct leat__stack *s)
{
	memset(s->low + 64, 0x5a, (size_t)(leat__stack_high(s) - s->low) - 64);
}

/* Only what is on a page with a header may be there still. */
static bool pages_are_gone(const char *from, const char *to)
{
	for (const char *p = from; p < to; p++)
		if (*p != 0)
			return false;
	return true;
}

static void check_given_back(unsigned class, bool guards)
{
	enum { N = 3 * LEAT__STACK_BATCH };
	struct leat__stack_cache cache = {0};
	struct leat__stack *s[N];
	char *low[N];
	unsigned n = 2U * leat__stack_sizes[class].batch;
	size_t carved;

	refuse = !guards;
	give_all_back();
	pool.of[class] = (struct shelf){0}; /* forget the other tests' */
	for (unsigned i = 0; i < n; i++) {
		s[i] = leat__stack_get(&cache, class);
		CHECK_EQ(!(s[i]->special & LEAT__UNGUARDED), guards);
		low[i] = s[i]->low;
		dirty(s[i]);
	}
	carved = slabs.carved;
	for (unsigned i = 0; i < n; i++)
		leat__stack_put(&cache, s[i]);
	leat__stack_cache_flush(&cache, class);
	CHECK(leat__stack_pool_warm());
	give_all_back();
	/* But for the top page of one of each batch. */
	if (!leat__stack_sizes[class].packed) {
		unsigned gone = 0;

		for (unsigned i = 0; i < n; i++) {
			CHECK(pages_are_gone(low[i], slot_end(s[i]) - PAGE));
			gone += pages_are_gone((char *)s[i], (char *)(s[i] + 1));
		}
		CHECK_EQ(gone, n - 2);
	}
	for (unsigned i = 0; i < n; i++) {
		struct leat__stack *again = leat__stack_get(&cache, class);
		unsigned at = 0;

		while (at < n && s[at] != again)
			at++;
		CHECK(at < n);
		CHECK(again->low == low[at]);
		s[at] = NULL;
		CHECK_EQ(again->class, class);
		CHECK_EQ(!(again->special & LEAT__UNGUARDED), guards);
		CHECK(again->san.low == again->low);
		CHECK(!again->san.fiber && !again->name);
		CHECK(guards || intact(again));
		check_usable(again, leat__stack_sizes[class].usable);
		if (guards && i % 9 == 0)
			check_guard(again);
	}
	CHECK_EQ(slabs.carved, carved);
	refuse = false;
}

TEST(line_10_idle_stacks_lose_their_pages_and_keep_their_guards)
{
	for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++)
		if (!leat__stack_sizes[class].packed && leat__stack_sizes[class].batch > 1)
			check_given_back(class, true);
	check_given_back(USUAL, false);
}

TEST(line_10_idle_chunks_of_packed_stacks_lose_their_pages)
{
	for (unsigned class = LEAT__STACK_2K; class <= LEAT__STACK_4K; class ++) {
		const struct leat__stack_size *size = &leat__stack_sizes[class];
		struct leat__stack_cache cache = {0};
		struct leat__stack *s[2 * LEAT__STACK_BATCH], *again;
		size_t n = 2 * (size_t)size->batch, kept = 4, carved;
		char *chunk, *other;

		pool.of[class] = (struct shelf){0};
		for (size_t i = 0; i < n; i++) {
			s[i] = leat__stack_get(&cache, class);
			dirty(s[i]);
		}
		carved = slabs.carved;
		chunk = chunk_base(s[kept]);
		other = chunk_base(s[n - 1]);
		CHECK(chunk != other);
		/* One stack of the first chunk stays in use; the others come home in any order. */
		for (size_t i = 0; i < n; i++)
			if (i * 7 % n != kept)
				leat__stack_put(&cache, s[i * 7 % n]);
		leat__stack_cache_flush(&cache, class);
		give_all_back();
		CHECK(!pages_are_gone(chunk + 2 * PAGE, chunk + chunk_bytes(class)));
		CHECK(pages_are_gone(other + 2 * PAGE, other + chunk_bytes(class)));
		/* It comes home, too. */
		leat__stack_put(&cache, s[kept]);
		leat__stack_cache_flush(&cache, class);
		give_all_back();
		CHECK(pages_are_gone(chunk + 2 * PAGE, chunk + chunk_bytes(class)));
		CHECK(pool.of[class].partial == NULL);
		for (size_t i = 0; i < n; i++) {
			again = leat__stack_get(&cache, class);
			CHECK(chunk_base(again) == chunk || chunk_base(again) == other);
			CHECK(again->low == chunk_base(again) + again->index * (size_t)size->slot);
			CHECK(intact(again));
			dirty(again);
		}
		CHECK_EQ(slabs.carved, carved);
	}
}

TEST(what_was_home_is_taken_before_what_is_cold)
{
	struct leat__stack_cache cache = {0};
	struct leat__stack *s[30];

	pool.of[LEAT__STACK_2K] = (struct shelf){0};
	for (int i = 0; i < 30; i++)
		s[i] = leat__stack_get(&cache, LEAT__STACK_2K);
	for (int i = 0; i < 29; i++)
		leat__stack_put(&cache, s[i]);
	leat__stack_cache_flush(&cache, LEAT__STACK_2K);
	give_all_back();
	CHECK_EQ(chunk_of(s[0])->count, 29);
	CHECK(pool.of[LEAT__STACK_2K].partial == chunk_of(s[0]));
	for (int i = 0; i < 29; i++)
		CHECK(chunk_base(leat__stack_get(&cache, LEAT__STACK_2K)) == chunk_base(s[29]));
	CHECK(pool.of[LEAT__STACK_2K].partial == NULL);
	CHECK_EQ(cache.room, 30);
}

TEST(plain_threads_take_single_stacks)
{
	struct leat__stack *a, *b, *big;

	a = leat__stack_find(NULL, 64 << 10);
	b = leat__stack_find(NULL, 64 << 10);
	big = leat__stack_find(NULL, 9 << 20);
	CHECK(a && b && a != b);
	CHECK_EQ(a->class, leat__stack_class(64 << 10));
	CHECK_EQ(big->class, LEAT__STACK_OWN);
	leat__stack_unmap(big);
}

/* --- mappings of their own */

/* It is found from each of its bytes, and from no other. */
static void check_found(struct leat__stack *s)
{
	uintptr_t low = (uintptr_t)s->low, high = (uintptr_t)leat__stack_high(s);

	CHECK(leat__stack_at(low) == s && leat__stack_at(high - 1) == s);
	CHECK(leat__stack_at(low - 1) != s && leat__stack_at(high) != s);
}

TEST(mappings_of_their_own_are_found)
{
	struct leat__stack *s[3];

	for (int i = 0; i < 3; i++)
		s[i] = leat__stack_map(16 << 20);
	for (int i = 0; i < 3; i++)
		check_found(s[i]);
	leat__stack_unmap(s[1]);
	check_found(s[0]);
	check_found(s[2]);
	leat__stack_unmap(s[2]);
	leat__stack_unmap(s[0]);
	CHECK(!slabs.own);
	CHECK(!leat__stack_at((uintptr_t)&slabs) && !leat__stack_at(0));
}

/* --- all at once */

/* Two processors and a giver-back, by turns at random: no stack is ever in two places, whatever was
   written on it. */
TEST(stacks_are_never_handed_out_twice)
{
	static const unsigned classes[] = {USUAL, LEAT__STACK_2K, LEAT__STACK_4K, LEAT__STACK_8K,
	                                   LEAT__STACK_8K + 6};
	enum { HELD = 400 };
	static struct leat__stack *held[HELD];
	static struct leat__stack_cache caches[2][LEAT__STACK_CLASSES];
	uint64_t random = leat__random_seed(11);

	for (int i = test_count(400000); i > 0; i--) {
		unsigned at = leat__random_next(&random) % HELD, who = leat__random_next(&random) % 2;
		struct leat__stack *s = held[at];

		if (s) {
			/* Its holder's mark is there still, and its header. */
			CHECK_EQ(*(unsigned *)(void *)(leat__stack_high(s) - 16), at);
			CHECK_EQ(*(unsigned *)(void *)(s->low + 64), at);
			if (leat__stack_sizes[s->class].packed)
				CHECK(!leat__stack_at((uintptr_t)s->low));
			else
				check_found(s);
			leat__stack_put(&caches[who][s->class], s);
			held[at] = NULL;
		} else {
			unsigned class = classes[leat__random_next(&random) % ARRAY_LEN(classes)];

			s = leat__stack_get(&caches[who][class], class);
			CHECK_EQ(s->class, class);
			*(unsigned *)(void *)(leat__stack_high(s) - 16) = at;
			*(unsigned *)(void *)(s->low + 64) = at;
			held[at] = s;
		}
		if (i % 1000 == 0)
			for (unsigned c = 0; c < LEAT__STACK_CLASSES; c++)
				leat__stack_cache_flush(&caches[who][c], c);
		if (i % 400 == 0) {
			leat__stack_pool_age();
			leat__stack_pool_step();
		}
	}
}

TEST_MAIN
