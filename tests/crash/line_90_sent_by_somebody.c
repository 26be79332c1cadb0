/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* SIGSEGV that somebody sent is no fault: it does what it does without leat. */
#include <leat.h>

#include <signal.h>

int main(void)
{
	leat_yield();
	raise(SIGSEGV);
	return 0;
}
