/* SPDX-License-Identifier: MIT */
/* A scope makes no channel of void either. */
/* ERROR: a channel of void has no elements: use chan\(leat_empty\) for events */
#include <leat.h>

void f(leat_scope *s)
{
	(void)scope_chan(s, void, 1);
}
