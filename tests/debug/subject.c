/* SPDX-License-Identifier: MIT */
/* What gdb.py looks at: one goroutine in each state, then ready(), then SIGABRT. */
#include <leat.h>

#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool spinning;
static int answer;

struct waiter {
	recv_chan(int) from;
	int number;
};

__attribute__((noinline)) static int wait_for(recv_chan(int) from, int local)
{
	int got = chan_recv(from);

	answer = got + local;
	return answer;
}

static void waiter(struct waiter *a)
{
	answer = wait_for(a->from, 1000 + a->number);
}

static void sleeper(void)
{
	leat_sleep(LEAT_HOUR);
	answer = 1;
}

static void spinner(void)
{
	for (;;)
		atomic_store(&spinning, true);
}

__attribute__((noinline)) static void ready(void)
{
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	leat_go_with(&(leat_go_opts){.name = "first"}, (void (*)(void *))(void (*)(void))waiter,
	             &(struct waiter){.from = chan_receiver(c), .number = 1}, sizeof(struct waiter));
	go(waiter, .from = chan_receiver(c), .number = 2);
	go0(sleeper);
	while (leat_num_parked() < 3)
		leat_yield();
	go0(spinner);
	while (!atomic_load(&spinning))
		leat_yield();
	ready();
	abort();
}
