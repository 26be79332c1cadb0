/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* Nil is no value to panic with. */
#include <leat.h>

int main(void)
{
	leat_panic_any((leat_any){0});
}
