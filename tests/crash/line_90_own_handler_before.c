/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A handler that the program had before its first call into leat gets faults that are no overflow, first. */
#include <leat.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void handler(int sig)
{
	static const char said[] = "own handler\n";

	(void)sig;
	if (write(1, said, strlen(said)) > 0)
		_exit(3);
}

static void worker(void)
{
	*(volatile int *)NULL = 1; /* NOLINT */
}

int main(void)
{
	signal(SIGSEGV, handler);
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
