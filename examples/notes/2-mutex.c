/* SPDX-License-Identifier: MIT */
/*
 * A mutex is locked by one at a time.  Lock waits until it is free; TryLock does not wait, and says whether it was.
 * The clerk counts who comes; a visitor in a hurry goes elsewhere when somebody is at the desk.
 */
#include <leat.h>

#include <stdio.h>

static leat_mutex desk;
static int served, went_away; /* the first under the lock */

static void visit(void)
{
	with_lock(&desk);
	served++;
}

static void visit_in_a_hurry(void)
{
	if (!leat_mutex_trylock(&desk)) {
		went_away++;
		return;
	}
	defer(leat_mutex_unlock, &desk);
	served++;
}

int main(void)
{
	scope(s, NULL);

	for (int i = 0; i < 10; i++)
		scope_go0(s, visit);
	scope_wait(s);
	leat_mutex_lock(&desk);
	visit_in_a_hurry();
	leat_mutex_unlock(&desk);
	visit_in_a_hurry();
	printf("%d served, %d went away\n", served, went_away);
}
