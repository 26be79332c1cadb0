/* SPDX-License-Identifier: MIT */
/* CTEST: env:LEAT_URING=2 */
/* file.c with all that can through io_uring. */
#include "file.c"
