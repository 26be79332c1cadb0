/* SPDX-License-Identifier: MIT */
/*
 * A critical section is code that needs something shared for itself.  Here there are two, the increment and the look
 * at it, and one mutex keeps all who are in either apart.  It does not say who comes first: the look in between may
 * find any number, but never half an increment.
 */
#include <leat.h>

#include <stdio.h>

static leat_mutex lock;
static int data; /* under the lock */

static void increment(void)
{
	for (int i = 0; i < 1000; i++) {
		with_lock(&lock);
		data++;
	}
}

static void look(const char *when)
{
	with_lock(&lock);
	printf("%s: %d\n", when, data);
}

int main(void)
{
	scope(s, NULL);

	for (int i = 0; i < 8; i++)
		scope_go0(s, increment);
	look("on the way");
	scope_wait(s);
	look("in the end");
}
