/* SPDX-License-Identifier: MIT */
/*
 * What is deferred is done when its block is left, the last first, by whichever way: here by a panic, half-way through
 * an increment.  So the mutex is unlocked, and others can go on.
 */
#include <leat.h>

#include <stdio.h>

static leat_mutex lock;
static int count; /* under the lock */

static void increment(void *limit)
{
	leat_mutex_lock(&lock);
	defer(leat_mutex_unlock, &lock);
	defer(puts, "leaving");
	if (count == *(int *)limit)
		leat_panic("more than %d", count);
	count++;
}

int main(void)
{
	int limit = 2;
	leat_panic_info info;

	increment(&limit);
	increment(&limit);
	if (leat_catch(increment, &limit, &info))
		printf("recovered: %s\n", info.message);
	limit = 3;
	increment(&limit);
	printf("count: %d\n", count);
}
