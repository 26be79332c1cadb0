/* SPDX-License-Identifier: MIT */
/* The value must be one of the broadcast's type. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: broadcast_send_wrong_type\.c:9: */
#include <leat.h>

void f(broadcast_chan(int) b, int *p)
{
	broadcast_send(b, p);
}
