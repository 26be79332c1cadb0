/* SPDX-License-Identifier: MIT */
/* A print takes a pointer to void. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible function pointer types */
/* ERROR: any_type_wrong_print\.c:17: */
#include <leat.h>

struct point {
	int x, y;
};

static void print(FILE *to, const struct point *p)
{
	fprintf(to, "%d", p->x);
}

LEAT_TYPE(point, struct point, .print = print);
