/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* The deadlines of cancelled contexts, not yet freed, do not keep a deadlock from being found. */
#include <leat.h>

int main(void)
{
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *a = leat_ctx_with_timeout(top, LEAT_HOUR);
	leat_ctx *b = leat_ctx_with_timeout(a, LEAT_MINUTE);
	leat_ctx *alone = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	leat_mutex m = {0};

	leat_ctx_cancel(alone);
	leat_ctx_cancel(top);
	if (!leat_ctx_err(b))
		return 1;
	leat_mutex_lock(&m);
	leat_mutex_lock(&m);
	return 0;
}
