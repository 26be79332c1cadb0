/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Nor where it is in the past, its own one before. */
#include <leat.h>

int main(void)
{
	leat_mutex m = {0};

	scope(s, NULL);
	leat_ctx *below = leat_ctx_with_timeout(s, LEAT_HOUR);

	leat_scope_timeout(s, LEAT_MINUTE);
	leat_scope_deadline(s, 1);
	if (!leat_ctx_err(below))
		return 1;
	leat_mutex_lock(&m);
	leat_mutex_lock(&m);
	return 0;
}
