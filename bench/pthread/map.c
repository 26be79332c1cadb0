/* SPDX-License-Identifier: MIT */
/*
 * map: on each processor a thread looks up one of 10,000 keys nine times, and the tenth time stores it; in a
 * table of chains under one pthread_rwlock.
 */
#include "threads.h"

enum { TIMES = 5000000, KEYS = 10000, BUCKETS = 16384 };

struct entry {
	struct entry *next;
	uintptr_t key;
	void *value;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct entry *buckets[BUCKETS];
static char values[KEYS];

static struct entry **bucket(uintptr_t key)
{
	return &buckets[(key * 0x9E3779B97F4A7C15u >> 40) % BUCKETS];
}

static struct entry *find(uintptr_t key)
{
	struct entry *e = *bucket(key);

	while (e && e->key != key)
		e = e->next;
	return e;
}

static void *load(uintptr_t key)
{
	struct entry *e;
	void *value;

	pthread_rwlock_rdlock(&lock);
	e = find(key);
	value = e ? e->value : NULL;
	pthread_rwlock_unlock(&lock);
	return value;
}

static void store(uintptr_t key, void *value)
{
	struct entry *e;

	pthread_rwlock_wrlock(&lock);
	e = find(key);
	if (!e) {
		e = malloc(sizeof *e);
		if (!e)
			threads_must(ENOMEM, "malloc");
		e->key = key;
		e->next = *bucket(key);
		*bucket(key) = e;
	}
	e->value = value;
	pthread_rwlock_unlock(&lock);
}

static void *user(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg, missed = 0;

	for (int i = 0; i < TIMES; i++) {
		random = random * 1664525 + 1013904223;
		uintptr_t key = (random >> 16) % KEYS;

		if (i % 10 == 9)
			store(key, &values[key]);
		else
			missed += load(key) != &values[key];
	}
	bench_check(missed, 0, "the number of keys not found");
	return arg;
}

int main(void)
{
	int procs = bench_procs();
	pthread_t *all = calloc((size_t)procs, sizeof *all);

	if (!all)
		threads_must(ENOMEM, "calloc");
	threads_limit();
	for (uintptr_t key = 0; key < KEYS; key++)
		store(key, &values[key]);
	int64_t start = bench_now();
	for (int i = 0; i < procs; i++)
		all[i] = threads_start(user, (void *)(uintptr_t)i);
	for (int i = 0; i < procs; i++)
		pthread_join(all[i], NULL);
	bench_ns_each("map", start, TIMES);
	bench_work((int64_t)procs * TIMES, "loads and stores");
	free(all);
	return 0;
}
