/* SPDX-License-Identifier: MIT */
/* Arrays cannot be copied. */
/* ERROR: the elements of a channel are copied: put arrays into a structure */
#include <leat.h>

void f(leat_scope *s)
{
	static const int squares[4][4];

	(void)pipe_from_array(s, squares, 4);
}
