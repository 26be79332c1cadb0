/* SPDX-License-Identifier: MIT */
/*
 * chat: a chat server with rooms.
 *
 *	chat [-q LINES] [-s oldest|disconnect] [-r RATE] [-m MEMBERS] [ADDRESS]
 *
 * Lines of UTF-8 go both ways, so nc or telnet will do.  A member writes
 *
 *	/nick NAME      to be called that; names are unique
 *	/join ROOM      to be in that room, and no other
 *	/leave          to be in none
 *	/who            to be told who is in the room; out of one, which rooms there are
 *	/quit           to leave
 *
 * and all else is said to the room.  He reads lines that begin with "* " (what happens), "! " (what he did wrong) or "<NAME> "
 * (what somebody says).  Who shuts down writing leaves, once he has got what was on its way.
 *
 * Who reads too slowly does not hold up others.  He may be LINES behind; then he misses the oldest, and is told how many,
 * or he is disconnected, as -s says.  Who writes more than RATE lines a second (and as many at once) is read no faster.
 * Who vanishes is found by TCP's probes.
 *
 * SIGTERM and SIGINT stop the server: it says so to all.
 */
#include "arguments.h"
#include "chat/chat.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- serving */

static int fail(const leat_error *e)
{
	fprintf(stderr, "chat: %s\n", leat_error_message(e));
	leat_error_free(e);
	return EXIT_TROUBLE;
}

/* Until a signal comes: 0; or an exit status. */
static int accept_all(leat_listener *l, struct server *server, leat_scope *members)
{
	const leat_error *e = NULL;
	leat_conn *c;

	while ((c = leat_accept(l, server->serving, &e)) != NULL)
		scope_go(members, serve, server, c);
	if (!scope_err(server->serving))
		return fail(e);
	leat_error_free(e);
	return 0;
}

static int run(struct server *server, const char *address)
{
	const leat_error *e = NULL;
	leat_listener *l = leat_listen(strchr(address, '/') ? "unix" : "tcp", address, NULL, &e);
	char text[LEAT_ADDR_TEXT];
	leat_addr addr;
	int status;

	if (!l)
		return fail(e);
	defer(leat_listener_free, l);
	addr = leat_listener_addr(l);
	printf("chat: listening on %s\n", leat_addr_text(&addr, text));
	fflush(stdout);

	scope(serving, NULL);
	server->serving = serving;
	scope_on_signal(serving, SIGINT, SIGTERM);
	{
		scope(members, NULL); /* not below serving: they have a last word then */
		status = accept_all(l, server, members);
		leat_listener_close(l);
		scope_cancel(serving);
		scope_wait(members);
	}
	printf("chat: stopped\n");
	return status;
}

/* --- options */

static const char usage[] =
    "Usage: chat [-q LINES] [-s oldest|disconnect] [-r RATE] [-m MEMBERS] [ADDRESS]\n"
    "A chat server with rooms, at ADDRESS: HOST:PORT (default: 127.0.0.1:7777) or a path.\n"
    "\n"
    "  -q, --queue=LINES      a member may be LINES behind (default: 100)\n"
    "  -s, --slow=POLICY      what is done with one who is further behind: oldest, his oldest "
    "lines are\n"
    "                         dropped (default); disconnect, he is\n"
    "  -r, --rate=RATE        a member may write RATE lines a second (default: 10; 0: any number)\n"
    "  -m, --members=MEMBERS  at a time (default: 10000)\n"
    "  -h, --help             print this\n";

static enum policy policy(const char *text)
{
	if (strcmp(text, "oldest") == 0)
		return DROP_OLDEST;
	if (strcmp(text, "disconnect") == 0)
		return DISCONNECT;
	fprintf(stderr, "chat: -s takes oldest or disconnect\n");
	exit(EXIT_USAGE);
}

static void parse(int argc, char **argv, struct server *s)
{
	static const struct option options[] = {
	    {"queue", required_argument, NULL, 'q'}, {"slow", required_argument, NULL, 's'},
	    {"rate", required_argument, NULL, 'r'},  {"members", required_argument, NULL, 'm'},
	    {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "hm:q:r:s:", options, NULL)) >= 0;) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'm':
			s->most = argument_count(optarg, "-m", 1, 1000000);
			break;
		case 'q':
			s->hall.queue = (int)argument_count(optarg, "-q", 1, 1000000);
			break;
		case 'r':
			s->rate = argument_number(optarg, "-r", 0, 1e6);
			break;
		case 's':
			s->hall.policy = policy(optarg);
			break;
		default:
			fprintf(stderr, "Try 'chat --help'.\n");
			exit(EXIT_USAGE);
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "chat: one address is enough\nTry 'chat --help'.\n");
		exit(EXIT_USAGE);
	}
}

int main(int argc, char **argv)
{
	struct server server = {
	    .hall = {.queue = 100}, .names = LEAT_MAP_STRINGS, .rate = 10, .most = 10000};
	int status;

	parse(argc, argv, &server);
	status = run(&server, optind < argc ? argv[optind] : "127.0.0.1:7777");
	leat_map_free(&server.names);
	return status;
}
