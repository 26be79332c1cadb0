/* SPDX-License-Identifier: MIT */
/*
 * amdahl: work of which a known share is serial, to see Amdahl's law with one's own eyes.
 *
 *	amdahl [-u MICROSECONDS] [SHARE]         leat scale --max 8 build/release/examples/amdahl 0.25
 *
 * There are 200 units of work.  The serial share of them is done one after the other; then each processor
 * has a worker, and the workers share the others.  A unit is a nap and not a computation: processors are
 * then as many as LEAT_PROCS says, however few CPUs the machine has.
 *
 * It prints how many units were done in either way, which does not depend on the number of processors.
 */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 200 };

static void work(int64_t unit_ns)
{
	leat_sleep(unit_ns);
}

struct worker {
	recv_chan(int) units;
	send_chan(int) done;
	int64_t unit_ns;
};

static void worker(struct worker *a)
{
	int done = 0;

	chan_range(unit, a->units) {
		work(a->unit_ns);
		done++;
	}
	chan_send(a->done, done);
}

/* Returns how many units the workers say they have done. */
static int in_parallel(int count, int64_t unit_ns)
{
	int workers = leat_procs(0), done = 0;

	scope(s, NULL);
	chan(int) units = scope_chan(s, int, count);
	chan(int) results = scope_chan(s, int, 0);

	for (int i = 0; i < count; i++)
		chan_send(units, i);
	chan_close(units);
	for (int i = 0; i < workers; i++)
		scope_go(s, worker, .units = chan_receiver(units), .done = chan_sender(results),
		         .unit_ns = unit_ns);
	for (int i = 0; i < workers; i++)
		done += chan_recv(results);
	return done;
}

static _Noreturn void usage(void)
{
	fputs("usage: amdahl [-u MICROSECONDS] [SHARE]\n", stderr);
	exit(2);
}

static double number(const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && !*end && value >= least && value <= most)
		return value;
	fprintf(stderr, "amdahl: \"%s\" is no number from %g to %g\n", text, least, most);
	usage();
}

int main(int argc, char **argv)
{
	double share = 0.25, unit_us = 500;
	int serial, at = 1;

	if (at + 1 < argc && strcmp(argv[at], "-u") == 0) {
		unit_us = number(argv[at + 1], 1, 1e6);
		at += 2;
	}
	if (at < argc)
		share = number(argv[at++], 0, 1);
	if (at < argc)
		usage();
	serial = (int)(share * UNITS + 0.5);
	for (int i = 0; i < serial; i++)
		work((int64_t)(unit_us * LEAT_MICROSECOND));
	printf("%d units one after the other, %d in parallel\n", serial,
	       in_parallel(UNITS - serial, (int64_t)(unit_us * LEAT_MICROSECOND)));
	return 0;
}
