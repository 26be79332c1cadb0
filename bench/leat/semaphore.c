/* SPDX-License-Identifier: MIT */
/*
 * semaphore: 8 goroutines take one of 4 tokens and give it back, over and over.
 */
#include "../bench.h"

#include <leat.h>

enum { GOROUTINES = 8, TOKENS = 4, TIMES = 2500000 };

static leat_semaphore tokens = LEAT_SEMAPHORE(TOKENS);

struct taker {
	leat_waitgroup *done;
};

static void taker(struct taker *a)
{
	for (int i = 0; i < TIMES; i++) {
		leat_semaphore_acquire(&tokens, 1);
		leat_semaphore_release(&tokens, 1);
	}
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	leat_waitgroup_add(&done, GOROUTINES);
	int64_t start = bench_now();
	for (int i = 0; i < GOROUTINES; i++)
		go(taker, &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("semaphore", start, (double)GOROUTINES * TIMES);
	bench_work((int64_t)GOROUTINES * TIMES, "acquire and release");
	bench_check(leat_semaphore_tryacquire(&tokens, TOKENS), 1, "all tokens are back");
	return 0;
}
