/* SPDX-License-Identifier: MIT */
/*
 * What chan_select is made of: a loop over its cases that registers them in its first round, and runs
 * the chosen one in its second.
 *
 * Invariants (the select object's, touched by its goroutine alone)
 *  - The round is a variable of the program's own, of which the compiler knows the value at each case: 1 while
 *    cases are registered and 2 while the chosen one is looked for.
 *  - count is the number of cases registered so far.
 *  - A small value that is received lands in `in`, whichever case it is: one is chosen.
 *  - No address of the program's is kept between the rounds: what is sent is copied into the object
 *    when its case is registered, what is received lands there.  (A version that kept the addresses of
 *    compound literals read garbage at -O2: they die with their statement.)
 *  - overflow holds what does not fit; it is gone before the chosen body runs, since the body may
 *    leave by return.
 */
#include "base/copy.h"
#include "chan/select.h"
#include "sched/panic.h"

#include <stdlib.h>

/* Cases and values beyond what a leat__select holds.  Registered as a record, so that a panic in an
   operand frees it. */
struct leat__select_chunk {
	leat__record record;
	struct leat__select_chunk *next;
	_Alignas(16) char bytes[];
};

static COLD void *overflow(leat__select *s, size_t bytes)
{
	struct leat__select_chunk *c = malloc(sizeof *c + bytes);

	if (!c)
		leat__panic_runtime("out of memory");
	c->record = (leat__record){.fn = free, .arg = c};
	c->next = s->overflow;
	s->overflow = c;
	leat__record_push(&c->record);
	return c->bytes;
}

static void drop_overflow(leat__select *s)
{
	while (s->overflow) {
		struct leat__select_chunk *c = s->overflow;

		s->overflow = c->next;
		leat__record_leave(&c->record);
	}
}

/* Room for a value. */
static inline void *room(leat__select *s, size_t bytes)
{
	size_t at = s->used;

	if (unlikely(bytes > 8))
		at = (at + 15) & ~(size_t)15;
	if (unlikely(bytes > LEAT__SELECT_BYTES - at || at > LEAT__SELECT_BYTES))
		return overflow(s, bytes);
	s->used = (uint32_t)(at + ((bytes + 7) & ~(size_t)7));
	return s->out.bytes + at;
}

static COLD void grow(leat__select *s)
{
	size_t n = (size_t)s->count;
	leat_case *cases = overflow(s, 2 * n * sizeof *cases);

	for (size_t i = 0; i < n; i++)
		cases[i] = s->cases[i];
	s->cases = cases;
}

/* The next case's place. */
static leat_case *next_case(leat__select *s)
{
	int n = s->count;

	if (unlikely(n >= LEAT__SELECT_CASES && (n & (n - 1)) == 0))
		grow(s);
	s->count++;
	return &s->cases[n];
}

/* The general form, for what the header does not do in line. */
bool leat__select_add(leat__select *s, leat_chan *c, int dir, const void *value, size_t bytes)
{
	leat_case *k = next_case(s);

	k->chan = c;
	k->dir = (enum leat_dir)dir;
	k->value = NULL;
	if (c && bytes != LEAT__DISCARD) {
		k->value = room(s, bytes);
		if (dir == LEAT_SEND)
			leat__copy(k->value, value, bytes);
	}
	return false;
}

bool leat__select_add_default(leat__select *s)
{
	s->dflt = s->count;
	next_case(s)->chan = NULL;
	return false;
}

bool leat__select_add_timeout(leat__select *s, int64_t timeout_ns)
{
	s->timeout = s->count;
	s->timeout_ns = timeout_ns;
	next_case(s)->chan = NULL;
	return false;
}

/* --- between the rounds */

static int64_t timeout_of(const leat__select *s)
{
	if (s->dflt < 0 && s->timeout < 0)
		return LEAT_FOREVER;
	return s->dflt < 0 && s->timeout_ns > 0 ? s->timeout_ns : 0;
}

static bool chose(leat__select *s, int r)
{
	s->chosen = r != LEAT_SELECT_NONE ? r : s->dflt >= 0 ? s->dflt : s->timeout;
	return true;
}

/* Whatever it takes.  Out of the runtime. */
static NOINLINE bool leat__choose_slow(leat__select *s)
{
	return chose(s, leat_select(s->cases, (size_t)s->count, timeout_of(s), &s->ok));
}

static NOINLINE bool leat__choose_wait(leat__select *s, struct leat__m *m)
{
	return chose(s, leat__select_not_ready(m, s->cases, (size_t)s->count, timeout_of(s), &s->ok));
}

/* Case i was drawn among those that look ready: try it; if it is not, begin anew. */
static NOINLINE bool leat__choose_drawn(leat__select *s, struct leat__m *m, uint32_t i, bool locked)
{
	const leat_case *k = &s->cases[i];
	int r;

	if (!locked)
		leat__chan_lock(m, k->chan);
	r = leat__select_perform(m, k, &s->ok);
	leat__leave(m);
	if (unlikely(r == LEAT__SELECT_CLOSED))
		leat__panic_runtime("send on closed channel");
	if (unlikely(r == LEAT__SELECT_AGAIN))
		return leat__choose_slow(s);
	s->chosen = (int)i;
	return true;
}

/* Nothing looks ready, so no case's channel is a timed one.  The second time no select has served anybody in this
   turn. */
static NOINLINE bool leat__choose_none(leat__select *s, struct leat__m *m)
{
	uint32_t served = s->dflt < 0 && s->timeout < 0 ? leat__select_served(m->p) : 0;

	if (served) {
		struct leat__m *later = leat__yield_to(m, served);

		if (likely(later != NULL)) {
			leat__leave(later);
			return leat__select_choose(s);
		}
	}
	return leat__choose_wait(s, m);
}

static NOINLINE bool leat__ready_and_leave(struct leat__m *m, struct leat__g *g)
{
	leat__ready(m, g, true);
	leat__leave(m);
	return true;
}

static NOINLINE bool leat__wake_and_leave(struct leat__m *m)
{
	leat__wake();
	leat__leave(m);
	return true;
}

/* leat__ready, soon, and leave.  Whether somebody is in next already cannot be predicted: one branch less, since what
   lies at the ring's tail is nobody's. */
static ALWAYS_INLINE bool served(struct leat__m *m, struct leat__p *p, struct leat__g *g)
{
	struct leat__g *old = load_relaxed(&p->next);
	uint32_t tail = load_relaxed(&p->tail);

	leat__select_note(p);
	if (unlikely(tail - load_acquire(&p->head) >= LEAT__RING))
		return leat__ready_and_leave(m, g);
	store_relaxed(&g->wait, LEAT__RUNNABLE);
	store_relaxed(&p->next, g);
	store_relaxed(&p->ring[tail % LEAT__RING], old);
	store_release(&p->tail, tail + (old != NULL));
	leat__fence_light(); /* as in leat__wake */
	if (unlikely(load_relaxed(&leat__sched.idle)))
		return leat__wake_and_leave(m);
	leat__leave(m);
	return true;
}

/*
 * What a select meets most is a receive from one who waits in a plain send, and where none does, that it lets those
 * go first that it has served.  For these it calls nothing that returns, and so saves no registers, and ends in jumps:
 * what is resumed by a switch returns right into the program, as a plain send does that waits, so of these returns
 * two are mispredicted instead of six.
 */
bool leat__select_choose(leat__select *s)
{
	struct leat__m *m = likely(s->count <= LEAT__SELECT_CASES) ? leat__try_enter() : NULL;
	uint32_t cases = (uint32_t)s->count, n = 0, i;
	uint8_t ready[LEAT__SELECT_CASES]; /* so that a draw takes no branch */
	const leat_case *k = s->cases;
	struct leat__waiter *w;
	struct leat__p *p;
	struct leat__g *g;
	leat_chan *c;

	if (unlikely(!m))
		return leat__choose_slow(s);
	p = m->p;
	for (i = 0; i < cases; i++) {
		ready[n] = (uint8_t)i;
		n += leat__select_looks_ready(&k[i]);
	}
	if (n == 0)
		return leat__choose_none(s, m);
	i = ready[leat__random_below(leat__random_next(&p->random), n)];
	k += i;
	c = k->chan;
	if (unlikely(!leat__biased_trylock(&c->lock, p->mark)))
		return leat__choose_drawn(s, m, i, false);
	w = c->senders.first;
	if (unlikely(k->dir != LEAT_RECV) || !w || unlikely(w->special) || c->count ||
	    unlikely(c->elem_bytes > 8))
		return leat__choose_drawn(s, m, i, true);
	leat__waiters_remove_first(&c->senders, w);
	if (k->value)
		leat__copy_few(k->value, w->elem, c->elem_bytes);
	g = w->g;
	w->ok = true;
	leat__biased_unlock(&c->lock, p->mark);
	s->chosen = (int)i;
	s->ok = true;
	return served(m, p, g);
}

/* --- in the second round */

/* The body of the chosen case begins.  It may leave by return, so what overflowed goes now; but a
   value that was received is still to be taken. */
bool leat__select_chose_overflowed(leat__select *s)
{
	const leat_case *k = &s->cases[s->chosen];

	if (!k->chan || k->dir != LEAT_RECV || !k->value)
		drop_overflow(s);
	return true;
}

void leat__select_take_slow(leat__select *s, void *to, size_t bytes)
{
	leat__copy(to, s->cases[s->chosen].value, bytes);
	drop_overflow(s);
}
