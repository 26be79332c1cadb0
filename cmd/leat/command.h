/* SPDX-License-Identifier: MIT */
/*
 * What a subcommand of leat is, and what all of them say in the same way.
 *
 * Each is a file of its own that defines one of these; main.c lists them.
 */
#ifndef LEAT_CMD_COMMAND_H
#define LEAT_CMD_COMMAND_H

struct command {
	const char *name;
	const char *summary; /* one line, for the list of commands */
	const char *help;    /* the whole text of "leat help NAME" */
	/* argv[0] is "leat NAME", for messages of getopt; the result is leat's exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_run, command_scale;

/* Exit statuses of leat itself, as opposed to those of the programs it runs. */
#define EXIT_CANNOT 1 /* what was asked for did not work out */
#define EXIT_USAGE  2 /* what was asked for makes no sense */

/* Write "leat: ...\n" to stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
