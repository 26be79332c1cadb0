/* SPDX-License-Identifier: MIT */
/*
 * Invariants (a heap's lock)
 *  - heap[i].when >= heap[(i - 1) / 4].when, for i below count.
 *  - An armed timer t has a slot: timers[t->slot] == t, and heap[index[t->slot] - 1].slot == t->slot.
 *  - count <= claimed <= used <= room: to arm a kept timer, which has a slot, takes no memory.
 *  - A kept timer's heap never changes, so its lock can be found without one.
 *  - At each unlock next is heap[0].when, INT64_MAX when empty; while a batch fires, an instant later
 *    than that, so that nobody else comes for it.
 *
 * The way down touches arrays alone, and no timer: those lie on the stacks of sleeping goroutines, each
 * on a page of its own.  (With the index in the timer itself a million sleepers took 10 us of processor
 * time each to wake up, nearly all of it for missing caches.)  Four children a node halve the depth, and
 * lie on one cache line: the array begins three entries into its pages.
 *
 * After a fork the child's heaps are empty.  A timer that was armed once may lie on the stack of a thread
 * that is gone, so it is not touched, and its slot is stale; so a slot counts only if t is found there.
 * Kept ones live as long as their slot, and are told.
 *
 * Pages come from the kernel and go back to it once a sixteenth of the slots is in use.  Only then are
 * slots numbered anew, and timers touched for it.
 *
 * Memory ordering: next is published by a release store at unlock, after what fired has been readied.
 * Who acquires "no timer" from it therefore sees those goroutines in a queue, and their processors
 * taken up: the verdict on deadlock (deadlock.c) relies on that.  For the keeper a full fence stands
 * between the store of next and the look at keeper_until (work.c, leat__keeper_ring).
 *
 * Dense timers.  Where timers come a microsecond apart, looking for each at its instant keeps all
 * threads awake, and most of what a timer costs is threads that go to sleep, wake up and meet at the
 * heap's lock.  So where DENSE or more have fired within REST_NS, the next look waits for so long, the
 * keeper's first, and fires what is due by then: in batches of so few that the goroutines run before
 * they are old enough to be stolen (with 64 at once another processor took half of them, one by one).
 * A million timers in a second: 2.4 us of processor time each before, 1.3 since.
 *
 * Lock order: a heap's lock, then a channel's or the scheduler's.  A function that is called may take
 * those; nobody arms or stops a timer while holding one of them.  No two heaps' locks are held.
 *
 * Rejected: one heap under one lock, where all processors met to sleep; a heap that drops stopped timers
 * only when they come to its top (Go), since they would cost memory until then.
 */
#include "sched/timer.h"

#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <leat/time.h>

#include <errno.h>

#define ROOM_MIN 128 /* fits a page */
#define SPARSE   16  /* room for so many times what there is, is given back */
#define BATCH    32  /* timers fired before the goroutines that they woke run */
#define AT_ONCE  8   /* taken out before they are fired, so that they miss the caches together */
#define DENSE    8   /* timers in REST_NS: then nobody looks for another REST_NS */
#define REST_NS  50000
#define STALE_NS 1000000 /* what was counted so long ago says nothing */

#define PAGE        ((size_t)4096)
#define BEFORE_ROOT (CACHE_LINE - sizeof(struct leat__timer_entry)) /* so children share a line */
#define ROUND_UP(n) (((n) + PAGE - 1) & ~(PAGE - 1))

/* Of plain threads and the monitor, which have no processor. */
static struct leat__timers foreign = {.next = INT64_MAX};

/* --- the heap */

static void place(struct leat__timers *h, uint32_t i, struct leat__timer_entry e)
{
	h->heap[i] = e;
	h->index[e.slot] = i + 1;
}

static void sift_up(struct leat__timers *h, uint32_t i, struct leat__timer_entry e)
{
	while (i > 0 && h->heap[(i - 1) / 4].when > e.when) {
		place(h, i, h->heap[(i - 1) / 4]);
		i = (i - 1) / 4;
	}
	place(h, i, e);
}

static void sift_down(struct leat__timers *h, uint32_t i, struct leat__timer_entry e)
{
	for (;;) {
		uint32_t child = 4 * i + 1, end = child + 4, least = child;

		if (child >= h->count)
			break;
		if (end > h->count)
			end = h->count;
		/* One of these lines comes next; all at once they cost what one does. */
		for (uint32_t c = child; c < end; c++)
			__builtin_prefetch(&h->heap[(size_t)4 * c + 1]);
		for (uint32_t c = child + 1; c < end; c++)
			if (h->heap[c].when < h->heap[least].when)
				least = c;
		if (h->heap[least].when >= e.when)
			break;
		place(h, i, h->heap[least]);
		i = least;
	}
	place(h, i, e);
}

static void insert(struct leat__timers *h, int64_t when, const struct leat__timer *t)
{
	sift_up(h, h->count++, (struct leat__timer_entry){when, t->slot, t->kept});
}

/* Take entry i out. */
static void remove_at(struct leat__timers *h, uint32_t i)
{
	struct leat__timer_entry last = h->heap[--h->count];

	h->index[h->heap[i].slot] = 0;
	if (i == h->count)
		return;
	if (i > 0 && h->heap[(i - 1) / 4].when > last.when)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

/* --- slots */

static size_t bytes_of(uint32_t room)
{
	return ROUND_UP(BEFORE_ROOT + room * sizeof(struct leat__timer_entry) +
	                (room + (size_t)1) * (sizeof(struct leat__timer *) + sizeof(uint32_t)));
}

/* Arrays for so many; false when there is no memory.  Zero. */
static bool allocate(struct leat__timers *h, uint32_t room)
{
	char *pages = leat__os_map(bytes_of(room));

	if (!pages)
		return false;
	h->room = room;
	h->heap = (struct leat__timer_entry *)(pages + BEFORE_ROOT);
	h->timers = (struct leat__timer **)(h->heap + room);
	h->index = (uint32_t *)(h->timers + room + 1);
	return true;
}

static void release(const struct leat__timers *h)
{
	if (h->heap)
		leat__os_unmap((char *)h->heap - BEFORE_ROOT, bytes_of(h->room));
}

static bool grow(struct leat__timers *h)
{
	struct leat__timers old = *h;

	if (!allocate(h, old.room ? 2 * old.room : ROOM_MIN))
		return false;
	for (uint32_t i = 0; i < old.count; i++)
		h->heap[i] = old.heap[i];
	for (uint32_t slot = 1; slot <= old.used; slot++) {
		h->timers[slot] = old.timers[slot];
		h->index[slot] = old.index[slot];
	}
	release(&old);
	return true;
}

/* Where there is no memory to move to, everything stays. */
static COLD void shrink(struct leat__timers *h)
{
	struct leat__timers old = *h;
	uint32_t room = old.room / (SPARSE / 2), slot = 0;

	if (!allocate(h, room < ROOM_MIN ? ROOM_MIN : room))
		return;
	for (uint32_t i = 1; i <= old.used; i++) {
		struct leat__timer *t = old.timers[i];

		if (!t)
			continue;
		t->slot = ++slot;
		h->timers[slot] = t;
		h->index[slot] = old.index[i];
		if (old.index[i])
			h->heap[old.index[i] - 1] =
			    (struct leat__timer_entry){old.heap[old.index[i] - 1].when, slot, t->kept};
	}
	h->used = slot;
	h->free = 0;
	release(&old);
}

/* A slot for t, false when there is no memory. */
static bool claim(struct leat__timers *h, struct leat__timer *t)
{
	if (h->free) {
		t->slot = h->free;
		h->free = h->index[t->slot];
	} else {
		if (h->used == h->room && !grow(h))
			return false;
		t->slot = ++h->used;
	}
	h->timers[t->slot] = t;
	h->index[t->slot] = 0;
	h->claimed++;
	return true;
}

/* t is not in the heap. */
static void unclaim(struct leat__timers *h, struct leat__timer *t)
{
	h->timers[t->slot] = NULL;
	h->index[t->slot] = h->free;
	h->free = t->slot;
	h->claimed--;
	t->slot = 0;
}

/* --- dense timers */

/* So many have fired since then; until held_until nobody looks.  A guess: updates may be lost. */
static _Atomic int64_t counted_since, held_until;
static _Atomic int32_t counted;

static void count(int32_t fired, bool more)
{
	int64_t now = leat__clock(), passed = now - load_relaxed(&counted_since);

	if (passed < REST_NS) {
		store_relaxed(&counted, load_relaxed(&counted) + fired);
		return;
	}
	if (load_relaxed(&counted) >= DENSE && passed < STALE_NS && !more)
		store_relaxed(&held_until, now + REST_NS);
	store_relaxed(&counted, fired);
	store_relaxed(&counted_since, now);
}

bool leat__timers_dense(void)
{
	return load_relaxed(&held_until) > leat__clock();
}

int64_t leat__timers_keep_until(int64_t when)
{
	int64_t held = load_relaxed(&held_until);

	return when < held ? held : when;
}

int64_t leat__timers_look_at(int64_t when)
{
	int64_t held = load_relaxed(&held_until) + REST_NS;

	return when < held ? held : when;
}

/* --- locking and publishing */

static int64_t first_of(const struct leat__timers *h)
{
	return h->count ? h->heap[0].when : INT64_MAX;
}

static void unlock(struct leat__timers *h)
{
	int64_t before = load_relaxed(&h->next), next = first_of(h);

	if (h->claimed < h->room / SPARSE && h->room > ROOM_MIN)
		shrink(h);
	if (next != before)
		store_release(&h->next, next);
	leat__unlock(&h->lock);
	if (next < before)
		leat__keeper_ring(leat__timers_keep_until(next));
}

/* The caller's heap. */
static struct leat__timers *mine(void)
{
	struct leat__m *m = leat__self();

	return m && m->p ? &m->p->timers : &foreign;
}

int leat__timer_add(struct leat__timer *t)
{
	struct leat__timers *h = mine();

	t->heap = h;
	t->slot = 0;
	t->kept = false;
	if (t->when == INT64_MAX)
		return 0;
	leat__lock(&h->lock);
	if (unlikely(!claim(h, t))) {
		leat__unlock(&h->lock);
		return -ENOMEM;
	}
	insert(h, t->when, t);
	unlock(h);
	return 0;
}

/* Take t out of the heap if it is there; true when it was.  Locked. */
static bool disarm(struct leat__timer *t)
{
	struct leat__timers *h = t->heap;
	bool known = t->slot && t->slot <= h->used && h->timers[t->slot] == t;
	uint32_t index = known ? h->index[t->slot] : 0;

	if (!index)
		return false;
	remove_at(h, index - 1);
	return true;
}

bool leat__timer_stop(struct leat__timer *t)
{
	struct leat__timers *h = t->heap;
	bool armed;

	LEAT_ASSERT(!t->kept);
	if (!h)
		return false;
	leat__lock(&h->lock);
	armed = disarm(t);
	if (armed)
		unclaim(h, t);
	unlock(h);
	return armed;
}

int leat__timer_keep(struct leat__timer *t)
{
	struct leat__timers *h = mine();
	bool claimed;

	leat__lock(&h->lock);
	claimed = claim(h, t);
	leat__unlock(&h->lock);
	if (!claimed)
		return -ENOMEM;
	t->heap = h;
	t->kept = true;
	return 0;
}

void leat__timer_drop(struct leat__timer *t)
{
	leat__timer_lock(t);
	disarm(t);
	unclaim(t->heap, t);
	leat__timer_unlock(t);
}

void leat__timer_lock(struct leat__timer *t)
{
	leat__lock(&t->heap->lock);
}

void leat__timer_unlock(struct leat__timer *t)
{
	unlock(t->heap);
}

bool leat__timer_armed(const struct leat__timer *t)
{
	return t->heap->index[t->slot] != 0;
}

bool leat__timer_arm(struct leat__timer *t, int64_t when)
{
	bool armed = disarm(t);

	LEAT_ASSERT(t->kept);
	t->when = when;
	if (when != INT64_MAX)
		insert(t->heap, when, t);
	return armed;
}

/* --- firing */

/* Take the first of those that are due out of h.  The result: how many. */
static int32_t take_due(struct leat__timers *h, int64_t now, uint32_t *slots)
{
	int32_t n = 0;

	do {
		slots[n] = h->heap[0].slot;
		__builtin_prefetch(&h->timers[slots[n]]);
		remove_at(h, 0);
	} while (++n < AT_ONCE && first_of(h) <= now);
	return n;
}

/* Fire the first of those that are due.  The result: how many. */
static int32_t fire_some(struct leat__m *m, struct leat__timers *h, int64_t now)
{
	uint32_t slots[AT_ONCE];
	int32_t n = take_due(h, now, slots);

	for (int32_t i = 0; i < n; i++)
		__builtin_prefetch(h->timers[slots[i]]);
	for (int32_t i = 0; i < n; i++) {
		struct leat__timer *t = h->timers[slots[i]];

		if (!t->kept)
			unclaim(h, t);
		t->fire(m, t); /* t may be gone */
	}
	return n;
}

/* Fire a batch; true when more is due. */
static bool fire(struct leat__m *m, struct leat__timers *h, int64_t now)
{
	int32_t fired = 0;
	bool more;

	leat__lock(&h->lock);
	if (first_of(h) > now) {
		leat__unlock(&h->lock);
		return false;
	}
	store_release(&h->next, now + STALE_NS);
	fetch_add_relaxed(&leat__sched.firing, 1);
	do
		fired += fire_some(m, h, now);
	while (fired < BATCH && first_of(h) <= now);
	more = first_of(h) <= now;
	if (!leat__policy)
		count(fired, more);
	if (m)
		m->timers_gave = true;
	fetch_add_relaxed(&leat__sched.firing, -1);
	unlock(h);
	fence_seq_cst(); /* work.c: in the stead of those whom firing held back */
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

/* With a processor one batch: the goroutines that it woke come first. */
static void run(struct leat__m *m, struct leat__timers *h, int64_t now)
{
	if (load_acquire(&h->next) <= now)
		while (fire(m, h, now) && !(m && m->p))
			;
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

static int locked; /* heaps of processors; new ones appear under the scheduler's lock */

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
	for (uint32_t i = 0; i < h->count; i++) {
		uint32_t slot = h->heap[i].slot;

		h->index[slot] = 0;
		if (h->heap[i].kept)
			continue;
		h->timers[slot] = NULL;
		h->index[slot] = h->free;
		h->free = slot;
		h->claimed--;
	}
	h->count = 0;
	store_relaxed(&h->next, INT64_MAX);
	for (uint32_t slot = 1; slot <= h->used; slot++)
		if (h->timers[slot] && leat__on_timer_dropped)
			leat__on_timer_dropped(h->timers[slot]);
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
