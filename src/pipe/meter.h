/* SPDX-License-Identifier: MIT */
/*
 * Meters: what is counted of a stage.
 *
 * Each worker of a stage has a slot of its own, on lines of its own, that it alone writes: so counting is no
 * meeting place.  Slots belong to goroutines: who comes first takes one, and it is never given back.  A reader makes
 * sure by the slot's version that it saw one state of it.
 *
 * Counts go with the sums of their instants and of the squares of these (struct leat__tally).  As
 *
 *	number inside at t = arrivals until t - departures until t
 *
 * its integral until T is the sum over arrivals of T - t, less that over departures: linear, so each slot sums for
 * itself, and the integral is exact whenever somebody asks, without one who looks all the while.  A sampler would
 * look when it gets a processor, which is when nobody works.  The squares are for t times the number, and so for a line
 * through it all: whether it grows.
 *
 * A gauge is a channel between stages.  Nobody counts there: whatever passes is in the slots of those who offer and of
 * those who receive.  A channel keeps the order, so what was received is what was offered first, and
 *
 *	waits of what was received = instants of its reception - instants of its offer
 *
 * in sum, where the second are those of all offers less those of what is still there: the youngest.  So each slot
 * remembers the instants of its last offers (pipe/waits.h).
 *
 * Rejected: numbers on both sides of a channel, by which a receiver found its value's offer.  That is two atomic
 * increments for each value on lines that all workers of a stage share, and one more line that goes from the sender
 * to the receiver; pairs were swapped where a side has several workers, so the sum was the same.
 */
#ifndef LEAT_PIPE_METER_H
#define LEAT_PIPE_METER_H

#include "pipe/stage.h"

#include <leat/pipe_monitor.h>

/* Instants are ticks of leat__ticks since the monitor was made. */
struct leat__tally {
	uint64_t n, t; /* sums may wrap: they are only ever subtracted */
	double t2;
};

enum leat__phase {
	LEAT__PHASE_NONE, /* has not called yet: what it did before is not known */
	LEAT__PHASE_BUSY,
	LEAT__PHASE_IN,        /* waits to receive */
	LEAT__PHASE_OUT,       /* waits to send */
	LEAT__PHASE_NO_WORKER, /* its slot only has values */
	LEAT__PHASE_ENDED,
};

/* A worker's.  Written by it alone, with version odd meanwhile; read by anybody. */
struct leat__slot {
	const void *owner; /* the goroutine; cas from NULL, and never changes then */
	uint32_t version;
	uint8_t phase;
	bool sent;      /* something was offered since the last value was received, last at sent_at */
	uint32_t holds; /* so many values, received at these instants, in sum; and the last of them */
	uint64_t since; /* of the phase */
	uint64_t began, last_began, sent_at;
	uint64_t busy, in, out; /* in these phases */
	uint64_t stay;          /* of those that left: since they were received */
	struct leat__tally left;
	struct leat__tally inlet[]; /* received; behind them the outlets, see leat__outlet_of */
};

/* A worker's at an outlet; in its slot. */
struct leat__outlet {
	struct leat__tally offered; /* less what was taken back, or received by who does not count */
	uint64_t offers;            /* all that were made */
	uint64_t uncounted;         /* of them, received by who does not count */
	uint64_t stay;              /* of those taken back: since they were offered */
	/* Of the last offers: the instant of the last one of each group of 1 << recent_shift; group i is at i modulo
	   1 << recent_width. */
	uint64_t recent[];
};

/* Slots: a hash table of goroutines, which is probed for a few places, then the next one is. */
struct leat__slots {
	struct leat__slots *next; /* atomic */
	uint32_t mask;
	char *base; /* on a line */
};

/* A channel that stages receive from or send to.  Of its monitor's list for good; the monitor's lock protects what
   changes. */
struct leat__gauge {
	leat_chan *c;
	struct leat__gauge *next;
	struct leat__tap *taps;   /* who is at it */
	unsigned feeders, takers; /* meters */
	size_t number;            /* of its monitor's, from 0 on */
	uint64_t begins;          /* what is counted of it, if late */
	int64_t before;           /* values in it then */
	int64_t
	    owed;  /* atomic: as many of the next ones go to who waited then, and does not count them */
	bool late; /* counting began when it was in use */
	bool begun; /* and it was looked at */
	bool own;   /* a stage of the program's own receives from it */
};

/* A meter at a gauge. */
struct leat__tap {
	struct leat__gauge *gauge; /* NULL: no channel */
	struct leat__meter *meter;
	struct leat__tap *next; /* of the gauge's; the monitor's lock */
};

/* A stage's; also a stage of the program's own (struct leat_pipe_stage). */
struct leat__meter {
	struct leat__monitor *monitor;
	struct leat__meter *next; /* newest first; the monitor's lock */
	const char *name, *kind;
	struct leat__stage *stage; /* NULL: the program's own */
	leat_scope *scope;
	int workers; /* of a stage */
	unsigned inlets, outlets;
	bool
	    bridges; /* what comes on inlet 0 are channels, no arrivals; their values come on inlet 1 */
	unsigned recent_width, recent_shift; /* of its outlets */
	size_t slot_bytes, outlet_bytes;
	struct leat__slots *slots; /* atomic */
	uint64_t begins;
	struct leat__tap *tap; /* inlets, then outlets */
};

/* Of a pipe; made once, in the scope's memory. */
struct leat__monitor {
	struct leat__pipe *pipe;
	bool on;      /* atomic */
	uint8_t lock; /* protects the lists and what says so; takes no other but channels' */
	struct leat__meter *meters;
	struct leat__gauge *gauges;
	uint64_t begin_ticks;
	int64_t begin_ns;
	leat_pipe_monitor_opts opts; /* the lock */
	struct leat__live *live;     /* atomic; pipe/live.c */
};

/* The clock: cheap, and virtual where a policy says so. */
static ALWAYS_INLINE uint64_t leat__meter_now(const struct leat__monitor *mon)
{
	uint64_t now = unlikely(leat__policy != NULL) ? (uint64_t)leat__policy->now() : leat__ticks();

	return now - mon->begin_ticks;
}

/* The same, and the time in nanoseconds at that instant, as nearly as it can be had: of some readings the one in which the
   thread was not kept from its CPU. */
static inline uint64_t leat__meter_instant(const struct leat__monitor *mon, int64_t *ns)
{
	uint64_t least = UINT64_MAX, at = 0;

	*ns = 0;
	for (int i = 0; i < 5; i++) {
		uint64_t before = leat__meter_now(mon), took;
		int64_t clock = leat__clock();

		took = leat__meter_now(mon) - before;
		if (took >= least)
			continue;
		least = took;
		at = before + took / 2;
		*ns = clock;
	}
	return at;
}

/*
 * For what receives in some other way than leat__stage_recv.  Before it waits for input: what it holds leaves; or only
 * what it has sent something for, as more is to come to the rest.  And when it has waited: whether it took a value from
 * inlet i.
 */
void leat__meter_asks(struct leat__stage *st);
void leat__meter_asks_more(struct leat__stage *st);
void leat__meter_took(struct leat__stage *st, unsigned i, bool taken);

/*
 * For a stage in which a value is received by one goroutine, no worker, and leaves by another.  The former's instant of
 * reception (*since, 0 where nobody watched then) goes with the value; what is left of a stage that ends is dropped.
 */
bool leat__meter_recv_for_others(struct leat__stage *st, unsigned i, void *v, uint64_t *since);
bool leat__meter_send_of_other(struct leat__stage *st, unsigned i, const void *v, uint64_t since);
void leat__meter_drops_of_other(struct leat__stage *st, uint64_t since);

/* Of the caller's last wait for input, so many ticks were one for output. */
void leat__meter_waited_out(struct leat__stage *st, uint64_t ticks);

/* All that the caller holds has left, but for the value that it received last. */
void leat__meter_replaced(struct leat__stage *st);

/* The caller, the only one who sends on outlet i, has taken back the first value that was there. */
void leat__meter_took_back(struct leat__stage *st, unsigned i);

/* For a stage that sends a value on all its outlets, in whatever order: before it does, and after. */
void leat__meter_offers_all(struct leat__stage *st);
void leat__meter_offered_all(struct leat__stage *st);

/* The monitor of s's pipe, or NULL. */
struct leat__monitor *leat__monitor_of(leat_scope *s);

/* st is being started, and its pipe has a monitor: watch it. */
void leat__monitor_stage(struct leat__stage *st);

/* The caller is a worker of st, which has a meter, and begins, ends. */
void leat__meter_begins(struct leat__stage *st);
void leat__meter_ends(struct leat__stage *st);

/* The stages are joined. */
void leat__monitor_ends(struct leat__monitor *mon);

/* A table of n slots, or more. */
struct leat__slots *leat__slots_new(leat_scope *s, size_t n, size_t slot_bytes);

static inline struct leat__slot *leat__slot_at(const struct leat__meter *mt,
                                               const struct leat__slots *table, size_t i)
{
	return (struct leat__slot *)(void *)(table->base + i * mt->slot_bytes);
}

/* What slot's worker did at outlet i. */
static ALWAYS_INLINE struct leat__outlet *leat__outlet_of(const struct leat__meter *mt,
                                                          const struct leat__slot *slot, unsigned i)
{
	return (struct leat__outlet *)((uintptr_t)&slot->inlet[mt->inlets] + i * mt->outlet_bytes);
}

/* --- what is read of it (pipe/stats.c) */

/* All stages, in the order in which they were made, as of one instant; to be freed. */
struct leat__figures {
	size_t n;
	leat_pipe_stats *stats;
	struct leat__meter **meters;
	leat_pipe_totals totals;
};

/* False: memory is out, and nothing is held. */
bool leat__figures(struct leat__monitor *mon, struct leat__figures *f);
void leat__figures_free(struct leat__figures *f);

/* The report, to be freed; NULL where memory is out.  *lines: how many it has. */
char *leat__report_text(const struct leat__figures *f, int *lines);

/* A duration in three digits and a unit, a count, into text. */
const char *leat__text_ns(char text[16], double ns);
const char *leat__text_count(char text[16], double n);

/* What leat_pipe_report and leat_pipe_svg do; false: memory is out, nothing was written. */
bool leat__monitor_report(struct leat__monitor *mon, FILE *to);
bool leat__monitor_svg(struct leat__monitor *mon, FILE *to);

/* --- shown while it goes on (pipe/live.c) */
void leat__live_begin(struct leat__monitor *mon, FILE *to, int64_t interval_ns);
void leat__live_end(struct leat__monitor *mon);

#endif
