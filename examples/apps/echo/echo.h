/* SPDX-License-Identifier: MIT */
/* The parts of echo.c. */
#ifndef ECHO_ECHO_H
#define ECHO_ECHO_H

#include "../arguments.h"

#include <leat.h>

#include <inttypes.h>
#include <stdio.h>

struct options {
	const char *network, *address;
	int64_t quiet_ns, grace_ns; /* serve */

	/* load */
	int connections;
	size_t bytes;
	int64_t duration_ns, timeout_ns;
	bool json;
};

/* Signals that came, by their numbers. */
typedef recv_chan(int) signals;

/* Both return an exit status. */
int serve(const struct options *o, signals from);
int load(const struct options *o, signals from);

/* The number of the next signal; 0: s is done first; -ETIMEDOUT. */
int next_signal(signals from, leat_scope *s, int64_t timeout_ns);

/* --- times of requests */

enum { HISTOGRAM_BUCKETS = 40 * 128 };

/*
 * How many took how long, to 1 in 128: a bucket for each of the first 256 nanoseconds, then 128 for each doubling.  Any
 * number of goroutines may add at once; the others are for when that is over.
 */
struct histogram {
	uint64_t count[HISTOGRAM_BUCKETS];
	uint64_t most;
};

void histogram_add(struct histogram *h, int64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *from);

uint64_t histogram_count(const struct histogram *h);

/* The time that this share of them, from 0 to 1, did not exceed; 0 where there are none. */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
