/* SPDX-License-Identifier: MIT */
/* Strings cannot be written to. */
/* ERROR: a string is a const char \* */
/* ERROR: any_as_char_pointer\.c:9: */
#include <leat.h>

bool f(leat_any a, char **text)
{
	return any_as(char *, a, text);
}
