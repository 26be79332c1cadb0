/* SPDX-License-Identifier: MIT */
/* A long does not fit where an int lies. */
/* ERROR-GCC: 'long int \*' from incompatible pointer type 'int \*' */
/* ERROR-CLANG: 'long \*'.*'int \*' */
/* ERROR: recv_into_wrong_type\.c:12: */
#include <leat.h>

void f(chan(long) c)
{
	int v;

	chan_recv_ok(c, &v);
}
