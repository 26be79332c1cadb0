/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A printer may wait for other goroutines. */
#include <leat.h>

#include <stdio.h>

static chan(int) numbers;

static void print(FILE *to, const void *value)
{
	fprintf(to, "%d", *(const int *)value);
	leat_yield();
	for (int i = 0; i < 3; i++)
		fprintf(to, " %d", chan_recv(numbers));
	leat_sleep(LEAT_MILLISECOND);
	fputs("!", to);
}

LEAT_TYPE(slow, int, .print = print);

static void feed(void)
{
	for (int i = 1;; i++)
		chan_send(numbers, i);
}

int main(void)
{
	numbers = chan_make(int, 0);
	go0(feed);
	leat_panic_any(any_of_type(slow, 0));
}
