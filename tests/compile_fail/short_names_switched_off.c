/* SPDX-License-Identifier: MIT */
/* LEAT_NO_SHORT_NAMES leaves the names to the program. */
/* ERROR: expected expression */
/* ERROR: short_names_switched_off\.c:12: */
#define LEAT_NO_SHORT_NAMES
#include <leat.h>

void f(void)
{
	chan(int) c = 0;

	(void)c;
}
