/* SPDX-License-Identifier: MIT */
/* Arrays cannot be copied by =. */
/* ERROR: arrays cannot be copied: put char ?\[8\] into a structure */
/* ERROR: any_type_of_array\.c:7: */
#include <leat.h>

static LEAT_TYPE(name, char[8]);
