/* SPDX-License-Identifier: MIT */
/* What would not compile as a call does not compile deferred. */
/* ERROR-GCC: passing argument 1 of 'done' from incompatible pointer type */
/* ERROR-CLANG: passing 'leat_mutex \*'.*to parameter of type 'leat_waitgroup \*' */
/* ERROR: defer_wrong_argument\.c:12: */
#include <leat.h>

void done(leat_waitgroup *wg);

void f(leat_mutex *m)
{
	defer(done, m);
}
