/* SPDX-License-Identifier: MIT */
/* The variable of a case has its type. */
/* ERROR-GCC: makes integer from pointer without a cast */
/* ERROR-CLANG: incompatible pointer to integer conversion */
/* ERROR: any_case_wrong_use\.c:12: */
#include <leat.h>

int f(leat_any a)
{
	any_switch(a) {
		any_case(const char *, text)
			return text;
	}
	return 0;
}
