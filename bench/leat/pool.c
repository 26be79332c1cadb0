/* SPDX-License-Identifier: MIT */
/*
 * pool: on each processor a goroutine takes a buffer out of one pool, writes to it and puts it back.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 20000000, BYTES = 256 };

static void *new_buffer(void *arg)
{
	(void)arg;
	return calloc(1, BYTES);
}

static leat_pool buffers = {.make = new_buffer};

struct user {
	leat_waitgroup *done;
};

static void user(struct user *a)
{
	for (int i = 0; i < TIMES; i++) {
		unsigned char *b = leat_pool_get(&buffers);

		b[i & 255]++;
		leat_pool_put(&buffers, b);
	}
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};
	int procs = bench_procs();

	leat_procs(procs);
	leat_waitgroup_add(&done, procs);
	int64_t start = bench_now();
	for (int i = 0; i < procs; i++)
		go(user, &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("pool", start, TIMES);
	bench_work((int64_t)procs * TIMES, "get and put");
	leat_pool_trim(&buffers);
	return 0;
}
