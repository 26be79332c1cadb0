/* SPDX-License-Identifier: MIT */
/*
 * fib32: the 32nd Fibonacci number by fork and join: each call starts a goroutine for one half and
 * computes the other itself, 3.5 million goroutines in all.  The figure is the time of the whole.
 */
#include "../bench.h"

#include <leat.h>

enum { N = 32, FIB_N = 2178309, GOROUTINES = 3524577 };

struct half {
	int n;
	int64_t *result;
	leat_waitgroup *done;
};

static void half(struct half *a);

static int64_t fib(int n)
{
	leat_waitgroup done = {0};
	int64_t one, other;

	if (n < 2)
		return n;
	leat_waitgroup_add(&done, 1);
	go(half, .n = n - 1, .result = &one, .done = &done);
	other = fib(n - 2);
	leat_waitgroup_wait(&done);
	return one + other;
}

static void half(struct half *a)
{
	*a->result = fib(a->n);
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_procs(bench_procs());
	int64_t start = bench_now();
	int64_t result = fib(N);
	bench_result("fib32", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(GOROUTINES, "goroutines");
	bench_check(result, FIB_N, "fib(32)");
	return 0;
}
