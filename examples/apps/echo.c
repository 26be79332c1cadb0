/* SPDX-License-Identifier: MIT */
/*
 * echo: a server that sends back what it gets, and a program that asks it as fast as it answers.
 *
 *	echo serve ADDRESS [-q TIME] [-g TIME]
 *	echo load ADDRESS [-c N] [-s BYTES] [-d TIME] [-t TIME] [--json]
 *
 * A goroutine per connection on both sides, straight-line code: read, write, again.  echo/serve.c stops in order, so that a
 * signal loses no echo; echo/load.c measures.
 */
#define _GNU_SOURCE
#include "echo/echo.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1000000, MOST_BYTES = 64 << 20 };

/* --- signals */

int next_signal(signals from, leat_scope *s, int64_t timeout_ns)
{
	chan_select {
		case_recv(from, number)
			return number;
		case_recv(scope_done(s))
			return 0;
		case_timeout(timeout_ns)
			return -ETIMEDOUT;
	}
	return 0;
}

/* Until the process ends. */
static signals notify(void)
{
	chan(int) c = chan_make(int, 1);

	signal_notify(c, SIGINT, SIGTERM);
	return chan_receiver(c);
}

/* --- options */

static const char usage[] =
    "Usage: echo serve ADDRESS [-q TIME] [-g TIME]\n"
    "       echo load ADDRESS [-c N] [-s BYTES] [-d TIME] [-t TIME] [--json]\n"
    "Send back what comes; or ask such a server as fast as it answers, and say how fast that was.\n"
    "\n"
    "ADDRESS is HOST:PORT with an address for HOST (127.0.0.1:7, [::1]:7, :7), or a Unix socket: "
    "./PATH,\n"
    "/PATH or @NAME.  The server takes port 0 for one that is free, and says which.\n"
    "\n"
    "  -q, --quiet=TIME       serve: after a signal end who says nothing for so long (default: "
    "100ms)\n"
    "  -g, --grace=TIME       and whom else so long after it (default: 5s)\n"
    "  -c, --connections=N    so many at once, one request at a time on each (default: 50)\n"
    "  -s, --size=BYTES       of a request (default: 64)\n"
    "  -d, --duration=TIME    how long (default: 5s)\n"
    "  -t, --timeout=TIME     how long to wait for a connection, and for the last answers "
    "(default: "
    "5s)\n"
    "  -j, --json             print one object of JSON\n"
    "  -h, --help             print this\n"
    "      --version          print the version\n"
    "\n"
    "TIMEs are numbers with ns, us, ms, s, m or h behind them.\n"
    "Exit status: 0; 1 if there were errors; 2 for wrong usage; 128 and its number for a signal to "
    "load.\n"
    "A server that a signal stops exits with 0.\n";

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
	    {"quiet", required_argument, NULL, 'q'},
	    {"grace", required_argument, NULL, 'g'},
	    {"connections", required_argument, NULL, 'c'},
	    {"size", required_argument, NULL, 's'},
	    {"duration", required_argument, NULL, 'd'},
	    {"timeout", required_argument, NULL, 't'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "c:d:g:hjq:s:t:", options, NULL)) >= 0;) {
		switch (option) {
		case 'q':
			o->quiet_ns = argument_duration(optarg, "-q");
			break;
		case 'g':
			o->grace_ns = argument_duration(optarg, "-g");
			break;
		case 'c':
			o->connections = (int)argument_count(optarg, "-c", 1, MOST_CONNECTIONS);
			break;
		case 's':
			o->bytes = (size_t)argument_count(optarg, "-s", 1, MOST_BYTES);
			break;
		case 'd':
			o->duration_ns = argument_duration(optarg, "-d");
			break;
		case 't':
			o->timeout_ns = argument_duration(optarg, "-t");
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			printf("echo of leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
			       LEAT_VERSION_PATCH);
			exit(0);
		default:
			fprintf(stderr, "Try 'echo --help'.\n");
			exit(EXIT_USAGE);
		}
	}
}

/* As many descriptors as the system lets us have. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct options o = {.connections = 50,
	                    .bytes = 64,
	                    .duration_ns = 5 * LEAT_SECOND,
	                    .timeout_ns = 5 * LEAT_SECOND,
	                    .quiet_ns = 100 * LEAT_MILLISECOND,
	                    .grace_ns = 5 * LEAT_SECOND};
	const char *command;

	parse(argc, argv, &o);
	command = argc - optind == 2 ? argv[optind] : "";
	if (strcmp(command, "serve") != 0 && strcmp(command, "load") != 0) {
		fprintf(stderr, "echo: say serve or load, and an address\nTry 'echo --help'.\n");
		return EXIT_USAGE;
	}
	o.address = argv[optind + 1];
	o.network = strchr(o.address, '/') || o.address[0] == '@' ? "unix" : "tcp";
	raise_limit();
	return command[0] == 's' ? serve(&o, notify()) : load(&o, notify());
}
