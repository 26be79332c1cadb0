/* SPDX-License-Identifier: MIT */
/* What is retried says how it went. */
/* ERROR: incompatible (pointer|function pointer) type */
/* ERROR: retry_of_what_returns_nothing\.c:15: */
#include <leat.h>

struct attempt {
	int n;
};

void attempt(struct attempt *a);

int f(void)
{
	return LEAT_RETRY(NULL, NULL, attempt, .n = 1);
}
