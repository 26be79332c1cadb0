/* SPDX-License-Identifier: MIT */
/*
 * What chan_select is made of: a loop over its cases that registers them in its first round, and runs
 * the chosen one in its second.
 *
 * Invariants (the select object's, touched by its goroutine alone)
 *  - round is 1 while cases are registered and 2 while the chosen one is looked for.
 *  - count is the number of cases registered so far.
 *  - A small value that is received lands in `in`, whichever case it is: one is chosen.
 *  - No address of the program's is kept between the rounds: what is sent is copied into the object
 *    when its case is registered, what is received lands there.  (A version that kept the addresses of
 *    compound literals read garbage at -O2: they die with their statement.)
 *  - overflow holds what does not fit; it is gone before the chosen body runs, since the body may
 *    leave by return.
 */
#include "base/copy.h"
#include "sched/panic.h"

#include <leat/select.h>

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

/* Between the rounds. */
bool leat__select_choose(leat__select *s)
{
	int64_t timeout_ns = LEAT_FOREVER;

	if (s->dflt >= 0)
		timeout_ns = 0;
	else if (s->timeout >= 0)
		timeout_ns = s->timeout_ns > 0 ? s->timeout_ns : 0;
	s->chosen = leat_select(s->cases, (size_t)s->count, timeout_ns, &s->ok);
	if (s->chosen == LEAT_SELECT_NONE)
		s->chosen = s->dflt >= 0 ? s->dflt : s->timeout;
	return true;
}

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
