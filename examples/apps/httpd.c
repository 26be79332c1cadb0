/* SPDX-License-Identifier: MIT */
/*
 * httpd: serve the files of a folder, and what other servers have, over HTTP/1.1.
 *
 *	httpd [-a ADDRESS] [-l LOG] [-p /PREFIX=URL]... [OPTION]... [FOLDER]
 *
 * A goroutine per connection, straight-line code:
 *
 *	accept ----> session x connections ----> log
 *	                |
 *	                +-- message: what comes in, over the parser
 *	                +-- files, list: what is asked for, or
 *	                +-- proxy, upstream: who is asked in turn
 *	                +-- reply: what goes out
 *
 * Stopping.  The first SIGTERM or SIGINT ends the context `open`, with which accept and all sessions wait that are between two
 * requests: these leave at once.  What is under way goes on, and says "Connection: close", until the grace period is over
 * or a second signal comes: then `alive` ends, and with it whatever waits.  The scope of the sessions joins them all.
 *
 * Connections.  As many as there are places; further ones wait in the listener's backlog, which is how the kernel tells
 * their clients to be patient.
 */
#define _GNU_SOURCE
#include "arguments.h"
#include "httpd/server.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *address, *folder, *log;
};

/* --- serving */

struct serve {
	struct server *server;
	leat_conn *conn;
};

static void serve(struct serve *a)
{
	leat_semaphore *places = &a->server->places;

	session_serve(a->server, a->conn);
	leat_semaphore_release(places, 1);
}

/* Until nobody is to come any more. */
static void accept_all(struct server *server, leat_listener *l, leat_scope *sessions)
{
	while (leat_semaphore_acquire_ctx(&server->places, 1, server->open) == 0) {
		const leat_error *e;
		leat_conn *conn = leat_accept(l, server->open, &e);

		if (conn) {
			scope_go(sessions, serve, .server = server, .conn = conn);
			continue;
		}
		leat_semaphore_release(&server->places, 1);
		if (leat_ctx_err(server->open)) {
			leat_error_free(e);
			break;
		}
		fprintf(stderr, "httpd: %s\n", leat_error_message(e));
		leat_error_free(e);
		leat_sleep_ctx(100 * LEAT_MILLISECOND, server->open);
	}
}

/* Until signals is closed. */
struct heed {
	struct server *server;
	recv_chan(int) signals;
};

static void heed(struct heed *a)
{
	int stops = 0;

	chan_range(number, a->signals) {
		if (number == SIGHUP)
			log_reopen(a->server->log);
		else
			leat_ctx_cancel(stops++ == 0 ? a->server->open : a->server->alive);
	}
}

/* Until all sessions have ended; false when some had to be cut off. */
static bool wait_for(struct server *server, leat_scope *sessions)
{
	leat_ctx *grace = leat_ctx_with_timeout(server->alive, server->grace_ns);
	bool patient = leat_scope_wait_ctx(sessions, grace) == 0;

	leat_ctx_free(grace);
	leat_ctx_cancel(server->alive);
	scope_wait(sessions);
	return patient;
}

static int run(struct server *server, leat_listener *l, chan(int) signals)
{
	bool patient;

	server->alive = leat_ctx_with_cancel(leat_ctx_background());
	server->open = leat_ctx_with_cancel(server->alive);
	leat_semaphore_init(&server->places, server->connections);
	upstreams_limit(server->upstreams, server->links);
	{
		scope(around, NULL);
		if (server->log)
			log_start(server->log, around);
		scope_go(around, heed, server, chan_receiver(signals));
		{
			scope(sessions, NULL);
			accept_all(server, l, sessions);
			leat_listener_close(l);
			patient = wait_for(server, sessions);
		}
		signal_stop(signals);
		chan_close(signals);
		log_end(server->log);
		scope_wait(around);
	}
	leat_ctx_free(server->open);
	leat_ctx_free(server->alive);
	log_free(server->log);
	upstreams_free(server->upstreams);
	return patient ? 0 : EXIT_TROUBLE;
}

/* --- starting */

static const char usage[] =
    "Usage: httpd [OPTION]... [FOLDER]\n"
    "Serve the files of FOLDER, and what other servers have, over HTTP/1.1.\n"
    "\n"
    "  -a, --address=ADDRESS    listen there (default 127.0.0.1:8080; port 0: any that is free)\n"
    "  -l, --log=FILE           log requests to FILE; -: to standard output (default: nowhere)\n"
    "  -p, --proxy=/PREFIX=http://HOST:PORT[/PATH]\n"
    "                           pass what is below /PREFIX on to that server, with /PATH in its "
    "place\n"
    "      --list               show what is in folders that have no index.html\n"
    "      --no-follow          refuse all symbolic links, not only those that lead out of FOLDER\n"
    "      --connections=N      at a time; more wait until they are accepted (1024)\n"
    "      --line-bytes=N       longest target of a request (8192)\n"
    "      --head-bytes=N       longest head of a request (16384, at most 24576)\n"
    "      --fields=N           most fields in it (100, at most 256)\n"
    "      --body-bytes=N       longest body (1048576)\n"
    "      --head-seconds=S     a head that has begun must be there within (10)\n"
    "      --idle-seconds=S     a connection may wait for a request (60)\n"
    "      --body-seconds=S     and between two pieces of a body (30)\n"
    "      --write-seconds=S    a client may take for 256 KiB (60)\n"
    "      --upstream-seconds=S and a server that requests are passed on to, to answer (30)\n"
    "      --upstream-links=N   connections to each of these at a time (256)\n"
    "      --grace-seconds=S    what is under way may go on after SIGTERM or SIGINT (10)\n"
    "  -h, --help               print this\n"
    "      --version            print the version\n"
    "\n"
    "SIGTERM and SIGINT stop it, the second one at once; SIGHUP opens the log anew.\n"
    "Exit status: 0; 1 when it could not start, or requests were cut off; 2 for wrong usage.\n";

enum {
	OPTION_LIST = 256,
	OPTION_NO_FOLLOW,
	OPTION_VERSION,
	OPTION_NUMBER, /* and what follows: those of the tables */
};

static const struct option long_options[] = {
    {"address", required_argument, NULL, 'a'},
    {"log", required_argument, NULL, 'l'},
    {"proxy", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {"list", no_argument, NULL, OPTION_LIST},
    {"no-follow", no_argument, NULL, OPTION_NO_FOLLOW},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"connections", required_argument, NULL, OPTION_NUMBER},
    {"upstream-links", required_argument, NULL, OPTION_NUMBER},
    {"line-bytes", required_argument, NULL, OPTION_NUMBER},
    {"head-bytes", required_argument, NULL, OPTION_NUMBER},
    {"fields", required_argument, NULL, OPTION_NUMBER},
    {"body-bytes", required_argument, NULL, OPTION_NUMBER},
    {"head-seconds", required_argument, NULL, OPTION_NUMBER},
    {"idle-seconds", required_argument, NULL, OPTION_NUMBER},
    {"body-seconds", required_argument, NULL, OPTION_NUMBER},
    {"write-seconds", required_argument, NULL, OPTION_NUMBER},
    {"upstream-seconds", required_argument, NULL, OPTION_NUMBER},
    {"grace-seconds", required_argument, NULL, OPTION_NUMBER},
    {NULL, 0, NULL, 0},
};

static void set_number(struct server *s, const char *name, const char *text)
{
	const struct {
		const char *name;
		int64_t *ns;
	} times[] = {
	    {"head-seconds", &s->head_ns},         {"idle-seconds", &s->idle_ns},
	    {"body-seconds", &s->body_ns},         {"write-seconds", &s->write_ns},
	    {"upstream-seconds", &s->upstream_ns}, {"grace-seconds", &s->grace_ns},
	};
	char option[40];

	snprintf(option, sizeof option, "--%s", name);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (strcmp(name, times[i].name) == 0)
			*times[i].ns = (int64_t)(argument_number(text, option, 0.001, 1e6) * LEAT_SECOND);
	if (strcmp(name, "connections") == 0)
		s->connections = argument_count(text, option, 1, 1000000);
	else if (strcmp(name, "upstream-links") == 0)
		s->links = argument_count(text, option, 1, 1000000);
	else if (strcmp(name, "line-bytes") == 0)
		s->limits.line_bytes = (size_t)argument_count(text, option, 1, MOST_HEAD_BYTES);
	else if (strcmp(name, "head-bytes") == 0)
		s->limits.head_bytes = (size_t)argument_count(text, option, 64, MOST_HEAD_BYTES);
	else if (strcmp(name, "fields") == 0)
		s->limits.fields = (int)argument_count(text, option, 1, MOST_FIELDS);
	else if (strcmp(name, "body-bytes") == 0)
		s->limits.body_bytes = (uint64_t)argument_count(text, option, 0, 1000000000000000);
}

static void parse(int argc, char **argv, struct options *o, struct server *s)
{
	int index;

	for (int c; (c = getopt_long(argc, argv, "a:hl:p:", long_options, &index)) >= 0;) {
		switch (c) {
		case 'a':
			o->address = optarg;
			break;
		case 'l':
			o->log = optarg;
			break;
		case 'p':
			if (upstream_add(&s->upstreams, optarg))
				break;
			fprintf(stderr, "httpd: -p takes /PREFIX=http://ADDRESS:PORT[/PATH], not '%s'\n",
			        optarg);
			exit(EXIT_USAGE);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case OPTION_LIST:
			s->list = true;
			break;
		case OPTION_NO_FOLLOW:
			s->follow = false;
			break;
		case OPTION_VERSION:
			printf("httpd of leat %d.%d.%d\n", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR,
			       LEAT_VERSION_PATCH);
			exit(0);
		case OPTION_NUMBER:
			set_number(s, long_options[index].name, optarg);
			break;
		default:
			fprintf(stderr, "Try 'httpd --help'.\n");
			exit(EXIT_USAGE);
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "httpd: only one folder can be served\nTry 'httpd --help'.\n");
		exit(EXIT_USAGE);
	}
	o->folder = argv[optind];
	if (!o->folder && !s->upstreams) {
		fprintf(stderr, "httpd: there is nothing to serve\nTry 'httpd --help'.\n");
		exit(EXIT_USAGE);
	}
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "httpd: %s%s%s\n", what, *what ? ": " : "", why);
	return EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
	struct options o = {.address = "127.0.0.1:8080"};
	struct server server = {
	    .root = -1,
	    .follow = true,
	    .connections = 1024,
	    .links = 256,
	    .limits = {.line_bytes = 8192, .head_bytes = 16384, .fields = 100, .body_bytes = 1 << 20},
	    .idle_ns = 60 * LEAT_SECOND,
	    .head_ns = 10 * LEAT_SECOND,
	    .body_ns = 30 * LEAT_SECOND,
	    .write_ns = 60 * LEAT_SECOND,
	    .upstream_ns = 30 * LEAT_SECOND,
	    .grace_ns = 10 * LEAT_SECOND,
	};
	chan(int) signals;
	char address[LEAT_ADDR_TEXT];
	const leat_error *e;
	leat_listener *l;
	leat_addr local;
	int status;

	parse(argc, argv, &o, &server);
	signal_ignore(SIGPIPE); /* the log may go to a pipe */
	signals = chan_make(int, 3);
	signal_notify(signals, SIGINT, SIGTERM, SIGHUP);
	if (o.folder)
		server.root = open(o.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o.folder && server.root < 0)
		return fail(o.folder, strerror(errno));
	server.log = o.log ? log_open(o.log) : NULL;
	if (o.log && !server.log)
		return fail(o.log, strerror(errno));
	l = leat_listen("tcp", o.address, NULL, &e);
	if (!l) {
		status = fail("", leat_error_message(e));
		leat_error_free(e);
		return status;
	}
	local = leat_listener_addr(l);
	fprintf(stderr, "httpd: listening on %s\n", leat_addr_text(&local, address));
	status = run(&server, l, signals);
	chan_free(signals);
	leat_listener_free(l);
	if (server.root >= 0)
		close(server.root);
	return status;
}
