/* SPDX-License-Identifier: MIT */
/* What ends a wait is a context or a scope. */
/* ERROR-GCC: incompatible type for argument 3 of */
/* ERROR-CLANG: 'leat_mutex \*'.*incompatible type 'leat_any_ctx' */
/* ERROR: recv_ctx_wrong_context\.c:10: */
#include <leat.h>

int f(chan(long) c, leat_mutex *m)
{
	return chan_recv_ctx(c, NULL, m);
}
