/* SPDX-License-Identifier: MIT */
/*
 * The contract of caught.h on Linux.
 *
 * Invariants (the callers' lock)
 *  - kept[sig] says what leat has made of a signal, before[sig] what was there.  before is read by handlers, without the
 *    lock, so it changes only while none is inside.
 *
 * A handler that finds its signal wanted no longer was overtaken by a release, or comes after a signal that was wanted
 * once.  It does what was there before: calls that handler, or brings the default action about by raising the signal
 * anew.  That is blocked until the handler returns, and then finds the default in place.
 *
 * But not on a thread that takes signals for the process: there nothing would have happened without leat.  The signal goes
 * back to the process, which may block it in all other threads, where it then stays pending.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/caught.h"

#include "base/copy.h"
#include "os/os.h"
#include "os/signal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

bool (*leat__os_on_caught)(int sig);

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

static enum { THEIRS, CAUGHT, IGNORED } kept[LEAT__SIGNALS_END];
static struct sigaction before[LEAT__SIGNALS_END];
static _Atomic uint32_t inside; /* handlers that may ask leat__os_on_caught, or read before */

static void fill_but_faults(sigset_t *set)
{
	sigfillset(set);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigdelset(set, faults[i]);
}

/* Signals whose default is to do nothing. */
static bool is_harmless(int sig)
{
	return sig == SIGCHLD || sig == SIGWINCH || sig == SIGURG || sig == SIGCONT;
}

static void forward(int sig, siginfo_t *info, void *context, const struct sigaction *old)
{
	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(sig, info, context);
	} else if (old->sa_handler == SIG_DFL) {
		struct sigaction usual = {.sa_handler = SIG_DFL};

		if (is_harmless(sig))
			return;
		leat__os_sigaction(sig, &usual, NULL);
		raise(sig);
	} else if (old->sa_handler != SIG_IGN) {
		old->sa_handler(sig);
	}
}

/* sig is to be had by any other thread: block it here once the handler returns, and have it sent anew.  Whoever wants it
   from now on has the thread open it again. */
static void give_back(int sig, siginfo_t *info, void *context)
{
	sigaddset(&((ucontext_t *)context)->uc_sigmask, sig);
	if (syscall(SYS_rt_sigqueueinfo, getpid(), sig, info) != 0)
		kill(getpid(), sig); /* it carries less than it did, where queues are full */
}

static void leat__handle_caught(int sig, siginfo_t *info, void *context)
{
	struct sigaction old;
	int saved = errno;
	bool wanted;

	/* Before it is known whether the signal is wanted, as leat__os_signals_await relies on. */
	atomic_fetch_add_explicit(&inside, 1, memory_order_seq_cst);
	wanted = leat__os_on_caught(sig);
	leat__copy(&old, &before[sig], sizeof old);
	atomic_fetch_sub_explicit(&inside, 1, memory_order_release); /* the program's may jump out */
	if (!wanted && leat__os_takes_signals)
		give_back(sig, info, context);
	else if (!wanted)
		forward(sig, info, context, &old);
	errno = saved;
}

void leat__os_signals_await(void)
{
	fence_seq_cst(); /* what is wanted is stored, and only then those inside are looked for */
	for (unsigned tries = 0; load_acquire(&inside); tries++)
		leat__os_backoff(tries);
}

static bool ignores(const struct sigaction *action)
{
	return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_IGN;
}

static bool is_ours(int sig, const struct sigaction *now)
{
	if (kept[sig] == IGNORED)
		return ignores(now);
	return kept[sig] == CAUGHT && (now->sa_flags & SA_SIGINFO) &&
	       now->sa_sigaction == leat__handle_caught;
}

/* What is there before ours is remembered; what the program has made of sig since it was ours counts as that. */
static int take_over(int sig, const struct sigaction *ours)
{
	struct sigaction now;

	if (leat__os_sigaction(sig, NULL, &now) != 0)
		return -EINVAL;
	if (!is_ours(sig, &now)) {
		leat__os_signals_await();
		leat__copy(&before[sig], &now, sizeof now); /* TSan hears of memcpy, not of the lock */
	}
	return leat__os_sigaction(sig, ours, NULL) == 0 ? 0 : -EINVAL;
}

int leat__os_signal_catch(int sig)
{
	struct sigaction ours = {.sa_sigaction = leat__handle_caught,
	                         .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	int saved = errno, err;

	fill_but_faults(&ours.sa_mask);
	err = take_over(sig, &ours);
	if (!err)
		kept[sig] = CAUGHT;
	errno = saved;
	return err;
}

int leat__os_signal_ignore(int sig)
{
	struct sigaction ours = {.sa_handler = SIG_IGN};
	int saved = errno, err = take_over(sig, &ours);

	if (!err)
		kept[sig] = IGNORED;
	errno = saved;
	return err;
}

void leat__os_signal_release(int sig)
{
	struct sigaction now;
	int saved = errno;

	if (kept[sig] != THEIRS && leat__os_sigaction(sig, NULL, &now) == 0 && is_ours(sig, &now))
		leat__os_sigaction(sig, &before[sig], NULL);
	kept[sig] = THEIRS;
	errno = saved;
}

bool leat__os_signal_ignored(int sig)
{
	struct sigaction now;
	int saved = errno;
	bool ignored = leat__os_sigaction(sig, NULL, &now) == 0 && ignores(&now);

	errno = saved;
	return ignored;
}

bool leat__os_signal_is_usual_there(int sig)
{
	struct sigaction now;
	int saved = errno;
	bool ignored;

	if (sig == SIGPIPE)
		return true;
	ignored = leat__os_sigaction(sig, NULL, &now) == 0 && ignores(&now);
	errno = saved;
	return !ignored || (kept[sig] == IGNORED && !ignores(&before[sig]));
}

void leat__os_signals_forget(void)
{
	store_relaxed(&inside, 0);
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		leat__os_signal_release(sig);
}

uint64_t leat__os_signals_hold(void)
{
	sigset_t set, before_it;
	uint64_t got = 0;

	fill_but_faults(&set);
	pthread_sigmask(SIG_BLOCK, &set, &before_it);
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		if (sigismember(&before_it, sig) == 0)
			got |= (uint64_t)1 << (sig - 1);
	return got;
}

void leat__os_signals_let(uint64_t which)
{
	sigset_t set;

	sigemptyset(&set);
	for (int sig = 1; which; sig++, which >>= 1)
		if (which & 1)
			sigaddset(&set, sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

const char *leat__os_signal_refused(int sig)
{
	switch (sig) {
	case SIGKILL:
		return "SIGKILL cannot be caught";
	case SIGSTOP:
		return "SIGSTOP cannot be caught";
	case SIGURG:
		return "SIGURG is leat's own";
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS:
		return "a fault is no message: leat_fault_panics makes a panic of it";
	default:
		/* Between those with names and the first for programs are the C library's own. */
		return sig < 1 || (sig > SIGSYS && sig < SIGRTMIN) || sig > SIGRTMAX
		           ? "there is no such signal"
		           : NULL;
	}
}
