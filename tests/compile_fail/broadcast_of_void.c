/* SPDX-License-Identifier: MIT */
/* There are no values of type void. */
/* ERROR: a channel of void has no elements: use chan\(leat_empty\) for events */
/* ERROR: broadcast_of_void\.c:9: */
#include <leat.h>

void f(void)
{
	broadcast_free(broadcast_make(void, 1, LEAT_BROADCAST_BLOCK));
}
