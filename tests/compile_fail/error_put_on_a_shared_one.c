/* SPDX-License-Identifier: MIT */
/* What others know does not change. */
/* ERROR: discards.*qualifier */
/* ERROR: error_put_on_a_shared_one\.c:9: */
#include <leat.h>

void f(const leat_error *e)
{
	leat_error_put(e, "path", "/");
}
