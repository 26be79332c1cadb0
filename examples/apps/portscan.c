/* SPDX-License-Identifier: MIT */
/*
 * portscan: which TCP ports of this machine somebody listens to.
 *
 *	portscan [-p PORTS] [-c N] [-t TIME] [-r RATE] [-b] [-a] [--json] [--allow-remote] [HOST]
 *
 * A goroutine for each port, so many at once, as often as a limiter lets them (portscan/scan.c).  It connects, in full and in
 * the open, and closes; servers may log that.  It scans other machines only when told so, by name or by address: ask whose they
 * are.
 */
#define _GNU_SOURCE
#include "portscan/portscan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 20000, SPARE_DESCRIPTORS = 50 };

/* --- options */

static const char usage[] =
    "Usage: portscan [-p PORTS] [-c N] [-t TIME] [-r RATE] [-b] [-a] [--json] [--allow-remote] "
    "[HOST]\n"
    "Say which TCP ports of HOST, a name or an address (default: 127.0.0.1), somebody listens to.\n"
    "\n"
    "  -p, --ports=PORTS      such as 22,80,8000-8100 (default: 1-1024)\n"
    "  -c, --concurrency=N    try N at a time (default: 256)\n"
    "  -t, --timeout=TIME     give each so much time (default: 1s)\n"
    "  -r, --rate=RATE        begin at most RATE a second\n"
    "  -b, --banner           also say what servers say by themselves, in as much time again\n"
    "  -a, --all              list all ports that were tried, not just those that are open\n"
    "  -j, --json             print one object of JSON\n"
    "      --allow-remote     HOST may be another machine than this one\n"
    "  -h, --help             print this\n"
    "      --version          print the version\n"
    "\n"
    "A port is open when it takes a connection, closed when it refuses, filtered when there is no "
    "answer in\n"
    "time, or no way.  TIMEs are numbers with ns, us, ms, s, m or h behind them.\n"
    "Exit status: 0; 1 if a port could not be tried, or the output not be written; 2 for wrong "
    "usage; 128 and\n"
    "its number for a signal, after what is known by then was printed.\n";

static void ports(struct options *o, const char *text)
{
	const char *why;

	if (ports_parse(o->wanted, text, &why))
		return;
	fprintf(stderr, "portscan: %s: %s\n", text, why);
	exit(EXIT_USAGE);
}

enum { ALLOW_REMOTE = 1000, VERSION };

static const struct option options[] = {
    {"ports", required_argument, NULL, 'p'},
    {"concurrency", required_argument, NULL, 'c'},
    {"timeout", required_argument, NULL, 't'},
    {"rate", required_argument, NULL, 'r'},
    {"banner", no_argument, NULL, 'b'},
    {"all", no_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"allow-remote", no_argument, NULL, ALLOW_REMOTE},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

/* An option that takes no value, or none of ours. */
static void parse_switch(int option, struct options *o)
{
	switch (option) {
	case 'b':
		o->banner = true;
		return;
	case 'a':
		o->all = true;
		return;
	case 'j':
		o->json = true;
		return;
	case ALLOW_REMOTE:
		o->allow_remote = true;
		return;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	case VERSION:
		printf("portscan of leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
		       LEAT_VERSION_PATCH);
		exit(0);
	}
	fprintf(stderr, "Try 'portscan --help'.\n");
	exit(EXIT_USAGE);
}

static void parse(int argc, char **argv, struct options *o)
{
	bool some = false;

	for (int option; (option = getopt_long(argc, argv, "abc:hjp:r:t:", options, NULL)) >= 0;) {
		switch (option) {
		case 'p':
			ports(o, optarg);
			some = true;
			break;
		case 'c':
			o->at_once = (int)argument_count(optarg, "-c", 1, MOST_AT_ONCE);
			break;
		case 't':
			o->timeout_ns = argument_duration(optarg, "-t");
			break;
		case 'r':
			o->rate = argument_number(optarg, "-r", 0.001, 1e6);
			break;
		default:
			parse_switch(option, o);
		}
	}
	if (!some)
		ports(o, "1-1024");
	if (argc - optind > 1) {
		fprintf(stderr, "portscan: one host at a time\nTry 'portscan --help'.\n");
		exit(EXIT_USAGE);
	}
	if (argc > optind)
		o->host = argv[optind];
}

/* It is an address. */
static bool parse_address(struct options *o)
{
	char text[100];
	bool bare_ipv6 = strchr(o->host, ':') && o->host[0] != '[';
	int n = snprintf(text, sizeof text, bare_ipv6 ? "[%s]:0" : "%s:0", o->host);

	return *o->host && n < (int)sizeof text && leat_addr_parse(&o->address, text) == 0 &&
	       o->address.any.sa_family != AF_UNIX;
}

/* The first address of IPv4 that a name has, or else its first; false, and why was said. */
static bool look_up(struct options *o)
{
	const leat_error *e = NULL;
	size_t n;
	leat_addr *all = leat_lookup_ip(NULL, "ip", o->host, NULL, &n, &e);

	if (!all) {
		fprintf(stderr, "portscan: %s\n", leat_error_message(e));
		leat_error_free(e);
		return false;
	}
	o->address = all[0];
	while (n-- > 0)
		if (all[n].any.sa_family == AF_INET)
			o->address = all[n];
	free(all);
	return true;
}

/* The address of the host, which must be this machine's unless others are allowed; false, and why was said. */
static bool find_host(struct options *o)
{
	if (!parse_address(o) && !look_up(o))
		return false;
	if (!o->allow_remote && !leat_addr_is_loopback(&o->address)) {
		fprintf(
		    stderr,
		    "portscan: %s is not this machine's own address; --allow-remote, if you may scan it\n",
		    o->host);
		return false;
	}
	return true;
}

/* As many descriptors as the system lets us have, and no more at once than these are enough for. */
static void fit_descriptors(struct options *o)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < (rlim_t)o->at_once + SPARE_DESCRIPTORS)
		o->at_once = limit.rlim_cur > 2 * SPARE_DESCRIPTORS
		                 ? (int)limit.rlim_cur - SPARE_DESCRIPTORS
		                 : SPARE_DESCRIPTORS / 10;
}

int main(int argc, char **argv)
{
	static struct options o = {.host = "127.0.0.1", .at_once = 256, .timeout_ns = LEAT_SECOND};
	static struct scan s = {.options = &o};
	chan(int) signals;
	int status;

	parse(argc, argv, &o);
	if (!find_host(&o))
		return EXIT_USAGE;
	fit_descriptors(&o);
	signals = chan_make(int, 1);
	signal_notify(signals, SIGINT, SIGTERM); /* until the process ends */
	scan(&s, chan_receiver(signals));
	status = report(&s);
	for (int port = 1; port < PORTS; port++) {
		free(s.results[port].banner);
		leat_error_free(s.results[port].error);
	}
	return status;
}
