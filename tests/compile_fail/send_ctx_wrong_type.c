/* SPDX-License-Identifier: MIT */
/* The value is checked as in any send. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: send_ctx_wrong_type\.c:9: */
#include <leat.h>

int f(chan(int) c, int *p, leat_ctx *ctx)
{
	return chan_send_ctx(c, p, ctx);
}
