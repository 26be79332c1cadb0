/* SPDX-License-Identifier: MIT */
/*
 * Channels: a buffer and two queues of waiters under one lock.
 *
 * A value goes straight from a sender to a receiver that waits (nobody can take it in between), else
 * through the buffer.  Who waits lies on the waiting goroutine's stack and is taken off the queue, and
 * filled in, by the other side.
 *
 * The lock is a biased one (sched/biased.h): a channel that one processor uses needs no locked instruction.
 *
 * Memory ordering: everything but the waiters' hand-over is under the lock.  What the taker wrote into
 * a waiter and its element is ordered before the sleeper's reading of it by the ready and the queues.
 * After the unlock the operation touches neither the channel nor the waiter again, so that the other
 * side may free the channel as soon as it has its value.
 *
 * To use a channel after that is a bug of the program's that is told where it can be without a look more in what
 * most do: what locks finds a dead lock, what does not sees special.
 *
 * Rejected: lock-free rings for the buffer (the biased lock gives what they would, and select needs a
 * lock); waking the receiver by running it at once (ring 58 against 25 ns: its
 * answer finds the sender asleep).
 */
#include "chan/alarm.h"
#include "chan/chan.h"

#include "sched/panic.h"

#include <stdlib.h>

#define BYTES_MAX ((size_t)1 << 47) /* no address space holds more */

const char *leat__chan_size_error(size_t elem_bytes, ptrdiff_t cap)
{
	size_t bytes;

	if (cap < 0 || elem_bytes > UINT32_MAX ||
	    __builtin_mul_overflow(elem_bytes, (size_t)cap, &bytes) || bytes > BYTES_MAX)
		return "makechan: size out of range";
	return NULL;
}

leat_chan *leat__chan_new(size_t elem_bytes, ptrdiff_t cap)
{
	const char *wrong = leat__chan_size_error(elem_bytes, cap);
	size_t bytes = elem_bytes * (size_t)cap, behind = 0;
	leat_chan *c = NULL;

	if (wrong)
		leat__panic_runtime(wrong);
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		behind = leat__san_places_bytes((size_t)cap, bytes);
	if (posix_memalign((void **)&c, CACHE_LINE, sizeof *c + bytes + behind) != 0)
		leat__panic_runtime("out of memory");
	*c = (leat_chan){.cap = (size_t)cap, .elem_bytes = (uint32_t)elem_bytes, .buffer_bytes = bytes};
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_add_places(c);
	return c;
}

leat_chan *leat_chan_make(size_t elem_bytes, ptrdiff_t cap)
{
	return leat__chan_new(elem_bytes, cap);
}

/* Wait for ever. */
static LEAT__NORETURN void leat__chan_never(struct leat__m *m, enum leat__wait why)
{
	for (;;) {
		leat__park_as(m->g, why);
		m = leat__park(m);
	}
}

/* g, which a fork left behind, waits in a queue for ever: let others pass over its waiter as if it were that
   of a select whose claim has fired. */
static void pass_over(struct leat__g *g)
{
	switch (load_relaxed(&g->wait)) {
	case LEAT__WAIT_RECV:
	case LEAT__WAIT_SEND:
	case LEAT__WAIT_MUTEX:
	case LEAT__WAIT_RLOCK:
	case LEAT__WAIT_RWLOCK:
	case LEAT__WAIT_COND:
	case LEAT__WAIT_SEMAPHORE:
	case LEAT__WAIT_FLIGHT:
	case LEAT__WAIT_ONCE:
		if (g->fired)
			g->fired->special = LEAT__SELECTING;
	}
}

__attribute__((constructor(101))) static void connect(void)
{
	leat__on_gone = pass_over;
}

static LEAT__NORETURN COLD void leat__sent_on_closed(void)
{
	leat__panic_runtime("send on closed channel");
}

COLD void leat__used_freed(void)
{
	leat__panic_runtime(LEAT__USE_OF_FREED);
}

COLD void leat__chan_lock_slow(struct leat__m *m, leat_chan *c, uint16_t mark)
{
	if (unlikely(!leat__biased_lock_slow(&c->lock, mark))) {
		leat__leave(m);
		leat__used_freed();
	}
}

/* Queue on c, locked, and wait until the other side has handed a value over: true; or until c is closed:
   false.  watched: unless m was entered with leat__try_enter, and the channel is plain. */
static ALWAYS_INLINE bool leat__await(struct leat__m *m, leat_chan *c, void *elem, bool send,
                                      bool watched)
{
	struct leat__g *me = m->g;
	struct leat__waiter w;

	w.g = me;
	compiler_barrier(); /* gcc 12 would put the two into one vector, by way of memory */
	w.elem = elem;
	w.special = watched && !m->p ? LEAT__NOT_PLAINLY : 0;
	w.ok = false;
	w.timed = watched && c->alarm != NULL;
	leat__park_as(me, send ? LEAT__WAIT_SEND : LEAT__WAIT_RECV);
	me->fired = &w;
	if (watched && unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_waits(c, &w);
	leat__waiters_add(send ? &c->senders : &c->receivers, &w);
	leat__biased_unlock(&c->lock, watched ? leat__mark(m) : m->p->mark);
	if (watched && w.timed)
		leat__alarm_await(m, c->alarm);
	m->left = __builtin_return_address(0);
	m = watched ? leat__park(m) : leat__park_plain(m);
	if (watched && w.timed)
		leat__alarm_unawait(c->alarm, true);
	if (watched && unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_waited(&w, true);
	leat__leave(m);
	return w.ok;
}

static NOINLINE LEAT__RESUMED bool leat__await_recv(struct leat__m *m, leat_chan *c, void *elem)
{
	leat__resumed();
	return leat__await(m, c, elem, false, false);
}

/* How a send ends: sent says whether it took place.  Else c is closed: who merely offers is told. */
static ALWAYS_INLINE bool leat__sent(bool sent, bool offer)
{
	if (unlikely(!sent) && !offer)
		leat__sent_on_closed();
	return sent;
}

static NOINLINE LEAT__RESUMED void leat__await_send(struct leat__m *m, leat_chan *c,
                                                    const void *elem)
{
	leat__resumed();
	leat__sent(leat__await(m, c, (void *)(uintptr_t)elem, true, false), false);
}

static NOINLINE LEAT__RESUMED bool leat__await_offer(struct leat__m *m, leat_chan *c,
                                                     const void *elem)
{
	leat__resumed();
	return leat__await(m, c, (void *)(uintptr_t)elem, true, false);
}

/*
 * Send and receive.  What most do comes first, and calls nothing that returns, so that it saves no
 * registers: a value into or out of the buffer where nobody waits, and where there is nothing but to
 * wait.  The rest is in functions of its own.
 */

/* m has used the buffer of a channel, which is unlocked. */
static NOINLINE void leat__demote_and_leave(struct leat__m *m)
{
	leat__demote_next(m->p);
	leat__leave(m);
}

static ALWAYS_INLINE void operated_and_leave(struct leat__m *m, struct leat__p *p)
{
	if (unlikely(leat__demotion_due(p)))
		leat__demote_and_leave(m);
	else
		leat__leave(m);
}

/* c is locked. */
static NOINLINE bool leat__send_on(struct leat__m *m, leat_chan *c, const void *elem, bool offer)
{
	switch (leat__send_locked(m, c, elem, false)) {
	case LEAT__DONE:
		leat__leave(m);
		return true;
	case LEAT__BLOCKS:
		return leat__sent(leat__await(m, c, (void *)(uintptr_t)elem, true, true), offer);
	default:
		leat__chan_unlock(m, c);
		leat__leave(m);
		return leat__sent(false, offer);
	}
}

static NOINLINE bool leat__send_slow(leat_chan *c, const void *elem, bool offer)
{
	struct leat__m *m = leat__enter();

	if (unlikely(!c))
		leat__chan_never(m, LEAT__WAIT_SEND_NIL);
	leat__chan_lock(m, c);
	return leat__send_on(m, c, elem, offer);
}

static NOINLINE bool leat__send_contended(struct leat__m *m, leat_chan *c, const void *elem,
                                          bool offer)
{
	leat__chan_lock_slow(m, c, leat__mark(m));
	return leat__send_on(m, c, elem, offer);
}

/* m has served g, for which there was no room in next. */
static NOINLINE void leat__ready_and_leave(struct leat__m *m, struct leat__g *g, bool soon)
{
	leat__ready(m, g, soon);
	leat__leave(m);
}

/* w, which waits plainly on c, locked, is off its queue and has its value, or has given it. */
static ALWAYS_INLINE void served(struct leat__m *m, struct leat__p *p, leat_chan *c,
                                 struct leat__waiter *w, bool received)
{
	struct leat__g *g = w->g;

	w->ok = true;
	leat__biased_unlock(&c->lock, p->mark);
	/* Of two who were served the one with a value comes first: it was to have it, the other is rid of his. */
	if (likely(leat__try_ready_next(p, g)))
		leat__leave(m);
	else
		leat__ready_and_leave(m, g, received);
}

static ALWAYS_INLINE bool leat__send(leat_chan *c, const void *elem, bool offer)
{
	struct leat__waiter *w;
	struct leat__m *m = likely(c != NULL) ? leat__try_enter() : NULL;
	struct leat__p *p;

	if (unlikely(!m))
		return leat__send_slow(c, elem, offer);
	p = m->p;
	if (unlikely(!leat__biased_trylock(&c->lock, p->mark)))
		return leat__send_contended(m, c, elem, offer);
	w = c->receivers.first;
	if (unlikely(c->special) || (w && unlikely(w->special)))
		return leat__send_on(m, c, elem, offer);
	if (w) {
		leat__waiter_fetch(w);
		leat__waiters_remove_first(&c->receivers, w);
		if (w->elem)
			leat__copy(w->elem, elem, c->elem_bytes);
		served(m, p, c, w, true);
	} else if (c->count < c->cap) {
		leat__buffer_put_plain(c, elem);
		c->count++;
		leat__biased_unlock(&c->lock, p->mark);
		operated_and_leave(m, p);
	} else if (offer) {
		return leat__await_offer(m, c, elem);
	} else {
		leat__await_send(m, c, elem);
	}
	return true;
}

void leat_chan_send(leat_chan *c, const void *elem)
{
	leat__send(c, elem, false);
}

bool leat__chan_offer(leat_chan *c, const void *elem)
{
	return leat__send(c, elem, true);
}

/* c is locked. */
static NOINLINE bool leat__recv_on(struct leat__m *m, leat_chan *c, void *elem)
{
	enum leat__outcome outcome = leat__recv_locked(m, c, elem, false);

	if (outcome == LEAT__BLOCKS)
		return leat__await(m, c, elem, false, true);
	leat__leave(m);
	return outcome == LEAT__DONE;
}

static NOINLINE bool leat__recv_slow(leat_chan *c, void *elem)
{
	struct leat__m *m = leat__enter();

	if (unlikely(!c))
		leat__chan_never(m, LEAT__WAIT_RECV_NIL);
	leat__chan_lock(m, c);
	return leat__recv_on(m, c, elem);
}

static NOINLINE bool leat__recv_contended(struct leat__m *m, leat_chan *c, void *elem)
{
	leat__chan_lock_slow(m, c, leat__mark(m));
	return leat__recv_on(m, c, elem);
}

bool leat_chan_recv(leat_chan *c, void *elem)
{
	struct leat__waiter *w;
	struct leat__m *m = likely(c != NULL) ? leat__try_enter() : NULL;
	struct leat__p *p;

	if (unlikely(!m))
		return leat__recv_slow(c, elem);
	p = m->p;
	if (unlikely(!leat__biased_trylock(&c->lock, p->mark)))
		return leat__recv_contended(m, c, elem);
	w = c->senders.first;
	if (w && (unlikely(w->special) || unlikely(c->count)))
		return leat__recv_on(m, c, elem);
	if (w) {
		leat__waiter_fetch(w);
		leat__waiters_remove_first(&c->senders, w);
		if (elem)
			leat__copy(elem, w->elem, c->elem_bytes);
		served(m, p, c, w, false);
		return true;
	}
	if (c->count) {
		leat__buffer_get_plain(c, elem);
		c->count--;
		leat__biased_unlock(&c->lock, p->mark);
		operated_and_leave(m, p);
		return true;
	}
	if (unlikely(c->special))
		return leat__recv_on(m, c, elem);
	return leat__await_recv(m, c, elem);
}

enum leat__outcome leat__chan_try_offer(leat_chan *c, const void *elem)
{
	struct leat__m *m = leat__enter();
	enum leat__outcome outcome;

	leat__chan_lock(m, c);
	outcome = leat__send_locked(m, c, elem, false);
	if (outcome != LEAT__DONE)
		leat__chan_unlock(m, c);
	leat__leave(m);
	return outcome;
}

bool leat_chan_try_send(leat_chan *c, const void *elem)
{
	enum leat__outcome outcome = c ? leat__chan_try_offer(c, elem) : LEAT__BLOCKS;

	if (outcome == LEAT__CLOSED)
		leat__sent_on_closed();
	return outcome == LEAT__DONE;
}

bool leat_chan_try_recv(leat_chan *c, void *elem, bool *ok)
{
	struct leat__m *m;
	enum leat__outcome outcome;

	if (!c)
		return false;
	m = leat__enter();
	leat__chan_lock(m, c);
	outcome = leat__recv_locked(m, c, elem, false);
	if (outcome == LEAT__BLOCKS)
		leat__chan_unlock(m, c);
	leat__leave(m);
	if (outcome == LEAT__BLOCKS)
		return false;
	if (ok)
		*ok = outcome == LEAT__DONE;
	return true;
}

/*
 * What asks without the lock whether c is closed, and why, sees special last: it is stored with release, and
 * read with acquire there.
 */
bool leat__chan_close_with(struct leat__m *m, leat_chan *c, const leat_error *reason)
{
	struct leat__waiter *w, *woken = NULL, **link = &woken;
	/* Kept: an idle thread, which closes contexts' channels, may be given a processor meanwhile. */
	uint16_t mark = leat__chan_lock(m, c);

	if (c->special) {
		leat__biased_unlock(&c->lock, mark);
		return false;
	}
	c->reason = leat_error_retain(reason);
	leat__hb_release(&c->special);
	__atomic_store_n(&c->special, LEAT__CLOSED_CHAN, __ATOMIC_RELEASE);
	/* Receivers first, then senders, each in the order they came. */
	while ((w = leat__waiters_take(&c->receivers))) {
		leat__hb_release(w);
		if (w->elem)
			leat__zero(w->elem, c->elem_bytes);
		*link = w;
		link = &w->next;
	}
	while ((w = leat__waiters_take(&c->senders))) {
		*link = w;
		link = &w->next;
	}
	*link = NULL;
	leat__biased_unlock(&c->lock, mark);
	while ((w = woken)) {
		woken = w->next;
		w->ok = false;
		leat__ready(m, w->g, false);
	}
	return true;
}

/* In front of the runtime. */
static bool leat__chan_close_here(leat_chan *c, const leat_error *reason)
{
	struct leat__m *m;
	bool closed;

	if (!c)
		leat__panic_runtime("close of nil channel");
	m = leat__enter();
	closed = leat__chan_close_with(m, c, reason);
	leat__leave(m);
	return closed;
}

void leat_chan_close_with(leat_chan *c, const leat_error *reason)
{
	if (!leat__chan_close_here(c, reason))
		leat__panic_runtime("close of closed channel");
}

void leat_chan_close(leat_chan *c)
{
	leat_chan_close_with(c, NULL);
}

bool leat_chan_try_close_with(leat_chan *c, const leat_error *reason)
{
	if (c)
		leat__chan_check(c);
	if (c && c->alarm)
		leat__panic_runtime("close of closed channel");
	if (leat__chan_close_here(c, reason))
		return true;
	leat__hb_acquire(&c->special);
	return false;
}

bool leat_chan_try_close(leat_chan *c)
{
	return leat_chan_try_close_with(c, NULL);
}

bool leat_chan_is_closed(leat_chan *c)
{
	uint8_t special = c ? __atomic_load_n(&c->special, __ATOMIC_ACQUIRE) : 0;

	if (unlikely(special & LEAT__FREED_CHAN))
		leat__used_freed();
	if (!(special & LEAT__CLOSED_CHAN))
		return false;
	leat__hb_acquire(&c->special);
	return true;
}

const leat_error *leat_chan_reason(leat_chan *c)
{
	return leat_chan_is_closed(c) ? c->reason : NULL;
}

size_t leat_chan_len(leat_chan *c)
{
	if (!c)
		return 0;
	leat__chan_check(c);
	return __atomic_load_n(&c->count, __ATOMIC_RELAXED);
}

size_t leat_chan_cap(leat_chan *c)
{
	if (!c)
		return 0;
	leat__chan_check(c);
	return c->cap;
}

/* --- the end of a channel */

void leat__chan_free_memory(leat_chan *c)
{
	leat__biased_kill(&c->lock);
	__atomic_store_n(&c->special, LEAT__FREED_CHAN, __ATOMIC_RELAXED);
	/* A compiler knows that nobody may read what is stored before a free. */
	__asm__ volatile("" : : "r"(c) : "memory");
	free(c);
}

void leat__chan_delete(leat_chan *c)
{
	if (c->alarm) {
		leat__alarm_free(c->alarm);
	} else {
		if (unlikely(leat__sanitizers & LEAT__TSAN))
			leat__san_drop_places(c);
		leat_error_free(c->reason);
		leat__chan_free_memory(c);
	}
}

/* Why c, locked, cannot be freed; NULL: it can. */
static const char *in_use(const leat_chan *c)
{
	if (c->receivers.first || c->senders.first)
		return "chan_free: goroutines are waiting on the channel";
	if (c->scoped)
		return "chan_free: the channel belongs to a scope";
	if (leat__chan_subscription(c))
		return "chan_free: the channel belongs to a broadcast";
	if (c->alarm && c->alarm->owned)
		return "chan_free: the channel belongs to a timer";
	return NULL;
}

void leat_chan_free(leat_chan *c)
{
	struct leat__m *m;
	const char *wrong = "chan_free: channel is freed already";

	if (!c)
		return;
	m = leat__enter();
	if (leat__chan_lock_alive(m, c)) {
		wrong = in_use(c);
		if (!wrong)
			leat__biased_kill(
			    &c->lock); /* here, for of two who free it the second would come too late */
		leat__chan_unlock(m, c);
	}
	leat__leave(m);
	if (wrong)
		leat__panic_runtime(wrong);
	leat__chan_delete(c);
}
