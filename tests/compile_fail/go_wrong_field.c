/* SPDX-License-Identifier: MIT */
/* Arguments are named after the fields of the struct. */
/* ERROR-GCC: 'struct count' has no member named 'm' */
/* ERROR-CLANG: 'm' does not refer to any field in type 'struct count' */
/* ERROR: go_wrong_field\.c:16: */
#include <leat.h>

struct count {
	int n;
};

void count(struct count *a);

void f(void)
{
	go(count, .m = 1);
}
