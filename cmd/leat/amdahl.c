/* SPDX-License-Identifier: MIT */
/*
 * Fitting laws to times: see amdahl.h.
 *
 * What is fitted is the lower quartile of the runs at each number of processors.  What else happens on a
 * machine only ever makes a run longer, so the faster runs tell more about the program.  Where runs differ
 * by a random factor, any quantile has the same law, and the quartile is as good as the median but for 9 %.
 * With a load of 4 to 6 on two CPUs, five runs at eight numbers of processors, p was off by 0.019 on average
 * with the quartile, by 0.040 with the median.  The fastest run would be better still (0.012), but
 * resampling does not tell how far a minimum can be trusted.
 *
 * The fit is by weighted least squares.  A weight is one over the square of the time, since what disturbs a
 * run disturbs a long one more, and what people look at are ratios.  Where there are enough points the
 * weights are then made smaller for those that lie far off the others (Huber, 1964), so that one number of
 * processors at which the machine was busy does not bend the law.  Where there is none such, this costs
 * nothing measurable.
 *
 * No term may be negative.  There are at most three, so that is done by trying each subset of them, and
 * keeping the best of those in which none comes out negative.
 */
#include "amdahl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	TERMS = 3,          /* serial, parallel, coherency */
	DRAWS = 2000,       /* samples of the bootstrap */
	TAIL = DRAWS / 40,  /* how many of them lie on either side of the range */
	ROBUST_FROM = 5,    /* points: with fewer, one cannot tell who lies off */
	ROBUST_ROUNDS = 30, /* they converge long before, or go round in circles by then */
};

#define QUARTILE 0.25
/* Deviations up to this many standard deviations count in full: 95 % efficient where all is normal. */
#define HUBER 1.345
/* The standard deviation of what is normal, in medians of its absolute values. */
#define NORMAL 1.4826
/* Deviations below this are rounding. */
#define LEAST_DEVIATION 1e-6

/* One point as the fit sees it. */
struct target {
	double procs, seconds, weight;
};

struct random {
	uint64_t state;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double amdahl_quantile(double *values, size_t count, double part)
{
	double place = part * (double)(count - 1);
	size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;

	qsort(values, count, sizeof *values, compare);
	return values[below] + (place - (double)below) * (values[above] - values[below]);
}

double amdahl_seconds(struct amdahl_law law, double procs)
{
	return law.serial_s + law.parallel_s / procs + law.coherency_s * (procs - 1);
}

double amdahl_p(struct amdahl_law law)
{
	return law.parallel_s / (law.serial_s + law.parallel_s);
}

double amdahl_coherency(struct amdahl_law law)
{
	return law.coherency_s / (law.serial_s + law.parallel_s);
}

double amdahl_speedup(struct amdahl_law law, double procs)
{
	return (law.serial_s + law.parallel_s) / amdahl_seconds(law, procs);
}

double amdahl_speedup_of(double p, double procs)
{
	return 1 / (1 - p + p / procs);
}

double amdahl_limit(double p)
{
	return p < 1 ? 1 / (1 - p) : INFINITY;
}

double amdahl_peak(struct amdahl_law law)
{
	return law.coherency_s > 0 ? sqrt(law.parallel_s / law.coherency_s) : INFINITY;
}

static double term(size_t which, double procs)
{
	return which == 0 ? 1 : which == 1 ? 1 / procs : procs - 1;
}

/* Solve the k equations, the right-hand side in column k, by elimination.  False: there are fewer. */
static bool solve(double equations[TERMS][TERMS + 1], size_t k, double *solution)
{
	for (size_t column = 0; column < k; column++) {
		size_t best = column;
		double swapped[TERMS + 1];

		for (size_t row = column + 1; row < k; row++)
			if (fabs(equations[row][column]) > fabs(equations[best][column]))
				best = row;
		if (fabs(equations[best][column]) < 1e-12)
			return false;
		memcpy(swapped, equations[best], sizeof swapped);
		memcpy(equations[best], equations[column], sizeof swapped);
		memcpy(equations[column], swapped, sizeof swapped);
		for (size_t row = 0; row < k; row++) {
			double factor = equations[row][column] / equations[column][column];

			for (size_t i = column; row != column && i <= k; i++)
				equations[row][i] -= factor * equations[column][i];
		}
	}
	for (size_t i = 0; i < k; i++)
		solution[i] = equations[i][k] / equations[i][i];
	return true;
}

/* The best values of the terms in the set, a bit each; the others are 0.  False: they are not defined. */
static bool fit_terms(const struct target *targets, size_t count, unsigned set, double *values)
{
	double equations[TERMS][TERMS + 1] = {0}, scale[TERMS] = {0}, solution[TERMS];
	size_t member[TERMS], k = 0;

	for (size_t t = 0; t < TERMS; t++) {
		values[t] = 0;
		if (set & (1U << t))
			member[k++] = t;
	}
	/* Terms of unit length, so that what elimination finds small is small. */
	for (size_t a = 0; a < k; a++) {
		for (size_t i = 0; i < count; i++)
			scale[a] += targets[i].weight * pow(term(member[a], targets[i].procs), 2);
		scale[a] = sqrt(scale[a]);
		if (!(scale[a] > 0))
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t a = 0; a < k; a++) {
			double left = targets[i].weight * term(member[a], targets[i].procs) / scale[a];

			for (size_t b = 0; b < k; b++)
				equations[a][b] += left * term(member[b], targets[i].procs) / scale[b];
			equations[a][k] += left * targets[i].seconds;
		}
	}
	if (!solve(equations, k, solution))
		return false;
	for (size_t a = 0; a < k; a++)
		values[member[a]] = solution[a] / scale[a];
	return true;
}

static struct amdahl_law law_of(const double *values)
{
	return (struct amdahl_law){values[0], values[1], values[2]};
}

static double squares(const struct target *targets, size_t count, struct amdahl_law law)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum +=
		    targets[i].weight * pow(targets[i].seconds - amdahl_seconds(law, targets[i].procs), 2);
	return sum;
}

/* Least squares with these weights, no term negative. */
static struct amdahl_law fit_weighted(const struct target *targets, size_t count, bool usl)
{
	struct amdahl_law best = {0};
	double values[TERMS], least = INFINITY;

	/* Coherency alone would leave a program that takes no time at one processor. */
	for (unsigned set = 1; set < (usl ? 8U : 4U); set++) {
		double sum;

		if (set == 4 || !fit_terms(targets, count, set, values) || values[0] < 0 || values[1] < 0 ||
		    values[2] < 0)
			continue;
		sum = squares(targets, count, law_of(values));
		if (sum < least) {
			least = sum;
			best = law_of(values);
		}
	}
	return best;
}

/* Targets have seconds; scratch has room for count numbers. */
static struct amdahl_law fit_robust(struct target *targets, size_t count, bool usl, double *scratch)
{
	struct amdahl_law law, before;

	for (size_t i = 0; i < count; i++)
		targets[i].weight = 1 / (targets[i].seconds * targets[i].seconds);
	law = fit_weighted(targets, count, usl);
	for (int round = 0; count >= ROBUST_FROM && round < ROBUST_ROUNDS; round++) {
		double deviation;

		for (size_t i = 0; i < count; i++)
			scratch[i] = fabs(1 - amdahl_seconds(law, targets[i].procs) / targets[i].seconds);
		deviation = HUBER * NORMAL * amdahl_quantile(scratch, count, 0.5);
		if (deviation < LEAST_DEVIATION)
			break;
		for (size_t i = 0; i < count; i++) {
			struct target *t = &targets[i];
			double off = fabs(1 - amdahl_seconds(law, t->procs) / t->seconds);

			t->weight = 1 / (t->seconds * t->seconds);
			if (off > deviation)
				t->weight *= deviation / off;
		}
		before = law;
		law = fit_weighted(targets, count, usl);
		if (fabs(amdahl_p(law) - amdahl_p(before)) < 1e-6)
			break;
	}
	return law;
}

/* The most runs that a point has, or the number of points if that is more. */
static size_t most_runs(const struct amdahl_point *points, size_t count)
{
	size_t most = count;

	for (size_t i = 0; i < count; i++)
		if (points[i].runs > most)
			most = points[i].runs;
	return most;
}

bool amdahl_fit(const struct amdahl_point *points, size_t count, bool usl, struct amdahl_law *law)
{
	struct target *targets;
	double *scratch;

	if (count < (usl ? 3 : 2))
		return false;
	targets = calloc(count, sizeof *targets);
	scratch = calloc(most_runs(points, count), sizeof *scratch);
	if (targets && scratch) {
		for (size_t i = 0; i < count; i++) {
			targets[i].procs = points[i].procs;
			memcpy(scratch, points[i].seconds, points[i].runs * sizeof *scratch);
			targets[i].seconds = amdahl_quantile(scratch, points[i].runs, QUARTILE);
		}
		*law = fit_robust(targets, count, usl, scratch);
	}
	free(scratch);
	free(targets);
	return targets && scratch;
}

/* SplitMix64 (Steele, Lea, Flood, 2014). */
static uint64_t next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* From 0 to below bound, which is far below 2^32: so far it is uniform enough. */
static size_t below(struct random *random, size_t bound)
{
	return (size_t)(((next(random) >> 32) * bound) >> 32);
}

static struct amdahl_range range_of(double *values)
{
	qsort(values, DRAWS, sizeof *values, compare);
	return (struct amdahl_range){values[TAIL], values[DRAWS - 1 - TAIL]};
}

bool amdahl_bootstrap(const struct amdahl_point *points, size_t count, bool usl, uint64_t seed,
                      struct amdahl_ranges *ranges)
{
	struct random random = {seed};
	struct target *targets = calloc(count + 1, sizeof *targets);
	double *p = calloc(DRAWS, sizeof *p), *coherency = calloc(DRAWS, sizeof *p), *drawn;
	bool varies = false, done = false;

	for (size_t i = 0; i < count; i++)
		varies |= points[i].runs > 1;
	drawn = calloc(most_runs(points, count) + 1, sizeof *drawn);
	if (!p || !coherency || !targets || !drawn || !varies || count < (usl ? 3 : 2))
		goto out;
	for (size_t draw = 0; draw < DRAWS; draw++) {
		struct amdahl_law law;

		for (size_t i = 0; i < count; i++) {
			for (size_t run = 0; run < points[i].runs; run++)
				drawn[run] = points[i].seconds[below(&random, points[i].runs)];
			targets[i].procs = points[i].procs;
			targets[i].seconds = amdahl_quantile(drawn, points[i].runs, QUARTILE);
		}
		law = fit_robust(targets, count, usl, drawn);
		p[draw] = amdahl_p(law);
		coherency[draw] = amdahl_coherency(law);
	}
	*ranges = (struct amdahl_ranges){range_of(p), range_of(coherency)};
	done = true;
out:
	free(drawn);
	free(targets);
	free(coherency);
	free(p);
	return done;
}
