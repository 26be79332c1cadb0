/* SPDX-License-Identifier: MIT */
/*
 * Five philosophers at a round table, five forks, and each needs the two beside the plate.  If all sit down and take
 * the left fork nobody eats any more.  A process calculus can show that this cannot happen once a butler lets no more
 * than four sit at a time: one of four always finds both forks.
 */
#include <leat.h>

#include <stdio.h>

enum { SEATS = 5, MEALS = 100 };

static leat_mutex forks[SEATS];

struct dine {
	int seat;
	chan(leat_empty) butler;
};

static void dine(struct dine *a)
{
	for (int meal = 0; meal < MEALS; meal++) {
		chan_send(a->butler, {});
		{
			with_lock(&forks[a->seat]);
			with_lock(&forks[(a->seat + 1) % SEATS]);
			leat_yield();
		}
		chan_recv(a->butler);
	}
	printf("philosopher %d has eaten\n", a->seat);
}

int main(void)
{
	scope(s, NULL);
	chan(leat_empty) butler = scope_chan(s, leat_empty, SEATS - 1);

	for (int i = 0; i < SEATS; i++)
		scope_go(s, dine, .seat = i, .butler = butler);
	scope_wait(s);
}
