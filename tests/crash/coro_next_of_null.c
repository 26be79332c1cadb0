/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Resuming a coroutine that is NULL, which is the process's first call of leat. */
#include <leat.h>

int main(void)
{
	coro(int) c = NULL;
	int v;

	coro_free(c);
	return coro_next(c, &v);
}
