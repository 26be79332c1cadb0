/* SPDX-License-Identifier: MIT */
/*
 * A lock for reading can be held by many at a time, one for writing by one alone.  Three readers are inside until all
 * of them are: with a mutex they would wait for ever.  Meanwhile nobody can write.
 */
#include <leat.h>

#include <stdio.h>

enum { READERS = 3 };

static leat_rwmutex lock;
static int value = 1; /* under the lock */
static leat_waitgroup inside;

static void read_value(void)
{
	with_rlock(&lock);
	leat_waitgroup_done(&inside);
	leat_waitgroup_wait(&inside);
	if (!leat_rwmutex_trylock(&lock))
		printf("read %d, and nobody can write\n", value);
}

int main(void)
{
	scope(s, NULL);

	leat_waitgroup_add(&inside, READERS);
	for (int i = 0; i < READERS; i++)
		scope_go0(s, read_value);
	scope_wait(s);

	with_wlock(&lock);
	value++;
	printf("wrote %d, and who can read? %s\n", value,
	       leat_rwmutex_tryrlock(&lock) ? "I" : "nobody");
}
