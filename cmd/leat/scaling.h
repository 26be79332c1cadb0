/* SPDX-License-Identifier: MIT */
/* What the times of a program at several numbers of processors say: all figures that leat scale shows. */
#ifndef LEAT_CMD_SCALING_H
#define LEAT_CMD_SCALING_H

#include "amdahl.h"
#include "measure.h"
#include "words.h"

#include <stdio.h>

/* Of one number of processors at which there was a run. */
struct scaling_row {
	const struct measure_count *count;
	double median_s, min_s, max_s;
	double cpu_s;      /* median */
	double speedup;    /* over the median at one processor */
	double predicted;  /* by Amdahl's law, where there is one */
	double efficiency; /* speed-up per processor */
	bool fitted;       /* or left out, as more than the machine has */
};

struct scaling {
	const struct measure *measure;
	int cpus; /* that this process may use */
	struct scaling_row *rows;
	size_t count;

	bool has_law; /* two rows or more were fitted */
	struct amdahl_law law;
	double p;
	bool has_range; /* and some had several runs */
	struct amdahl_range range;

	bool has_usl; /* the Universal Scalability Law: there were rows enough, and several runs */
	struct amdahl_law usl;
	struct amdahl_range coherency;
	bool usl_tells; /* something that Amdahl's law does not, beyond noise */

	struct words notes; /* what a reader might miss */
};

/* The seed of the bootstrap: the same times have the same range. */
#define SCALING_SEED UINT64_C(1)

/* Look at what was measured; *s keeps a pointer to it.  Out of memory ends leat. */
void scaling_init(struct scaling *s, const struct measure *m);
void scaling_done(struct scaling *s);

/* The CPUs that this process may run on, or what its CPU quota is worth, if that is less. */
int scaling_cpus(void);

/* Write a time with three digits and its unit.  Returns text. */
const char *scaling_time(char text[16], double seconds);

/* The outputs.  The first two write to stdout; the others are for files.  Errors stay in the stream. */
void scaling_table(const struct scaling *s);
void scaling_line(const struct scaling *s); /* p alone */
void scaling_json(const struct scaling *s, FILE *to);
void scaling_svg(const struct scaling *s, FILE *to);

#endif
