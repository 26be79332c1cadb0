/* SPDX-License-Identifier: MIT */
/* A type is what its header says. */
/* ERROR: conflicting types for .*leat__type_of_point|typedef redefinition with different types */
/* ERROR: any_type_declared_otherwise\.c:16: */
#include <leat.h>

struct point {
	int x, y;
};

struct place {
	int x, y;
};

LEAT_TYPE_DECLARE(point, struct point);
LEAT_TYPE(point, struct place);
