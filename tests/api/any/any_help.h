/* SPDX-License-Identifier: MIT */
/* What the files of the test share: a type in a header, and functions of the other file. */
#ifndef ANY_HELP_H
#define ANY_HELP_H

#include <leat.h>

struct point {
	int x, y;
};
LEAT_TYPE_DECLARE(point, struct point);

/* Made and read by the other file. */
leat_any other_point(int x, int y);
int other_x(leat_any a);
leat_any other_int(int n);
leat_any other_string(const char *text);
bool other_is_string(leat_any a);

/* A type that both files have, each its own. */
leat_any other_local(int n);

#endif
