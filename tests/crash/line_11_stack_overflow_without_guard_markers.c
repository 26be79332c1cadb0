/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced env:LEAT_DEBUG=protect */
/* As on kernels before 6.13: the guard is memory without access. */
#include "line_11_stack_overflow.c"
