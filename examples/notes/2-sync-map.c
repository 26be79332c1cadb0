/* SPDX-License-Identifier: MIT */
/*
 * A map for many at once.  Four goroutines want the same ten places; of those who try for one place one gets it, whoever
 * is first.
 */
#include <leat.h>

#include <stdio.h>

static leat_map places; /* by number */
static _Atomic int taken, refused;

static void guest(void)
{
	for (uintptr_t place = 1; place <= 10; place++) {
		if (leat_map_load_or_store(&places, (void *)place, &taken, NULL))
			refused++;
		else
			taken++;
	}
}

static bool count(const void *place, void *holder, void *counted)
{
	(void)place, (void)holder;
	return ++*(int *)counted;
}

int main(void)
{
	int counted = 0;
	scope(s, NULL);

	for (int i = 0; i < 4; i++)
		scope_go0(s, guest);
	scope_wait(s);
	leat_map_range(&places, count, &counted);
	printf("%d taken, %d refused, %d in the map\n", taken, refused, counted);
	leat_map_free(&places);
}
