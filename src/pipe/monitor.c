/* SPDX-License-Identifier: MIT */
/*
 * Monitors: which stages are watched, and by which channels they are joined.  See meter.h.
 *
 * Invariants (the monitor's lock)
 *  - Each stage that is on its pipe's list has a meter once monitor->on is set and whoever set it, or whoever put the
 *    stage there, is through.  Both look: the former at the list after setting on, the latter at on after joining
 *    the list.  The stage's meter is set by compare-and-swap, and only who succeeds puts it on the list.
 *  - Each channel has one gauge, which begins to count in the middle at most once.
 *
 * A stage that is made while the monitor is on has its meter before its workers run, so all of it is counted.  Where
 * it ran before, its channels are looked at once, under their locks: what is in them, and who waits to receive,
 * whose value will come uncounted (but not where the program counts by itself, after having received).  Who is
 * between looking at the meter and the channel at that instant is missed.
 */
#include "pipe/waits.h"

#include "sched/panic.h"

struct leat_pipe_stage {
	struct leat__meter meter;
};

/* size bytes of the scope's memory on a line of their own. */
static void *on_line(leat_scope *s, size_t size)
{
	uintptr_t at = (uintptr_t)leat_scope_alloc(s, size + CACHE_LINE);

	return (void *)((at + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1)); /* NOLINT */
}

struct leat__slots *leat__slots_new(leat_scope *s, size_t n, size_t slot_bytes)
{
	struct leat__slots *table;
	size_t room = 1, bytes;

	while (room < n)
		room *= 2;
	if (room > UINT32_MAX || __builtin_mul_overflow(room, slot_bytes, &bytes))
		leat__panic_runtime("out of memory");
	table = leat_scope_alloc(s, sizeof *table);
	table->mask = (uint32_t)(room - 1);
	table->base = on_line(s, bytes);
	return table;
}

/* --- gauges */

static struct leat__gauge *gauge_find(const struct leat__monitor *mon, const leat_chan *c)
{
	struct leat__gauge *gauge = mon->gauges;

	while (gauge && gauge->c != c)
		gauge = gauge->next;
	return gauge;
}

static struct leat__gauge *gauge_of(struct leat__monitor *mon, leat_scope *s, leat_chan *c)
{
	struct leat__m *m = leat__enter();
	struct leat__gauge *gauge, *made;

	leat__lock(&mon->lock);
	gauge = gauge_find(mon, c);
	leat__unlock(&mon->lock);
	leat__leave(m);
	if (gauge)
		return gauge;
	made = leat_scope_alloc(s, sizeof *made);
	made->c = c;
	m = leat__enter();
	leat__lock(&mon->lock);
	gauge = gauge_find(mon, c);
	if (!gauge) {
		gauge = made;
		gauge->next = mon->gauges;
		gauge->number = gauge->next ? gauge->next->number + 1 : 0;
		mon->gauges = gauge;
	}
	leat__unlock(&mon->lock);
	leat__leave(m);
	return gauge;
}

/* What of it the taps' slots say is in the channel. */
static int64_t gauge_counted(const struct leat__gauge *gauge)
{
	int64_t n = 0;

	for (const struct leat__tap *tap = gauge->taps; tap; tap = tap->next) {
		const struct leat__meter *mt = tap->meter;
		const struct leat__slots *table = __atomic_load_n(&mt->slots, __ATOMIC_ACQUIRE);
		unsigned port = (unsigned)(tap - mt->tap);

		for (; table; table = __atomic_load_n(&table->next, __ATOMIC_ACQUIRE))
			for (size_t i = 0; i <= table->mask; i++) {
				const struct leat__slot *slot = leat__slot_at(mt, table, i);
				const struct leat__tally *tally =
				    port < mt->inlets ? &slot->inlet[port]
				                      : &leat__outlet_of(mt, slot, port - mt->inlets)->offered;
				int64_t some = (int64_t)__atomic_load_n(&tally->n, __ATOMIC_RELAXED);

				n += port < mt->inlets ? -some : some;
			}
	}
	return n;
}

/* In the runtime, mon locked: the channel is in use, and counting begins. */
static void gauge_begins(struct leat__monitor *mon, struct leat__m *m, struct leat__gauge *gauge)
{
	int64_t in_it;
	struct leat__waiter *w;

	leat__chan_lock(m, gauge->c);
	in_it = (int64_t)gauge->c->count - gauge_counted(gauge);
	for (w = gauge->c->senders.first; w; w = w->next)
		in_it++;
	for (w = gauge->c->receivers.first; w && !gauge->own; w = w->next)
		in_it--;
	leat__chan_unlock(m, gauge->c);
	gauge->begins = leat__meter_now(mon);
	gauge->begun = true;
	if (in_it > 0)
		gauge->before = in_it;
	else
		__atomic_store_n(&gauge->owed, -in_it, __ATOMIC_RELAXED);
}

/* --- meters */

static void meter_init(struct leat__meter *mt, struct leat__monitor *mon, leat_scope *s,
                       size_t workers, size_t most)
{
	size_t bytes = sizeof(struct leat__slot) + mt->inlets * sizeof(struct leat__tally);

	leat__waits_size(mt, workers, most);
	mt->outlet_bytes = sizeof(struct leat__outlet) + (sizeof(uint64_t) << mt->recent_width);
	bytes += mt->outlets * mt->outlet_bytes;
	mt->monitor = mon;
	mt->scope = s;
	mt->slot_bytes = (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	mt->slots = leat__slots_new(s, workers + workers / 2, mt->slot_bytes);
	mt->tap = leat_scope_calloc(s, mt->inlets + mt->outlets, sizeof *mt->tap);
}

static void meter_join(struct leat__meter *mt, unsigned port, leat_chan *c)
{
	if (c)
		mt->tap[port] = (struct leat__tap){gauge_of(mt->monitor, mt->scope, c), mt, NULL};
}

/* In the runtime, its monitor locked. */
static void meter_list(struct leat__meter *mt)
{
	struct leat__monitor *mon = mt->monitor;

	mt->begins = leat__meter_now(mon);
	mt->next = mon->meters;
	mon->meters = mt;
	for (unsigned i = 0; i < mt->inlets + mt->outlets; i++) {
		struct leat__gauge *gauge = mt->tap[i].gauge;

		if (!gauge)
			continue;
		mt->tap[i].next = gauge->taps;
		gauge->taps = &mt->tap[i];
		gauge->takers += i < mt->inlets;
		gauge->feeders += i >= mt->inlets;
	}
}

static struct leat__meter *meter_new(struct leat__monitor *mon, struct leat__stage *st)
{
	struct leat__meter *mt = leat_scope_alloc(st->scope, sizeof *mt);
	size_t most = 0;

	mt->name = st->name;
	mt->kind = st->kind;
	mt->stage = st;
	mt->workers = st->workers;
	mt->bridges = st->bridges;
	mt->inlets = st->inlets + st->bridges;
	mt->outlets = st->outlets;
	for (unsigned i = 0; i < st->outlets; i++)
		if (leat_chan_cap(st->out[i].c) > most)
			most = leat_chan_cap(st->out[i].c);
	meter_init(mt, mon, st->scope, (size_t)st->workers, most);
	for (unsigned i = 0; i < st->inlets; i++)
		meter_join(mt, i, st->in[i].c);
	for (unsigned i = 0; i < st->outlets; i++)
		meter_join(mt, mt->inlets + i, st->out[i].c);
	return mt;
}

/* Watch st; late: its workers run. */
static void watch(struct leat__monitor *mon, struct leat__stage *st, bool late)
{
	struct leat__meter *mt = meter_new(mon, st), *none = NULL;
	struct leat__m *m = leat__enter();

	leat__lock(&mon->lock);
	if (__atomic_compare_exchange_n(&st->meter, &none, mt, false, __ATOMIC_ACQ_REL,
	                                __ATOMIC_ACQUIRE)) {
		meter_list(mt);
		for (unsigned i = 0; late && i < mt->inlets + mt->outlets; i++)
			if (mt->tap[i].gauge)
				mt->tap[i].gauge->late = true;
	}
	leat__unlock(&mon->lock);
	leat__leave(m);
}

void leat__monitor_stage(struct leat__stage *st)
{
	struct leat__monitor *mon = __atomic_load_n(&st->pipe->monitor, __ATOMIC_ACQUIRE);

	if (mon && __atomic_load_n(&mon->on, __ATOMIC_SEQ_CST) && !st->meter)
		watch(mon, st, false);
}

/* --- monitors */

struct leat__monitor *leat__monitor_of(leat_scope *s)
{
	struct leat__pipe *p;

	if (!s)
		leat__panic_runtime("pipe of nil scope");
	p = __atomic_load_n(&s->leat__pipe, __ATOMIC_ACQUIRE);
	return p ? __atomic_load_n(&p->monitor, __ATOMIC_ACQUIRE) : NULL;
}

static struct leat__monitor *monitor_made(leat_scope *s)
{
	struct leat__monitor *mon = leat__monitor_of(s), *made;
	struct leat__pipe *p;

	if (mon)
		return mon;
	p = leat__pipe_of(s);
	made = leat_scope_alloc(s, sizeof *made);
	made->pipe = p;
	made->begin_ticks = leat__meter_instant(made, &made->begin_ns);
	if (__atomic_compare_exchange_n(&p->monitor, &mon, made, false, __ATOMIC_ACQ_REL,
	                                __ATOMIC_ACQUIRE))
		return made;
	return mon;
}

/* The oldest stage without a meter, or NULL: upstream first. */
static struct leat__stage *unwatched(struct leat__pipe *p)
{
	struct leat__m *m = leat__enter();
	struct leat__stage *found = NULL;

	leat__lock(&p->lock);
	for (struct leat__stage *st = p->stages; st; st = st->next)
		if (!__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE))
			found = st;
	leat__unlock(&p->lock);
	leat__leave(m);
	return found;
}

static void switch_on(struct leat__monitor *mon)
{
	struct leat__stage *st;
	struct leat__m *m;

	__atomic_store_n(&mon->on, true, __ATOMIC_SEQ_CST);
	while ((st = unwatched(mon->pipe)))
		watch(mon, st, true);
	m = leat__enter();
	leat__lock(&mon->lock);
	for (struct leat__meter *mt = mon->meters; mt; mt = mt->next)
		for (unsigned i = 0; !mt->stage && i < mt->inlets + mt->outlets; i++)
			mt->tap[i].gauge->late = true;
	for (struct leat__gauge *gauge = mon->gauges; gauge; gauge = gauge->next)
		if (gauge->late && !gauge->begun)
			gauge_begins(mon, m, gauge);
	leat__unlock(&mon->lock);
	leat__leave(m);
}

void leat_pipe_monitor(leat_scope *s, const leat_pipe_monitor_opts *opts)
{
	struct leat__monitor *mon = monitor_made(s);
	struct leat__m *m = leat__enter();

	leat__lock(&mon->lock);
	if (opts)
		mon->opts = *opts;
	leat__unlock(&mon->lock);
	leat__leave(m);
	if (!__atomic_load_n(&mon->on, __ATOMIC_SEQ_CST))
		switch_on(mon);
	if (opts && opts->live)
		leat__live_begin(mon, opts->live, opts->interval_ns);
}

leat_pipe_stage *leat_pipe_watch(leat_scope *s, const char *name, leat_chan *in, leat_chan *out)
{
	struct leat__monitor *mon = monitor_made(s);
	leat_pipe_stage *st = leat_scope_alloc(s, sizeof *st);
	struct leat__meter *mt = &st->meter;
	struct leat__m *m;

	mt->name = name;
	mt->kind = "watch";
	mt->inlets = in != NULL;
	mt->outlets = out != NULL;
	meter_init(mt, mon, s, 8, leat_chan_cap(out));
	meter_join(mt, 0, in);
	meter_join(mt, mt->inlets, out);
	m = leat__enter();
	leat__lock(&mon->lock);
	meter_list(mt);
	if (in)
		mt->tap[0].gauge->own = true;
	leat__unlock(&mon->lock);
	leat__leave(m);
	return st;
}

/* Out of the runtime, and nothing of the scope runs any more.  Where memory is out nothing is written: a panic would
   keep the scope's end from its end. */
void leat__monitor_ends(struct leat__monitor *mon)
{
	leat__live_end(mon);
	if (mon->opts.at_end)
		leat__monitor_report(mon, mon->opts.at_end);
	if (mon->opts.svg)
		leat__monitor_svg(mon, mon->opts.svg);
}
