/* SPDX-License-Identifier: MIT */
/* A subscription has the broadcast's type. */
/* ERROR-GCC: incompatible return type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: subscription_of_another_type\.c:10: */
#include <leat.h>

recv_chan(long) f(broadcast_chan(int) b)
{
	return broadcast_subscribe(b);
}
