/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Closing NULL. */
#include <leat.h>

int main(void)
{
	chan(int) c = NULL;

	chan_close(c);
	return 0;
}
