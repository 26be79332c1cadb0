/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A printer that panics with the value it was to print is not called again. */
#include <leat.h>

static void print(FILE *to, const void *value);

LEAT_TYPE(loop, int, .print = print);

static void print(FILE *to, const void *value)
{
	(void)to;
	leat_panic_any(any_of_type(loop, *(const int *)value));
}

int main(void)
{
	leat_panic_any(any_of_type(loop, 1));
}
