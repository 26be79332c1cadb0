/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A handler that the program installs later takes the place of leat's. */
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
	leat_yield();
	signal(SIGSEGV, handler);
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
