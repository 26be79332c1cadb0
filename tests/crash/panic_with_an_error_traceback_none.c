/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Without stacks, none of an error either. */
#include <leat.h>

int main(void)
{
	leat_panic_error(leat_error_wrap(&leat_canceled, NULL, "first"));
}
