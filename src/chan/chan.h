/* SPDX-License-Identifier: MIT */
/*
 * Channels as select sees them: the structure, its queues of waiters, and one operation on a channel
 * that is locked.
 */
#ifndef LEAT_CHAN_CHAN_H
#define LEAT_CHAN_CHAN_H

#include "base/copy.h"
#include "sched/biased.h"
#include "sched/scheduler.h"

#include <leat/chan.h>
#include <leat/select.h>

/* A goroutine that waits on a channel; lies on its stack.  The channel's lock protects the links and
   queued; the rest is written before it is queued, or by the one who takes it off. */
struct leat__waiter {
	struct leat__waiter *next, *prev;
	struct leat__g *g;
	void *elem;      /* where to or from where; NULL: drop what is received */
	uint32_t index;  /* of the case, for a select */
	uint8_t special; /* enum leat__waiter_special; most waiters' is 0 */
	bool queued;
	bool ok;    /* a value was handed over (false: the channel was closed) */
	bool timed; /* counted by the channel's alarm */
};

/* What who serves it must mind. */
enum leat__waiter_special {
	LEAT__SELECTING = 1,   /* take it only after claiming g */
	LEAT__NOT_PLAINLY = 2, /* g is a plain thread's */
};

/* What operations that find no partner and no value must look at before they wait. */
enum leat__chan_special {
	LEAT__CLOSED_CHAN = 1,
	LEAT__TIMED_CHAN =
	    2, /* for good: its values are an alarm's (alarm.c), nobody sends or closes */
	LEAT__FREED_CHAN = 4,
};

/*
 * The places of a buffer, for the thread sanitizer: whoever sends into one comes after who received from it
 * before, whoever receives after who sent into it; and after nobody else, whoever met whom.  So those who wait
 * are served as if by way of the buffer, and leave a token in the place where they should have been.  They lie
 * behind the buffer, where there are any: the channel itself is for all programs.
 */
struct leat__places {
	size_t n, to, from; /* how many, where is sent to and received from next */
	struct leat__place {
		void *token; /* of one who has used the place without having been there, or NULL */
	} all[];
};

/*
 * Invariants (lock)
 *  - At most one of receivers and senders has a waiter that can be served, but for selects that wait
 *    for both directions of one channel.
 *  - senders is empty unless the buffer is full or the only waiters are selects' that have fired;
 *    receivers likewise unless it is empty.
 *
 * A freed channel's lock is dead, and its special says so, too: whoever uses it finds that out where he has left the
 * fast path anyway, until the memory serves somebody else.  So both lie behind what allocators write into free
 * memory: glibc's lists, of four words at most.
 */
struct leat_chan {
	/* One cache line, all that an unbuffered one touches, and all that a cond has. */
	struct leat__waiters receivers, senders;
	struct leat__biased lock;
	uint8_t special; /* enum leat__chan_special; most channels' is 0 */
	bool scoped : 1; /* a scope frees it */
	bool outlet : 1; /* and it is a stage's */
	uint32_t elem_bytes;
	size_t count; /* values buffered */
	size_t cap;

	size_t head, tail; /* where in the buffer, in bytes, is received from and sent to next */
	size_t buffer_bytes;
	union {
		struct leat_chan *scope_next;            /* scoped: the scope's list */
		struct leat__subscription *subscription; /* else a broadcast's, which frees it, or NULL */
		struct leat_chan *flight_next;           /* or, until it has the result, a flight's list */
	};
	struct leat__alarm *alarm; /* what a timed one stands for, else NULL; never changes */
	const leat_error *reason; /* why it was closed, held; written before special says that it was */
	_Alignas(16) char buffer[];
};

_Static_assert(offsetof(struct leat_chan, lock) >= 4 * sizeof(void *), "free leaves it alone");

/* What a use of a freed channel panics with: in front of the runtime. */
#define LEAT__USE_OF_FREED "use of freed channel"
LEAT__NORETURN void leat__used_freed(void);

/* Lock c, for which leat__biased_trylock was not enough; or leave the runtime and panic, if it was freed. */
void leat__chan_lock_slow(struct leat__m *m, struct leat_chan *c, uint16_t mark);

/* Lock c, or leave the runtime and panic: where nothing else is locked, nor queued.  As who the caller was here it unlocks. */
static ALWAYS_INLINE uint16_t leat__chan_lock(struct leat__m *m, struct leat_chan *c)
{
	uint16_t mark = leat__mark(m);

	if (unlikely(!leat__biased_trylock(&c->lock, mark)))
		leat__chan_lock_slow(m, c, mark);
	return mark;
}

/* Lock c: true; false if it was freed. */
static ALWAYS_INLINE bool leat__chan_lock_alive(struct leat__m *m, struct leat_chan *c)
{
	return leat__biased_lock(&c->lock, leat__mark(m));
}

static ALWAYS_INLINE void leat__chan_unlock(const struct leat__m *m, struct leat_chan *c)
{
	leat__biased_unlock(&c->lock, leat__mark(m));
}

enum leat__outcome {
	LEAT__DONE,   /* and unlocked */
	LEAT__BLOCKS, /* still locked, nothing happened */
	LEAT__CLOSED, /* receive: the zero value was stored, unlocked; send: still locked */
};

/* w will be served, and its goroutine run soon: what lies around it is the end of that one's stack.  To be
   fetched at once, where it is in no cache, or in another processor's. */
static ALWAYS_INLINE void leat__waiter_fetch(const struct leat__waiter *w)
{
	const char *at = (const char *)w;

	__builtin_prefetch(at - CACHE_LINE, 1);
	__builtin_prefetch(at + CACHE_LINE, 1);
	__builtin_prefetch(at + 2 * CACHE_LINE, 1);
}

static inline void leat__waiters_add(struct leat__waiters *q, struct leat__waiter *w)
{
	w->next = NULL;
	w->prev = q->last;
	w->queued = true;
	if (unlikely(w->prev != NULL))
		w->prev->next = w;
	else
		q->first = w;
	q->last = w;
}

/* Who has waited before comes first. */
static inline void leat__waiters_add_first(struct leat__waiters *q, struct leat__waiter *w)
{
	w->prev = NULL;
	w->next = q->first;
	w->queued = true;
	if (q->first)
		q->first->prev = w;
	else
		q->last = w;
	q->first = w;
}

static inline void leat__waiters_remove(struct leat__waiters *q, struct leat__waiter *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		q->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		q->last = w->prev;
	w->queued = false;
}

/* The same for w, the first of q. */
static inline void leat__waiters_remove_first(struct leat__waiters *q, struct leat__waiter *w)
{
	struct leat__waiter *next = w->next;

	q->first = next;
	if (unlikely(next != NULL))
		next->prev = NULL;
	else
		q->last = NULL;
	w->queued = false;
}

/* The longest waiter that can still be served, off the queue and claimed; or NULL. */
static inline struct leat__waiter *leat__waiters_take(struct leat__waiters *q)
{
	struct leat__waiter *w;

	while ((w = q->first) != NULL) {
		uint32_t armed = LEAT__ARMED;

		leat__waiters_remove_first(q, w);
		if (likely(!(w->special & LEAT__SELECTING)))
			return w;
		if (cas_acq_rel(&w->g->claim, &armed, LEAT__FIRED)) {
			w->g->fired = w;
			return w;
		}
	}
	return NULL;
}

/*
 * Let the goroutine of w, which was taken, go on.  The channel is unlocked: w may vanish at once.
 *
 * A select that a plain operation wakes goes behind the others: until it runs, more of its channels
 * become ready, and it need not park for each element (110 against 240 ns).  Two selects that wake
 * each other are partners and share a time slice, as two plain operations do.
 */
static inline void leat__waiter_wake(struct leat__m *m, struct leat__waiter *w, bool selecting)
{
	leat__ready(m, w->g, !(w->special & LEAT__SELECTING) || selecting);
}

/* For the thread sanitizer: w will wait on c; the caller has sent into the buffer, received from it; serves w, who
   was to receive, to send; w was served, or withdrew. */
void leat__san_waits(const struct leat_chan *c, struct leat__waiter *w);
void leat__san_sent(struct leat_chan *c);
void leat__san_received(struct leat_chan *c);
void leat__san_serves_receiver(struct leat_chan *c, struct leat__waiter *w);
void leat__san_serves_sender(struct leat_chan *c, struct leat__waiter *w);
void leat__san_waited(struct leat__waiter *w, bool served);

/* The room behind the buffer that the places of a channel take, 0 for none.  They begin and end with c, which is
   new, which will be freed. */
size_t leat__san_places_bytes(size_t cap, size_t buffer_bytes);
void leat__san_add_places(struct leat_chan *c);
void leat__san_drop_places(struct leat_chan *c);

/* Plainly: where there is no sanitizer. */
static ALWAYS_INLINE void leat__buffer_put_plain(struct leat_chan *c, const void *elem)
{
	leat__copy(c->buffer + c->tail, elem, c->elem_bytes);
	c->tail += c->elem_bytes;
	if (c->tail == c->buffer_bytes)
		c->tail = 0;
}

static inline void leat__buffer_put(struct leat_chan *c, const void *elem)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_sent(c);
	leat__buffer_put_plain(c, elem);
}

static ALWAYS_INLINE void leat__buffer_get_plain(struct leat_chan *c, void *elem)
{
	if (elem)
		leat__copy(elem, c->buffer + c->head, c->elem_bytes);
	c->head += c->elem_bytes;
	if (c->head == c->buffer_bytes)
		c->head = 0;
}

static inline void leat__buffer_get(struct leat_chan *c, void *elem)
{
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_received(c);
	leat__buffer_get_plain(c, elem);
}

/* leat__recv_locked for a timed channel; never LEAT__CLOSED. */
enum leat__outcome leat__alarm_recv(struct leat__m *m, struct leat_chan *c, void *elem,
                                    bool selecting);

/* Send on c, locked, without waiting; selecting: on behalf of a select. */
static ALWAYS_INLINE enum leat__outcome leat__send_locked(struct leat__m *m, struct leat_chan *c,
                                                          const void *elem, bool selecting)
{
	struct leat__waiter *w;

	if (unlikely(c->special))
		return LEAT__CLOSED;
	w = leat__waiters_take(&c->receivers);
	if (w) {
		if (unlikely(leat__sanitizers & LEAT__TSAN))
			leat__san_serves_receiver(c, w);
		if (w->elem)
			leat__copy(w->elem, elem, c->elem_bytes);
		w->ok = true;
		leat__chan_unlock(m, c);
		leat__waiter_wake(m, w, selecting);
		return LEAT__DONE;
	}
	if (c->count == c->cap)
		return LEAT__BLOCKS;
	leat__buffer_put(c, elem);
	c->count++;
	leat__chan_unlock(m, c);
	leat__operated(m->p);
	return LEAT__DONE;
}

/* Receive from c, locked, without waiting. */
static ALWAYS_INLINE enum leat__outcome leat__recv_locked(struct leat__m *m, struct leat_chan *c,
                                                          void *elem, bool selecting)
{
	struct leat__waiter *w;

	if (c->count) {
		leat__buffer_get(c, elem);
		/* Whoever waits to send has the place: the buffer stays full, the order is kept. */
		w = leat__waiters_take(&c->senders);
		if (w) {
			if (unlikely(leat__sanitizers & LEAT__TSAN))
				leat__san_serves_sender(c, w);
			leat__buffer_put_plain(c, w->elem);
			w->ok = true;
			leat__chan_unlock(m, c);
			leat__waiter_wake(m, w, selecting);
			return LEAT__DONE;
		}
		c->count--;
		leat__chan_unlock(m, c);
		leat__operated(m->p);
		return LEAT__DONE;
	}
	w = leat__waiters_take(&c->senders);
	if (w) {
		if (unlikely(leat__sanitizers & LEAT__TSAN))
			leat__san_serves_sender(c, w);
		if (elem)
			leat__copy(elem, w->elem, c->elem_bytes);
		w->ok = true;
		leat__chan_unlock(m, c);
		leat__waiter_wake(m, w, selecting);
		return LEAT__DONE;
	}
	if (unlikely(c->special)) {
		if (c->special & LEAT__TIMED_CHAN)
			return leat__alarm_recv(m, c, elem, selecting);
		leat__chan_unlock(m, c);
		leat__hb_acquire(&c->special);
		if (elem)
			leat__zero(elem, c->elem_bytes);
		return LEAT__CLOSED;
	}
	return LEAT__BLOCKS;
}

/*
 * The dir of a case of select that waits for a cond to be signalled: chan is the cond's queue, which is in its
 * receivers, value the mutex to unlock while the select is parked.  Of such a chan there is no more than the
 * first line.  The functions are set by the conds, which stand above; unlock is called in the runtime, once
 * the select has queued everywhere, relock outside of it.
 */
#define LEAT__COND_CASE ((enum leat_dir)3)
extern void (*leat__select_unlock)(struct leat__m *m, void *mutex);
extern void (*leat__select_relock)(void *mutex);

/* leat_chan_send, but that a closed channel is no misuse: false, also if it is closed meanwhile.  For channels that
   others close because nobody wants any more (pipe/stage.c).  Out of the runtime. */
bool leat__chan_offer(leat_chan *c, const void *elem);

/* The same without waiting, c not being NULL: LEAT__BLOCKS, when it would have; LEAT__CLOSED.  c is unlocked
   in each case. */
enum leat__outcome leat__chan_try_offer(leat_chan *c, const void *elem);

/*
 * leat_select for ever, but that a send on a closed channel is no misuse: then it returns less than 0.  It allocates
 * nothing: room is the caller's, so many bytes for n cases, aligned to 16.
 */
int leat__select_offer(const leat_case *cases, size_t n, bool *ok, void *room);
size_t leat__select_room_bytes(size_t n);

/* Close c, in the runtime, for a reason or NULL; false when it was closed already. */
bool leat__chan_close_with(struct leat__m *m, leat_chan *c, const leat_error *reason);

static inline bool leat__chan_close(struct leat__m *m, leat_chan *c)
{
	return leat__chan_close_with(m, c, NULL);
}

/* Whose subscription c is; NULL: it is none. */
static inline struct leat__subscription *leat__chan_subscription(const leat_chan *c)
{
	return c->scoped ? NULL : c->subscription;
}

/* What needs no lock: panic if c was freed.  In front of the runtime. */
static inline void leat__chan_check(const leat_chan *c)
{
	if (unlikely(__atomic_load_n(&c->special, __ATOMIC_RELAXED) & LEAT__FREED_CHAN))
		leat__used_freed();
}

/* Free c's memory, which stays recognisable as that of a freed channel for as long as nobody else has it. */
void leat__chan_free_memory(leat_chan *c);

/* For what owns channels: like leat_chan_make and leat_chan_free; what make would panic with for such a size, or
   NULL. */
const char *leat__chan_size_error(size_t elem_bytes, ptrdiff_t cap);
leat_chan *leat__chan_new(size_t elem_bytes, ptrdiff_t cap);
void leat__chan_delete(leat_chan *c);

#endif
