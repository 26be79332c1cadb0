/* SPDX-License-Identifier: MIT */
/* yield8: as yield, with 8 goroutines in all. */
#define ROW      "yield8"
#define ROUND    25000
#define YIELDERS 8
#include "yield.c"
