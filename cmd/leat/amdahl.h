/* SPDX-License-Identifier: MIT */
/*
 * How the time of a program depends on the number of its processors: laws, and fitting them.
 *
 * Amdahl's law (1967): the part 1 - p of the work is serial, the part p is spread over n processors, so
 *
 *	T(n) = T(1) * ((1 - p) + p/n)
 *
 * and the speed-up T(1)/T(n) never exceeds 1/(1 - p).  The Universal Scalability Law (Gunther, 1993) calls
 * the serial part contention and adds coherency k, what each pair of processors costs:
 *
 *	T(n) = T(1) * (1 + (1 - p)*(n - 1) + k*n*(n - 1)) / n
 *
 * Both are sums of terms without a parameter inside: serial_s + parallel_s/n + coherency_s*(n - 1).
 */
#ifndef LEAT_CMD_AMDAHL_H
#define LEAT_CMD_AMDAHL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The runs at one number of processors.  All times are positive and finite. */
struct amdahl_point {
	int procs;             /* 1 or more; no two points have the same */
	size_t runs;           /* 1 or more */
	const double *seconds; /* of each run, in any order */
};

/* The seconds of each term.  None is negative. */
struct amdahl_law {
	double serial_s, parallel_s;
	double coherency_s; /* 0 in Amdahl's law */
};

/* 95 % of what resampling the runs gave lies from low to high. */
struct amdahl_range {
	double low, high;
};

/* The ranges of parts of a law; of p alone where only Amdahl's was asked for. */
struct amdahl_ranges {
	struct amdahl_range p, coherency;
};

/*
 * The value below which this part of them lies, by the rule that puts the least at 0, the greatest at 1 and
 * those between at equal distances; 0.5 is the median.  Sorts them.
 */
double amdahl_quantile(double *values, size_t count, double part);

/* The share of the time at one processor that more of them divide, p. */
double amdahl_p(struct amdahl_law law);

/* The coherency k. */
double amdahl_coherency(struct amdahl_law law);

double amdahl_seconds(struct amdahl_law law, double procs);

/* The predicted speed-up over one processor. */
double amdahl_speedup(struct amdahl_law law, double procs);

/* The speed-up of Amdahl's law alone. */
double amdahl_speedup_of(double p, double procs);

/* 1/(1 - p); infinite when p is 1. */
double amdahl_limit(double p);

/* The number of processors after which the law's speed-up falls; infinite without coherency. */
double amdahl_peak(struct amdahl_law law);

/*
 * Fit Amdahl's law, or with `usl` the Universal Scalability Law, to the lower quartiles of the points.  False,
 * with *law untouched, when there are fewer points than terms (2, or 3), or memory is out.
 */
bool amdahl_fit(const struct amdahl_point *points, size_t count, bool usl, struct amdahl_law *law);

/*
 * How far the noise of the runs lets the law be trusted: fit it to runs drawn at random from those of
 * each point, with replacement, many times over.  The same seed draws the same.  False, with *ranges
 * untouched, when amdahl_fit is, and when no point has two runs.
 */
bool amdahl_bootstrap(const struct amdahl_point *points, size_t count, bool usl, uint64_t seed,
                      struct amdahl_ranges *ranges);

#endif
