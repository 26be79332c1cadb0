/* SPDX-License-Identifier: MIT */
/* What the tests of signals share: a handler of the program's own, which counts, and what handler there is. */
#ifndef SIGNAL_HELP_H
#define SIGNAL_HELP_H

#include "test.h"

#include <signal.h>
#include <stdatomic.h>

static _Atomic int handled; /* by the program's own handler */

static void count(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

/* nohup, and a shell in the background, start a program with some signals ignored. */
__attribute__((constructor)) static void usual_signals(void)
{
	static const int some[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE};

	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		signal(some[i], SIG_DFL);
}

static void set_handler(int sig, void (*fn)(int))
{
	struct sigaction action = {.sa_handler = fn, .sa_flags = SA_ONSTACK};

	CHECK(sigaction(sig, &action, NULL) == 0);
}

static void (*handler_of(int sig))(int)
{
	struct sigaction now;

	CHECK(sigaction(sig, NULL, &now) == 0);
	return now.sa_handler;
}

#endif
