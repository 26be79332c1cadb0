/* SPDX-License-Identifier: MIT */
/* A leat_any has room for 16 bytes. */
/* ERROR: a leat_any holds 16 bytes: declare a pointer to struct large as the type */
/* ERROR: any_type_too_large\.c:11: */
#include <leat.h>

struct large {
	char bytes[17];
};

LEAT_TYPE(large, struct large);
