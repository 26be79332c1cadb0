/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A fault inside the C library, which may hold a lock, cannot be caught; one of code that it calls can. */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *volatile nothing;

static void length(void *n)
{
	*(size_t *)n = strlen(nothing);
}

static int compare(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return *(const volatile int *)nothing;
}

static void sort(void *pair)
{
	qsort(pair, 2, sizeof(int), compare);
}

static void worker(void)
{
	int pair[2] = {2, 1};
	size_t n;

	leat_fault_panics(true);
	puts(leat_catch(sort, pair, NULL) ? "caught" : "sorted");
	leat_catch(length, &n, NULL);
	puts("never");
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
