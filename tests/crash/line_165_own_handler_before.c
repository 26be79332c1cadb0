/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A handler that the program has set before its first call into leat wins. */
#include <leat.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t quits;

static void on_quit(int sig)
{
	(void)sig;
	quits++;
}

int main(void)
{
	signal(SIGQUIT, on_quit);
	leat_yield();
	raise(SIGQUIT);
	leat_sleep(LEAT_MILLISECOND);
	printf("%d\n", (int)quits);
	return 0;
}
