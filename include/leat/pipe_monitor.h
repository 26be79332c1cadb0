/* SPDX-License-Identifier: MIT */
/*
 * Pipeline monitor: how many values come and go at each stage, how long they stay, and what holds the rest up.
 *
 *	scope(s, NULL);
 *	pipe_monitor(s, .at_end = stderr);
 *	recv_chan(int) all = pipe_from_array(s, numbers, n);
 *	recv_chan(int) parsed = pipe_map(pipe_at(s, .name = "parse"), all, int, parse);
 *
 * Inside a stage.  A value arrives at a stage when the stage before offers it: when that one's send begins.
 * It waits there, in the channel or in the hands of a sender that the channel has no room for, until a worker
 * receives it, and leaves when the worker has made of it what there is to make: when the worker's last send
 * for it begins, or when it asks for another value without having sent.  So who waits for a stage waits in that
 * stage's queue, wherever the value lies.  In the pipeline is what is inside any of its stages, from a source's
 * send on; the making of values by sources comes before it.
 *
 * Little's law.  L, the mean number inside, is the integral of the number inside over time; it comes from
 * counts of arrivals and departures and their instants.  W, the mean time inside, is that of the values that left: of
 * each the instants of its reception and of its departure; and, as channels keep their order, what was received was
 * offered before all that still waits, whose instants are left out (exact for some 60 values in a channel; for more the
 * last ones are taken in up to 64 groups, evenly spaced in each).  lambda is arrivals by time.  In a run that begins and
 * ends empty L = lambda * W, whatever the stages do; the more values are inside at the end, which W cannot know, the
 * more it is off.
 *
 * Time in a stage's own work (service) is wall-clock time: that in which the worker is neither receiving nor sending,
 * whether it has a processor or not.
 *
 * Stages of one's own.  Goroutines that are no stages of leat/pipe.h are counted by telling: pipe_watch makes a
 * stage of a name and the channels that it is between, and its workers call
 *
 *	pipe_stage_begin(st)   having received a value (a source: beginning to make one)
 *	pipe_stage_end(st)     being about to send it on, or being done with it
 *	pipe_stage_sent(st)    having sent it: between is time blocked on output.  May be left out
 *
 * All who receive from a channel between two stages, and all who send on it, are to be counted, or none.
 *
 * What it costs.  Off: a branch for each receive and send of a stage.  On: two readings of the CPU's time stamp and some
 * 20 ns for each, all on lines of memory that no other worker writes to.
 *
 * After Little, "A Proof for the Queuing Formula L = lambda W" (1961), and the operational analysis of Denning and
 * Buzen (1978).
 */
#ifndef LEAT_PIPE_MONITOR_H
#define LEAT_PIPE_MONITOR_H

#include <leat/pipe.h>

#include <stdio.h>

LEAT__BEGIN

/* What a monitor does by itself; all of it off by default. */
typedef struct leat_pipe_monitor_opts {
	int leat__private;
	FILE *at_end;        /* where leat_pipe_report goes when the scope's block is left */
	FILE *svg;           /* where leat_pipe_svg goes then */
	FILE *live;          /* where the table is shown while the scope lives, see leat_pipe_monitor */
	int64_t interval_ns; /* of that; 0: LEAT_SECOND / 4 on a terminal, else 10 seconds */
} leat_pipe_monitor_opts;

/*
 * Count what the stages of s do from now on: those that there are, and those to come.  opts: NULL for none; copied.
 * The streams must live until the scope's block is left.  Called again it changes opts, but not live, which stays
 * as it was first said.
 *
 * Best called before the first stage is made.  Values that are on their way when it is called are counted in the
 * channel where they lie; a value that a stage had in hand then is not counted there.
 *
 * live: a goroutine of its own, ended by the scope's end, writes the table.  On a terminal it shows it at the bottom of
 * the screen, in rows that it takes from the scrolling region, so that whatever else is written scrolls above; the
 * region and the cursor are put back at the scope's end, by exit, and where SIGINT, SIGTERM or SIGHUP
 * ends the process by default.  A screen that is too small, TERM=dumb and what is no terminal get the table below what
 * is there, once in each interval.  While it runs a deadlock is not detected.
 *
 * Panics "pipe of nil scope", and "out of memory".  Any goroutine, any thread, while it may use the scope.
 */
LEAT_API void leat_pipe_monitor(leat_scope *s, const leat_pipe_monitor_opts *opts);

/* What is known of a stage.  Times are in nanoseconds, rates in values per second. */
typedef struct leat_pipe_stats {
	const char *name; /* the stage's; kind: "map", or "watch" for a stage of one's own */
	const char *kind;
	int workers;         /* that it has, or, of one's own, that have called */
	bool source;         /* no input: arrivals are the values that it sent */
	bool queue_known;    /* the stages before it are watched; else arrivals are what it received */
	int64_t arrivals;    /* arrivals == departures + inside, always */
	int64_t departures;  /* given to the next, or done with */
	int64_t inside;      /* now: queued, or in a worker's hands */
	int64_t queued;      /* of them, those that no worker has received */
	int64_t sent;        /* values that it offered to its outputs */
	double rate;         /* lambda: arrivals by time */
	double mean_inside;  /* L: by integration over time */
	double mean_queued;  /* the part of it that waits */
	double mean_time_ns; /* W: of the values that left */
	double mean_wait_ns; /* the part of it before they are received */
	double service_ns;   /* a worker's own time for one value: blocked time excluded */
	double utilization;  /* own time of the workers, by time and worker: 0 to 1 */
	double blocked_in;   /* likewise, waiting to receive */
	double blocked_out;  /* likewise, waiting to send */
	double growth;       /* of the number inside, per second: a line fitted to the whole run */
	bool unstable;       /* it grows: more come than go, by more than 5 %, and by 8 or more */
	int fan_out; /* workers with which it would not hold up the others: those of the next slowest; and, if it is
	                 unstable, with which it would keep up with what comes */
	ptrdiff_t cap; /* room of its first input's channel, -1: none */
} leat_pipe_stats;

/* Of the whole pipeline. */
typedef struct leat_pipe_totals {
	size_t stages;
	double
	    elapsed_ns;   /* since the first stage was watched, until now or until the last one ended */
	int64_t arrivals; /* sent by sources, or received from outside */
	int64_t inside;   /* of all stages, in the stages' own values */
	double rate;      /* lambda: arrivals by time */
	double mean_inside;  /* L: the sum over the stages */
	double mean_time_ns; /* W: each stage's, as often as it is visited for one arrival */
	int bottleneck;      /* index of the stage, -1: none worked yet */
	int beyond; /* 1: not the stage itself, but who receives its output; -1: who feeds its input */
} leat_pipe_totals;

/*
 * Copy what is known of the stages of s to stats, n of them at most, in the order in which they were made, and of the
 * whole to *totals; either may be NULL.  Returns how many stages there are, 0 without a monitor.  What is copied stays
 * true: names are the program's.  Counts of different workers are read one after the other.
 *
 * Panics "pipe of nil scope", and "out of memory".  Any goroutine, any thread, until the scope's block is left.  Costs
 * about a microsecond for each worker.
 */
LEAT_API size_t leat_pipe_stats_of(leat_scope *s, leat_pipe_stats *stats, size_t n,
                                   leat_pipe_totals *totals);

/*
 * Write it to f as a table, and what it comes to: the whole, the bottleneck, what is unstable.  A line says so
 * where there is no monitor.  Errors of writing are left to ferror.  Otherwise as leat_pipe_stats_of.  Takes some KiB of
 * stack: printf's.
 */
LEAT_API void leat_pipe_report(leat_scope *s, FILE *f);

/* Write the pipeline to f as a graph, an SVG image of its own: stages as boxes, sources on the left, coloured by
   utilization, the bottleneck with a thick border; channels as arrows.  As leat_pipe_report. */
LEAT_API void leat_pipe_svg(leat_scope *s, FILE *f);

/* A stage of one's own.  Part of its scope's memory. */
typedef struct leat_pipe_stage leat_pipe_stage;

/*
 * A stage of that name (which must live as long as the scope) that receives from in (NULL: a source) and sends on out
 * (NULL: a sink).  The channels are what stages are joined by, and of which the length is looked at: they need not be
 * what values go through, but must live as long as the scope.  It is counted while there is a monitor, whichever is
 * first.
 *
 * Panics "pipe of nil scope", and "out of memory".  Any goroutine, any thread, while it may use the scope.
 */
LEAT_API leat_pipe_stage *leat_pipe_watch(leat_scope *s, const char *name, leat_chan *in,
                                          leat_chan *out) LEAT__WARN_UNUSED;

/*
 * Count; see above.  st: NULL does nothing.  Each goroutine, or thread, that calls is a worker, with at most one
 * value at a time: beginning another one ends the one before.  begin panics "out of memory" when there is none for
 * a new worker.  Never parks.  Costs some 10 ns, a call and a branch while there is no monitor.
 */
LEAT_API void leat_pipe_stage_begin(leat_pipe_stage *st);
LEAT_API void leat_pipe_stage_end(leat_pipe_stage *st);
LEAT_API void leat_pipe_stage_sent(leat_pipe_stage *st);

LEAT__END

#ifndef __cplusplus

/* LEAT_PIPE_MONITOR(s, .at_end = stderr, ...). */
#define LEAT_PIPE_MONITOR(...) LEAT__PIPE_MONITOR(__VA_ARGS__, )
#define LEAT__PIPE_MONITOR(s, ...)                                                                 \
	leat_pipe_monitor((s), &(const leat_pipe_monitor_opts){.leat__private = 0, __VA_ARGS__})

/* LEAT_PIPE_WATCH(s, name, in, out): channels of any type, or NULL. */
#define LEAT_PIPE_WATCH(s, name, in, out)                                                          \
	leat_pipe_watch((s), (name), LEAT__RAW(in), LEAT__RAW(out))

#ifndef LEAT_NO_SHORT_NAMES
#define pipe_monitor(...)            LEAT_PIPE_MONITOR(__VA_ARGS__)
#define pipe_watch(s, name, in, out) LEAT_PIPE_WATCH(s, name, in, out)
#define pipe_report(s, f)            leat_pipe_report(s, f)
#define pipe_svg(s, f)               leat_pipe_svg(s, f)
#define pipe_stage_begin(st)         leat_pipe_stage_begin(st)
#define pipe_stage_end(st)           leat_pipe_stage_end(st)
#define pipe_stage_sent(st)          leat_pipe_stage_sent(st)
#endif

#endif /* !__cplusplus */

#endif
