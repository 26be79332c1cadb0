/* SPDX-License-Identifier: MIT */
/* Void has no values. */
/* ERROR: a channel of void has no elements: use chan\(leat_empty\) for events */
#include <leat.h>

void f(leat_scope *s, void *p)
{
	(void)pipe_from_array(s, p, 2);
}
