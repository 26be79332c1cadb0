/* SPDX-License-Identifier: MIT */
/* A call takes the struct of its name. */
/* ERROR: incompatible (pointer|function pointer) type */
/* ERROR: breaker_call_wrong_function\.c:15: */
#include <leat.h>

struct call {
	int n;
};

int call(int *n);

int f(leat_breaker *b)
{
	return LEAT_BREAKER_CALL(b, NULL, call, .n = 1);
}
