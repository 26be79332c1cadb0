/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Stopping a coroutine that is NULL, which is the process's first call of leat. */
#include <leat.h>

int main(void)
{
	coro(int) c = NULL;

	coro_free(c);
	coro_stop(c);
	return 0;
}
