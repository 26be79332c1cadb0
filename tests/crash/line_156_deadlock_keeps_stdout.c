/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* What was printed before is not lost in stdio's buffer. */
#include <leat.h>

#include <stdio.h>

int main(void)
{
	chan(int) c = NULL;

	printf("one\ntwo");
	chan_recv(c);
	return 0;
}
