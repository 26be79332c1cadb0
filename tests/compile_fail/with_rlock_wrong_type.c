/* SPDX-License-Identifier: MIT */
/* A mutex has no readers. */
/* ERROR-GCC: 'leat_rwmutex \* const' from incompatible pointer type 'leat_mutex \*' */
/* ERROR-CLANG: 'leat_rwmutex \*const'.*'leat_mutex \*' */
/* ERROR: with_rlock_wrong_type\.c:10: */
#include <leat.h>

void f(leat_mutex *m)
{
	with_rlock(m);
}
