/* SPDX-License-Identifier: MIT */
/*
 * map: on each processor a goroutine looks up one of 10,000 keys nine times, and the tenth time stores it.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 5000000, KEYS = 10000 };

static leat_map map;
static char values[KEYS];

struct user {
	uint32_t random;
	leat_waitgroup *done;
};

static void user(struct user *a)
{
	uint32_t random = a->random, missed = 0;

	for (int i = 0; i < TIMES; i++) {
		random = random * 1664525 + 1013904223;
		uintptr_t key = (random >> 16) % KEYS;
		void *value;

		if (i % 10 == 9)
			leat_map_store(&map, (void *)key, &values[key]);
		else
			missed += !leat_map_load(&map, (void *)key, &value) || value != &values[key];
	}
	bench_check(missed, 0, "the number of keys not found");
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};
	int procs = bench_procs();

	leat_procs(procs);
	for (uintptr_t key = 0; key < KEYS; key++)
		leat_map_store(&map, (void *)key, &values[key]);
	leat_waitgroup_add(&done, procs);
	int64_t start = bench_now();
	for (int i = 0; i < procs; i++)
		go(user, (uint32_t)i, &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("map", start, TIMES);
	bench_work((int64_t)procs * TIMES, "loads and stores");
	leat_map_free(&map);
	return 0;
}
