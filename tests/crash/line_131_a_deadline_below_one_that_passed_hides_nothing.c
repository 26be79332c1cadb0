/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Where a deadline ends a context, that of one below it, an hour away, does not keep a deadlock from being found. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};

	scope(s, NULL);
	leat_ctx *below = leat_ctx_with_timeout(s, LEAT_HOUR);

	leat_scope_timeout(s, 10 * LEAT_MILLISECOND);
	chan_recv(leat_ctx_done(below));
	leat_mutex_lock(&m);
	leat_mutex_lock(&m);
	return 0;
}
