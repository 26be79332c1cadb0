/* SPDX-License-Identifier: MIT */
/* The C part of frames.cpp: what it has deferred, and a cleanup that is not leat's. */
#include <leat.h>

#include <stdio.h>

int records, cleanups;

void c_defers(void (*fn)(void *), void *arg);

static void count_record(int *n)
{
	++*n;
}

static void count_cleanup(int *n)
{
	++*n;
	++cleanups;
}

void c_defers(void (*fn)(void *), void *arg)
{
	__attribute__((cleanup(count_cleanup))) int own = 0;

	defer(count_record, &records);
	fn(arg);
	own++;
}
