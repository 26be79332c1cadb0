/* SPDX-License-Identifier: MIT */
/* A channel of leat_any carries nothing else. */
/* ERROR-GCC: invalid initializer */
/* ERROR-CLANG: with an expression of incompatible type 'int' */
/* ERROR: any_chan_of_raw_value\.c:10: */
#include <leat.h>

void f(chan(leat_any) c)
{
	chan_send(c, 5);
}
