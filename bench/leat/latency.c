/* SPDX-License-Identifier: MIT */
/*
 * latency: how long others wait where 1,000 goroutines take turns, each to compute for some 10 us and
 * yield, while for one second
 *
 *	turn_...      a goroutine that has yielded waits for its next turn: with p processors 10 / p ms
 *	wake_...      one of 10 that sleep 1 ms at a time comes back late
 *	handoff_...   a value that one of these then sends to a partner who waits arrives
 *
 * each as p50, p99 and p99.9 (p999) of what was seen.
 */
#include "../steps.h"

#include <leat.h>
#include <stdatomic.h>

enum {
	BUSY = 1000,
	PROBES = 10,
	TURN_US = 10,
	NAP_NS = 1000000,
	SECONDS = 1,
	TURNS_EACH = SECONDS * 1000, /* more than there is time for */
	NAPS_EACH = SECONDS * 1000,
};

static int64_t turns[BUSY * TURNS_EACH], wakes[PROBES * NAPS_EACH], handoffs[PROBES * NAPS_EACH];
static _Atomic int n_turns, n_wakes, n_handoffs;
static int64_t end;

struct busy {
	leat_waitgroup *done;
	uint64_t random;
};

static void busy(struct busy *a)
{
	int64_t now = bench_now();

	for (int i = 0; now < end && i < TURNS_EACH; i++) {
		int64_t before;

		a->random = steps_run(a->random, TURN_US * STEPS_PER_US);
		before = bench_now();
		leat_yield();
		now = bench_now();
		turns[atomic_fetch_add(&n_turns, 1)] = now - before;
	}
	leat_waitgroup_done(a->done);
}

struct probe {
	leat_waitgroup *done;
	chan(int64_t) stamps;
};

static void sleeper(struct probe *a)
{
	for (int i = 0; i < NAPS_EACH && bench_now() < end; i++) {
		int64_t start = bench_now();

		leat_sleep(NAP_NS);
		wakes[atomic_fetch_add(&n_wakes, 1)] = bench_now() - start - NAP_NS;
		chan_send(a->stamps, bench_now());
	}
	chan_close(a->stamps);
	leat_waitgroup_done(a->done);
}

static void partner(struct probe *a)
{
	chan_range(stamp, a->stamps)
		handoffs[atomic_fetch_add(&n_handoffs, 1)] = bench_now() - stamp;
	leat_waitgroup_done(a->done);
}

static void tell(const char *name, int64_t *values, int n)
{
	static const struct {
		const char *suffix;
		double q;
	} quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}};
	char figure[64];

	for (int i = 0; i < 3; i++) {
		snprintf(figure, sizeof figure, "%s_%s", name, quantiles[i].suffix);
		bench_result(figure, bench_quantile(values, (size_t)n, quantiles[i].q) / 1e3, "us");
	}
}

int main(void)
{
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	end = bench_now() + SECONDS * INT64_C(1000000000);
	leat_waitgroup_add(&done, BUSY + 2 * PROBES);
	for (int i = 0; i < BUSY; i++)
		go(busy, .done = &done, .random = (uint64_t)i);
	for (int i = 0; i < PROBES; i++) {
		chan(int64_t) stamps = chan_make(int64_t, 0);

		go_as(probe, sleeper, .done = &done, .stamps = stamps);
		go_as(probe, partner, .done = &done, .stamps = stamps);
	}
	leat_waitgroup_wait(&done);
	tell("turn", turns, n_turns);
	tell("wake", wakes, n_wakes);
	tell("handoff", handoffs, n_handoffs);
	bench_work(BUSY, "goroutines that compute");
	bench_check(n_handoffs, n_wakes, "the number of values received");
	return 0;
}
