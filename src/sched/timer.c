/* SPDX-License-Identifier: MIT */
/*
 * Invariants (the lock of a processor's timers)
 *  - A kept timer's home never changes, so its lock can be found without one.
 *  - At each unlock next is what the queue tells for its first: no later than that is due, INT64_MAX just when
 *    it is empty.  Who comes for one that is told too early corrects it.  While a batch fires, next is an instant
 *    later than that, so that nobody else comes for it.
 *  - In the child of a fork all queues are empty, and kept timers are told.
 *  - What leat__timer_new made lies in its home's memory, for life.
 *
 * Memory ordering: next is published by a release store at unlock, after what fired has been readied.
 * Who acquires "no timer" from it therefore sees those goroutines in a queue, and their processors
 * taken up: the verdict on deadlock (deadlock.c) relies on that.  For the keeper a full fence stands
 * between the store of next and the look at keeper_until (work.c, leat__keeper_ring).
 *
 * Dense timers.  Where timers come a microsecond apart, looking for each at its instant keeps all
 * threads awake, and most of what a timer costs is threads that go to sleep, wake up and meet at the
 * lock.  So where DENSE or more have fired within REST_NS, the next look waits for so long, the
 * keeper's first, and fires what is due by then: in batches of so few that the goroutines run before
 * they are old enough to be stolen (with 64 at once another processor took half of them, one by one).
 * And who fires wakes nobody then, unless what waited here REST_NS before waits still, or timers are late by LATE_NS.
 * How dense they are is a matter of how many have fired in how long: a thread that slept for too long finds all the
 * more of them due.  docs/design/performance.md has the figures.
 *
 * Lock order: that of timers, then a channel's or the scheduler's.  A function that is called may take
 * those; nobody arms or stops a timer while holding one of them.  No two processors' are held.
 *
 * Rejected: one queue under one lock, where all processors met to sleep.
 */
#include "sched/timer.h"

#include "arch/sanitizer.h"
#include "base/copy.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <leat/time.h>

#include <errno.h>

#define BATCH     32 /* timers fired before the goroutines that they woke run */
#define AT_ONCE   8  /* taken out before they are fired, so that they miss the caches together */
#define DENSE     8  /* timers in REST_NS, on an average: then nobody looks for another REST_NS */
#define MANY      1000000 /* timers that are counted, about */
#define REST_NS   100000
#define RECENT_NS (20 * REST_NS) /* so long the count of before can make them dense */
#define LATE_NS   1000000        /* whose timers are later does not keep up */
#define STALE_NS  1000000        /* so long others keep away from a queue that is being fired */

/* Of plain threads and the monitor, which have no processor. */
static struct leat__timers foreign = {.next = INT64_MAX};

/* --- dense timers */

/* So many have fired since then, when nothing more was due; until held_until nobody looks.  A guess: updates may be
   lost. */
static _Atomic int64_t counted_since, held_until;
static _Atomic int32_t counted;
static _Atomic bool dense; /* as of the last of these times */

static void count(int32_t fired, bool more)
{
	int64_t now = leat__clock(), passed = now - load_relaxed(&counted_since);

	if (load_relaxed(&counted) < MANY) /* else anew: who never catches up goes on for ever */
		fired += load_relaxed(&counted);
	store_relaxed(&counted, fired);
	if (more)
		return;
	if (passed >= REST_NS) {
		store_relaxed(&dense, passed < RECENT_NS && fired * (int64_t)REST_NS >= DENSE * passed);
		store_relaxed(&counted, 0);
		store_relaxed(&counted_since, now);
	}
	if (load_relaxed(&dense))
		store_relaxed(&held_until, now + REST_NS);
}

bool leat__timers_dense(void)
{
	return load_relaxed(&held_until) > leat__clock();
}

/* Until held, but no longer than that after when: a processor that is busy with timers of its own holds it
   anew with each batch, and must not hold those of others for ever. */
static int64_t rest(int64_t when, int64_t held, int64_t longest)
{
	if (when >= held)
		return when;
	return held - when < longest ? held : when + longest;
}

int64_t leat__timers_keep_until(int64_t when)
{
	return rest(when, load_relaxed(&held_until), REST_NS);
}

int64_t leat__timers_look_at(int64_t when)
{
	return rest(when, load_relaxed(&held_until) + REST_NS, 2 * REST_NS);
}

/* --- locking and publishing */

static void unlock(struct leat__timers *h)
{
	int64_t before = load_relaxed(&h->next), next;

	/* It makes the first exact, so before. */
	if (unlikely(leat__timer_queue_sparse(&h->queue)))
		leat__timer_queue_shrink(&h->queue);
	next = leat__timer_queue_first(&h->queue);
	if (next != before)
		store_release(&h->next, next);
	leat__unlock(&h->lock);
	if (next < before)
		leat__keeper_ring(leat__timers_keep_until(next));
}

/* The caller's. */
static struct leat__timers *mine(void)
{
	struct leat__m *m = leat__self();

	return m && m->p ? &m->p->timers : &foreign;
}

int leat__timer_add(struct leat__timer *t)
{
	struct leat__timers *h = mine();

	t->home = h;
	t->slot = 0;
	t->kept = false;
	if (t->when == INT64_MAX)
		return 0;
	leat__lock(&h->lock);
	if (unlikely(!leat__timer_queue_claim(&h->queue, t))) {
		leat__unlock(&h->lock);
		return -ENOMEM;
	}
	leat__timer_queue_insert(&h->queue, t->when, t);
	unlock(h);
	return 0;
}

bool leat__timer_stop(struct leat__timer *t)
{
	struct leat__timers *h = t->home;
	bool armed;

	LEAT_ASSERT(!t->kept);
	if (!h)
		return false;
	leat__lock(&h->lock);
	armed = leat__timer_queue_remove(&h->queue, t);
	if (armed)
		leat__timer_queue_unclaim(&h->queue, t);
	unlock(h);
	return armed;
}

int leat__timer_keep(struct leat__timer *t)
{
	struct leat__timers *h = mine();

	leat__lock(&h->lock);
	if (unlikely(!leat__timer_queue_claim(&h->queue, t))) {
		leat__unlock(&h->lock);
		return -ENOMEM;
	}
	t->home = h;
	t->kept = true;
	return 0;
}

bool leat__timer_watched(void)
{
	return leat__sanitizers || leat__valgrind_watches();
}

struct leat__timer *leat__timer_new(void *memory, const struct leat__timer *like, size_t bytes)
{
	struct leat__timers *h = mine();
	struct leat__timer *t = memory;

	leat__lock(&h->lock);
	if (!t)
		t = leat__slabs_take(&h->memory, LEAT__TIMER_BYTES);
	if (likely(t != NULL)) {
		leat__copy(t, like, bytes);
		if (likely(leat__timer_queue_claim(&h->queue, t))) {
			t->home = h;
			t->kept = true;
			return t;
		}
		if (!memory)
			leat__slabs_give(&h->memory, t, LEAT__TIMER_BYTES);
	}
	leat__unlock(&h->lock);
	return NULL;
}

bool leat__timer_free(struct leat__timer *t)
{
	struct leat__timers *h = t->home;
	bool there;

	leat__lock(&h->lock);
	there = t->slot != 0;
	if (likely(there)) {
		leat__timer_queue_remove(&h->queue, t);
		leat__timer_queue_unclaim(&h->queue, t);
		if (!leat__timer_watched())
			leat__slabs_give(&h->memory, t, LEAT__TIMER_BYTES);
	}
	unlock(h);
	return there;
}

void leat__timer_drop(struct leat__timer *t)
{
	leat__timer_lock(t);
	leat__timer_queue_remove(&t->home->queue, t);
	leat__timer_queue_unclaim(&t->home->queue, t);
	leat__timer_unlock(t);
}

void leat__timer_lock(struct leat__timer *t)
{
	leat__lock(&t->home->lock);
}

void leat__timer_unlock(struct leat__timer *t)
{
	unlock(t->home);
}

bool leat__timer_armed(const struct leat__timer *t)
{
	return leat__timer_queue_armed(&t->home->queue, t->slot);
}

bool leat__timer_arm(struct leat__timer *t, int64_t when)
{
	struct leat__timer_queue *q = &t->home->queue;
	bool armed = leat__timer_queue_remove(q, t);

	LEAT_ASSERT(t->kept);
	t->when = when;
	if (when != INT64_MAX)
		leat__timer_queue_insert(q, when, t);
	return armed;
}

/* --- firing */

/* Fire the first of those that are due.  The result: how many. */
static int32_t fire_some(struct leat__m *m, struct leat__timer_queue *q, int64_t now)
{
	uint32_t slots[AT_ONCE];
	int32_t n = leat__timer_queue_take(q, now, slots, AT_ONCE);

	for (int32_t i = 0; i < n; i++)
		leat__timer_fetch(q->timers[slots[i]]);
	for (int32_t i = 0; i < n; i++) {
		struct leat__timer *t = q->timers[slots[i]];

		if (!t->kept)
			leat__timer_queue_unclaim(q, t);
		t->fire(m, t); /* t may be gone */
	}
	return n;
}

/* Whether p keeps up with its timers, of which the first was due then: of what it had at the last look, REST_NS
   ago and more, nothing waits here still. */
static bool abreast(struct leat__p *p, int64_t first, int64_t now)
{
	bool kept_up;

	if (now - first > LATE_NS)
		return false;
	if (now - p->looked_at < REST_NS)
		return true;
	kept_up =
	    !leat__ring_has_before(p, p->looked_tail) && !leat__deque_has_before(p, p->looked_spawned);
	p->looked_at = now;
	p->looked_tail = load_relaxed(&p->tail);
	p->looked_spawned = load_relaxed(&p->spawned);
	return kept_up;
}

/* Fire a batch; true when more is due. */
static bool fire(struct leat__m *m, struct leat__timers *h, int64_t now)
{
	bool keeps_up, more;
	int32_t fired = 0;

	leat__lock(&h->lock);
	if (!leat__timer_queue_due(&h->queue, now)) {
		unlock(h);
		return false;
	}
	keeps_up = m && m->p && abreast(m->p, load_relaxed(&h->next), now);
	store_release(&h->next, now + STALE_NS);
	fetch_add_relaxed(&leat__sched.firing, 1);
	do
		fired += fire_some(m, &h->queue, now);
	while (fired < BATCH && leat__timer_queue_due(&h->queue, now));
	more = leat__timer_queue_due(&h->queue, now);
	if (!leat__policy)
		count(fired, more);
	if (m)
		m->timers_gave = true;
	fetch_add_relaxed(&leat__sched.firing, -1);
	unlock(h);
	/* work.c: in the stead of those whom firing held back. */
	fence_seq_cst();
	if (!keeps_up || !load_relaxed(&dense))
		leat__wake();
	return more;
}

bool leat__timers_run_own(struct leat__m *m)
{
	struct leat__timers *h = &m->p->timers;
	int64_t next = load_acquire(&h->next), now;

	if (next == INT64_MAX)
		return false;
	now = leat__clock();
	if (next > now || !fire(m, h, now))
		return false;
	if (m->p->until_poll > BATCH)
		m->p->until_poll = BATCH;
	return true;
}

/* One batch: the goroutines that it woke come first, or, without a processor, those who have one and fire, too. */
static void run(struct leat__m *m, struct leat__timers *h, int64_t now)
{
	if (load_acquire(&h->next) <= now)
		fire(m, h, now);
}

void leat__timers_run(struct leat__m *m)
{
	int made = load_acquire(&leat__sched.made);
	int64_t now = leat__clock();

	for (int i = 0; i < made; i++)
		run(m, &load_relaxed(&leat__sched.p[i])->timers, now);
	run(m, &foreign, now);
}

int64_t leat__timers_first_late(int64_t grace)
{
	int made = load_acquire(&leat__sched.made);
	int64_t first = load_acquire(&foreign.next);

	for (int i = 0; i < made; i++) {
		const struct leat__p *p = load_relaxed(&leat__sched.p[i]);
		int64_t next = load_acquire(&p->timers.next);

		if (grace && next < INT64_MAX - grace && load_relaxed(&p->m))
			next += grace;
		if (next < first)
			first = next;
	}
	return first;
}

int64_t leat__timers_first(void)
{
	return leat__timers_first_late(0);
}

/* --- fork */

void (*leat__on_timer_dropped)(struct leat__timer *t);

static int locked; /* those of processors; new ones appear under the scheduler's lock */

bool leat__timers_locked_all(void)
{
	return locked == load_relaxed(&leat__sched.made);
}

void leat__timers_lock(void)
{
	locked = load_acquire(&leat__sched.made);
	for (int i = 0; i < locked; i++)
		leat__lock(&load_relaxed(&leat__sched.p[i])->timers.lock);
	leat__lock(&foreign.lock);
}

void leat__timers_unlock(void)
{
	leat__unlock(&foreign.lock);
	for (int i = locked - 1; i >= 0; i--)
		leat__unlock(&load_relaxed(&leat__sched.p[i])->timers.lock);
}

static void forget(struct leat__timers *h)
{
	struct leat__timer_queue *q = &h->queue;

	leat__timer_queue_clear(q);
	store_relaxed(&h->next, INT64_MAX);
	for (uint32_t slot = 1; slot <= q->used; slot++)
		if (q->timers[slot] && leat__on_timer_dropped)
			leat__on_timer_dropped(q->timers[slot]);
}

void leat__timers_forget(void)
{
	for (int i = 0; i < load_relaxed(&leat__sched.made); i++)
		forget(&load_relaxed(&leat__sched.p[i])->timers);
	forget(&foreign);
}

int64_t leat__deadline(int64_t duration_ns)
{
	int64_t now = leat__clock(), at;

	if (duration_ns <= 0)
		return now;
	return __builtin_add_overflow(now, duration_ns, &at) ? INT64_MAX : at;
}

int64_t leat_now(void)
{
	return leat__clock();
}

/* --- sleep */

struct sleeper {
	struct leat__timer timer;
	struct leat__g *g;
};

static void sleep_over(struct leat__m *m, struct leat__timer *t)
{
	leat__ready_due(m, container_of(t, struct sleeper, timer)->g);
}

void leat_sleep(int64_t duration_ns)
{
	struct sleeper s = {.timer.fire = sleep_over};
	struct leat__m *m;
	int err;

	if (duration_ns <= 0)
		return;
	m = leat__enter();
	s.timer.when = leat__deadline(duration_ns);
	s.g = m->g;
	leat__park_as(m->g, LEAT__WAIT_SLEEP);
	err = leat__timer_add(&s.timer);
	if (unlikely(err)) {
		leat__park_as(m->g, LEAT__RUNNABLE);
		leat__leave(m);
		leat__panic_runtime("out of memory");
	}
	m = leat__park(m);
	leat__leave(m);
}
