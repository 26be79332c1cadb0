/* SPDX-License-Identifier: MIT */
/*
 * Adaptive limit: the two algorithms, as functions of what they are told.
 *
 * A round is made of calls that began after it did, so that all of them were made under its limit; of the others the
 * times belong to the limit before.  Rounds have means for times, rather than minima: where service times vary, the least
 * of all is far below what a call takes with no queue at all, and the limit would shrink for nothing.
 *
 * The probe.  While the limit is right there is always a queue of the slack, so the true least is not seen, and what is
 * seen instead would creep upwards, and the limit with it.  At half the limit there is none, if the limit was less than
 * twice too large; if it was not, the probe finds a shorter time, which brings the limit down, and another follows.
 */
#include <leat/adaptive.h>
#include <leat/time.h>

#define FIRST       8
#define LEAST       1
#define MOST        1000
#define DECREASE    0.9
#define WINDOW_NS   (10 * LEAT_SECOND)
#define ROUND_LEAST 30
#define PROBE_LEAST 60
#define SLACK_LEAST 4
#define SHORTER     0.8 /* so much shorter a time is worth another probe */

static double least_of(const leat_adaptive_limit *l)
{
	return l->opts.least ? l->opts.least : LEAST;
}

static double most_of(const leat_adaptive_limit *l)
{
	return l->opts.most ? l->opts.most : MOST;
}

static double bounded(const leat_adaptive_limit *l, double limit)
{
	return limit < least_of(l) ? least_of(l) : limit > most_of(l) ? most_of(l) : limit;
}

static double limit_of(const leat_adaptive_limit *l)
{
	if (l->leat__limit > 0)
		return l->leat__limit;
	return bounded(l, l->opts.first ? l->opts.first : FIRST);
}

static double slack(const leat_adaptive_limit *l)
{
	double root = SLACK_LEAST;

	if (l->opts.slack)
		return l->opts.slack;
	while (root * root < l->leat__limit)
		root++;
	return root;
}

static void decrease(leat_adaptive_limit *l, int64_t begun_ns, int64_t ended_ns)
{
	double factor = l->opts.decrease > 0 ? l->opts.decrease : DECREASE;

	if (begun_ns <= l->leat__cut_at)
		return;
	l->leat__grown = true;
	l->leat__cut_at = ended_ns;
	l->leat__limit = bounded(l, l->leat__limit * factor);
	l->leat__kept = bounded(l, l->leat__kept * factor);
}

/* --- by drops */

static void increase(leat_adaptive_limit *l, uint32_t under_way)
{
	if (2.0 * under_way >= l->leat__limit)
		l->leat__limit = bounded(l, l->leat__limit + (l->leat__grown ? 1 / l->leat__limit : 1));
}

/* --- by times */

static void begin_round(leat_adaptive_limit *l, int64_t now)
{
	l->leat__sum_ns = 0;
	l->leat__count = l->leat__used = 0;
	l->leat__round_at = now;
}

static void begin_probe(leat_adaptive_limit *l)
{
	l->leat__probing = true;
	l->leat__probe_soon = false;
	l->leat__kept = l->leat__limit;
	l->leat__limit = bounded(l, l->leat__limit / 2);
}

static void end_probe(leat_adaptive_limit *l, double mean, int64_t now)
{
	l->leat__probing = false;
	l->leat__probe_soon = mean < SHORTER * l->leat__least_ns;
	l->leat__probe_at = now;
	l->leat__least_ns = mean;
	l->leat__limit = l->leat__kept;
}

/* A round without a probe has ended. */
static void follow(leat_adaptive_limit *l, double mean)
{
	double limit = l->leat__limit, working, next;

	if (l->leat__least_ns == 0 || (!l->leat__grown && mean < l->leat__least_ns))
		l->leat__least_ns = mean;
	else if (mean < SHORTER * l->leat__least_ns)
		l->leat__probe_soon = true;
	working = mean > l->leat__least_ns ? limit * l->leat__least_ns / mean : limit;
	if (!l->leat__grown && limit - working < slack(l)) {
		next = 2 * limit;
	} else {
		if (!l->leat__grown)
			l->leat__probe_soon =
			    true; /* what is known as the least may have been too much from the start */
		l->leat__grown = true;
		next = (limit + working + slack(l)) / 2;
		if (next > 2 * limit)
			next = 2 * limit;
	}
	if (next < limit || 2.0 * l->leat__used >= limit)
		l->leat__limit = bounded(l, next);
}

static void end_round(leat_adaptive_limit *l, int64_t now)
{
	int64_t window_ns = l->opts.window_ns ? l->opts.window_ns : WINDOW_NS;
	double mean = l->leat__sum_ns / l->leat__count;

	if (l->leat__probing)
		end_probe(l, mean, now);
	else {
		bool due = l->leat__probe_soon || now - l->leat__probe_at >= window_ns;

		follow(l, mean);
		if (due && l->leat__grown)
			begin_probe(l);
	}
	begin_round(l, now);
}

static void add_time(leat_adaptive_limit *l, int64_t begun_ns, int64_t ended_ns, uint32_t under_way)
{
	if (begun_ns < l->leat__round_at || ended_ns < begun_ns)
		return;
	l->leat__sum_ns += (double)(ended_ns - begun_ns);
	l->leat__count++;
	if (under_way > l->leat__used)
		l->leat__used = under_way;
	if (l->leat__count >= (l->leat__probing ? PROBE_LEAST : ROUND_LEAST) &&
	    l->leat__count >= l->leat__limit)
		end_round(l, ended_ns);
}

/* --- */

void leat_adaptive_limit_sample(leat_adaptive_limit *l, int64_t begun_ns, int64_t ended_ns,
                                uint32_t under_way, leat_adaptive_outcome o)
{
	if (!(l->leat__limit > 0)) {
		l->leat__limit = limit_of(l);
		l->leat__cut_at = INT64_MIN;
		l->leat__probe_at = begun_ns;
		begin_round(l, begun_ns);
	}
	if (o == LEAT_ADAPTIVE_IGNORE)
		return;
	if (o == LEAT_ADAPTIVE_DROPPED)
		decrease(l, begun_ns, ended_ns);
	else if (l->opts.algorithm == LEAT_ADAPTIVE_AIMD)
		increase(l, under_way);
	else
		add_time(l, begun_ns, ended_ns, under_way);
}

uint32_t leat_adaptive_limit_get(const leat_adaptive_limit *l)
{
	return (uint32_t)limit_of(l);
}

int64_t leat_adaptive_limit_least_ns(const leat_adaptive_limit *l)
{
	return (int64_t)l->leat__least_ns;
}
