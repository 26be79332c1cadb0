/* SPDX-License-Identifier: MIT */
/*
 * Counting.  See meter.h.
 *
 * A worker is busy, or waits to receive, or waits to send; each call here ends one phase and begins the next, with one
 * reading of the clock.  What it holds leaves when it asks for the next value: as of its last send, if it made one
 * for it, else now.  Only then is it known which send was the last.
 *
 * Writes to a slot are plain stores between two of its version, the first one followed by a release fence, the second
 * one a release; leat__figures reads them the other way round.
 */
#include "pipe/meter.h"

#include "pipe/waits.h"

#define PROBES 8

/* --- slots */

static struct leat__slots *first_table(struct leat__meter *mt)
{
	return __atomic_load_n(&mt->slots, __ATOMIC_ACQUIRE);
}

static size_t place_of(const void *g)
{
	return (size_t)((uint64_t)(uintptr_t)g * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* The slot of g in the table, taken if need be; NULL: its places are others'. */
static struct leat__slot *find(const struct leat__meter *mt, struct leat__slots *table,
                               const void *g)
{
	size_t at = place_of(g);

	for (unsigned i = 0; i < PROBES && i <= table->mask; i++) {
		struct leat__slot *slot = leat__slot_at(mt, table, (at + i) & table->mask);
		const void *owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);

		if (owner == g)
			return slot;
		if (!owner && __atomic_compare_exchange_n(&slot->owner, &owner, g, false, __ATOMIC_ACQ_REL,
		                                          __ATOMIC_RELAXED))
			return slot;
	}
	return NULL;
}

COLD static struct leat__slots *another_table(struct leat__meter *mt, struct leat__slots *last)
{
	struct leat__slots *none = NULL,
	                   *made =
	                       leat__slots_new(mt->scope, 2 * ((size_t)last->mask + 1), mt->slot_bytes);

	if (__atomic_compare_exchange_n(&last->next, &none, made, false, __ATOMIC_ACQ_REL,
	                                __ATOMIC_ACQUIRE))
		return made;
	return none;
}

/* That of the goroutine of m, wherever it is. */
static NOINLINE struct leat__slot *search(struct leat__meter *mt, struct leat__m *m)
{
	struct leat__slots *table = first_table(mt), *next;
	struct leat__slot *slot;
	const void *g;

	if (!m) {
		m = leat__enter();
		leat__leave(m);
	}
	g = m->g;
	for (;;) {
		slot = find(mt, table, g);
		if (slot)
			return slot;
		next = __atomic_load_n(&table->next, __ATOMIC_ACQUIRE);
		table = next ? next : another_table(mt, table);
	}
}

/* The caller's: as a rule where it is looked for first.  A goroutine stays on its thread as long as it does not park, so
   that self is its thread. */
static ALWAYS_INLINE struct leat__slot *own_slot(struct leat__meter *mt)
{
	struct leat__m *m = leat__self();

	if (likely(m != NULL)) {
		struct leat__slots *table = first_table(mt);
		struct leat__slot *slot = leat__slot_at(mt, table, place_of(m->g) & table->mask);

		if (likely(__atomic_load_n(&slot->owner, __ATOMIC_RELAXED) == m->g))
			return slot;
	}
	return search(mt, m);
}

/* --- writing to a slot */

#define SET(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
#define ADD(field, more)  SET(field, (field) + (more))

static ALWAYS_INLINE void begin_writing(struct leat__slot *slot)
{
	SET(slot->version, slot->version + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static ALWAYS_INLINE void end_writing(struct leat__slot *slot)
{
	__atomic_store_n(&slot->version, slot->version + 1, __ATOMIC_RELEASE);
}

static ALWAYS_INLINE void count(struct leat__tally *tally, uint64_t at, int64_t n)
{
	double t = (double)(int64_t)at, t2 = tally->t2 + (double)n * t * t;

	ADD(tally->n, (uint64_t)n);
	ADD(tally->t, (uint64_t)n * at);
	__atomic_store(&tally->t2, &t2, __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void enter_phase(struct leat__slot *slot, enum leat__phase phase, uint64_t now)
{
	uint64_t spent = now - slot->since;

	if (slot->phase == LEAT__PHASE_BUSY)
		ADD(slot->busy, spent);
	else if (slot->phase == LEAT__PHASE_IN)
		ADD(slot->in, spent);
	else if (slot->phase == LEAT__PHASE_OUT)
		ADD(slot->out, spent);
	SET(slot->since, now);
	SET(slot->phase, (uint8_t)phase);
}

/* What the worker holds, if anything, is out of its hands. */
static ALWAYS_INLINE void let_go(struct leat__slot *slot, uint64_t now)
{
	uint64_t at = slot->sent ? slot->sent_at : now;

	if (!slot->holds)
		return;
	count(&slot->left, at, slot->holds);
	ADD(slot->stay, slot->holds * at - slot->began);
	SET(slot->holds, 0);
	SET(slot->began, 0);
	SET(slot->sent, false);
}

/* One more. */
static ALWAYS_INLINE void hold(struct leat__slot *slot, uint64_t now)
{
	ADD(slot->began, now);
	SET(slot->last_began, now);
	ADD(slot->holds, 1);
	SET(slot->sent, false);
}

/* One is offered at outlet i: before the send, as who receives it comes after that. */
static ALWAYS_INLINE void offers(struct leat__meter *mt, struct leat__slot *slot, unsigned i,
                                 uint64_t now)
{
	struct leat__outlet *outlet = leat__outlet_of(mt, slot, i);
	uint64_t group = outlet->offers >> mt->recent_shift;

	count(&outlet->offered, now, 1);
	SET(outlet->recent[group & ((UINT64_C(1) << mt->recent_width) - 1)], now);
	ADD(outlet->offers, 1);
}

/* What was offered last was not sent. */
static ALWAYS_INLINE void offered_in_vain(struct leat__meter *mt, struct leat__slot *slot,
                                          unsigned i, uint64_t now)
{
	struct leat__outlet *outlet = leat__outlet_of(mt, slot, i);

	count(&outlet->offered, now, -1);
	ADD(outlet->offers, UINT64_MAX);
}

/* It went to somebody who waited when counting began, and does not count it. */
COLD static void sent_uncounted(struct leat__meter *mt, struct leat__slot *slot, unsigned i,
                                uint64_t at)
{
	struct leat__outlet *outlet = leat__outlet_of(mt, slot, i);
	struct leat__gauge *gauge = mt->tap[mt->inlets + i].gauge;
	int64_t owed = __atomic_load_n(&gauge->owed, __ATOMIC_RELAXED);

	do {
		if (owed <= 0)
			return;
	} while (!__atomic_compare_exchange_n(&gauge->owed, &owed, owed - 1, false, __ATOMIC_RELAXED,
	                                      __ATOMIC_RELAXED));
	count(&outlet->offered, at, -1);
	ADD(outlet->uncounted, 1);
}

/* What was offered at that instant was sent. */
static ALWAYS_INLINE void sent(struct leat__meter *mt, struct leat__slot *slot, unsigned i,
                               uint64_t at)
{
	if (unlikely(__atomic_load_n(&mt->tap[mt->inlets + i].gauge->owed, __ATOMIC_RELAXED) > 0))
		sent_uncounted(mt, slot, i, at);
}

/* A value came from inlet i, whoever holds it. */
static ALWAYS_INLINE void came(struct leat__slot *slot, unsigned i, uint64_t now)
{
	count(&slot->inlet[i], now, 1);
}

static ALWAYS_INLINE void received(struct leat__meter *mt, struct leat__slot *slot, unsigned i,
                                   uint64_t now)
{
	came(slot, i, now);
	if (!mt->bridges || i > 0)
		hold(slot, now);
}

/* --- what a stage's workers call */

/* One that another received at since, less 1, is out of the stage. */
static ALWAYS_INLINE void left_other(struct leat__slot *slot, uint64_t since, uint64_t now)
{
	count(&slot->left, now, 1);
	ADD(slot->stay, now - (since - 1));
}

static ALWAYS_INLINE void asks(struct leat__meter *mt, struct leat__slot *slot, bool lets_go)
{
	uint64_t now = leat__meter_now(mt->monitor);

	begin_writing(slot);
	if (lets_go)
		let_go(slot, now);
	enter_phase(slot, LEAT__PHASE_IN, now);
	end_writing(slot);
}

static ALWAYS_INLINE void took(struct leat__meter *mt, struct leat__slot *slot, unsigned i,
                               bool taken)
{
	uint64_t now = leat__meter_now(mt->monitor);

	begin_writing(slot);
	enter_phase(slot, LEAT__PHASE_BUSY, now);
	if (taken)
		received(mt, slot, i, now);
	end_writing(slot);
}

bool leat__stage_recv_metered(struct leat__stage *st, unsigned i, void *v)
{
	struct leat__meter *mt = st->meter;
	struct leat__slot *slot = own_slot(mt);
	bool ok, taken;

	asks(mt, slot, true);
	ok = leat__stage_recv_plain(st, i, v, &taken);
	took(mt, slot, i, taken);
	return ok;
}

void leat__meter_asks(struct leat__stage *st)
{
	asks(st->meter, own_slot(st->meter), true);
}

void leat__meter_asks_more(struct leat__stage *st)
{
	struct leat__slot *slot = own_slot(st->meter);

	asks(st->meter, slot, slot->sent);
}

void leat__meter_took(struct leat__stage *st, unsigned i, bool taken)
{
	took(st->meter, own_slot(st->meter), i, taken);
}

bool leat__meter_recv_for_others(struct leat__stage *st, unsigned i, void *v, uint64_t *since)
{
	struct leat__meter *mt = st->meter;
	struct leat__slot *slot = own_slot(mt);
	bool taken, ok = leat__stage_recv_plain(st, i, v, &taken);
	uint64_t now = leat__meter_now(mt->monitor);

	*since = 0;
	if (!taken)
		return false;
	begin_writing(slot);
	enter_phase(slot, LEAT__PHASE_NO_WORKER, now);
	came(slot, i, now);
	if (ok)
		*since = now + 1;
	else
		left_other(slot, now + 1, now);
	end_writing(slot);
	return ok;
}

void leat__meter_waited_out(struct leat__stage *st, uint64_t ticks)
{
	struct leat__slot *slot = own_slot(st->meter);

	begin_writing(slot);
	SET(slot->in, slot->in > ticks ? slot->in - ticks : 0);
	ADD(slot->out, ticks);
	end_writing(slot);
}

void leat__meter_replaced(struct leat__stage *st)
{
	struct leat__slot *slot = own_slot(st->meter);
	uint64_t now = leat__meter_now(st->meter->monitor), last = slot->last_began;
	uint32_t older = slot->holds - 1;

	if (slot->holds < 2)
		return; /* it was received before there was a monitor */
	begin_writing(slot);
	count(&slot->left, now, older);
	ADD(slot->stay, older * now - (slot->began - last));
	SET(slot->holds, 1);
	SET(slot->began, last);
	end_writing(slot);
}

/* since: of a value that another goroutine received, or 0. */
static ALWAYS_INLINE bool send_metered(struct leat__stage *st, unsigned i, const void *v,
                                       uint64_t since)
{
	struct leat__meter *mt = st->meter;
	struct leat__slot *slot = own_slot(mt);
	uint64_t now = leat__meter_now(mt->monitor), end;
	bool makes = mt->inlets == 0, ok;

	begin_writing(slot);
	if (makes && slot->phase == LEAT__PHASE_BUSY) {
		/* A source: it has made what it sends since it was last here. */
		hold(slot, slot->since);
		let_go(slot, now);
	} else if (makes) {
		count(&slot->left, now, 1);
	}
	if (since)
		left_other(slot, since, now);
	enter_phase(slot, LEAT__PHASE_OUT, now);
	offers(mt, slot, i, now);
	SET(slot->sent_at, now);
	SET(slot->sent, true);
	end_writing(slot);
	ok = leat__chan_offer(st->out[i].c, v);
	end = leat__meter_now(mt->monitor);
	begin_writing(slot);
	enter_phase(slot, LEAT__PHASE_BUSY, end);
	if (likely(ok)) {
		sent(mt, slot, i, now);
	} else {
		offered_in_vain(mt, slot, i, now);
		if (makes)
			count(&slot->left, now, -1);
	}
	end_writing(slot);
	return ok;
}

bool leat__stage_send_metered(struct leat__stage *st, unsigned i, const void *v)
{
	return send_metered(st, i, v, 0);
}

bool leat__meter_send_of_other(struct leat__stage *st, unsigned i, const void *v, uint64_t since)
{
	return send_metered(st, i, v, since);
}

void leat__meter_drops_of_other(struct leat__stage *st, uint64_t since)
{
	struct leat__slot *slot = own_slot(st->meter);

	begin_writing(slot);
	left_other(slot, since, leat__meter_now(st->meter->monitor));
	end_writing(slot);
}

enum leat__outcome leat__stage_try_send_metered(struct leat__stage *st, unsigned i, const void *v)
{
	struct leat__meter *mt = st->meter;
	struct leat__slot *slot = own_slot(mt);
	uint64_t now = leat__meter_now(mt->monitor);
	enum leat__outcome outcome;

	begin_writing(slot);
	offers(mt, slot, i, now);
	end_writing(slot);
	outcome = leat__chan_try_offer(st->out[i].c, v);
	begin_writing(slot);
	if (outcome == LEAT__DONE) {
		SET(slot->sent_at, now);
		SET(slot->sent, true);
		sent(mt, slot, i, now);
	} else {
		offered_in_vain(mt, slot, i, now);
	}
	end_writing(slot);
	return outcome;
}

/* It was in the channel until now, but is not sent to the next stage.  All that is there is the caller's, and what it
   has taken was the oldest. */
void leat__meter_took_back(struct leat__stage *st, unsigned i)
{
	struct leat__meter *mt = st->meter;
	struct leat__slot *slot = own_slot(mt);
	struct leat__outlet *outlet = leat__outlet_of(mt, slot, i);
	uint64_t now = leat__meter_now(mt->monitor), there = leat_chan_len(st->out[i].c) + 1;

	begin_writing(slot);
	count(&outlet->offered, now, -1);
	if (outlet->offers >= there)
		ADD(outlet->stay, now - leat__waits_offered_at(mt, outlet, outlet->offers - there));
	end_writing(slot);
}

void leat__meter_offers_all(struct leat__stage *st)
{
	struct leat__meter *mt = st->meter;
	struct leat__slot *slot = own_slot(mt);
	uint64_t now = leat__meter_now(mt->monitor);

	begin_writing(slot);
	enter_phase(slot, LEAT__PHASE_OUT, now);
	for (unsigned i = 0; i < mt->outlets; i++) {
		offers(mt, slot, i, now);
		sent(mt, slot, i, now);
	}
	SET(slot->sent_at, now);
	SET(slot->sent, true);
	end_writing(slot);
}

void leat__meter_offered_all(struct leat__stage *st)
{
	struct leat__slot *slot = own_slot(st->meter);

	begin_writing(slot);
	enter_phase(slot, LEAT__PHASE_BUSY, leat__meter_now(st->meter->monitor));
	end_writing(slot);
}

void leat__meter_begins(struct leat__stage *st)
{
	struct leat__slot *slot = own_slot(st->meter);

	begin_writing(slot);
	enter_phase(slot, LEAT__PHASE_BUSY, leat__meter_now(st->meter->monitor));
	end_writing(slot);
}

void leat__meter_ends(struct leat__stage *st)
{
	struct leat__slot *slot = own_slot(st->meter);
	uint64_t now = leat__meter_now(st->meter->monitor);

	begin_writing(slot);
	let_go(slot, now);
	enter_phase(slot, LEAT__PHASE_ENDED, now);
	end_writing(slot);
}

/* --- what workers of the program's own stages call */

struct leat_pipe_stage {
	struct leat__meter meter;
};

static ALWAYS_INLINE struct leat__meter *counted(leat_pipe_stage *st)
{
	if (!st || !__atomic_load_n(&st->meter.monitor->on, __ATOMIC_RELAXED))
		return NULL;
	return &st->meter;
}

void leat_pipe_stage_begin(leat_pipe_stage *st)
{
	struct leat__meter *mt = counted(st);
	struct leat__slot *slot;
	uint64_t now;

	if (!mt)
		return;
	slot = own_slot(mt);
	now = leat__meter_now(mt->monitor);
	begin_writing(slot);
	let_go(slot, now);
	enter_phase(slot, LEAT__PHASE_BUSY, now);
	if (mt->inlets)
		received(mt, slot, 0, now);
	else
		SET(slot->last_began, now);
	end_writing(slot);
}

void leat_pipe_stage_end(leat_pipe_stage *st)
{
	struct leat__meter *mt = counted(st);
	struct leat__slot *slot;
	uint64_t now;

	if (!mt)
		return;
	slot = own_slot(mt);
	if (slot->phase != LEAT__PHASE_BUSY)
		return; /* it began before there was a monitor, or not at all */
	now = leat__meter_now(mt->monitor);
	begin_writing(slot);
	if (!mt->inlets)
		hold(slot, slot->last_began);
	let_go(slot, now);
	enter_phase(slot, mt->inlets ? LEAT__PHASE_IN : LEAT__PHASE_OUT, now);
	if (mt->outlets) {
		offers(mt, slot, 0, now);
		sent(mt, slot, 0, now);
	}
	end_writing(slot);
}

/* Since end it was taken to wait for input, unless it is a source. */
void leat_pipe_stage_sent(leat_pipe_stage *st)
{
	struct leat__meter *mt = counted(st);
	struct leat__slot *slot;
	uint64_t now;

	if (!mt)
		return;
	slot = own_slot(mt);
	if (slot->phase != LEAT__PHASE_IN)
		return;
	now = leat__meter_now(mt->monitor);
	begin_writing(slot);
	ADD(slot->out, now - slot->since);
	SET(slot->since, now);
	end_writing(slot);
}
