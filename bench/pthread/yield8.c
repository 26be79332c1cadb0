/* SPDX-License-Identifier: MIT */
/* yield8: as yield, with 8 threads in all. */
#define ROW      "yield8"
#define ROUND    12500
#define YIELDERS 8
#include "yield.c"
