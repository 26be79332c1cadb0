/* SPDX-License-Identifier: MIT */
/*
 * fetchmany: fetch many URLs, so many at a time, patiently.
 *
 *	fetchmany [-j N] [-l RATE] [-r RETRIES] [-t SECONDS] [-o FOLDER] [-f LIST] [URL]...
 *
 * A pipeline of a scope's:
 *
 *	urls ----> fetch x N, in order ----> main, which prints a line for each
 *
 * A fetch waits for its turn at the limiter, lets libcurl do the transfer, in a call that blocks as it would anywhere, and
 * tries again, later each time, what may go better then: time-outs, refused connections, servers that say they are
 * busy.  What will not, such as a page that is not there, fails at once.  A signal cancels the scope: transfers under
 * way are given up, and no file is left half written.
 */
#define _GNU_SOURCE
#include "arguments.h"
#include "fetchmany/transfer.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MOST_AT_ONCE = 10000,
};

struct options {
	int at_once;
	double rate; /* transfers that begin in a second; 0: any number */
	uint32_t retries;
	double seconds; /* for one transfer */
	const char *folder, *list;
};

struct source {
	char *url;
	unsigned number; /* from 1 */
};

/* What became of it. */
struct outcome {
	struct source source;
	struct transfer transfer;
	uint32_t attempts;
	const leat_error *error; /* NULL: it was fetched */
};

/* --- one of them */

struct attempt {
	leat_scope *scope;
	leat_limiter *limiter;
	const struct options *options;
	struct outcome *outcome;
};

static const leat_error *attempt(struct attempt *a)
{
	struct transfer *t = &a->outcome->transfer;
	int err = leat_limiter_wait_ctx(a->limiter, a->scope);

	if (err)
		return leat_error_errno(err);
	a->outcome->attempts++;
	return transfer(t, a->outcome->source.url, a->outcome->source.number, a->options->folder,
	                a->options->seconds, a->scope);
}

static bool is_permanent(int err, const leat_error *error, void *arg)
{
	(void)error;
	(void)arg;
	return err != TRANSFER_MAY_GO_BETTER;
}

struct fetch {
	leat_scope *scope;
	leat_limiter *limiter;
	const struct options *options;
};

static void fetch(const struct source *source, struct outcome *out, struct fetch *a)
{
	const leat_retry_opts opts = {
	    .backoff = {.first_ns = 250 * LEAT_MILLISECOND, .max_ns = 10 * LEAT_SECOND},
	    .attempts = a->options->retries + 1,
	    .permanent = is_permanent,
	};

	*out = (struct outcome){.source = *source};
	out->error = LEAT_RETRY_ERROR(&opts, a->scope, attempt, a->scope, a->limiter, a->options,
	                              .outcome = out);
}

/* --- all of them */

/* A line of what became of a URL; true when it was fetched. */
static bool report(const struct outcome *o, bool terminal)
{
	if (terminal)
		fprintf(stderr, "\r\033[K");
	if (o->error) {
		fprintf(stderr, "fetchmany: %s: %s%s\n", o->source.url, leat_error_message(o->error),
		        o->attempts > 1 ? " (the last of several attempts)" : "");
		leat_error_free(o->error);
		return false;
	}
	printf("%9" PRIu64 " %6.3f s  %s%s%s\n", o->transfer.bytes, o->transfer.seconds, o->source.url,
	       o->transfer.file[0] ? " -> " : "", o->transfer.file);
	return true;
}

static int fetch_all(const struct source *urls, size_t n, const struct options *o)
{
	bool terminal = isatty(STDERR_FILENO), written;
	int caught;
	size_t done = 0, failed = 0;
	leat_limiter limiter;

	leat_limiter_init(&limiter, o->rate > 0 ? o->rate : LEAT_LIMITER_INF, 1);
	scope(s, NULL);
	scope_on_signal(s);
	chan_range(outcome,
	           pipe_map_ordered(pipe_at(s, .workers = o->at_once), pipe_from_array(s, urls, n),
	                            struct outcome, fetch, s, &limiter, o)) {
		done++;
		failed += !report(&outcome, terminal);
		if (terminal && done < n)
			fprintf(stderr, "%zu of %zu", done, n);
	}
	caught = leat_signal_of(leat_ctx_cause(s));
	written = fflush(stdout) == 0 && !ferror(stdout);
	if (!written)
		fprintf(stderr, "fetchmany: cannot write: %s\n", strerror(errno));
	if (caught) {
		fprintf(stderr, "fetchmany: %s: stopped after %zu of %zu\n", strsignal(caught), done, n);
		return EXIT_SIGNAL + caught;
	}
	return failed || !written ? EXIT_TROUBLE : 0;
}

/* --- what to fetch */

struct urls {
	struct source *all;
	size_t n, room;
};

static bool add(struct urls *u, const char *url)
{
	if (u->n == u->room) {
		size_t room = u->room ? u->room * 2 : 64;
		struct source *all = realloc(u->all, room * sizeof *all);

		if (!all)
			return false;
		u->all = all;
		u->room = room;
	}
	u->all[u->n] = (struct source){strdup(url), (unsigned)u->n + 1};
	return u->all[u->n++].url != NULL;
}

/* The lines of a file, but for empty ones and those that begin with #; an errno code. */
static int add_list(struct urls *u, const char *name)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	size_t room = 0;
	char *line = NULL;
	int error = 0;
	ssize_t n;

	if (!f)
		return errno;
	errno = 0;
	while (!error && (n = getline(&line, &room, f)) >= 0) {
		while (n > 0 && strchr(" \t\r\n", line[n - 1]))
			line[--n] = '\0';
		if (n > 0 && line[0] != '#' && !add(u, line))
			error = ENOMEM;
	}
	if (!error && ferror(f))
		error = errno ? errno : EIO;
	free(line);
	if (f != stdin)
		fclose(f);
	return error;
}

static const char usage[] =
    "Usage: fetchmany [-j N] [-l RATE] [-r RETRIES] [-t SECONDS] [-o FOLDER] [-f LIST] [URL]...\n"
    "Fetch many URLs (http, https, file), and say of each, in order, how large it is and how long "
    "it took.\n"
    "\n"
    "  -o, --output=FOLDER    keep them there, under names made of their number and the URL's end\n"
    "  -f, --list=FILE        more URLs, one a line; - is standard input\n"
    "  -j, --jobs=N           N at a time (default: 16)\n"
    "  -l, --rate=RATE        begin at most RATE a second\n"
    "  -r, --retries=RETRIES  try so many times again what may go better (default: 3)\n"
    "  -t, --timeout=SECONDS  give a transfer so much time (default: 30)\n"
    "  -h, --help             print this\n"
    "      --version          print the version\n"
    "\n"
    "Exit status: 0; 1 if something could not be fetched or written; 2 for wrong usage; 128 and "
    "its\n"
    "number for a signal.\n";

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"list", required_argument, NULL, 'f'},
	    {"jobs", required_argument, NULL, 'j'},
	    {"rate", required_argument, NULL, 'l'},
	    {"retries", required_argument, NULL, 'r'},
	    {"timeout", required_argument, NULL, 't'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "f:hj:l:o:r:t:", options, NULL)) >= 0;) {
		switch (option) {
		case 'o':
			o->folder = optarg;
			break;
		case 'f':
			o->list = optarg;
			break;
		case 'j':
			o->at_once = (int)argument_count(optarg, "-j", 1, MOST_AT_ONCE);
			break;
		case 'l':
			o->rate = argument_number(optarg, "-l", 0.001, 1e6);
			break;
		case 'r':
			o->retries = (uint32_t)argument_count(optarg, "-r", 0, 1000);
			break;
		case 't':
			o->seconds = argument_number(optarg, "-t", 0.001, 86400);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			printf("fetchmany of leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
			       LEAT_VERSION_PATCH);
			exit(0);
		default:
			fprintf(stderr, "Try 'fetchmany --help'.\n");
			exit(EXIT_USAGE);
		}
	}
}

static int fail(const char *what, int error)
{
	fprintf(stderr, "fetchmany: %s: %s\n", what, strerror(error));
	return EXIT_USAGE;
}

/* All that the operands and the list name; an exit status. */
static int gather(struct urls *u, char **operands, const struct options *o)
{
	struct stat st;
	int error;

	if (o->folder && stat(o->folder, &st) != 0)
		return fail(o->folder, errno);
	if (o->folder && !S_ISDIR(st.st_mode))
		return fail(o->folder, ENOTDIR);
	for (; *operands; operands++)
		if (!add(u, *operands))
			return fail(*operands, ENOMEM);
	error = o->list ? add_list(u, o->list) : 0;
	if (error)
		return fail(o->list, error);
	if (u->n)
		return 0;
	fprintf(stderr, "fetchmany: nothing to fetch\nTry 'fetchmany --help'.\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options o = {.at_once = 16, .retries = 3, .seconds = 30};
	struct urls urls = {0};
	int status;

	parse(argc, argv, &o);
	status = gather(&urls, argv + optind, &o);
	if (!status) {
		transfers_begin();
		status = fetch_all(urls.all, urls.n, &o);
		transfers_end();
	}
	for (size_t i = 0; i < urls.n; i++)
		free(urls.all[i].url);
	free(urls.all);
	return status;
}
