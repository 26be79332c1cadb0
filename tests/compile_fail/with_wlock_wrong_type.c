/* SPDX-License-Identifier: MIT */
/* A mutex is no read-write lock. */
/* ERROR-GCC: 'leat_rwmutex \* const' from incompatible pointer type 'leat_mutex \*' */
/* ERROR-CLANG: 'leat_rwmutex \*const'.*'leat_mutex \*' */
/* ERROR: with_wlock_wrong_type\.c:10: */
#include <leat.h>

void f(leat_mutex *m)
{
	with_wlock(m);
}
