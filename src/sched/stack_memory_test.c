/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: of stacks' memory no more is asked for than there is, and where there is none nothing is lost.
 * Method: the real code, included here so that the system can be made to refuse.
 */
#include "os/os.h"

static void *reserve_or_not(size_t bytes);
static int commit_or_not(void *base, size_t bytes);
#define leat__os_reserve reserve_or_not
#define leat__os_commit  commit_or_not
#include "sched/stack.c"
#include "sched/stack_pool.c"
#undef leat__os_reserve
#undef leat__os_commit

#include "test.h"

#define USUAL LEAT__STACK_USUAL

static size_t reserve_at_most = SIZE_MAX, commit_at_most = SIZE_MAX;
extern __typeof__(reserve_or_not) real_reserve __asm__("leat__os_reserve");
extern __typeof__(commit_or_not) real_commit __asm__("leat__os_commit");

static void *reserve_or_not(size_t bytes)
{
	return bytes > reserve_at_most ? NULL : real_reserve(bytes);
}

static int commit_or_not(void *base, size_t bytes)
{
	return bytes > commit_at_most ? -1 : real_commit(base, bytes);
}

/* No stack of that class is left that needs no more memory to be committed. */
static void use_what_is_committed(unsigned class)
{
	struct leat__stack_cache cache = {0};
	size_t batch = leat__stack_sizes[class].slot * leat__stack_sizes[class].batch;

	while (pool.of[class].warm || pool.of[class].cold || slabs.committed >= slabs.used + batch)
		CHECK(leat__stack_get(&cache, class) != NULL);
}

TEST(a_slab_is_committed_ahead_where_that_is_to_be_had)
{
	struct leat__stack_cache cache = {0};
	size_t batch = leat__stack_sizes[USUAL].slot * (size_t)leat__stack_sizes[USUAL].batch;

	use_what_is_committed(USUAL);
	slabs.used = slabs.bytes; /* a new slab */
	slabs.claimed = 3 * batch;
	CHECK(leat__stack_get(&cache, USUAL) != NULL);
	CHECK_EQ(slabs.claimed, 4 * batch);
	CHECK_EQ(slabs.committed, slabs.used + 3 * batch);

	use_what_is_committed(USUAL);
	CHECK_EQ(slabs.claimed, 7 * batch);
	cache = (struct leat__stack_cache){0};
	commit_at_most = 7 * batch;
	CHECK(leat__stack_get(&cache, USUAL) != NULL);
	CHECK_EQ(slabs.committed, slabs.used);
	commit_at_most = SIZE_MAX;
}

TEST(without_memory_nothing_is_lost)
{
	struct leat__stack_cache cache = {0};
	size_t used, carved;

	CHECK(leat__stack_available());
	use_what_is_committed(USUAL);
	used = slabs.used;
	carved = slabs.carved;
	commit_at_most = 0;
	for (int i = 0; i < 1000; i++)
		CHECK(!leat__stack_get(&cache, USUAL));
	CHECK(!leat__stack_available());
	CHECK(!leat__stack_find(NULL, 1 << 20));
	CHECK_EQ(slabs.used, used);
	CHECK_EQ(slabs.carved, carved);
	commit_at_most = SIZE_MAX;
	CHECK(leat__stack_available());
	CHECK(leat__stack_get(&cache, USUAL) != NULL);
}

TEST(where_address_space_is_short_a_smaller_slab_serves)
{
	struct leat__stack_cache cache = {0};
	char *slab = slabs.slab;

	pool.of[USUAL] = (struct shelf){0};
	slabs.used = slabs.bytes;
	reserve_at_most = SLAB / 16;
	CHECK(leat__stack_get(&cache, USUAL) != NULL);
	CHECK(slabs.slab != slab);
	CHECK_EQ(slabs.bytes, SLAB / 16);
	slabs.used = slabs.bytes;
	reserve_at_most = 100000;
	cache = (struct leat__stack_cache){0};
	CHECK(!leat__stack_get(&cache, USUAL));
	CHECK(!leat__stack_available());
	reserve_at_most = SIZE_MAX;
	CHECK(leat__stack_get(&cache, USUAL) != NULL);
	CHECK_EQ(slabs.bytes, SLAB);
}

TEST_MAIN
