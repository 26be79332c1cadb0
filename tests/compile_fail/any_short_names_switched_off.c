/* SPDX-License-Identifier: MIT */
/* LEAT_NO_SHORT_NAMES leaves these names to the program, too. */
/* ERROR-GCC: expected expression before .int. */
/* ERROR-CLANG: expected expression */
/* ERROR: any_short_names_switched_off\.c:11: */
#define LEAT_NO_SHORT_NAMES
#include <leat.h>

bool f(leat_any a)
{
	return any_is(int, a);
}
