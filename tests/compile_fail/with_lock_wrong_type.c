/* SPDX-License-Identifier: MIT */
/* Only a mutex is locked. */
/* ERROR-GCC: 'leat_mutex \* const' from incompatible pointer type 'leat_waitgroup \*' */
/* ERROR-CLANG: 'leat_mutex \*const'.*'leat_waitgroup \*' */
/* ERROR: with_lock_wrong_type\.c:10: */
#include <leat.h>

void f(leat_waitgroup *wg)
{
	with_lock(wg);
}
