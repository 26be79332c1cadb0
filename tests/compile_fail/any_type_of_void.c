/* SPDX-License-Identifier: MIT */
/* There are no values of type void. */
/* ERROR: void has no values */
/* ERROR: any_type_of_void\.c:7: */
#include <leat.h>

LEAT_TYPE(none, void);
