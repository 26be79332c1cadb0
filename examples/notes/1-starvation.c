/* SPDX-License-Identifier: MIT */
/*
 * Starvation: somebody does not get what it needs to go on, or less than its share.  Both workers need the lock for
 * three milliseconds a round.  The greedy one takes it once for all three, the polite one for each by itself, and then
 * waits each time for the greedy one.  Finding a balance: fewer sections cost less, longer ones make others wait.
 */
#include <leat.h>

#include <stdio.h>

static leat_mutex lock;
static _Atomic bool stop;
static int greedy_rounds, polite_rounds;

static void use(int64_t duration)
{
	with_lock(&lock);
	leat_sleep(duration);
}

static void greedy(void)
{
	for (; !stop; greedy_rounds++)
		use(3 * LEAT_MILLISECOND);
}

static void polite(void)
{
	for (; polite_rounds < 10; polite_rounds++) {
		for (int i = 0; i < 3; i++)
			use(1 * LEAT_MILLISECOND);
	}
	stop = true;
}

int main(void)
{
	scope(s, NULL);

	scope_go0(s, greedy);
	scope_go0(s, polite);
	scope_wait(s);
	printf("the polite worker did %d rounds\n", polite_rounds);
	printf("the greedy one meanwhile %d\n", greedy_rounds);
}
