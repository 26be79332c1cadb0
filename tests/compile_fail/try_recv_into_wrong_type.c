/* SPDX-License-Identifier: MIT */
/* The same for the form that does not park. */
/* ERROR-GCC: 'long int \*' from incompatible pointer type 'short int \*' */
/* ERROR-CLANG: 'long \*'.*'short \*' */
/* ERROR: try_recv_into_wrong_type\.c:12: */
#include <leat.h>

void f(chan(long) c)
{
	short v;

	chan_try_recv(c, &v, NULL);
}
