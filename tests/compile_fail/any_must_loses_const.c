/* SPDX-License-Identifier: MIT */
/* Neither can what any_must gives. */
/* ERROR-GCC: discards .const. qualifier */
/* ERROR-CLANG: discards qualifiers */
/* ERROR: any_must_loses_const\.c:10: */
#include <leat.h>

char *f(leat_any a)
{
	return any_must(const char *, a);
}
