/* SPDX-License-Identifier: MIT */
/* Signals are numbers, of type int. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: signal_notify_of_another_type\.c:10: */
#include <leat.h>

void f(chan(long) c)
{
	signal_notify(c, SIGINT);
}
