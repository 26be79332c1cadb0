/* SPDX-License-Identifier: MIT */
/* Elements are copied into place, so they cannot be const. */
/* ERROR: the elements of a channel are copied: its type cannot be const */
/* ERROR: chan_of_const\.c:9: */
#include <leat.h>

void f(void)
{
	(void)chan_make(const int, 1);
}
