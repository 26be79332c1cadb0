/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: the fit finds the law that times were made of, exactly when they are exact, and with noise as
 * near as its range says.
 * Method: the code itself, on times made up from known laws, with noise of a seeded generator: what is
 * checked here can pass or fail, but not change from run to run.
 */
#include "amdahl.c"

#include "test.h"

enum { MOST_POINTS = 16, MOST_RUNS = 9 };

struct data {
	struct amdahl_point points[MOST_POINTS];
	double seconds[MOST_POINTS][MOST_RUNS];
};

static struct random noise = {1};

/* From 0 to below 1. */
static double uniform(void)
{
	return (double)(next(&noise) >> 11) / 9007199254740992.0;
}

/* Nearly, by the central limit theorem: twelve uniform numbers. */
static double normal(void)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += uniform();
	return sum;
}

/* Times at 1 to count processors, off by a factor with this deviation; some runs are far too long. */
static void make(struct data *d, struct amdahl_law law, size_t count, size_t runs, double deviation,
                 double disturbed)
{
	for (size_t i = 0; i < count; i++) {
		d->points[i] = (struct amdahl_point){(int)i + 1, runs, d->seconds[i]};
		for (size_t run = 0; run < runs; run++) {
			d->seconds[i][run] = amdahl_seconds(law, (double)i + 1) * exp(deviation * normal());
			if (uniform() < disturbed)
				d->seconds[i][run] *= 1.2 + 0.8 * uniform();
		}
	}
}

static struct amdahl_law with_p(double p)
{
	return (struct amdahl_law){3 * (1 - p), 3 * p, 0};
}

static bool near(double a, double b, double off)
{
	if (fabs(a - b) <= off)
		return true;
	fprintf(stderr, "%g is not %g, by more than %g\n", a, b, off);
	return false;
}

TEST(quantiles)
{
	CHECK(amdahl_quantile((double[]){4}, 1, 0.5) == 4 &&
	      amdahl_quantile((double[]){4}, 1, 0.25) == 4);
	CHECK(amdahl_quantile((double[]){4, 1}, 2, 0.5) == 2.5);
	CHECK(amdahl_quantile((double[]){9, 1, 4}, 3, 0.5) == 4);
	CHECK(amdahl_quantile((double[]){9, 1, 4, 2}, 4, 0.5) == 3);
	CHECK(amdahl_quantile((double[]){9, 1, 4}, 3, 0.25) == 2.5);
	CHECK(amdahl_quantile((double[]){5, 4, 3, 2, 1}, 5, 0.25) == 2);
	CHECK(amdahl_quantile((double[]){5, 4, 3, 2, 1}, 5, 0) == 1);
	CHECK(amdahl_quantile((double[]){5, 4, 3, 2, 1}, 5, 1) == 5);
}

TEST(the_laws_as_they_are_written)
{
	struct amdahl_law law = with_p(0.75);

	CHECK(near(amdahl_speedup(law, 1), 1, 1e-12));
	CHECK(near(amdahl_speedup(law, 3), 2, 1e-12));
	CHECK(near(amdahl_speedup_of(0.75, 3), 2, 1e-12));
	CHECK(near(amdahl_limit(0.75), 4, 1e-12));
	CHECK(isinf(amdahl_limit(1)) && isinf(amdahl_peak(law)));
	/* sigma = 0.1, kappa = 0.01: at 4 the law says 4/(1 + 0.3 + 0.12), and the peak is at sqrt(0.9/0.01). */
	law = (struct amdahl_law){0.2, 1.8, 0.02};
	CHECK(near(amdahl_p(law), 0.9, 1e-12) && near(amdahl_coherency(law), 0.01, 1e-12));
	CHECK(near(amdahl_speedup(law, 4), 4 / 1.42, 1e-12));
	CHECK(near(amdahl_peak(law), sqrt(90), 1e-12));
}

TEST(exact_times_give_exact_laws)
{
	for (size_t count = 2; count <= MOST_POINTS; count++) {
		for (int percent = 0; percent <= 100; percent += 5) {
			struct amdahl_law law;
			struct data d;

			make(&d, with_p(percent / 100.0), count, 1, 0, 0);
			CHECK(amdahl_fit(d.points, count, false, &law));
			CHECK(near(amdahl_p(law), percent / 100.0, 1e-9) && law.coherency_s == 0);
			CHECK(near(amdahl_seconds(law, 1), 3, 1e-9));
			if (count < 3)
				continue;
			make(&d, (struct amdahl_law){1 - percent / 100.0, percent / 100.0, 0.004}, count, 1, 0,
			     0);
			CHECK(amdahl_fit(d.points, count, true, &law));
			CHECK(near(amdahl_p(law), percent / 100.0, 1e-6));
			CHECK(near(amdahl_coherency(law), 0.004, 1e-6));
		}
	}
}

TEST(processors_may_leave_gaps_and_be_many)
{
	static const int procs[] = {1, 2, 16, 256, 1024};
	struct amdahl_law truth = {0.1, 5, 0.001}, law;
	struct data d;

	for (size_t i = 0; i < 5; i++) {
		d.seconds[i][0] = amdahl_seconds(truth, procs[i]);
		d.points[i] = (struct amdahl_point){procs[i], 1, d.seconds[i]};
	}
	CHECK(amdahl_fit(d.points, 5, true, &law));
	CHECK(near(law.serial_s, 0.1, 1e-6) && near(law.parallel_s, 5, 1e-6));
	CHECK(near(law.coherency_s, 0.001, 1e-8));
}

TEST(no_term_is_negative)
{
	struct amdahl_law law;
	struct data d;

	/* Slower with every processor: nothing is parallel. */
	make(&d, (struct amdahl_law){1, 0, 0.2}, 8, 1, 0, 0);
	CHECK(amdahl_fit(d.points, 8, false, &law));
	CHECK(law.parallel_s == 0 && law.serial_s > 1 && amdahl_p(law) == 0);
	CHECK(amdahl_fit(d.points, 8, true, &law));
	CHECK(near(law.coherency_s, 0.2, 1e-9) && near(law.serial_s, 1, 1e-9));
	/* Faster than in proportion: all is. */
	for (int i = 0; i < 8; i++)
		d.seconds[i][0] = 1 / pow(i + 1, 1.2);
	for (int usl = 0; usl < 2; usl++) {
		CHECK(amdahl_fit(d.points, 8, usl, &law));
		CHECK(law.serial_s == 0 && law.coherency_s == 0 && amdahl_p(law) == 1);
	}
}

TEST(too_little_to_fit)
{
	struct amdahl_law law = {7, 7, 7};
	struct amdahl_ranges ranges = {{7, 7}, {7, 7}};
	struct data d;

	make(&d, with_p(0.5), 3, 2, 0.01, 0);
	CHECK(!amdahl_fit(d.points, 1, false, &law) && !amdahl_fit(d.points, 2, true, &law));
	CHECK(!amdahl_fit(d.points, 0, false, &law));
	CHECK(!amdahl_bootstrap(d.points, 1, false, 1, &ranges));
	CHECK(!amdahl_bootstrap(d.points, 2, true, 1, &ranges));
	CHECK(!amdahl_bootstrap(d.points, 0, false, 1, &ranges));
	CHECK(law.serial_s == 7 && ranges.p.low == 7);
	/* One run each: there is a law, and no telling how good it is. */
	make(&d, with_p(0.5), 3, 1, 0.01, 0);
	CHECK(amdahl_fit(d.points, 3, false, &law) && law.serial_s != 7);
	CHECK(!amdahl_bootstrap(d.points, 3, false, 1, &ranges) && ranges.p.low == 7);
	d.points[1].runs = 2; /* as when somebody interrupts */
	d.seconds[1][1] = 2 * d.seconds[1][0];
	CHECK(amdahl_bootstrap(d.points, 3, false, 1, &ranges) && ranges.p.low < ranges.p.high);
}

/* What TRIES fits of times made of one law amount to. */
struct outcome {
	int hits;     /* whose range contains the truth */
	double width; /* of the ranges, on average */
	double error; /* of p, root mean square */
};

enum { TRIES = 24 };

static struct outcome try(double p, size_t count, double disturbed)
{
	struct outcome o = {0};

	for (int i = 0; i < TRIES; i++) {
		struct amdahl_ranges ranges;
		struct amdahl_law law;
		struct data d;

		make(&d, with_p(p), count, 5, 0.02, disturbed);
		CHECK(amdahl_fit(d.points, count, false, &law));
		CHECK(amdahl_bootstrap(d.points, count, false, (uint64_t)i, &ranges));
		CHECK(ranges.p.low <= ranges.p.high && ranges.p.low >= 0 && ranges.p.high <= 1);
		o.hits += ranges.p.low <= p && p <= ranges.p.high;
		o.width += (ranges.p.high - ranges.p.low) / TRIES;
		o.error += pow(amdahl_p(law) - p, 2) / TRIES;
	}
	o.error = sqrt(o.error);
	return o;
}

/*
 * Over 150 times 2 % of noise, five runs: the ranges of 95 % hold the truth in 93 to 98 %, and are 0.9 to 1.1
 * times as wide as the errors ask for.  A range that is far too wide would hold it, too, so width is looked
 * at as well: over 6 times 24 fits the width that is asked for is known within some 6 %.
 */
TEST(noise_leaves_p_where_its_range_is)
{
	static const double shares[] = {0.5, 0.75, 0.95};
	double ratio = 0;
	int hits = 0;

	for (size_t i = 0; i < 3; i++) {
		for (size_t count = 4; count <= 8; count += 4) {
			struct outcome o = try(shares[i], count, 0);
			double asked = 2 * 1.96 * o.error;

			fprintf(stderr, "p %g at 1 to %zu: off by %.4f, width %.4f, %.4f asked for\n",
			        shares[i], count, o.error, o.width, asked);
			hits += o.hits;
			ratio += o.width / asked / 6;
			CHECK(o.error < 0.02);
		}
	}
	fprintf(stderr, "%d of %d ranges hold the truth, width %.2f of what is asked for\n", hits,
	        6 * TRIES, ratio);
	CHECK(hits >= 6 * TRIES * 90 / 100);
	CHECK(0.8 < ratio && ratio < 1.35);
}

/*
 * A fifth of the runs up to twice as long.  With medians p is off by 0.036 here, with no weights for who lies
 * off by 0.041.
 */
TEST(disturbed_runs_are_not_believed)
{
	struct outcome o = try(0.5, 8, 0.2);

	fprintf(stderr, "off by %.4f, width %.4f, %d of %d hold the truth\n", o.error, o.width, o.hits,
	        TRIES);
	CHECK(o.error < 0.025 && o.hits >= TRIES * 75 / 100);
}

TEST(one_bad_number_of_processors_does_not_bend_the_law)
{
	double worst = 0;

	for (size_t bad = 0; bad < 8; bad++) {
		struct amdahl_law law;
		struct data d;

		make(&d, with_p(0.9), 8, 3, 0.005, 0);
		for (size_t run = 0; run < 3; run++)
			d.seconds[bad][run] *= 1.3;
		CHECK(amdahl_fit(d.points, 8, false, &law));
		if (fabs(amdahl_p(law) - 0.9) > worst)
			worst = fabs(amdahl_p(law) - 0.9);
	}
	fprintf(stderr, "p is off by %.4f at most\n", worst);
	CHECK(worst < 0.02);
}

/* The range of the coherency excludes 0 where there is some, and hardly ever where there is none. */
TEST(coherency_is_told_from_noise)
{
	struct amdahl_ranges ranges;
	int seen = 0, imagined = 0;
	struct data d;

	for (uint64_t i = 0; i < 20; i++) {
		make(&d, (struct amdahl_law){0.05, 0.95, 0.01}, 8, 5, 0.02, 0);
		CHECK(amdahl_bootstrap(d.points, 8, true, i, &ranges));
		seen += ranges.coherency.low > 0 && ranges.coherency.high < 0.03;
		make(&d, with_p(0.95), 8, 5, 0.02, 0);
		CHECK(amdahl_bootstrap(d.points, 8, true, i, &ranges));
		imagined += ranges.coherency.low > 0;
	}
	fprintf(stderr, "seen %d times, imagined %d times of 20\n", seen, imagined);
	CHECK(seen >= 18 && imagined <= 2);
}

TEST(the_same_seed_gives_the_same_range)
{
	struct amdahl_ranges a, b, c;
	struct data d;

	make(&d, with_p(0.8), 4, 5, 0.05, 0);
	CHECK(amdahl_bootstrap(d.points, 4, false, 1, &a) &&
	      amdahl_bootstrap(d.points, 4, false, 1, &b) &&
	      amdahl_bootstrap(d.points, 4, false, 2, &c));
	CHECK(a.p.low == b.p.low && a.p.high == b.p.high);
	CHECK(near(a.p.low, c.p.low, 0.05) && near(a.p.high, c.p.high, 0.05));
}

TEST_MAIN
