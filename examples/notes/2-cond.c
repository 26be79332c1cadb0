/* SPDX-License-Identifier: MIT */
/*
 * A condition variable is where those wait who need something to change that a mutex guards.  Three subscribers wait
 * for a click; a broadcast wakes them all, a signal would wake the one that has waited longest.  Each asks again
 * whether there was a click: to be woken is a hint, what the mutex guards is the truth.
 */
#include <leat.h>

#include <stdio.h>

static leat_mutex lock;
static leat_cond clicked;
static int clicks; /* under the lock */

struct subscribe {
	const char *what;
};

static void subscribe(struct subscribe *a)
{
	with_lock(&lock);
	while (clicks == 0)
		leat_cond_wait(&clicked, &lock);
	printf("%s\n", a->what);
}

static void click(void)
{
	with_lock(&lock);
	clicks++;
	leat_cond_broadcast(&clicked);
}

int main(void)
{
	const char *const handlers[] = {"the window opens", "a bell rings", "the light goes on"};
	scope(s, NULL);

	for (int i = 0; i < 3; i++)
		scope_go(s, subscribe, .what = handlers[i]);
	click();
}
