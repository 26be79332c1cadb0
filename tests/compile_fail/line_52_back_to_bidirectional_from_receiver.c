/* SPDX-License-Identifier: MIT */
/* Nor as an argument. */
/* ERROR-GCC: passing argument 1 of 'g' from incompatible pointer type */
/* ERROR-CLANG: 'int\ \*\(\*\)\[1\]'.*'int\ \*\(\*\)\[3\]' */
/* ERROR: line_52_back_to_bidirectional_from_receiver\.c:12: */
#include <leat.h>

void g(chan(int) c);

void f(recv_chan(int) r)
{
	g(r);
}
