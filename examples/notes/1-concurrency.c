/* SPDX-License-Identifier: MIT */
/*
 * Concurrency is a property of the code, parallelism one of its run.  The four goroutines are independent of one
 * another, that is all that is written down.  On one processor they take turns, on two they run in pairs; the program
 * is the same, and so is what it finds.
 */
#include <leat.h>

#include <stdio.h>

struct count_primes {
	int from, to;
	_Atomic int *found;
};

static void count_primes(struct count_primes *a)
{
	for (int n = a->from; n < a->to; n++) {
		int divisor = 2;

		while (divisor * divisor <= n && n % divisor != 0)
			divisor++;
		*a->found += divisor * divisor > n;
	}
}

int main(void)
{
	for (int procs = 1; procs <= 2; procs++) {
		_Atomic int found = 0;
		scope(s, NULL);

		leat_procs(procs);
		for (int i = 1; i < 40000; i += 10000)
			scope_go(s, count_primes, .from = i + 1, .to = i + 10001, .found = &found);
		scope_wait(s);
		printf("%d on %d at a time\n", found, procs);
	}
}
