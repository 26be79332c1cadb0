/* SPDX-License-Identifier: MIT */
/* A goroutine that waits for ever in a coroutine: the report shows where. */
#include <leat.h>

__attribute__((noinline)) static void stuck(coro(int) c)
{
	chan(int) never = chan_make(int, 0);

	coro_yield(c, 1);
	coro_yield(c, chan_recv(never));
}

int main(void)
{
	coro_range(v, coro_make0(int, stuck))
		if (v != 1)
			return 1;
	return 0;
}
