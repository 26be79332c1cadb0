/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced nosan */
/* Receiving from a channel that was freed.  A sanitizer would tell of it first. */
#include <leat.h>

int main(void)
{
	chan(int) c = chan_make(int, 1);

	chan_send(c, 1);
	chan_free(c);
	return chan_recv(c);
}
