/* SPDX-License-Identifier: MIT */
/* A select waits for a leat_cond with a leat_mutex. */
/* ERROR-GCC: 'leat_cond \*'.* but argument is of type 'leat_mutex \*'|from incompatible pointer type */
/* ERROR-CLANG: 'leat_mutex \*'.*'leat_cond \*' */
/* ERROR: case_cond_wrong_type\.c:11: */
#include <leat.h>

void f(leat_cond *c, leat_mutex *m)
{
	chan_select {
		case_cond(m, c) {
		}
	}
}
