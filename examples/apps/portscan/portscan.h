/* SPDX-License-Identifier: MIT */
/* The parts of portscan.c. */
#ifndef PORTSCAN_PORTSCAN_H
#define PORTSCAN_PORTSCAN_H

#include "../arguments.h"

#include <leat.h>

enum {
	PORTS = 65536,
	BANNER_BYTES = 256,
};

struct options {
	const char *host;
	leat_addr address; /* of it; its port does not matter */
	bool wanted[PORTS];
	int at_once;
	int64_t timeout_ns;
	double rate; /* connections that are tried in a second; 0: any number */
	bool banner, all, json, allow_remote;
};

/* What became of a port. */
enum state {
	NOT_TRIED,
	OPEN,     /* somebody took the connection */
	CLOSED,   /* it was refused */
	FILTERED, /* no answer in time, or one that nobody gets through */
	TROUBLE,  /* this machine could not try: see error */
	STATES,
};

struct result {
	_Atomic(enum state) state;
	char *banner; /* what came first, escaped; NULL: nothing */
	const leat_error *error;
};

struct scan {
	const struct options *options;
	struct result results[PORTS];
	size_t wanted;
	_Atomic size_t tried, open;
	double seconds;
	int caught; /* a signal that stopped it */
};

/* "22,80,8000-8100" into wanted; false, with what is wrong in *why, for anything else. */
bool ports_parse(bool wanted[PORTS], const char *text, const char **why);

/* Try all that are wanted; signals tells those that came. */
void scan(struct scan *s, recv_chan(int) signals);

/* Print what is known; an exit status. */
int report(const struct scan *s);

#endif
