/* SPDX-License-Identifier: MIT */
/* A send has no value. */
/* ERROR-GCC: void value not ignored */
/* ERROR-CLANG: returning 'void' from a function with incompatible result type 'int' */
/* ERROR: send_in_send_result\.c:10: */
#include <leat.h>

int f(chan(int) c)
{
	return chan_send(c, 1);
}
