/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - state[dir] is NIL, READY, or the head of a chain of waiters.  A waiter puts itself on by
 *    compare-and-swap; who takes takes the whole chain, owns it, and wakes every one of it.  So no
 *    waiter's memory is touched after it was woken, and an address that comes back (ABA) does no harm.
 *  - A waiter that is on the chain is counted in leat__poll_waiters, until it is in a run queue.
 *  - An event is passed on only if its sequence is that of the number's present life.
 *  - The sequence changes while nobody holds the descriptor, so a token used meanwhile is right.
 *
 * No edge is lost.  READY remembers one that finds nobody waiting: whose try failed before the edge
 * finds READY when it wants to wait.  prepare forgets it, before the first try.  A waiter by
 * leat__pd_wait_once pushes READY aside, and then has the kernel look anew (watch), which repeats the
 * edge if there is still a reason: for itself and for the one whose READY it was.
 *
 * Only edges that somebody waits for are watched, unless the descriptor has an owner: else each wait
 * for something to read would be told that there is room to write, and wake the thread that sleeps in
 * the poller.  Two who register at once might undo each other's; so each looks after it has registered
 * whether somebody has come for something else, and if so registers anew.  Whose push that look misses
 * comes after it, and registers after it, with what it finds: all who came before.
 *
 * No verdict is lost.  Who closes, or whose deadline passes:      who waits:
 *	store the flag                                                 put itself on the chain
 *	full fence                                                     full fence
 *	take the chain and wake it                                     look at the flags: then take it back
 * One of the two sees the other's store.  tests/litmus/model_tso.c has the model.  A waiter that is too
 * late to take itself back has been taken, and parks: its wake-up has come or will.
 *
 * A close waits until nobody holds the descriptor: users counts those who do, the closer too until it is ready to be woken,
 * and whoever makes it SHUT alone is the last, once.
 *
 * A deadline that was moved while its timer fired: leat__timer_stop returns when the timer's function
 * does not run, so the flags are set in order; who was woken by the old deadline finds no flag and
 * waits again.
 *
 * Lock order: a descriptor's lock, then the timers', then the scheduler's.
 */
#include "sched/polldesc.h"

#include "os/poller.h"
#include "sched/panic.h"
#include "sched/policy.h"

#include <errno.h>

#define CHUNK  256
#define CHUNKS (1 << 16) /* 16 million numbers */

static struct leat__pd *_Atomic chunks[CHUNKS];
static _Atomic int chunks_end; /* from here on there are none */

static const uint32_t expiry[LEAT__POLL_EITHER] = {LEAT__PD_READ_EXPIRED, LEAT__PD_WRITE_EXPIRED};

/* --- descriptors */

static void read_expired(struct leat__m *m, struct leat__timer *t);
static void write_expired(struct leat__m *m, struct leat__timer *t);

static COLD struct leat__pd *add_chunk(int i)
{
	size_t bytes = (CHUNK * sizeof(struct leat__pd) + 4095) & ~(size_t)4095;
	struct leat__pd *chunk = leat__os_map(bytes), *none = NULL;

	if (!chunk)
		return NULL;
	for (int k = 0; k < CHUNK; k++) {
		struct leat__pd *pd = &chunk[k];

		pd->fd = i * CHUNK + k;
		pd->timers[LEAT__POLL_READ].fire = read_expired;
		pd->timers[LEAT__POLL_WRITE].fire = write_expired;
	}
	if (cas_acq_rel(&chunks[i], &none, chunk)) {
		int end = load_relaxed(&chunks_end);

		while (end <= i && !cas_acq_rel(&chunks_end, &end, i + 1))
			;
		return chunk;
	}
	leat__os_unmap(chunk, bytes);
	return none;
}

struct leat__pd *leat__pd_find(int fd)
{
	struct leat__pd *chunk;

	if (fd < 0 || fd / CHUNK >= CHUNKS)
		return NULL;
	chunk = load_acquire(&chunks[fd / CHUNK]);
	return chunk ? &chunk[fd % CHUNK] : NULL;
}

struct leat__pd *leat__pd_of(int fd)
{
	struct leat__pd *pd = leat__pd_find(fd);

	if (likely(pd != NULL) || fd < 0 || fd / CHUNK >= CHUNKS)
		return pd;
	pd = add_chunk(fd / CHUNK);
	return pd ? &pd[fd % CHUNK] : NULL;
}

static uint64_t token(const struct leat__pd *pd)
{
	return (uint64_t)load_relaxed(&pd->sequence) << 32 | (uint32_t)pd->fd;
}

int leat__pd_open(int fd, struct leat__pd **out)
{
	struct leat__pd *pd;
	int err = leat__netpoll_start();

	if (err)
		return err;
	pd = leat__pd_of(fd);
	if (!pd)
		return fd < 0 ? -EBADF : -ENOMEM;
	/* The program may have waited for, and closed, another file of this number. */
	atomic_fetch_and_explicit(&pd->flags, ~(uint32_t)LEAT__PD_LAST, memory_order_acq_rel);
	atomic_fetch_or_explicit(&pd->flags, LEAT__PD_OPENED, memory_order_acq_rel);
	err = leat__os_poller_watch(fd, token(pd), LEAT__OS_READ | LEAT__OS_WRITE);
	if (err)
		atomic_fetch_and_explicit(&pd->flags, ~(uint32_t)LEAT__PD_OPENED, memory_order_acq_rel);
	else
		*out = pd;
	return err;
}

int leat__pd_open_unwatched(int fd, struct leat__pd **out)
{
	struct leat__pd *pd = leat__pd_of(fd);

	if (!pd)
		return fd < 0 ? -EBADF : -ENOMEM;
	atomic_fetch_or_explicit(&pd->flags, LEAT__PD_UNWATCHED, memory_order_acq_rel);
	*out = pd;
	return 0;
}

bool leat__pd_hold(struct leat__pd *pd)
{
	uint32_t users = load_relaxed(&pd->users);

	while (!(users & LEAT__PD_SHUT))
		if (cas_acq_rel(&pd->users, &users, users + LEAT__PD_HOLD))
			return true;
	return false;
}

/* The closer, if the caller was the last and is to wake it; releases what it did to the closer. */
static struct leat__g *drop(struct leat__pd *pd)
{
	/* What the program did with the descriptor comes before its close. */
	leat__hb_release(pd);
	return atomic_fetch_sub_explicit(&pd->users, LEAT__PD_HOLD, memory_order_acq_rel) ==
	               (LEAT__PD_SHUT | LEAT__PD_HOLD)
	           ? pd->closer
	           : NULL;
}

void leat__pd_drop(struct leat__m *m, struct leat__pd *pd)
{
	struct leat__g *closer = drop(pd);

	if (closer)
		leat__ready(m, closer, false);
}

void leat__pd_let_go(struct leat__pd *pd)
{
	struct leat__g *closer = drop(pd);
	struct leat__m *m;

	if (likely(!closer))
		return;
	m = leat__enter();
	leat__ready(m, closer, false);
	leat__leave(m);
}

/* --- the chain of a direction */

/* Take READY away before a try: true, if it was there.  The kernel may look at what is tried for without a lock that whoever changes
   it has; so the fence, with the kernel's in front of an edge: either the try sees the change, or the edge that there is no
   READY (leat__pd_edge).  A processor's own exchange is that fence on x86, on Arm it is not. */
static bool take_ready(struct leat__pd *pd, enum leat__poll_dir dir)
{
	uintptr_t ready = LEAT__POLL_READY;
	bool was = load_relaxed(&pd->state[dir]) == LEAT__POLL_READY &&
	           cas_acq_rel(&pd->state[dir], &ready, LEAT__POLL_NIL);

	if (was)
		fence_seq_cst_after_rmw();
	return was;
}

static struct leat__poll_waiter *chain_of(uintptr_t state)
{
	return state > LEAT__POLL_READY ? (struct leat__poll_waiter *)state : NULL;
}

/* Put w on; with heed_ready return false instead, and forget it, if an edge has come. */
static bool push(struct leat__pd *pd, enum leat__poll_dir dir, struct leat__poll_waiter *w,
                 bool heed_ready)
{
	uintptr_t state = load_relaxed(&pd->state[dir]);

	w->ready = false;
	for (;;) {
		bool edge = heed_ready && state == LEAT__POLL_READY;

		w->next = chain_of(state);
		/* Releases w to who takes it, and with it, acquired here, the rest of the chain. */
		if (cas_acq_rel(&pd->state[dir], &state, edge ? LEAT__POLL_NIL : (uintptr_t)w))
			return !edge;
	}
}

/* Take the chain, if there is one, and leave nothing. */
static struct leat__poll_waiter *take(struct leat__pd *pd, enum leat__poll_dir dir)
{
	uintptr_t state = load_relaxed(&pd->state[dir]);

	while (state > LEAT__POLL_READY)
		if (cas_acq_rel(&pd->state[dir], &state, LEAT__POLL_NIL))
			return chain_of(state);
	return NULL;
}

/* The longest waiter first. */
static struct leat__poll_waiter *reversed(struct leat__poll_waiter *chain)
{
	struct leat__poll_waiter *first = NULL, *next;

	for (; chain; chain = next) {
		next = chain->next;
		chain->next = first;
		first = chain;
	}
	return first;
}

/* Wake all of a chain but skip; true when skip was there. */
static bool wake_all(struct leat__m *m, struct leat__poll_waiter *chain,
                     const struct leat__poll_waiter *skip)
{
	struct leat__poll_waiter *next;
	bool skipped = false;
	int n = 0;

	for (chain = reversed(chain); chain; chain = next) {
		next = chain->next; /* it is gone once its goroutine runs */
		if (chain == skip) {
			skipped = true;
			continue;
		}
		leat__ready(m, chain->g, false);
		n++;
	}
	if (n)
		leat__poll_awake(n);
	return skipped;
}

void leat__pd_wake(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir)
{
	fence_seq_cst(); /* the reason is stored, the chain still to be read */
	wake_all(m, take(pd, dir), NULL);
}

/* --- waiting */

static int verdict(const struct leat__pd *pd, uint32_t heeded)
{
	uint32_t flags = load_acquire(&pd->flags) & heeded;

	if (likely(!flags))
		return 0;
	return flags & LEAT__PD_CLOSING ? -ECANCELED : -ETIMEDOUT;
}

static int verdict_or_stop(const struct leat__pd *pd, uint32_t heeded, const _Atomic bool *stop)
{
	int err = verdict(pd, heeded);

	return !err && stop && load_relaxed(stop) ? -EINTR : err;
}

static void begin(struct leat__m *m)
{
	fetch_add_relaxed(&leat__poll_waiters, 1);
	leat__park_as(m->g, LEAT__WAIT_IO);
}

static void unbegin(struct leat__m *m)
{
	leat__park_as(m->g, LEAT__RUNNABLE);
	leat__poll_awake(1);
}

/* w is on the chain: sleep, unless there is a reason not to any more. */
static struct leat__m *leat__pd_sleep(struct leat__m *m, struct leat__pd *pd,
                                      enum leat__poll_dir dir, struct leat__poll_waiter *w,
                                      bool reason)
{
	if (unlikely(reason) && wake_all(m, take(pd, dir), w)) {
		unbegin(m);
		return m;
	}
	/* A plain thread leaves no idle thread behind that would go and sleep in the poller. */
	if (unlikely(!m->p) && !load_relaxed(&leat__sched.keeper_polls))
		leat__netpoll_attend();
	return leat__park(m);
}

int leat__pd_check(const struct leat__pd *pd, enum leat__poll_dir dir)
{
	return verdict(pd, LEAT__PD_CLOSING | expiry[dir]);
}

int leat__pd_prepare(struct leat__pd *pd, enum leat__poll_dir dir)
{
	int err = verdict(pd, LEAT__PD_CLOSING | expiry[dir]);

	if (!err)
		take_ready(pd, dir);
	return err;
}

struct leat__m *leat__pd_wait(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                              const _Atomic bool *stop, int *err)
{
	uint32_t heeded = LEAT__PD_CLOSING | expiry[dir];
	struct leat__poll_waiter w = {.g = m->g};

	for (;;) {
		*err = verdict_or_stop(pd, heeded, stop);
		if (*err)
			return m;
		begin(m);
		if (!push(pd, dir, &w, true)) {
			fence_seq_cst_after_rmw(); /* as in take_ready */
			unbegin(m);
			return m;
		}
		fence_seq_cst_after_rmw();
		m = leat__pd_sleep(m, pd, dir, &w, verdict_or_stop(pd, heeded, stop) != 0);
		if (w.ready) {
			/* This edge is the caller's; READY stood for those who came too late. */
			take_ready(pd, dir);
			return m;
		}
		/* Else closed, or past the deadline, or the deadline was moved meanwhile. */
	}
}

/* The edges that somebody waits for. */
static unsigned interest(const struct leat__pd *pd)
{
	bool either = chain_of(load_relaxed(&pd->state[LEAT__POLL_EITHER])) != NULL;
	unsigned wanted = 0;

	if (load_relaxed(&pd->flags) & LEAT__PD_OPENED)
		return LEAT__OS_READ | LEAT__OS_WRITE;
	if (either || chain_of(load_relaxed(&pd->state[LEAT__POLL_READ])))
		wanted |= LEAT__OS_READ;
	if (either || chain_of(load_relaxed(&pd->state[LEAT__POLL_WRITE])))
		wanted |= LEAT__OS_WRITE;
	return wanted;
}

struct leat__m *leat__pd_wait_once(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                                   const _Atomic bool *expired, int *err)
{
	struct leat__poll_waiter w = {.g = m->g};
	unsigned wanted;

	begin(m);
	push(pd, dir, &w, false);
	do {
		wanted = interest(pd);
		*err = leat__os_poller_watch(pd->fd, token(pd), wanted);
		fence_seq_cst();
	} while (!*err && interest(pd) & ~wanted);
	return leat__pd_sleep(m, pd, dir, &w,
	                      *err || load_relaxed(expired) || verdict(pd, LEAT__PD_CLOSING));
}

/* --- deadlines */

static void deadline_passed(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir)
{
	atomic_fetch_or_explicit(&pd->flags, expiry[dir], memory_order_acq_rel);
	leat__pd_wake(m, pd, dir);
}

static void read_expired(struct leat__m *m, struct leat__timer *t)
{
	deadline_passed(m, container_of(t, struct leat__pd, timers[LEAT__POLL_READ]), LEAT__POLL_READ);
}

static void write_expired(struct leat__m *m, struct leat__timer *t)
{
	deadline_passed(m, container_of(t, struct leat__pd, timers[LEAT__POLL_WRITE]),
	                LEAT__POLL_WRITE);
}

/* Locked. */
static int set_one(struct leat__pd *pd, enum leat__poll_dir dir, int64_t when, bool past)
{
	struct leat__timer *t = &pd->timers[dir];

	leat__timer_stop(t);
	if (past)
		atomic_fetch_or_explicit(&pd->flags, expiry[dir], memory_order_acq_rel);
	else
		atomic_fetch_and_explicit(&pd->flags, ~expiry[dir], memory_order_acq_rel);
	if (past || when == INT64_MAX)
		return 0;
	t->when = when;
	return leat__timer_add(t);
}

int leat__pd_set_deadline(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                          int64_t when)
{
	bool reads = dir != LEAT__POLL_WRITE, writes = dir != LEAT__POLL_READ;
	bool past = when <= leat__clock();
	int err = 0;

	leat__lock(&pd->lock);
	if (load_relaxed(&pd->flags) & LEAT__PD_CLOSING)
		err = -ECANCELED;
	if (!err && reads)
		err = set_one(pd, LEAT__POLL_READ, when, past);
	if (!err && writes)
		err = set_one(pd, LEAT__POLL_WRITE, when, past);
	leat__unlock(&pd->lock);
	/* If the deadline was moved again meanwhile, they wait again. */
	if (past && reads)
		leat__pd_wake(m, pd, LEAT__POLL_READ);
	if (past && writes)
		leat__pd_wake(m, pd, LEAT__POLL_WRITE);
	return err;
}

/* --- the end of a life */

bool leat__pd_evict(struct leat__m *m, struct leat__pd *pd)
{
	bool first;

	leat__lock(&pd->lock);
	first = !(load_relaxed(&pd->flags) & LEAT__PD_CLOSING);
	if (first) {
		atomic_fetch_or_explicit(&pd->flags, LEAT__PD_CLOSING, memory_order_acq_rel);
		leat__timer_stop(&pd->timers[LEAT__POLL_READ]);
		leat__timer_stop(&pd->timers[LEAT__POLL_WRITE]);
		/* The closer's own hold keeps its number from 0 until it is ready to be woken. */
		pd->closer = NULL;
		atomic_fetch_add_explicit(&pd->users, LEAT__PD_HOLD | LEAT__PD_SHUT, memory_order_acq_rel);
	}
	leat__unlock(&pd->lock);
	for (int dir = 0; first && dir < LEAT__POLL_DIRS; dir++)
		leat__pd_wake(m, pd, dir);
	return first;
}

struct leat__m *leat__pd_close(struct leat__m *m, struct leat__pd *pd)
{
	leat__park_as(m->g, LEAT__WAIT_IO);
	pd->closer = m->g;
	/* Releases closer to who is last, and acquires what all others did. */
	if (atomic_fetch_sub_explicit(&pd->users, LEAT__PD_HOLD, memory_order_acq_rel) ==
	    (LEAT__PD_SHUT | LEAT__PD_HOLD))
		leat__park_as(m->g, LEAT__RUNNABLE);
	else
		m = leat__park(m);
	leat__hb_acquire(pd);
	leat__hb_renew(pd); /* the next file of this number is another one */
	if (!(load_relaxed(&pd->flags) & LEAT__PD_UNWATCHED))
		leat__os_poller_unwatch(pd->fd);

	leat__lock(&pd->lock);
	store_relaxed(&pd->sequence, load_relaxed(&pd->sequence) + 1);
	for (int dir = 0; dir < LEAT__POLL_DIRS; dir++)
		store_relaxed(&pd->state[dir], LEAT__POLL_NIL);
	store_release(&pd->flags, 0);
	atomic_store_explicit(&pd->users, 0, memory_order_release);
	leat__unlock(&pd->lock);
	return m;
}

/* --- fork */

/* Nobody holds it, or waits: they are gone.  What was being closed begins a new life, and so does what the child has closed
   by itself meanwhile, as daemons do with all that they inherit. */
static void leave_behind(struct leat__pd *pd)
{
	uint32_t flags = load_relaxed(&pd->flags);
	bool opened = (flags & LEAT__PD_OPENED) && !(flags & LEAT__PD_CLOSING) &&
	              leat__os_fd_ready(pd->fd, 0) >= 0;

	pd->lock = 0;
	store_relaxed(&pd->users, 0);
	pd->closer = NULL;
	for (int dir = 0; dir < LEAT__POLL_DIRS; dir++)
		store_relaxed(&pd->state[dir], LEAT__POLL_NIL);
	store_relaxed(&pd->flags, opened ? flags : 0);
	store_relaxed(&pd->sequence, load_relaxed(&pd->sequence) + 1);
}

static void watch_again(struct leat__pd *pd)
{
	int err = 0;

	if (!(load_relaxed(&pd->flags) & LEAT__PD_OPENED))
		return;
	err = leat__netpoll_start();
	if (!err)
		err = leat__os_poller_watch(pd->fd, token(pd), LEAT__OS_READ | LEAT__OS_WRITE);
	if (err == -EPERM) /* the number is another file's, which is always ready */
		store_relaxed(&pd->flags, 0);
	else if (err)
		leat__fatal("after fork: descriptors cannot be watched any more");
}

static void each(void (*fn)(struct leat__pd *pd))
{
	for (int i = 0; i < load_relaxed(&chunks_end); i++) {
		struct leat__pd *chunk = load_relaxed(&chunks[i]);

		for (int k = 0; chunk && k < CHUNK; k++)
			fn(&chunk[k]);
	}
}

void leat__pd_forget(void)
{
	each(leave_behind);
	each(watch_again); /* the poller's own numbers may be those of descriptors that are closed */
}

/* --- edges arrive */

static void gather(struct leat__m *m, struct leat__poll_waiter *chain,
                   struct leat__ready_list *ready)
{
	struct leat__poll_waiter *next;

	for (chain = reversed(chain); chain; chain = next) {
		next = chain->next;
		chain->ready = true;
		leat__ready_list_add(m, ready, chain->g);
	}
}

static void edge(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                 struct leat__ready_list *ready)
{
	gather(m, chain_of(exchange_acq_rel(&pd->state[dir], LEAT__POLL_READY)), ready);
	gather(m, take(pd, LEAT__POLL_EITHER), ready);
}

void leat__pd_edge(struct leat__m *m, uint64_t event_token, unsigned edges,
                   struct leat__ready_list *ready)
{
	struct leat__pd *pd = leat__pd_find((int)(uint32_t)event_token);

	if (load_relaxed(&pd->sequence) != event_token >> 32)
		return;
	/* Before the waiters are woken and READY is left: who finds neither finds this. */
	if (unlikely(edges & LEAT__OS_LAST))
		atomic_fetch_or_explicit(&pd->flags, LEAT__PD_LAST, memory_order_acq_rel);
	if (edges & LEAT__OS_READ)
		edge(m, pd, LEAT__POLL_READ, ready);
	/* Each event says that it can be written to, too.  A READY that is there already stands for this edge as well: who takes it
	   later tries after that; and had he taken it and tried before the edge came, we would see it gone: take_ready. */
	if (edges & LEAT__OS_WRITE && load_relaxed(&pd->state[LEAT__POLL_WRITE]) != LEAT__POLL_READY)
		edge(m, pd, LEAT__POLL_WRITE, ready);
	else if (edges & LEAT__OS_WRITE)
		gather(m, take(pd, LEAT__POLL_EITHER), ready);
}
