/* SPDX-License-Identifier: MIT */
/* What ends a wait is a context or a scope. */
/* ERROR-GCC: incompatible type for argument 3 of */
/* ERROR-CLANG: 'leat_mutex \*'.*incompatible type 'leat_any_ctx' */
/* ERROR: broadcast_send_ctx_wrong_context\.c:10: */
#include <leat.h>

int f(broadcast_chan(int) b, leat_mutex *m)
{
	return broadcast_send_ctx(b, 1, m);
}
