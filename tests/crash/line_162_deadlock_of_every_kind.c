/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4,8 */
/* Every goroutine is dumped, in the order of their ids, with its state and place. */
#include <leat.h>

struct all {
	chan(int) c;
	leat_mutex m;
	leat_waitgroup wg;
};

static struct all all;

static void receives(void)
{
	chan_recv(all.c);
}

static void sends(void)
{
	chan_send((chan(int))NULL, 1);
}

static void selects(void)
{
	chan_select {
		case_recv(all.c) {
		}
	}
}

static void locks(void)
{
	leat_mutex_lock(&all.m);
	__asm__ volatile("");
}

static void waits(void)
{
	leat_waitgroup_wait(&all.wg);
	__asm__ volatile("");
}

int main(void)
{
	all.c = chan_make(int, 0);
	leat_mutex_lock(&all.m);
	leat_waitgroup_add(&all.wg, 1);
	go0(receives);
	go0(sends);
	go0(selects);
	go0(locks);
	go0(waits);
	leat_waitgroup_wait(&all.wg); /* main */
	return 0;
}
