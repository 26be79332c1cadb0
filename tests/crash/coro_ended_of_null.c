/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Asking of a coroutine that is NULL, which is the process's first call of leat. */
#include <leat.h>

int main(void)
{
	coro(int) c = NULL;

	coro_free(c);
	return coro_ended(c);
}
