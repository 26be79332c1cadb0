/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced nosan */
/* Freeing a channel twice.  A sanitizer would tell of it first. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 0);

	chan_free(c);
	chan_free(c);
	return 0;
}
