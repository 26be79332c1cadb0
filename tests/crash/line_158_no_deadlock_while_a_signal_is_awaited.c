/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 env:LEAT_DEBUG=deadlock */
/* Another process will send a signal, for a channel and for a scope: no suspicion at all. */
#include <leat.h>

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	chan(int) c;
	pid_t parent = getpid();

	if (fork() == 0) { /* before leat begins */
		struct timespec pause = {.tv_nsec = 200000000};

		nanosleep(&pause, NULL);
		kill(parent, SIGUSR1);
		nanosleep(&pause, NULL);
		kill(parent, SIGTERM);
		_exit(0);
	}
	c = chan_make(int, 1);
	signal(SIGTERM, SIG_IGN); /* it may come while nobody waits for it */
	{
		scope(s, NULL);
		scope_on_signal(s, SIGTERM);
		signal_notify(c, SIGUSR1);
		printf("%s\n", leat_signal_string(chan_recv(c)));
		signal_stop(c);
		chan_recv(scope_done(s));
		printf("%s\n", leat_error_message(leat_ctx_cause(s)));
	}
	wait(NULL);
	return 0;
}
