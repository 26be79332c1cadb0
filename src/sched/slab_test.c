/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: objects on slabs do not overlap and keep what is in them; slabs without an object go back, all but one; where
 * there is no memory nothing is lost.
 * Method: the real code, included here so that the system's memory is counted and can be refused.
 */
#include "os/os.h"

static void *map_counted(size_t bytes);
static void unmap_counted(void *base, size_t bytes);
#define leat__os_map   map_counted
#define leat__os_unmap unmap_counted
#include "sched/slab.c"
#undef leat__os_map
#undef leat__os_unmap

#include "base/random.h"

#include "test.h"

enum { OBJECTS = 50000, BYTES = 128 };

static int maps;
static int64_t mapped;
static bool refuse;
extern __typeof__(map_counted) real_map __asm__("leat__os_map");
extern __typeof__(unmap_counted) real_unmap __asm__("leat__os_unmap");

static void *map_counted(size_t bytes)
{
	if (refuse)
		return NULL;
	maps++;
	mapped += (int64_t)bytes;
	return real_map(bytes);
}

static void unmap_counted(void *base, size_t bytes)
{
	mapped -= (int64_t)bytes;
	real_unmap(base, bytes);
}

static uint64_t *objects[OBJECTS];

/* Object i, of so many bytes, says in each word who it is. */
static void take(struct leat__slabs *s, int i, size_t bytes)
{
	objects[i] = leat__slabs_take(s, bytes);
	CHECK(objects[i] != NULL);
	CHECK_EQ((uintptr_t)objects[i] % (bytes % CACHE_LINE ? 16 : CACHE_LINE), 0);
	for (size_t word = 0; word < bytes / 8; word++)
		objects[i][word] = (uint64_t)i << 32 | word;
}

static void give(struct leat__slabs *s, int i, size_t bytes)
{
	for (size_t word = 0; word < bytes / 8; word++)
		CHECK_EQ(objects[i][word], (uint64_t)i << 32 | word);
	leat__slabs_give(s, objects[i], bytes);
	objects[i] = NULL;
}

static void check_objects(size_t bytes, int n)
{
	struct leat__slabs s = {0};
	uint64_t random = bytes;
	size_t needed = (n * bytes + SLAB - 1) / (SLAB - CACHE_LINE - bytes) + 1;

	for (int i = 0; i < n; i++)
		take(&s, i, bytes);
	CHECK(s.count > 2);
	CHECK(s.count <= needed);
	CHECK_EQ(mapped, (int64_t)(s.count * SLAB));
	for (int step = 0; step < 300000; step++) {
		int i = (int)(leat__random_next(&random) % (uint64_t)n);

		if (objects[i])
			give(&s, i, bytes);
		else
			take(&s, i, bytes);
		CHECK(s.empty <= 1);
	}
	/* Half of them are there, and what was given back was taken again. */
	CHECK(s.count <= needed);
	for (int i = 0; i < n; i++)
		if (objects[i])
			give(&s, i, bytes);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(s.empty, 1);
	CHECK_EQ(mapped, (int64_t)SLAB);
	/* The one that is left is as good as new. */
	take(&s, 0, bytes);
	CHECK_EQ(s.empty, 0);
	give(&s, 0, bytes);
	real_unmap(s.first, SLAB);
	mapped = 0;
}

TEST(objects_do_not_overlap_and_slabs_go_back)
{
	check_objects(BYTES, OBJECTS);
	check_objects(112, OBJECTS);
	check_objects(8208, 1000); /* the last of a slab ends before its end */
}

TEST(to_take_and_give_by_turns_maps_nothing)
{
	struct leat__slabs s = {0};
	int n = 0, before;

	while (s.count < 2)
		take(&s, n++, BYTES);
	before = maps;
	for (int i = 0; i < 1000; i++) {
		give(&s, n - 1, BYTES);
		take(&s, n - 1, BYTES);
	}
	CHECK_EQ(maps, before);
	for (int i = 0; i < n; i++)
		give(&s, i, BYTES);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(mapped, (int64_t)SLAB);
	real_unmap(s.first, SLAB);
	mapped = 0;
}

TEST(no_memory_loses_nothing)
{
	struct leat__slabs s = {0};
	int n = 0;

	refuse = true;
	CHECK(leat__slabs_take(&s, BYTES) == NULL);
	CHECK_EQ(s.count, 0);
	refuse = false;
	take(&s, n++, BYTES);
	refuse = true;
	while ((objects[n] = leat__slabs_take(&s, BYTES)))
		n++;
	CHECK_EQ(n, (SLAB - CACHE_LINE) / BYTES);
	CHECK_EQ(s.count, 1);
	leat__slabs_give(&s, objects[1], BYTES);
	CHECK(leat__slabs_take(&s, BYTES) == objects[1]);
	CHECK(leat__slabs_take(&s, BYTES) == NULL);
	refuse = false;
	take(&s, n, BYTES);
	CHECK_EQ(s.count, 2);
	give(&s, n, BYTES);
	for (int i = 1; i < n; i++)
		leat__slabs_give(&s, objects[i], BYTES);
	give(&s, 0, BYTES);
	CHECK_EQ(s.count, 1);
	CHECK_EQ(mapped, (int64_t)SLAB);
}

TEST_MAIN
