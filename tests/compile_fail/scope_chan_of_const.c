/* SPDX-License-Identifier: MIT */
/* Nor one of const. */
/* ERROR: the elements of a channel are copied: its type cannot be const */
#include <leat.h>

void f(leat_scope *s)
{
	(void)scope_chan(s, const int, 1);
}
