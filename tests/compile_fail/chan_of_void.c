/* SPDX-License-Identifier: MIT */
/* A channel of void has no elements. */
/* ERROR: a channel of void has no elements: use chan\(leat_empty\) for events */
/* ERROR: chan_of_void\.c:9: */
#include <leat.h>

void f(void)
{
	(void)chan_make(void, 1);
}
