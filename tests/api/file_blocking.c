/* SPDX-License-Identifier: MIT */
/* CTEST: env:LEAT_URING=0 */
/* file.c without io_uring. */
#include "file.c"
