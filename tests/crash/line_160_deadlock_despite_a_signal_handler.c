/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A handler could not wake anybody: it must not hide the deadlock. */
#include <leat.h>

#include <signal.h>
#include <stdlib.h>

static void on_signal(int number)
{
	(void)number;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	leat_waitgroup wg = {0};

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	raise(SIGUSR1);
	leat_waitgroup_add(&wg, 1);
	leat_waitgroup_wait(&wg);
	return 0;
}
