/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A message of several lines is indented, so that it cannot be taken for the report. */
#include <leat.h>

int main(void)
{
	leat_panic("first\nsecond\n\nfourth");
}
