/* SPDX-License-Identifier: MIT */
/*
 * What the programs here have in common: their exit statuses, and how they read numbers, counts and times from the command
 * line.  A wrong one is named, with what would be right, and ends the program.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXIT_TROUBLE = 1, /* something could not be done */
	EXIT_USAGE = 2,
	EXIT_SIGNAL = 128, /* and its number */
};

extern char *program_invocation_short_name; /* of glibc and of musl */

/* option is how the user writes it: "-r", "--rate". */
static inline double argument_number(const char *text, const char *option, double least,
                                     double most)
{
	char *end;
	double x = strtod(text, &end);

	if (*text && !*end && x >= least && x <= most)
		return x;
	fprintf(stderr, "%s: %s takes a number from %.10g to %.10g, not %s\n",
	        program_invocation_short_name, option, least, most, text);
	exit(EXIT_USAGE);
}

/* A whole number. */
static inline int64_t argument_count(const char *text, const char *option, int64_t least,
                                     int64_t most)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (*text && !*end && !errno && n >= least && n <= most)
		return n;
	fprintf(stderr, "%s: %s takes a whole number from %lld to %lld, not %s\n",
	        program_invocation_short_name, option, (long long)least, (long long)most, text);
	exit(EXIT_USAGE);
}

/* Nanoseconds, of a number with its unit behind it. */
static inline int64_t argument_duration(const char *text, const char *option)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	char *end;
	double x = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof units / sizeof *units; i++)
		if (strcmp(end, units[i].name) == 0 && x > 0 && x * units[i].ns < 1e18)
			return (int64_t)ceil(x * units[i].ns);
	fprintf(stderr, "%s: %s takes a time such as 500ms or 5s, not %s\n",
	        program_invocation_short_name, option, text);
	exit(EXIT_USAGE);
}

#endif
