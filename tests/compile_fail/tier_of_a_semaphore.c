/* SPDX-License-Identifier: MIT */
/* A tier is a limiter or a multi limiter. */
/* ERROR-GCC: '_Generic' selector of type 'leat_semaphore \*' is not compatible with any association */
/* ERROR-CLANG: controlling expression type 'leat_semaphore \*'.* not compatible with any generic association type */
/* ERROR: tier_of_a_semaphore\.c:10: */
#include <leat.h>

void f(leat_multi_limiter *m, leat_semaphore *s)
{
	LEAT_MULTI_LIMITER_INIT(m, LEAT_TIER(s));
}
