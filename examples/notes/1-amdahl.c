/* SPDX-License-Identifier: MIT */
/*
 * What part of a program can be done by several at once, and what part cannot, says how much faster the program can
 * get: at most 1 / (1 - p + p / n) times with n workers, where p is the part that can be shared.  Here p is 0.75; the
 * work is sleep, so that it needs no processors, and no run is faster than the law.
 */
#include <leat.h>

#include <stdio.h>

#define WORK (40 * LEAT_MILLISECOND)

struct work {
	int64_t duration;
};

static void work(struct work *a)
{
	leat_sleep(a->duration);
}

static double measure(int workers)
{
	int64_t begin = leat_now();
	scope(s, NULL);

	leat_sleep(WORK / 4);
	for (int i = 0; i < workers; i++)
		scope_go(s, work, WORK * 3 / 4 / workers);
	scope_wait(s);
	return (double)WORK / (double)(leat_now() - begin);
}

int main(void)
{
	for (int n = 1; n <= 8; n *= 2) {
		double law = 1 / (0.25 + 0.75 / n);

		printf("%d at work: at most %.2f times as fast", n, law);
		printf(", and it is: %s\n", measure(n) <= law ? "yes" : "no");
	}
}
