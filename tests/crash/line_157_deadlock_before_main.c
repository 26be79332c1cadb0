/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Code that runs before main is watched too. */
#include <leat.h>

__attribute__((constructor)) static void before_main(void)
{
	chan(int) c = chan_make(int, 0);

	chan_recv(c);
}

int main(void)
{
	return 0;
}
