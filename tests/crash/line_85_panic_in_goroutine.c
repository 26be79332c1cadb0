/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* An uncaught panic of a goroutine: its stack alone, though others exist, and who created it. */
#include <leat.h>

struct producer {
	chan(int) out;
};

__attribute__((noinline)) static void fail(int v)
{
	if (v > 0)
		leat_panic("no more");
}

static void producer(struct producer *a)
{
	chan_send(a->out, 1);
	fail(1);
	__asm__ volatile("");
}

static void bystander(struct producer *a)
{
	chan_recv(a->out);
	chan_recv(a->out);
}

__attribute__((noinline)) static void start(chan(int) c)
{
	go_as(producer, bystander, c);
	go(producer, c);
	__asm__ volatile("");
}

int main(void)
{
	chan(int) never = NULL;

	start(chan_make(int, 0));
	chan_recv(never);
	return 0;
}
