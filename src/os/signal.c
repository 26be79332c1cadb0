/* SPDX-License-Identifier: MIT */
/*
 * The contract of signal.h on Linux.
 *
 * A signal of leat__os_interrupt is told from others by the address that it carries, which a program
 * cannot send by accident.
 *
 * glibc's other name for sigaction is used where there is one: the thread sanitizer takes the place of
 * the usual one and keeps a signal back until the thread calls something that it knows, which one that
 * computes or sleeps in leat never does, and then gives the handler registers that are out of date.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/signal.h"

#include "os/os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

int __sigaction(int sig, const struct sigaction *act, struct sigaction *old) __attribute__((weak));

static int set_action(int sig, const struct sigaction *act, struct sigaction *old)
{
	return __sigaction ? __sigaction(sig, act, old) : sigaction(sig, act, old);
}

/* --- looking at a thread */

static void (*_Atomic on_interrupt)(const struct leat__regs *regs);
static struct sigaction
    before; /* what SIGURG did without us; written before our handler is there */

#if defined __x86_64__

enum { CAN_READ_REGISTERS = 1 };

static void read_registers(const ucontext_t *u, struct leat__regs *regs)
{
	const greg_t *r = u->uc_mcontext.gregs;

	*regs = (struct leat__regs){
	    .ip = (uint64_t)r[REG_RIP],
	    .sp = (uint64_t)r[REG_RSP],
	    .bp = (uint64_t)r[REG_RBP],
	    .rbx = (uint64_t)r[REG_RBX],
	    .r12 = (uint64_t)r[REG_R12],
	    .r13 = (uint64_t)r[REG_R13],
	    .r14 = (uint64_t)r[REG_R14],
	    .r15 = (uint64_t)r[REG_R15],
	};
}

#else

enum { CAN_READ_REGISTERS = 0 };

static void read_registers(const ucontext_t *u, struct leat__regs *regs)
{
	(void)u;
	*regs = (struct leat__regs){0};
}

#endif

static void leat__handle_interrupt(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code == SI_QUEUE && info->si_value.sival_ptr == (void *)&on_interrupt) {
		struct leat__regs regs;

		read_registers(context, &regs);
		load_acquire (&on_interrupt)(&regs);
	} else if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
	}
	errno = saved;
}

bool leat__os_on_interrupt(void (*fn)(const struct leat__regs *regs))
{
	struct sigaction ours = {.sa_sigaction = leat__handle_interrupt,
	                         .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART},
	                 now;

	if (!CAN_READ_REGISTERS || set_action(SIGURG, NULL, &now) != 0)
		return false;
	store_release(&on_interrupt, fn);
	if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == leat__handle_interrupt)
		return true;
	before = now;
	return set_action(SIGURG, &ours, NULL) == 0;
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

	if (set_action(SIGQUIT, NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO) ||
	    now.sa_handler != SIG_DFL)
		return;
	on_quit = fn;
	set_action(SIGQUIT, &ours, NULL);
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
	set_action(SIGALRM, &ours, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm(seconds);
}

void leat__os_abort(void)
{
	struct sigaction fatal = {.sa_handler = SIG_DFL};

	set_action(SIGABRT, &fatal, NULL);
	abort();
}
