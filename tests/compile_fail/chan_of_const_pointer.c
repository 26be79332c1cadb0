/* SPDX-License-Identifier: MIT */
/* A const pointer is const, a pointer to const would not be. */
/* ERROR: the elements of a channel are copied: its type cannot be const */
/* ERROR: chan_of_const_pointer\.c:9: */
#include <leat.h>

void f(void)
{
	(void)chan_make(char *const, 1);
}
