/* SPDX-License-Identifier: MIT */
/*
 * Signals for the program: sinks (sched/signals.h) that are channels, and those that end contexts.
 *
 * A context's sink wants its signals once, so that the next one already has its old effect.  It lies beside the context, not in it, since the child of a fork looks at all
 * sinks but may not look at stacks, where scopes are.
 */
#include "process/signal.h"

#include "ctx/ctx.h"
#include "sched/panic.h"
#include "sched/signals.h"

#include <leat/signal.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX    "signal: "
#define NUMBER(n) [n] = PREFIX "signal " #n

/* Go's words, and in their manner those that it lacks. */
static const char *const texts[LEAT__SIGNALS_END] = {
    [SIGHUP] = PREFIX "hangup",
    [SIGINT] = PREFIX "interrupt",
    [SIGQUIT] = PREFIX "quit",
    [SIGILL] = PREFIX "illegal instruction",
    [SIGTRAP] = PREFIX "trace/breakpoint trap",
    [SIGABRT] = PREFIX "aborted",
    [SIGBUS] = PREFIX "bus error",
    [SIGFPE] = PREFIX "floating point exception",
    [SIGKILL] = PREFIX "killed",
    [SIGUSR1] = PREFIX "user defined signal 1",
    [SIGSEGV] = PREFIX "segmentation fault",
    [SIGUSR2] = PREFIX "user defined signal 2",
    [SIGPIPE] = PREFIX "broken pipe",
    [SIGALRM] = PREFIX "alarm clock",
    [SIGTERM] = PREFIX "terminated",
    [SIGSTKFLT] = PREFIX "stack fault",
    [SIGCHLD] = PREFIX "child exited",
    [SIGCONT] = PREFIX "continued",
    [SIGSTOP] = PREFIX "stopped (signal)",
    [SIGTSTP] = PREFIX "stopped",
    [SIGTTIN] = PREFIX "stopped (tty input)",
    [SIGTTOU] = PREFIX "stopped (tty output)",
    [SIGURG] = PREFIX "urgent I/O condition",
    [SIGXCPU] = PREFIX "CPU time limit exceeded",
    [SIGXFSZ] = PREFIX "file size limit exceeded",
    [SIGVTALRM] = PREFIX "virtual timer expired",
    [SIGPROF] = PREFIX "profiling timer expired",
    [SIGWINCH] = PREFIX "window changed",
    [SIGIO] = PREFIX "I/O possible",
    [SIGPWR] = PREFIX "power failure",
    [SIGSYS] = PREFIX "bad system call",
    NUMBER(32),
    NUMBER(33),
    NUMBER(34),
    NUMBER(35),
    NUMBER(36),
    NUMBER(37),
    NUMBER(38),
    NUMBER(39),
    NUMBER(40),
    NUMBER(41),
    NUMBER(42),
    NUMBER(43),
    NUMBER(44),
    NUMBER(45),
    NUMBER(46),
    NUMBER(47),
    NUMBER(48),
    NUMBER(49),
    NUMBER(50),
    NUMBER(51),
    NUMBER(52),
    NUMBER(53),
    NUMBER(54),
    NUMBER(55),
    NUMBER(56),
    NUMBER(57),
    NUMBER(58),
    NUMBER(59),
    NUMBER(60),
    NUMBER(61),
    NUMBER(62),
    NUMBER(63),
    NUMBER(64),
};

const char *leat__signal_text(int sig)
{
	return sig > 0 && sig < LEAT__SIGNALS_END ? texts[sig] : PREFIX "unknown signal";
}

const char *leat_signal_string(int sig)
{
	return leat__signal_text(sig) + strlen(PREFIX);
}

/* --- causes of contexts */

static LEAT_ERROR_TYPE(signal_error);
static leat_error causes[LEAT__SIGNALS_END]; /* filled before main */

__attribute__((constructor(101))) static void fill_causes(void)
{
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		causes[sig] = (leat_error){texts[sig], &signal_error, -ECANCELED, 0};
}

int leat_signal_of(const leat_error *e)
{
	const leat_error *cause = leat_error_as(e, &signal_error);

	return cause ? (int)(cause - causes) : 0;
}

/* --- which signals */

static uint64_t bit(int sig)
{
	return (uint64_t)1 << (sig - 1);
}

static uint64_t all_signals(void)
{
	uint64_t all = 0;

	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		if (!leat__os_signal_refused(sig))
			all |= bit(sig);
	return all;
}

static uint64_t leat__signals_among(const int *signals, size_t n)
{
	uint64_t which = 0;

	for (size_t i = 0; i < n; i++) {
		const char *why = leat__os_signal_refused(signals[i]);
		char message[100];

		if (why && strncmp(why, "SIG", 3) == 0)
			snprintf(message, sizeof message, "signal: %s", why);
		else if (why)
			snprintf(message, sizeof message, "signal: %d: %s", signals[i], why);
		if (why)
			leat__panic_runtime(message);
		which |= bit(signals[i]);
	}
	return n ? which : all_signals();
}

/* What ends a context, as a rule; what the program's parent has it ignore stays ignored. */
static uint64_t leat__signals_to_end(const int *signals, size_t n)
{
	if (n)
		return leat__signals_among(signals, n);
	return (leat_signal_ignored(SIGINT) ? 0 : bit(SIGINT)) |
	       (leat_signal_ignored(SIGTERM) ? 0 : bit(SIGTERM));
}

/* --- sinks */

static struct leat__sink *leat__sink_new(const struct leat__sink *as)
{
	struct leat__sink *s = leat__san_fresh_memory(sizeof *s); /* the monitor looks at it */

	if (!s)
		leat__panic_runtime("out of memory");
	*s = *as;
	return s;
}

static void free_all(struct leat__sink *s)
{
	for (struct leat__sink *next; s; s = next) {
		next = s->next;
		free(s);
	}
}

static void send_to_chan(struct leat__m *m, struct leat__sink *s, int sig, uint32_t n)
{
	leat_chan *c = (leat_chan *)(uintptr_t)s->key;
	enum leat__outcome outcome = LEAT__DONE;
	union {
		int sig;
		uint64_t room; /* elements are copied by words where they are that long */
	} value = {sig};

	for (; n && outcome == LEAT__DONE; n--) {
		leat__chan_lock(m, c);
		outcome = leat__send_locked(m, c, &value, false);
		if (outcome != LEAT__DONE)
			leat__chan_unlock(m, c);
	}
}

/* One is enough, however often it came. */
static void end_ctx(struct leat__m *m, struct leat__sink *s, int sig, uint32_t n)
{
	leat_ctx *c = (leat_ctx *)(uintptr_t)s->key;

	(void)n;
	if (leat__ctx_cancel(m, c, -ECANCELED, &causes[sig]))
		leat__ctx_stop_timers_within(c);
}

static void leat__check_chan(const leat_chan *c)
{
	if (!c)
		leat__panic_runtime("signal.Notify using nil channel");
	if (c->elem_bytes != sizeof(int))
		leat__panic_runtime("signal: not a channel of int");
}

void leat_signal_notify(leat_chan *c, const int *signals, size_t n)
{
	struct leat__sink *s;
	uint64_t which;

	leat__check_chan(c);
	which = leat__signals_among(signals, n);
	s = leat__sink_new(&(struct leat__sink){.key = c, .while_wanting = true, .take = send_to_chan});
	if (!leat__signals_want(s, which))
		free(s);
}

void leat_signal_stop(leat_chan *c)
{
	leat__check_chan(c);
	free(leat__signals_unwant(c));
}

void leat_signal_ignore(const int *signals, size_t n)
{
	free_all(leat__signals_ignore(leat__signals_among(signals, n)));
}

void leat_signal_reset(const int *signals, size_t n)
{
	free_all(leat__signals_reset(leat__signals_among(signals, n)));
}

bool leat_signal_ignored(int signal)
{
	return leat__os_signal_ignored(signal);
}

/* --- contexts */

static void ctx_ends(leat_ctx *c)
{
	free(leat__signals_unwant(c));
}

static void end_on(leat_ctx *c, struct leat__sink *s, uint64_t which)
{
	leat__on_signalled_end = ctx_ends;
	__atomic_store_n(&c->leat__value, c, __ATOMIC_RELAXED); /* something */
	if (!leat__signals_want(s, which))
		free(s);
}

leat_ctx *leat_signal_ctx(leat_any_ctx parent, const int *signals, size_t n)
{
	uint64_t which = leat__signals_to_end(signals, n);
	leat_ctx *c = leat__ctx_new(parent.leat__ctx, LEAT__CTX_SIGNAL);
	struct leat__sink *s = leat__san_fresh_memory(sizeof *s);

	if (!s) {
		leat_ctx_free(c);
		leat__panic_runtime("out of memory");
	}
	*s = (struct leat__sink){.key = c, .once = true, .take = end_ctx};
	end_on(c, s, which);
	return c;
}

void leat_scope_on_signal(leat_scope *s, const int *signals, size_t n)
{
	leat_ctx *c = &s->leat__ctx;
	uint64_t which = leat__signals_to_end(signals, n);

	end_on(c, leat__sink_new(&(struct leat__sink){.key = c, .once = true, .take = end_ctx}), which);
}
