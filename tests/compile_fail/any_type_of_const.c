/* SPDX-License-Identifier: MIT */
/* What is copied cannot be const. */
/* ERROR: values are copied: const int cannot be const */
/* ERROR: any_type_of_const\.c:7: */
#include <leat.h>

LEAT_TYPE(fixed, const int);
