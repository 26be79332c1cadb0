/* SPDX-License-Identifier: MIT */
/*
 * What times at several numbers of processors say: see scaling.h.
 *
 * Amdahl's law is about processors that exist.  A program that computes gains nothing from more processors
 * than there are CPUs, which says nothing about its serial part; one that sleeps or waits does.  So a row is
 * left out of the fit when its processors, each as busy as the one of the runs with one, would take more
 * CPUs than there are.
 */
#include "scaling.h"

#include "command.h"
#include "os/cgroup.h"
#include "os/os.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_S     0.020 /* what starting a process takes, 1 to 3 ms, is a good part of that */
#define WIDE_RANGE  0.1
#define TOLERATED   1.05 /* how much slower than predicted the fastest run may be without a note */
#define NEARLY_NONE 0.02 /* a parallel share that may be as small as that is none */

enum { USL_ROWS = 4 }; /* one more than it has terms, so that its fit can fail */

static void *or_die(void *memory)
{
	if (!memory) {
		complain("out of memory");
		exit(EXIT_CANNOT);
	}
	return memory;
}

int scaling_cpus(void)
{
	static struct leat__os_cgroup cgroup;
	int cpus = leat__os_cpus(), quota;

	leat__os_cgroup_find(&cgroup, "");
	quota = leat__os_cgroup_cpus(&cgroup);
	return cpus < quota ? cpus : quota;
}

/* Without changing their order: it is that of the runs. */
static double median(const double *values, size_t count)
{
	double *copy = or_die(calloc(count, sizeof *copy)), result;

	memcpy(copy, values, count * sizeof *copy);
	result = amdahl_quantile(copy, count, 0.5);
	free(copy);
	return result;
}

/*
 * How many CPUs one processor keeps busy, at most 1.  Of the runs the one counts that others on the machine
 * held up least.
 */
static double busy(const struct measure_count *one)
{
	double most = 0;

	for (size_t i = 0; i < one->runs; i++)
		most = fmax(most, one->cpu_s[i] / one->wall_s[i]);
	return fmin(most, 1);
}

static void fill_row(struct scaling *s, const struct measure_count *count)
{
	struct scaling_row *row = &s->rows[s->count++];

	*row = (struct scaling_row){.count = count, .min_s = INFINITY};
	row->median_s = median(count->wall_s, count->runs);
	row->cpu_s = median(count->cpu_s, count->runs);
	for (size_t i = 0; i < count->runs; i++) {
		if (count->wall_s[i] < row->min_s)
			row->min_s = count->wall_s[i];
		if (count->wall_s[i] > row->max_s)
			row->max_s = count->wall_s[i];
	}
	/* A round begins at one processor: where there is any row, there is that of one. */
	row->speedup = s->rows[0].median_s / row->median_s;
	row->efficiency = row->speedup / count->procs;
	row->fitted = count->procs * busy(s->rows[0].count) <= s->cpus;
}

static void fit(struct scaling *s)
{
	struct amdahl_point *points = or_die(calloc(s->count + 1, sizeof *points));
	struct amdahl_ranges ranges = {0};
	size_t count = 0;
	int most = 1;

	for (size_t i = 0; i < s->count; i++) {
		const struct measure_count *c = s->rows[i].count;

		if (!s->rows[i].fitted)
			continue;
		points[count++] = (struct amdahl_point){c->procs, c->runs, c->wall_s};
		most = c->procs;
	}
	s->has_law = amdahl_fit(points, count, false, &s->law);
	if (s->has_law) {
		s->p = amdahl_p(s->law);
		for (size_t i = 0; i < s->count; i++)
			s->rows[i].predicted = amdahl_speedup(s->law, s->rows[i].count->procs);
		s->has_range = amdahl_bootstrap(points, count, false, SCALING_SEED, &ranges);
	}
	if (s->has_range)
		s->range = ranges.p;
	if (s->has_range && count >= USL_ROWS && amdahl_fit(points, count, true, &s->usl) &&
	    amdahl_bootstrap(points, count, true, SCALING_SEED, &ranges)) {
		s->has_usl = true;
		s->coherency = ranges.coherency;
		s->usl_tells = ranges.coherency.low > 0 &&
		               amdahl_seconds(s->usl, most) > TOLERATED * amdahl_seconds(s->law, most);
	}
	free(points);
}

/* --- what a reader might miss */

static void note_left_out(struct scaling *s)
{
	int first = 0, last = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->rows[i].fitted)
			continue;
		last = s->rows[i].count->procs;
		if (!first)
			first = last;
	}
	if (!first)
		return;
	words_addf(
	    &s->notes,
	    "%d%s processors (*) are more than the %d CPU%s here, which this program keeps busy: "
	    "left out of the fit",
	    first, first == last ? "" : " and more", s->cpus, s->cpus == 1 ? "" : "s");
}

/* The line of the other law says what does describe it. */
static void note_other_law(struct scaling *s)
{
	if (s->usl_tells)
		words_add(&s->notes,
		          "the scalability law describes this program, which Amdahl's does not: p and the "
		          "limit say little here");
}

/* Where even the fastest run took longer than predicted: that is no noise. */
static void note_below(struct scaling *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct scaling_row *row = &s->rows[i];
		double seconds = amdahl_seconds(s->law, row->count->procs);

		if (row->fitted && row->count->procs > 1 && row->min_s > TOLERATED * seconds)
			words_addf(&s->notes,
			           "at %d processors even the fastest run took %.2f times as long as predicted",
			           row->count->procs, row->min_s / seconds);
	}
}

static void note_slower(struct scaling *s)
{
	const struct scaling_row *best = s->rows, *last = &s->rows[s->count - 1];

	for (size_t i = 1; i < s->count; i++)
		if (s->rows[i].median_s < best->median_s)
			best = &s->rows[i];
	if (last->min_s > TOLERATED * best->median_s)
		words_addf(&s->notes,
		           "negative scaling: at %d processors even the fastest run took longer than the "
		           "median at %d",
		           last->count->procs, best->count->procs);
}

static void note_faster(struct scaling *s)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->rows[0].min_s > TOLERATED * s->rows[i].count->procs * s->rows[i].median_s) {
			words_addf(&s->notes,
			           "at %d processors it is %.2f times as fast, more than the law allows: more "
			           "cache, or less work?",
			           s->rows[i].count->procs, s->rows[i].speedup);
			return;
		}
	}
}

static void note_doubts(struct scaling *s)
{
	double least = INFINITY;

	for (size_t i = 0; i < s->count; i++)
		least = fmin(least, s->rows[i].median_s);
	if (s->has_law && (s->has_range ? s->range.low : s->p) < NEARLY_NONE)
		words_add(&s->notes, "it gained nothing beyond noise; LEAT_PROCS is for programs that are "
		                     "linked with leat and do not set another number by leat_procs");
	if (least < SHORT_S)
		words_add(&s->notes, "the runs are short: to start a process takes some milliseconds, and "
		                     "they count as serial");
	if (s->has_law && !s->has_range)
		words_add(&s->notes, "one run at each number of processors does not tell how far p can be "
		                     "trusted; --runs makes more");
	else if (s->has_range && s->range.high - s->range.low > WIDE_RANGE)
		words_add(&s->notes, "the range of p is wide: more runs (--runs), longer ones or a quieter "
		                     "machine make it narrower");
	if (!s->has_law)
		words_add(&s->notes, "that is too little to fit a law to");
}

void scaling_init(struct scaling *s, const struct measure *m)
{
	*s = (struct scaling){.measure = m, .cpus = scaling_cpus()};
	s->rows = or_die(calloc(m->count, sizeof *s->rows));
	for (size_t i = 0; i < m->count; i++)
		if (m->counts[i].runs)
			fill_row(s, &m->counts[i]);
	if (!s->count)
		return;
	fit(s);
	note_left_out(s);
	note_other_law(s);
	if (s->has_law)
		note_below(s);
	note_slower(s);
	note_faster(s);
	note_doubts(s);
}

void scaling_done(struct scaling *s)
{
	free(s->rows);
	words_done(&s->notes);
}
