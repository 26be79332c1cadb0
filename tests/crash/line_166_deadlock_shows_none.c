/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A deadlock is fatal, and obeys as other fatal errors do. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 0);

	chan_recv(c);
	return 0;
}
