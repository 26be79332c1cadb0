/* SPDX-License-Identifier: MIT */
/* The same for a channel of a scope. */
/* ERROR-GCC: 'long\ int\ \*\ \(\*\)\[3\]'\ from\ incompatible\ pointer\ type\ 'int\ \*\ \(\*\)\[3\]' */
/* ERROR-CLANG: 'long\ \*\(\*\)\[3\]'.*'int\ \*\(\*\)\[3\]' */
/* ERROR: scope_chan_wrong_type\.c:10: */
#include <leat.h>

void f(leat_scope *s)
{
	chan(long) c = scope_chan(s, int, 10);

	(void)c;
}
