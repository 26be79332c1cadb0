/* SPDX-License-Identifier: MIT */
/* Run a program over and over at several numbers of processors, and keep how long each run took. */
#ifndef LEAT_CMD_MEASURE_H
#define LEAT_CMD_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MEASURE_MOST_PROCS = 1024, /* leat has no more */
	MEASURE_MOST_RUNS = 1000,
};

/* What was measured at one number of processors. */
struct measure_count {
	int procs;
	size_t runs; /* that ended well; what follows has as many */
	double *wall_s, *cpu_s;
};

enum measure_end {
	MEASURE_COMPLETE,
	MEASURE_STOPPED, /* by the signal */
	MEASURE_FAILED,  /* the program did; a message has said how */
};

struct measure {
	/* What is asked for. */
	char **argv;       /* argv[0] is started */
	const char *name;  /* of the program, for messages */
	const char *title; /* that and its arguments, for headings */
	const char *input; /* the file that is each run's standard input; NULL: nothing */
	size_t runs;       /* at each number of processors */
	bool warmup;       /* one more run at each before all others, which does not count */
	bool output;       /* what it writes goes where leat's output goes, and not nowhere */
	bool progress;     /* say on stderr what is being run */

	/* What is found. */
	struct measure_count *counts; /* by processors, ascending; the first has 1 */
	size_t count;
	enum measure_end end;
	int signal;
};

/* Ask for these numbers of processors, ascending, the first of them 1.  Out of memory ends leat. */
void measure_init(struct measure *m, const int *procs, size_t count);

/*
 * Run it.  Each round has one run at each number of processors, up and down by turns, so that whatever
 * else the machine does, or a machine that gets slower, hits all of them alike.  child_begin must have
 * been called, and the first three descriptors be open.
 *
 * A run that fails (its status is not 0, a signal kills it, or it does not start) ends everything, with a
 * message; so does a signal to leat.  What was measured until then is in `counts`.
 */
void measure_run(struct measure *m);

void measure_done(struct measure *m);

#endif
