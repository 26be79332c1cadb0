/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* The text is the program's: no part of it is taken for a format again. */
#include <leat.h>

int main(void)
{
	leat_panic("%s", "100% %s %n");
}
