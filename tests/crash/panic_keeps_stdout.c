/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* What was printed before the panic is not lost in stdio's buffer. */
#include <leat.h>

#include <stdio.h>

static void worker(void)
{
	printf("without newline");
	leat_panic("now");
}

int main(void)
{
	printf("line\n");
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
