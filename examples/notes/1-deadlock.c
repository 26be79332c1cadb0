/* SPDX-License-Identifier: MIT */
/* CTEST: nosan noemulator */
/*
 * A deadlock, with all four of Coffman's conditions: a lock is held by one at a time (mutual exclusion); each holds one
 * and waits for the other (wait for); nobody can take a lock away (no preemption); and they wait in a circle.  Locks
 * that are taken in the same order everywhere break the circle.  leat sees that nobody can go on, and says so.
 */
#include <leat.h>

static leat_mutex a, b;
static leat_waitgroup holders;

struct cross {
	leat_mutex *first, *second;
};

static void cross(struct cross *c)
{
	with_lock(c->first);
	leat_waitgroup_done(&holders);
	leat_waitgroup_wait(&holders);
	with_lock(c->second);
}

int main(void)
{
	scope(s, NULL);

	leat_waitgroup_add(&holders, 2);
	scope_go(s, cross, .first = &a, .second = &b);
	scope_go(s, cross, .first = &b, .second = &a);
	scope_wait(s);
}
