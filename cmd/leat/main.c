/* SPDX-License-Identifier: MIT */
/*
 * leat, the command: picks the subcommand and answers for help and version.
 */
#include "command.h"

#include <leat.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMANDS = 2 };

static const struct command *const commands[COMMANDS] = {
    &command_run,
    &command_scale,
};

void complain(const char *format, ...)
{
	va_list args;

	fputs("leat: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* How many letters to change, add, drop or swap with their neighbour to make b of a. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][32], m = strlen(a), n = strlen(b), *two = row[0], *one = row[1], *now = row[2];

	if (m > 31 || n > 31)
		return 32;
	for (size_t j = 0; j <= n; j++)
		now[j] = two[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *oldest = two;

		two = one;
		one = now;
		now = oldest;
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = one[j - 1] + (a[i - 1] != b[j - 1]);

			if (one[j] + 1 < best)
				best = one[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			now[j] = best;
		}
	}
	return now[n];
}

static void overview(FILE *to)
{
	fputs("leat runs concurrent C programs: goroutines, channels and select for C.\n\n"
	      "usage: leat COMMAND [argument ...]\n\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-9s%s\n", commands[i]->name, commands[i]->summary);
	fputs("  help     say more about a command: leat help COMMAND\n"
	      "  version  say which version this is\n",
	      to);
}

static int unknown(const char *name)
{
	static const char *const own[] = {"help", "version"};
	const char *nearest = NULL;
	size_t least = 3, d;

	for (size_t i = 0; i < COMMANDS + 2; i++) {
		const char *candidate = i < COMMANDS ? commands[i]->name : own[i - COMMANDS];

		d = distance(name, candidate);
		if (d < least && d < strlen(candidate)) {
			least = d;
			nearest = candidate;
		}
	}
	if (strchr(name, '.') || strchr(name, '/'))
		complain("unknown command \"%s\"; to run a program: leat run %s", name, name);
	else if (nearest)
		complain("unknown command \"%s\"; did you mean \"%s\"?", name, nearest);
	else
		complain("unknown command \"%s\"; \"leat help\" lists those there are", name);
	return EXIT_USAGE;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	return NULL;
}

/* Whether all of stdout could be written decides about the status. */
static int finish_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	complain("cannot write: the output is incomplete");
	return EXIT_CANNOT;
}

static int version(void)
{
	printf("leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR, LEAT_VERSION_PATCH);
	return finish_stdout();
}

static int help(const char *name)
{
	const struct command *command = name ? find(name) : NULL;

	if (command)
		fputs(command->help, stdout);
	else if (!name || strcmp(name, "help") == 0 || strcmp(name, "version") == 0)
		overview(stdout);
	else
		return unknown(name);
	return finish_stdout();
}

static bool is(const char *word, const char *command, const char *brief, const char *option)
{
	return strcmp(word, command) == 0 || strcmp(word, brief) == 0 || strcmp(word, option) == 0;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char title[64];

	if (argc < 2) {
		overview(stderr);
		return EXIT_USAGE;
	}
	if (is(argv[1], "help", "-h", "--help"))
		return help(argc > 2 ? argv[2] : NULL);
	if (is(argv[1], "version", "-V", "--version"))
		return version();
	command = find(argv[1]);
	if (!command) {
		if (argv[1][0] != '-')
			return unknown(argv[1]);
		complain("unknown option \"%s\"; options come after the command", argv[1]);
		return EXIT_USAGE;
	}
	snprintf(title, sizeof title, "leat %s", command->name);
	argv[1] = title;
	return command->run(argc - 1, argv + 1);
}
