/* SPDX-License-Identifier: MIT */
/*
 * The contract of signal.h on Linux.
 *
 * A signal of leat__os_interrupt is told from others by the address that it carries, which a program
 * cannot send by accident.  One of leat__os_stop is told by what leat knows of the thread.
 *
 * glibc's other name for sigaction is used where there is one: the thread sanitizer takes the place of
 * the usual one and keeps a signal back until the thread calls something that it knows, which one that
 * computes or sleeps in leat never does, and then gives the handler registers that are out of date.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/signal.h"

#include "os/lock.h"
#include "os/os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int __sigaction(int sig, const struct sigaction *act, struct sigaction *old) __attribute__((weak));

int leat__os_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	return __sigaction ? __sigaction(sig, act, old) : sigaction(sig, act, old);
}

/* --- the signal that is for threads */

static void (*_Atomic on_interrupt)(const struct leat__regs *regs);
static struct sigaction
    before; /* what SIGURG did without us; written before our handler is there */

static bool (*_Atomic on_stop)(const void *context);
static uint8_t installing;

static void leat__handle_urgent(int sig, siginfo_t *info, void *context)
{
	bool (*stop)(const void *context) = load_acquire(&on_stop);
	int saved = errno;

	if (info->si_code == SI_QUEUE && info->si_value.sival_ptr == (void *)&on_interrupt) {
		struct leat__regs regs;

		leat__signal_regs(context, &regs);
		load_acquire (&on_interrupt)(&regs);
	} else if (info->si_code == SI_TKILL && stop && stop(context)) {
		/* It was stopped, and goes on. */
	} else if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
	}
	errno = saved;
}

/* Whether the handler is there.  Does not wait: perhaps in the handler of an alarm. */
static bool install(void)
{
	static const int open[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	struct sigaction ours = {.sa_sigaction = leat__handle_urgent,
	                         .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART},
	                 now;
	bool done = false;

	if (!leat__trylock(&installing))
		return false;
	/* While a thread is stopped no other handler runs there, which could call leat. */
	sigfillset(&ours.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		sigdelset(&ours.sa_mask, open[i]);
	if (leat__os_sigaction(SIGURG, NULL, &now) == 0) {
		done = (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == leat__handle_urgent;
		if (!done) {
			before = now;
			done = leat__os_sigaction(SIGURG, &ours, NULL) == 0;
		}
	}
	leat__unlock(&installing);
	return done;
}

bool leat__os_on_interrupt(void (*fn)(const struct leat__regs *regs))
{
	store_release(&on_interrupt, fn);
	return install();
}

int leat__os_interrupt(int tid)
{
	int saved = errno, err;
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = SIGURG;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)&on_interrupt;
	err = syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGURG, &info) == 0 ? 0 : -errno;
	errno = saved;
	return err;
}

/* --- stopping a thread */

bool leat__os_on_stop(bool (*fn)(const void *context))
{
	store_release(&on_stop, fn);
	return install();
}

void leat__os_stop(int tid)
{
	leat__os_signal_thread(tid, SIGURG);
}

void leat__os_let_interrupt(bool yes)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	pthread_sigmask(yes ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* --- the end */

static void (*on_quit)(void);
static void (*on_alarm)(void);

static void leat__handle_quit(int sig)
{
	int saved = errno;

	(void)sig;
	on_quit();
	errno = saved;
}

void leat__os_on_quit(void (*fn)(void))
{
	struct sigaction ours = {.sa_handler = leat__handle_quit, .sa_flags = SA_ONSTACK | SA_RESTART},
	                 now;

	if (leat__os_sigaction(SIGQUIT, NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO) ||
	    now.sa_handler != SIG_DFL)
		return;
	on_quit = fn;
	leat__os_sigaction(SIGQUIT, &ours, NULL);
}

static void (*_Atomic on_end)(void);

static void leat__handle_end(int sig)
{
	void (*fn)(void) = load_acquire(&on_end);
	struct sigaction usual = {.sa_handler = SIG_DFL};
	int saved = errno;

	if (fn)
		fn();
	leat__os_sigaction(sig, &usual, NULL);
	raise(sig); /* it comes when this returns */
	errno = saved;
}

void leat__os_on_end(void (*fn)(void))
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction ours = {.sa_handler = leat__handle_end, .sa_flags = SA_ONSTACK | SA_RESTART},
	                 usual = {.sa_handler = SIG_DFL}, now;

	if (fn)
		store_release(&on_end, fn);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (leat__os_sigaction(signals[i], NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO))
			continue;
		if (now.sa_handler == (fn ? SIG_DFL : leat__handle_end))
			leat__os_sigaction(signals[i], fn ? &ours : &usual, NULL);
	}
}

static void leat__handle_alarm(int sig)
{
	(void)sig;
	on_alarm();
}

void leat__os_later(unsigned seconds, void (*fn)(void))
{
	struct sigaction ours = {.sa_handler = leat__handle_alarm,
	                         .sa_flags = SA_ONSTACK | SA_RESTART | SA_NODEFER};
	sigset_t set;

	on_alarm = fn;
	leat__os_sigaction(SIGALRM, &ours, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm(seconds);
}

void leat__os_abort(void)
{
	struct sigaction fatal = {.sa_handler = SIG_DFL};

	leat__os_sigaction(SIGABRT, &fatal, NULL);
	abort();
}
