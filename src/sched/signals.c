/* SPDX-License-Identifier: MIT */
/*
 * Invariants (lock)
 *  - wanted is what the sinks want together.  Only the handler looks at it without the lock.
 *  - A signal that is wanted is caught (os/caught.h), and in kept.
 *
 * Nothing is lost.  A handler counts first, then says so in came, then calls the monitor, which looks at came after it
 * has forgotten that it was called.  Who takes a sink away:           a handler:
 *	stores wanted without its signals                                enters (inside)
 *	full fence                                                       full fence
 *	waits until no handler is inside                                 looks at wanted, counts
 *	gives what was counted                                           leaves
 * So a signal that was found wanted is given, also to the sink that goes; one that was not has the effect that it had
 * before leat.
 *
 * The kernel hands a signal to any thread that does not block it.  A program may block it in all of its own (to wait for
 * it with sigwait, before it knew better), and leat's have the mask of the first.  So the monitor, which blocks
 * everything else, takes what is open: wanted, and caught already.  It must block that again before the signal has its old
 * effect, which would be new to a program that blocks it everywhere: who gives a signal up waits for the monitor in
 * between, and one that the monitor is handed all the same goes back to the process (os/caught.c).
 *
 * Why the monitor: it needs no descriptor, as a pipe to the poller would, is there from the beginning, holds up
 * nobody, and can be called from a handler.  It costs one wake-up of a thread for each signal, 50 us.
 *
 * Lock order: this one's, deadlines of contexts, timers', trees', channels', the scheduler's.
 */
#include "sched/signals.h"

#include "sched/panic.h"

_Atomic bool leat__signals_live;

static uint8_t lock;
static struct leat__sink *sinks;
static _Atomic uint64_t wanted;
static uint64_t closed;       /* not wanted, though a sink that is about to go wants them */
static uint64_t kept;         /* caught, and not given back since */
static _Atomic uint64_t came; /* acquires counts */
static _Atomic uint32_t counts[LEAT__SIGNALS_END];

/* What the monitor's thread is to take; how often that has changed, and which of these changes it has followed. */
static _Atomic uint64_t open;
static _Atomic uint32_t changes, followed;

/* These it may still take, though they are open no more: until it has followed this change. */
static uint64_t closing;
static uint32_t closed_at[LEAT__SIGNALS_END];

#define FOLLOW_NS 10000000 /* then the monitor is called once more */

static uint64_t bit(int sig)
{
	return (uint64_t)1 << (sig - 1);
}

/* --- in the handler */

static bool caught(int sig)
{
	/* With the fence of who gives up a signal, between its store of wanted and its look at who is inside. */
	if (!(atomic_load_explicit(&wanted, memory_order_seq_cst) & bit(sig)))
		return false;
	fetch_add_relaxed(&counts[sig], 1);
	atomic_fetch_or_explicit(&came, bit(sig), memory_order_release);
	leat__monitor_call();
	return true;
}

/* --- locked */

static struct leat__sink **find(const void *key)
{
	struct leat__sink **link = &sinks;

	while (*link && (*link)->key != key)
		link = &(*link)->next;
	return link;
}

/* The monitor has followed the change by which sig was closed, if it was. */
static void follow_up(int sig, uint32_t now)
{
	if ((int32_t)(now - closed_at[sig]) >= 0)
		closing &= ~bit(sig);
}

/* The monitor is to take these. */
static void open_up(uint64_t which)
{
	uint64_t gone = load_relaxed(&open) & ~which;
	uint32_t now = load_acquire(&followed);

	if (which == load_relaxed(&open))
		return;
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++) {
		follow_up(sig, now);
		if (gone & bit(sig))
			closed_at[sig] = load_relaxed(&changes) + 1;
	}
	closing |= gone;
	store_relaxed(&open, which);
	/* The monitor reads it, then open. */
	atomic_fetch_add_explicit(&changes, 1, memory_order_release);
}

/* The monitor, which has followed as far as now, may still take one of these. */
static bool still_open(uint64_t which, uint32_t now)
{
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		follow_up(sig, now);
	return closing & which;
}

static void sum_up(void)
{
	uint64_t all = 0;
	bool live = false;

	for (const struct leat__sink *s = sinks; s; s = s->next) {
		all |= s->wants & ~closed;
		live |= s->live;
	}
	store_release(&leat__signals_live, live);
	if (all != load_relaxed(&wanted))
		atomic_store_explicit(&wanted, all, memory_order_seq_cst);
	open_up(load_relaxed(&open) & all); /* what is new is not caught as yet */
}

static void give_to(struct leat__m *m, struct leat__sink *s, int sig, uint32_t n)
{
	if (s->once) {
		s->wants = 0;
		sum_up(); /* before anybody knows: his next one has its old effect */
	}
	s->take(m, s, sig, n);
}

static void give(struct leat__m *m)
{
	uint64_t which = atomic_exchange_explicit(&came, 0, memory_order_acquire);
	struct leat__san_nobody nobody;

	if (!which)
		return;
	/* On behalf of who sent the signal, in the time of anybody. */
	leat__san_nobody_begin(&nobody);
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++) {
		uint32_t n = which & bit(sig) ? exchange_acq_rel(&counts[sig], 0) : 0;

		for (struct leat__sink *s = sinks; n && s; s = s->next)
			if (s->wants & bit(sig))
				give_to(m, s, sig, n);
	}
	leat__san_nobody_end(&nobody);
}

/* These are wanted no more; what came until now is given. */
static void close_and_give(struct leat__m *m, uint64_t which)
{
	closed = which;
	sum_up();
	leat__os_signals_await();
	give(m);
	closed = 0;
}

/* --- on the way back */

/* Bring those of which that nobody wants to what they are to be, once the monitor takes them no more. */
static void leave_to(uint64_t which, void (*to)(int sig))
{
	struct leat__m *m;
	uint32_t now;

	for (;;) {
		m = leat__enter();
		leat__lock(&lock);
		now = load_acquire(&followed);
		which &= ~load_relaxed(&wanted); /* who wanted one meanwhile gives it up himself */
		if (!still_open(which, now))
			break;
		leat__unlock(&lock);
		leat__leave(m);
		leat__monitor_call();
		leat__os_wait(&followed, now, leat__os_now() + FOLLOW_NS);
	}
	kept &= ~which;
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		if (which & bit(sig))
			to(sig);
	leat__unlock(&lock);
	leat__leave(m);
}

static void ignore(int sig)
{
	leat__os_signal_ignore(sig);
}

bool leat__signals_want(struct leat__sink *fresh, uint64_t which)
{
	struct leat__m *m = leat__enter();
	struct leat__sink **link, *s;

	leat__lock(&lock);
	leat__os_on_caught = caught;
	link = find(fresh->key);
	if (!*link)
		*link = fresh;
	s = *link;
	s->wants |= which;
	s->live = true;
	sum_up(); /* first: the handler asks */
	for (int sig = 1; sig < LEAT__SIGNALS_END; sig++)
		if ((which & bit(sig)) && leat__os_signal_catch(sig) != 0)
			which &= s->wants &= ~bit(sig);
	kept |= which;
	sum_up();
	open_up(load_relaxed(&wanted));
	leat__unlock(&lock);
	leat__leave(m);
	leat__monitor_call();
	return s == fresh;
}

struct leat__sink *leat__signals_unwant(const void *key)
{
	struct leat__m *m = leat__enter();
	struct leat__sink **link, *s;
	uint64_t others = 0, stale;

	leat__lock(&lock);
	link = find(key);
	s = *link;
	if (s) {
		for (const struct leat__sink *o = sinks; o; o = o->next)
			others |= o == s ? 0 : o->wants;
		close_and_give(m, s->wants & ~others);
		*link = s->next;
		sum_up();
	}
	stale = kept & ~load_relaxed(&wanted);
	leat__unlock(&lock);
	leat__leave(m);
	if (s && stale)
		leave_to(stale, leat__os_signal_release);
	return s;
}

static struct leat__sink *leave_all(uint64_t which, void (*to)(int sig))
{
	struct leat__sink *gone = NULL, **link;
	struct leat__m *m = leat__enter();

	leat__lock(&lock);
	close_and_give(m, which);
	for (link = &sinks; *link;) {
		struct leat__sink *s = *link;

		s->wants &= ~which;
		if (s->wants || !s->while_wanting) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		s->next = gone;
		gone = s;
	}
	sum_up();
	leat__unlock(&lock);
	leat__leave(m);
	leave_to(which, to);
	return gone;
}

struct leat__sink *leat__signals_ignore(uint64_t which)
{
	return leave_all(which, ignore);
}

struct leat__sink *leat__signals_reset(uint64_t which)
{
	return leave_all(which, leat__os_signal_release);
}

/* --- the monitor's */

void leat__signals_attend(struct leat__m *self)
{
	uint32_t change = load_acquire(&changes);

	if (unlikely(change != load_relaxed(&followed))) {
		leat__os_take_signals(load_relaxed(&open));
		store_release(&followed, change);
		leat__os_wake(&followed, INT32_MAX);
	}
	if (likely(!load_relaxed(&came)))
		return;
	leat__lock(&lock);
	give(self);
	leat__unlock(&lock);
}

/* --- fork */

void leat__signals_lock(void)
{
	leat__lock(&lock);
}

void leat__signals_unlock(void)
{
	leat__unlock(&lock);
}

void leat__signals_forget(bool whole)
{
	leat__os_signals_forget();
	kept = 0;
	store_relaxed(&wanted, 0);
	store_relaxed(&open, 0);
	closing = 0;
	store_relaxed(&came, 0);
	for (int sig = 0; sig < LEAT__SIGNALS_END; sig++)
		store_relaxed(&counts[sig], 0);
	/* The next monitor begins with all blocked. */
	store_relaxed(&followed, load_relaxed(&changes));
	store_relaxed(&leat__signals_live, false);
	for (struct leat__sink *s = whole ? sinks : NULL; s; s = s->next) {
		s->wants = 0;
		s->live = false;
	}
}
