/* SPDX-License-Identifier: MIT */
/*
 * How many processors there are says how many goroutines run at the same instant.  It can be asked and changed while
 * the program runs: by this call, or before its start in LEAT_PROCS.  More goroutines than that take turns.
 */
#include <leat.h>

#include <stdio.h>

static _Atomic int turns;

static void take_turns(void)
{
	for (int i = 0; i < 100; i++, turns++)
		leat_yield();
}

int main(void)
{
	int before = leat_procs(3);

	printf("%s, now %d\n", before > 0 ? "some processors" : "none", leat_procs(0));
	for (int n = 1; n <= 4; n *= 2) {
		scope(s, NULL);

		leat_procs(n);
		for (int i = 0; i < 10; i++)
			scope_go0(s, take_turns);
		scope_wait(s);
		printf("on %d: %d turns\n", leat_procs(0), turns);
	}
}
