/* SPDX-License-Identifier: MIT */
/* Nor is a coroutine a channel. */
/* ERROR: subscripted value is pointer to function|subscript of pointer to function type */
#include <leat.h>

int f(coro(int) c)
{
	return chan_recv(c);
}
