/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - heap[i].when >= heap[(i - 1) / 4].when, for i below near.
 *  - An armed timer t has a slot: timers[t->slot] == t, and the entry at place[t->slot] has that slot.
 *  - near <= count <= claimed <= used <= room: to arm a kept timer, which has a slot, takes no memory.
 *  - There is a calendar while room is above SMALL.  Who is armed for later than it has been taken to is
 *    noted there.  The heap may hold any.
 *  - What is due on the day that was taken last is today's, if that were MANY and no HUGE_DAY.  So no day is taken while any of
 *    them is left: what is in the calendar is due after all of them.
 *
 * The way down touches arrays alone, and no timer: those lie on the stacks of sleeping goroutines, each
 * on a page of its own.  (With the place in the timer itself a million sleepers took 10 us of processor
 * time each to wake up, nearly all of it for missing caches.)  Four children a node halve the depth, and
 * lie on one cache line: the array begins three entries into its pages.
 *
 * After a fork the child's queues are empty.  A timer that was armed once may lie on the stack of a thread
 * that is gone, so it is not touched, and its slot is stale; so a slot counts only if t is found there.
 *
 * Pages come from the kernel and go back to it once a sixteenth of the slots is in use.  Only then are
 * slots numbered anew, and timers touched for it.
 *
 * Rejected: a heap that drops stopped timers only when they come to its top (Go), since they would cost
 * memory until then.
 */
#include "sched/timer_queue.h"

#include "os/os.h"
#include "sched/timer.h"

#define SMALL 2048 /* room for so many is a heap's alone */
#define MANY  64   /* of a day, and more, are today's, not the heap's */
/* So many and more go into the heap all the same: to sort them with the lock held takes three times as long. */
#define HUGE_DAY 65536
#define AHEAD    16                  /* timers are fetched */
#define MOST     (UINT32_C(1) << 29) /* a place in the heap is less than LEAT__PLACE_TODAY */

#define PAGE        ((size_t)4096)
#define BEFORE_ROOT (CACHE_LINE - sizeof(struct leat__timer_entry)) /* so children share a line */
#define HUGE                                                                                       \
	((size_t)8 << 20) /* so much is on huge pages, of which at most five are used in part */
#define LINES(n) (((n) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1))
#define PAGES(n) (((n) + PAGE - 1) & ~(PAGE - 1))

/* --- the heap */

static void place(struct leat__timer_queue *q, uint32_t i, struct leat__timer_entry e)
{
	q->heap[i] = e;
	q->place[e.slot] = i + 1;
}

static void sift_up(struct leat__timer_queue *q, uint32_t i, struct leat__timer_entry e)
{
	while (i > 0 && q->heap[(i - 1) / 4].when > e.when) {
		place(q, i, q->heap[(i - 1) / 4]);
		i = (i - 1) / 4;
	}
	place(q, i, e);
}

static void sift_down(struct leat__timer_queue *q, uint32_t i, struct leat__timer_entry e)
{
	for (;;) {
		uint32_t child = 4 * i + 1, end = child + 4, least = child;

		if (child >= q->near)
			break;
		if (end > q->near)
			end = q->near;
		/* One of these lines comes next; all at once they cost what one does. */
		for (uint32_t c = child; c < end; c++)
			__builtin_prefetch(&q->heap[(size_t)4 * c + 1]);
		for (uint32_t c = child + 1; c < end; c++)
			if (q->heap[c].when < q->heap[least].when)
				least = c;
		if (q->heap[least].when >= e.when)
			break;
		place(q, i, q->heap[least]);
		i = least;
	}
	place(q, i, e);
}

/* Take entry i out. */
static void remove_at(struct leat__timer_queue *q, uint32_t i)
{
	struct leat__timer_entry last = q->heap[--q->near];

	if (i == q->near)
		return;
	if (i > 0 && q->heap[(i - 1) / 4].when > last.when)
		sift_up(q, i, last);
	else
		sift_down(q, i, last);
}

static void insert(struct leat__timer_queue *q, struct leat__timer_entry e)
{
	q->count++;
	if (q->far.least && e.when > q->far.taken)
		leat__calendar_note(&q->far, e, q->place);
	else
		sift_up(q, q->near++, e);
}

/* --- memory */

static size_t arrays_bytes(uint32_t room)
{
	return LINES(BEFORE_ROOT + room * sizeof(struct leat__timer_entry) +
	             (room + (size_t)1) * (sizeof(struct leat__timer *) + sizeof(uint32_t)));
}

static size_t calendar_bytes(uint32_t room)
{
	return LINES(leat__calendar_bytes(room));
}

static size_t bytes_of(uint32_t room)
{
	return PAGES(arrays_bytes(room) +
	             (room > SMALL ? calendar_bytes(room) + leat__today_bytes(room) : 0));
}

/* Arrays for so many, zero, and in *days memory for a calendar and today, NULL: there are to be none.  False when there
   is no memory. */
static bool allocate(struct leat__timer_queue *q, uint32_t room, char **days)
{
	char *pages = leat__os_map(bytes_of(room));

	if (!pages)
		return false;
	if (bytes_of(room) >= HUGE)
		leat__os_may_be_huge(pages, bytes_of(room));
	q->room = room;
	q->heap = (struct leat__timer_entry *)(void *)(pages + BEFORE_ROOT);
	q->timers = (struct leat__timer **)(void *)(q->heap + room);
	q->place = (uint32_t *)(void *)(q->timers + room + 1);
	*days = room > SMALL ? pages + arrays_bytes(room) : NULL;
	return true;
}

static void release(const struct leat__timer_queue *q)
{
	if (q->heap)
		leat__os_unmap((char *)q->heap - BEFORE_ROOT, bytes_of(q->room));
}

static void begin_days(struct leat__timer_queue *q, char *memory)
{
	leat__calendar_begin(&q->far, memory);
	leat__today_begin(&q->today, memory + calendar_bytes(q->room));
}

static void move_days(struct leat__timer_queue *q, char *memory)
{
	leat__calendar_move(&q->far, memory);
	leat__today_move(&q->today, memory + calendar_bytes(q->room));
}

static bool grow(struct leat__timer_queue *q)
{
	struct leat__timer_queue old = *q;
	char *days;

	if (old.room == MOST || !allocate(q, old.room ? 2 * old.room : LEAT__TIMERS_MIN, &days))
		return false;
	for (uint32_t i = 0; i < old.near; i++)
		q->heap[i] = old.heap[i];
	for (uint32_t slot = 1; slot <= old.used; slot++) {
		q->timers[slot] = old.timers[slot];
		q->place[slot] = old.place[slot];
	}
	if (old.far.least)
		move_days(q, days);
	else if (days)
		begin_days(q, days);
	release(&old);
	return true;
}

static struct leat__timer_entry *entry_at(const struct leat__timer_queue *q, uint32_t where)
{
	if (where & LEAT__PLACE_NOTED)
		return leat__calendar_at(&q->far, where);
	return where & LEAT__PLACE_TODAY ? leat__today_at(&q->today, where) : &q->heap[where - 1];
}

/* Where there is no memory to move to, everything stays. */
COLD void leat__timer_queue_shrink(struct leat__timer_queue *q)
{
	struct leat__timer_queue old = *q;
	uint32_t room = old.room / (LEAT__TIMERS_SPARSE / 2), slot = 0;
	char *days;

	if (!allocate(q, room < LEAT__TIMERS_MIN ? LEAT__TIMERS_MIN : room, &days))
		return;
	q->far.least = NULL;
	q->today.first = q->today.end = 0;
	if (days)
		begin_days(q, days);
	q->near = q->count = q->free = 0;
	for (uint32_t i = 1; i <= old.used; i++) {
		struct leat__timer *t = old.timers[i];

		if (!t)
			continue;
		t->slot = ++slot;
		q->timers[slot] = t;
		if (old.place[i])
			insert(q,
			       (struct leat__timer_entry){entry_at(&old, old.place[i])->when, slot, t->kept});
	}
	q->used = slot;
	release(&old);
}

/* --- slots */

bool leat__timer_queue_claim(struct leat__timer_queue *q, struct leat__timer *t)
{
	if (q->free) {
		t->slot = q->free;
		q->free = q->place[t->slot];
	} else {
		if (q->used == q->room && !grow(q))
			return false;
		t->slot = ++q->used;
	}
	q->timers[t->slot] = t;
	q->place[t->slot] = 0;
	q->claimed++;
	return true;
}

static void free_slot(struct leat__timer_queue *q, uint32_t slot)
{
	q->timers[slot] = NULL;
	q->place[slot] = q->free;
	q->free = slot;
	q->claimed--;
}

void leat__timer_queue_unclaim(struct leat__timer_queue *q, struct leat__timer *t)
{
	free_slot(q, t->slot);
	t->slot = 0;
}

/* --- armed ones */

void leat__timer_queue_insert(struct leat__timer_queue *q, int64_t when,
                              const struct leat__timer *t)
{
	insert(q, (struct leat__timer_entry){when, t->slot, t->kept});
}

bool leat__timer_queue_remove(struct leat__timer_queue *q, const struct leat__timer *t)
{
	bool known = t->slot && t->slot <= q->used && q->timers[t->slot] == t;
	uint32_t where = known ? q->place[t->slot] : 0;

	if (!where)
		return false;
	q->count--;
	q->place[t->slot] = 0;
	if (where & LEAT__PLACE_NOTED)
		leat__calendar_strike(&q->far, where, q->place);
	else if (where & LEAT__PLACE_TODAY)
		leat__today_strike(&q->today, where);
	else
		remove_at(q, where - 1);
	return true;
}

/* The day on which the calendar's first is due has come. */
static void take_day(struct leat__timer_queue *q)
{
	uint32_t n = leat__calendar_take(&q->far, q->heap + q->near, q->place);

	if (n >= MANY && n < HUGE_DAY) {
		leat__today_fill(&q->today, q->heap + q->near, n, q->place);
		return;
	}
	while (n-- > 0) {
		struct leat__timer_entry e = q->heap[q->near];

		sift_up(q, q->near++, e);
	}
}

bool leat__timer_queue_due(struct leat__timer_queue *q, int64_t now)
{
	while (leat__calendar_first(&q->far) <= now &&
	       leat__calendar_first(&q->far) <= leat__timer_queue_near(q))
		take_day(q);
	return leat__timer_queue_near(q) <= now;
}

/* Of today's it is known which come next: what the way to them and they themselves will miss is fetched. */
static ALWAYS_INLINE void fetch_ahead(const struct leat__timer_queue *q)
{
	const struct leat__timer_entry *next = &q->today.entry[q->today.first];
	uint32_t left = q->today.end - q->today.first;

	if (left > AHEAD)
		leat__timer_fetch(q->timers[next[AHEAD].slot]);
	if (left > 2 * AHEAD)
		__builtin_prefetch(&q->timers[next[2 * AHEAD].slot]);
}

/* Take the first that is not in the calendar out.  The result: its slot. */
static uint32_t take_near(struct leat__timer_queue *q)
{
	uint32_t slot;

	if (q->near && q->heap[0].when <= leat__today_first(&q->today)) {
		slot = q->heap[0].slot;
		remove_at(q, 0);
	} else {
		fetch_ahead(q);
		slot = q->today.entry[q->today.first].slot;
		leat__today_strike(&q->today, q->today.first);
	}
	q->place[slot] = 0;
	q->count--;
	return slot;
}

int32_t leat__timer_queue_take(struct leat__timer_queue *q, int64_t now, uint32_t *slots,
                               int32_t most)
{
	int32_t n = 0;

	while (n < most && leat__timer_queue_due(q, now)) {
		uint32_t slot = take_near(q);

		__builtin_prefetch(&q->timers[slot]);
		slots[n++] = slot;
	}
	return n;
}

void leat__timer_queue_clear(struct leat__timer_queue *q)
{
	char *days = (char *)q->far.least;

	for (uint32_t slot = 1; slot <= q->used; slot++) {
		uint32_t where = q->timers[slot] ? q->place[slot] : 0;

		if (!where)
			continue;
		q->place[slot] = 0;
		if (!entry_at(q, where)->kept)
			free_slot(q, slot);
	}
	q->count = q->near = 0;
	if (days)
		begin_days(q, days);
}
