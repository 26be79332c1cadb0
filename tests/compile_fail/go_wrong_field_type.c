/* SPDX-License-Identifier: MIT */
/* Arguments have the types of the fields. */
/* ERROR-GCC: 'int\ \*\ \(\*\)\[2\]'\ from\ incompatible\ pointer\ type\ 'long\ int\ \*\ \(\*\)\[2\]' */
/* ERROR-CLANG: 'int\ \*\(\*\)\[2\]'.*'long\ \*\(\*\)\[2\]' */
/* ERROR: go_wrong_field_type\.c:16: */
#include <leat.h>

struct count {
	send_chan(int) out;
};

void count(struct count *a);

void f(chan(long) c)
{
	go(count, .out = chan_sender(c));
}
