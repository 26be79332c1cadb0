/* SPDX-License-Identifier: MIT */
/*
 * What a monitor has counted, as figures.  See meter.h.
 *
 * One reader goes over all slots, newest stage first: downstream before upstream as a rule, so that a value that moves
 * on meanwhile is seen to have been offered if it is seen to have been received.
 */
#include "pipe/waits.h"

#include "sched/panic.h"

#include <stdlib.h>
#include <string.h>

#define UNSTABLE_SHARE  0.05 /* of the values that come, those that stay */
#define UNSTABLE_VALUES 8
#define FAN_OUT_MAX     100000
#define TRIES           1000

/* The sum over a stage's slots. */
struct reading {
	struct leat__meter *mt;
	struct leat__tally left, in;           /* in: received by all inlets */
	uint64_t *received;                    /* by each inlet */
	uint64_t sent;                         /* on all outlets */
	uint64_t phase[LEAT__PHASE_ENDED + 1]; /* ticks spent in each */
	uint64_t stay;
	uint64_t last; /* event */
	int workers, busy, ended;
};

/* A channel's. */
struct flow {
	const struct leat__gauge *gauge;
	struct leat__tally offered, received;
	uint64_t stay; /* of what was taken back */
	struct leat__waits waits;
	double wait; /* ticks, of what was received, in the mean */
};

struct readings {
	size_t n, flows;
	struct reading *all; /* newest first */
	struct flow *flow;   /* by number of the gauge */
	uint64_t *received;
	uint64_t *slot; /* a copy of one */
	uint64_t begin, end;
	bool no_memory;
	double seconds; /* a tick's */
};

static void add(struct leat__tally *sum, const struct leat__tally *more)
{
	sum->n += more->n;
	sum->t += more->t;
	sum->t2 += more->t2;
}

static void add_some(struct leat__tally *sum, uint64_t at, uint64_t n)
{
	add(sum, &(struct leat__tally){n, n * at, (double)n * (double)at * (double)at});
}

/* --- reading slots */

/* A state that slot was in, into copy.  One whose writer does not get on is read as it is. */
static void copy_slot(uint64_t *copy, const struct leat__slot *slot, size_t bytes)
{
	const uint64_t *from = (const uint64_t *)(const void *)slot;
	uint32_t version;

	for (int i = 0; i < TRIES; i++) {
		version = __atomic_load_n(&slot->version, __ATOMIC_ACQUIRE);
		for (size_t k = 0; k < bytes / sizeof *copy; k++)
			copy[k] = __atomic_load_n(&from[k], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(version & 1) && version == __atomic_load_n(&slot->version, __ATOMIC_RELAXED))
			return;
		leat__cpu_relax();
	}
}

/* That of the meter's port, or NULL: one that came later has none. */
static struct flow *flow_of(const struct readings *all, const struct leat__meter *mt, unsigned port)
{
	const struct leat__gauge *gauge = mt->tap[port].gauge;

	return gauge && gauge->number < all->flows ? &all->flow[gauge->number] : NULL;
}

static void read_inlet(const struct readings *all, struct reading *r, unsigned i,
                       const struct leat__tally *received)
{
	struct flow *flow = flow_of(all, r->mt, i);

	r->received[i] += received->n;
	if (!r->mt->bridges || i > 0)
		add(&r->in, received);
	if (flow)
		add(&flow->received, received);
}

static void read_outlet(struct readings *all, struct reading *r, unsigned i,
                        const struct leat__outlet *outlet)
{
	struct flow *flow = flow_of(all, r->mt, r->mt->inlets + i);

	r->sent += outlet->offered.n + outlet->uncounted;
	if (!flow)
		return;
	add(&flow->offered, &outlet->offered);
	flow->stay += outlet->stay;
	if (!leat__waits_add_outlet(&flow->waits, r->mt, outlet))
		all->no_memory = true;
}

static void read_slot(struct readings *all, struct reading *r, const struct leat__slot *slot,
                      uint64_t now)
{
	const struct leat__meter *mt = r->mt;

	if (slot->phase == LEAT__PHASE_NONE)
		return;
	r->workers += slot->phase != LEAT__PHASE_NO_WORKER;
	r->busy += slot->phase == LEAT__PHASE_BUSY;
	r->ended += slot->phase == LEAT__PHASE_ENDED;
	r->phase[LEAT__PHASE_BUSY] += slot->busy;
	r->phase[LEAT__PHASE_IN] += slot->in;
	r->phase[LEAT__PHASE_OUT] += slot->out;
	if (now > slot->since)
		r->phase[slot->phase] += now - slot->since;
	if (slot->since > r->last)
		r->last = slot->since;
	r->stay += slot->stay;
	add(&r->left, &slot->left);
	if (slot->holds && slot->sent && slot->phase == LEAT__PHASE_OUT) {
		/* They wait in the next stage's queue, if this is the last send for them: at most ones are. */
		add_some(&r->left, slot->sent_at, slot->holds);
		r->stay += slot->holds * slot->sent_at - slot->began;
	}
	for (unsigned i = 0; i < mt->inlets; i++)
		read_inlet(all, r, i, &slot->inlet[i]);
	for (unsigned i = 0; i < mt->outlets; i++)
		read_outlet(all, r, i, leat__outlet_of(mt, slot, i));
}

static void read_meter(struct readings *all, struct reading *r, uint64_t now)
{
	const struct leat__meter *mt = r->mt;

	for (const struct leat__slots *table = __atomic_load_n(&mt->slots, __ATOMIC_ACQUIRE); table;
	     table = __atomic_load_n(&table->next, __ATOMIC_ACQUIRE)) {
		for (size_t i = 0; i <= table->mask; i++) {
			const struct leat__slot *slot = leat__slot_at(mt, table, i);

			if (!__atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE))
				continue;
			copy_slot(all->slot, slot, mt->slot_bytes);
			read_slot(all, r, (const struct leat__slot *)(const void *)all->slot, now);
		}
	}
}

/* Nothing will happen there any more. */
static bool is_over(const struct reading *r)
{
	const struct leat__meter *mt = r->mt;

	if (mt->stage)
		return r->ended == mt->workers;
	if (r->busy)
		return false;
	if (mt->inlets && leat_chan_is_closed(mt->tap[0].gauge->c) &&
	    leat_chan_len(mt->tap[0].gauge->c) == 0)
		return true;
	if (!mt->inlets && mt->outlets && leat_chan_is_closed(mt->tap[0].gauge->c))
		return true;
	return leat__ctx_err(&mt->scope->leat__ctx) != 0;
}

/* What is still the case is so until now, or until the last event where all of it is over. */
static void read_all(struct readings *all, struct leat__monitor *mon)
{
	bool over = true;
	int64_t ns;
	uint64_t last = 0, now = leat__meter_instant(mon, &ns);

	ns -= mon->begin_ns;
	all->seconds = now > 0 && ns > 0 ? (double)ns / (double)now / 1e9 : 1e-9;
	all->begin = UINT64_MAX;
	for (size_t i = 0; i < all->n; i++) {
		struct reading *r = &all->all[i];

		read_meter(all, r, now);
		over = is_over(r) && over;
		if (r->last > last)
			last = r->last;
		if (r->mt->begins < all->begin)
			all->begin = r->mt->begins;
	}
	all->end = over ? last : now > last ? now : last;
	if (all->end <= all->begin)
		all->end = all->begin + 1;
}

/* --- what they come to */

/* The number of what came and has not left, over time: now, its integral, and that of the number times the time. */
struct level {
	double now, area, moment;
};

static double square_sum(const struct readings *all, const struct leat__tally *tally)
{
	double b = (double)all->begin;

	return tally->t2 - 2 * b * (double)tally->t + (double)tally->n * b * b;
}

static struct level level_of(const struct readings *all, const struct leat__tally *came,
                             const struct leat__tally *left)
{
	uint64_t end = all->end, n = came->n - left->n;
	double span = (double)(end - all->begin);
	struct level level;

	level.now = (double)(int64_t)n;
	level.area = (double)(int64_t)(n * end - came->t + left->t);
	level.moment = (level.now * span * span - square_sum(all, came) + square_sum(all, left)) / 2;
	return level;
}

static void add_level(struct level *sum, const struct level *more, double share)
{
	sum->now += more->now * share;
	sum->area += more->area * share;
	sum->moment += more->moment * share;
}

static bool drained(const struct leat__gauge *gauge)
{
	return leat_chan_is_closed(gauge->c) && leat_chan_len(gauge->c) == 0;
}

/* The number in the queues of a stage's inlets; false: they are not all fed by stages. */
static bool queue_level(const struct readings *all, const struct reading *r, struct level *sum)
{
	bool known = r->mt->inlets > 0;

	if (r->mt->bridges)
		return false;
	for (unsigned i = 0; i < r->mt->inlets; i++) {
		const struct flow *flow = flow_of(all, r->mt, i);
		double share;
		struct level level;

		if (!flow)
			continue;
		if (!flow->gauge->feeders) {
			known = false;
			continue;
		}
		level = level_of(all, &flow->offered, &flow->received);
		share = flow->gauge->takers < 2 ? 1
		        : flow->received.n      ? (double)r->received[i] / (double)flow->received.n
		                                : 1.0 / flow->gauge->takers;
		/* Counting that began in the middle may have missed some. */
		if (level.now < 0 || (flow->gauge->late && drained(flow->gauge)))
			level.now = 0;
		if (level.area < 0)
			level.area = level.moment = 0;
		add_level(sum, &level, share);
	}
	return known;
}

/* The library is linked without libm. */
static int64_t rounded(double x)
{
	return (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

/* What was received had waited for so long in sum: it was offered before all that is still there. */
static void work_out_wait(const struct readings *all, struct flow *flow)
{
	int64_t there = (int64_t)(flow->offered.n - flow->received.n), sum;
	uint64_t offered;

	/* Who is read later may be seen to receive what was not yet seen to be offered. */
	offered = there > 0 ? leat__waits_youngest(&flow->waits, (uint64_t)there)
	                    : (uint64_t)there * all->end;
	sum = (int64_t)(flow->received.t - flow->offered.t + offered - flow->stay);
	flow->wait = sum > 0 ? ratio((double)sum, (double)flow->received.n) : 0;
}

/* Of what the stage received, in the mean. */
static double mean_wait(const struct readings *all, const struct reading *r)
{
	double wait = 0, n = 0;

	for (unsigned i = 0; i < r->mt->inlets && !r->mt->bridges; i++) {
		const struct flow *flow = flow_of(all, r->mt, i);

		if (flow && flow->gauge->feeders) {
			wait += flow->wait * (double)r->received[i];
			n += (double)r->received[i];
		}
	}
	return ratio(wait, n);
}

static double at_most_1(double x)
{
	return x < 1 ? x : 1;
}

static void work_out(const struct readings *all, const struct reading *r, leat_pipe_stats *s)
{
	const struct leat__meter *mt = r->mt;
	double span = (double)(all->end - all->begin), ns = all->seconds * 1e9;
	double left = (double)r->left.n, stay = ratio((double)r->stay, left);
	double wait = mean_wait(all, r), slope;
	struct level queue = {0}, hands, inside;

	*s = (leat_pipe_stats){.name = mt->name, .kind = mt->kind, .source = !mt->inlets, .cap = -1};
	s->workers = mt->stage ? mt->workers : r->workers;
	s->queue_known = queue_level(all, r, &queue);
	hands = level_of(all, mt->inlets ? &r->in : &r->left, &r->left);
	if (!mt->inlets) /* its values are inside while they are made */
		hands.area = (double)r->stay;
	/* Where one goroutine receives and another sends, who is read meanwhile may be seen to send first. */
	if (hands.now < 0)
		hands.now = 0;
	inside = queue;
	add_level(&inside, &hands, 1);
	s->departures = (int64_t)r->left.n;
	s->queued = rounded(queue.now);
	s->inside = s->queued + (int64_t)hands.now;
	s->arrivals = s->departures + s->inside;
	s->sent = (int64_t)r->sent;
	s->rate = (double)s->arrivals / (span * all->seconds);
	s->mean_inside = inside.area / span;
	s->mean_queued = queue.area / span;
	s->mean_wait_ns = wait * ns;
	s->mean_time_ns = (wait + stay) * ns;
	s->service_ns = ratio((double)r->phase[LEAT__PHASE_BUSY], left) * ns;
	if (s->workers > 0) {
		double whole = span * s->workers;

		s->utilization = at_most_1((double)r->phase[LEAT__PHASE_BUSY] / whole);
		s->blocked_in = at_most_1((double)r->phase[LEAT__PHASE_IN] / whole);
		s->blocked_out = at_most_1((double)r->phase[LEAT__PHASE_OUT] / whole);
	}
	slope = 12 / (span * span * span) * (inside.moment - span / 2 * inside.area);
	s->growth = mt->inlets ? slope / all->seconds : 0;
	s->unstable = slope * span >= UNSTABLE_VALUES && s->growth > UNSTABLE_SHARE * s->rate;
	if (mt->inlets && mt->tap[0].gauge && !mt->bridges)
		s->cap = (ptrdiff_t)leat_chan_cap(mt->tap[0].gauge->c);
}

/* x or the next whole number, within what makes sense. */
static int workers_for(double x)
{
	int n = x > FAN_OUT_MAX ? FAN_OUT_MAX : (int)x;

	n += n < x && n < FAN_OUT_MAX;
	return n > 0 ? n : 1;
}

static void suggest(leat_pipe_stats *stats, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		leat_pipe_stats *s = &stats[i];
		double most = 0, load = s->rate * s->service_ns / 1e9;

		for (size_t k = 0; k < n; k++)
			if (k != i && stats[k].utilization > most)
				most = stats[k].utilization;
		/* A tenth more than the others is as much as they. */
		s->fan_out = most > 0 ? workers_for(s->utilization * s->workers / most - 0.1) : s->workers;
		if (s->unstable && workers_for(load + 0.1) > s->fan_out)
			s->fan_out = workers_for(load + 0.1);
	}
}

/* The stage of which the workers are busiest; or, if others keep them waiting for longer than that, who does. */
static void find_bottleneck(const struct leat__figures *f, leat_pipe_totals *t)
{
	double most = 0;

	t->bottleneck = -1;
	for (size_t i = 0; i < f->n; i++)
		if (f->stats[i].utilization > most) {
			most = f->stats[i].utilization;
			t->bottleneck = (int)i;
			t->beyond = 0;
		}
	for (size_t i = 0; i < f->n; i++) {
		const struct leat__meter *mt = f->meters[i];
		const leat_pipe_stats *s = &f->stats[i];
		bool taken = true;

		for (unsigned k = mt->inlets; k < mt->inlets + mt->outlets; k++)
			taken = taken && mt->tap[k].gauge->takers > 0;
		if (!taken && s->blocked_out > most) {
			most = s->blocked_out;
			t->bottleneck = (int)i;
			t->beyond = 1;
		}
		if (mt->inlets && !s->queue_known && s->blocked_in > most) {
			most = s->blocked_in;
			t->bottleneck = (int)i;
			t->beyond = -1;
		}
	}
}

static void add_up(struct leat__figures *f, const struct readings *all)
{
	leat_pipe_totals *t = &f->totals;
	double time = 0;

	t->stages = f->n;
	t->elapsed_ns = (double)(all->end - all->begin) * all->seconds * 1e9;
	for (size_t i = 0; i < f->n; i++) {
		const leat_pipe_stats *s = &f->stats[i];

		if (s->source || !s->queue_known)
			t->arrivals += s->arrivals;
		if (s->source)
			continue;
		t->inside += s->inside;
		t->mean_inside += s->mean_inside;
		time += s->mean_time_ns * (double)s->arrivals;
	}
	t->rate = (double)t->arrivals / (t->elapsed_ns / 1e9);
	t->mean_time_ns = ratio(time, (double)t->arrivals);
	find_bottleneck(f, t);
}

/* --- memory */

static void readings_free(struct readings *all)
{
	for (size_t i = 0; all->flow && i < all->flows; i++)
		leat__waits_free(&all->flow[i].waits);
	free(all->all);
	free(all->flow);
	free(all->received);
	free(all->slot);
}

static void *allocate(size_t n, size_t bytes, bool *good)
{
	void *p = calloc(n ? n : 1, bytes);

	*good = *good && p;
	return p;
}

/* With what was there when counting began. */
static bool flow_begins(struct flow *flow, const struct leat__gauge *gauge)
{
	uint64_t n = (uint64_t)gauge->before, at = gauge->begins;

	flow->gauge = gauge;
	if (n == 0)
		return true;
	add_some(&flow->offered, at, n);
	return leat__waits_add(&flow->waits, (struct leat__offered){n, at, at});
}

/* Its meters and gauges; false: memory is out. */
static bool gather(struct leat__monitor *mon, struct readings *all)
{
	struct leat__m *m = leat__enter();
	struct leat__meter *first;
	const struct leat__gauge *gauge;
	size_t inlets = 0, slot_bytes = 0, i = 0;
	bool good = true;

	leat__lock(&mon->lock);
	first = mon->meters;
	gauge = mon->gauges;
	leat__unlock(&mon->lock);
	leat__leave(m);
	/* Both lists only grow, and what is on them stays. */
	for (const struct leat__meter *mt = first; mt; mt = mt->next) {
		all->n++;
		inlets += mt->inlets;
		if (mt->slot_bytes > slot_bytes)
			slot_bytes = mt->slot_bytes;
	}
	all->flows = gauge ? gauge->number + 1 : 0;
	all->all = allocate(all->n, sizeof *all->all, &good);
	all->flow = allocate(all->flows, sizeof *all->flow, &good);
	all->received = allocate(inlets, sizeof *all->received, &good);
	all->slot = allocate(1, slot_bytes + 1, &good);
	if (!good)
		return false;
	for (inlets = 0; first; first = first->next) {
		all->all[i].mt = first;
		all->all[i++].received = all->received + inlets;
		inlets += first->inlets;
	}
	for (; gauge; gauge = gauge->next)
		good = flow_begins(&all->flow[gauge->number], gauge) && good;
	return good;
}

bool leat__figures(struct leat__monitor *mon, struct leat__figures *f)
{
	struct readings all = {0};
	bool good = gather(mon, &all);

	*f = (struct leat__figures){.n = all.n};
	f->stats = allocate(f->n, sizeof *f->stats, &good);
	f->meters = allocate(f->n, sizeof *f->meters, &good);
	if (good)
		read_all(&all, mon);
	good = good && !all.no_memory;
	if (good) {
		for (size_t i = 0; i < all.flows; i++)
			work_out_wait(&all, &all.flow[i]);
		for (size_t i = 0; i < f->n; i++) {
			f->meters[f->n - 1 - i] = all.all[i].mt;
			work_out(&all, &all.all[i], &f->stats[f->n - 1 - i]);
		}
		suggest(f->stats, f->n);
		add_up(f, &all);
	} else {
		leat__figures_free(f);
	}
	readings_free(&all);
	return good;
}

void leat__figures_free(struct leat__figures *f)
{
	free(f->stats);
	free(f->meters);
}

size_t leat_pipe_stats_of(leat_scope *s, leat_pipe_stats *stats, size_t n, leat_pipe_totals *totals)
{
	struct leat__monitor *mon = leat__monitor_of(s);
	struct leat__figures f;
	size_t stages;

	if (!mon || !__atomic_load_n(&mon->on, __ATOMIC_ACQUIRE)) {
		if (totals)
			*totals = (leat_pipe_totals){.bottleneck = -1};
		return 0;
	}
	if (!leat__figures(mon, &f))
		leat__panic_runtime("out of memory");
	stages = f.n;
	if (stats)
		memcpy(stats, f.stats, (n < f.n ? n : f.n) * sizeof *stats);
	if (totals)
		*totals = f.totals;
	leat__figures_free(&f);
	return stages;
}
