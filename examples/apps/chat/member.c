/* SPDX-License-Identifier: MIT */
/*
 * A member has two goroutines, of one scope.  attend reads lines and passes them on, no faster than the member may talk: who
 * writes faster is read slower, and at last TCP holds him up.  The other does all the rest: it obeys what its member writes, and
 * writes to him what the room says.  So all that is a member's but its name is one goroutine's.
 *
 *	connection ---> attend --- inputs ---> serve ---> connection
 *	                                         ^
 *	                       room's numbers ---+
 *
 * A member who does not read holds up his own goroutine, in a write; his subscription fills, and the room drops his oldest
 * lines or him.  Nobody else waits for him.
 *
 * The scope is done when the server stops, or when the member is too slow.
 */
#include "chat.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAREWELL_NS (2 * LEAT_SECOND) /* to take what is left, once he or the server leaves */
#define HEARD_BYTES 8192              /* of what the room says, at a time */

/* What serve has on its stack. */
struct seat {
	struct member member;
	struct server *server;
	leat_conn *conn;
	leat_scope *scope;
	struct place place;
	struct input read[2]; /* while one is obeyed attend reads the other */
	chan(const struct input *) inputs;
	bool leaves; /* he wants to */
	bool broken; /* there is no writing to him any more */
};

/* --- reading */

struct attend {
	leat_scope *scope;
	leat_conn *conn;
	double rate;
	struct input *read; /* two */
	send_chan(const struct input *) inputs;
};

static void attend(struct attend *a)
{
	struct reader r = {.conn = a->conn};
	leat_limiter limiter;

	leat_limiter_init(&limiter, a->rate > 0 ? a->rate : LEAT_LIMITER_INF, 1 + (int64_t)a->rate);
	/* Who receives one has done with the one before. */
	for (int i = 0; read_line(&r, &a->read[i], a->scope) > 0; i = !i)
		if (leat_limiter_wait_ctx(&limiter, a->scope) ||
		    chan_send_ctx(a->inputs, &a->read[i], a->scope))
			break;
	chan_close(a->inputs);
}

/* --- writing */

static void put(struct seat *s, const char *text, size_t bytes)
{
	size_t written;
	int err = leat_conn_write_ctx(s->conn, text, bytes, s->scope, &written);

	if (err == -ECANCELED && !s->member.slow) {
		/* The server stops: what was begun he may still have. */
		leat_conn_set_write_deadline(s->conn, leat_now() + FAREWELL_NS);
		err = leat_conn_write(s->conn, text + written, bytes - written, NULL);
	}
	s->broken |= err != 0;
}

__attribute__((format(printf, 2, 3))) static void tell(struct seat *s, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof line - 1, fmt, args);
	va_end(args);
	n = n < (int)sizeof line - 1 ? n : (int)sizeof line - 2;
	line[n] = '\n';
	put(s, line, (size_t)n + 1);
}

/* Names separated by blanks, in as many lines as it takes. */
static void tell_names(struct seat *s, const char *what, char *names)
{
	const char *name = names ? names : "";

	do {
		int n = (int)strlen(name);

		if (n > TEXT_BYTES - NAME_BYTES) {
			n = TEXT_BYTES - NAME_BYTES;
			while (name[n] != ' ')
				n--;
		}
		tell(s, "* %s: %.*s", what, n, name);
		name += n + (name[n] == ' ');
	} while (*name && !s->broken);
	free(names);
}

/* What the room says, from this number on, as much as goes at a time. */
static void hear(struct seat *s, uint64_t number)
{
	char text[HEARD_BYTES];

	put(s, text, room_hear(&s->place, number, text, sizeof text));
}

/* He has heard all that was said before he left. */
static void leave_room(struct seat *s)
{
	uint64_t number;
	bool ok;

	while (s->place.room && !s->broken && chan_try_recv(s->place.numbers, &number, &ok))
		hear(s, number);
	room_leave(&s->server->hall, &s->member, &s->place);
}

/* --- what he may say */

static void nick(struct seat *s, const char *name)
{
	struct member *m = &s->member;
	leat_map *names = &s->server->names;
	char old[sizeof m->name];

	memcpy(old, m->name, sizeof old);
	if (!is_name(name)) {
		tell(s, "! a name is up to %d letters, digits, - and _", NAME_BYTES);
	} else if (leat_map_load_or_store(names, name, m, NULL)) {
		tell(s, "! %s is taken", name);
	} else {
		room_rename(&s->server->hall, s->place.room, m, name);
		leat_map_delete(names, old);
		if (!s->place.room)
			tell(s, "* you are %s", name);
	}
}

static void join(struct seat *s, const char *name)
{
	struct hall *h = &s->server->hall;

	if (!is_name(name)) {
		tell(s, "! a room's name is up to %d letters, digits, - and _", NAME_BYTES);
	} else if (s->place.room && strcmp(room_name(s->place.room), name) == 0) {
		tell(s, "! you are in %s", name);
	} else {
		leave_room(s);
		room_join(h, &s->member, name, &s->place);
	}
}

static void leave(struct seat *s, const char *rest)
{
	bool in = s->place.room;

	(void)rest;
	leave_room(s);
	tell(s, in ? "* you left" : "! you are in no room");
}

static void who(struct seat *s, const char *rest)
{
	(void)rest;
	if (s->place.room)
		tell_names(s, room_name(s->place.room), room_members(s->place.room));
	else
		tell_names(s, "rooms", hall_rooms(&s->server->hall));
}

static void quit(struct seat *s, const char *rest)
{
	(void)rest;
	s->leaves = true;
}

static void help(struct seat *s, const char *rest)
{
	(void)rest;
	tell(s, "* /nick NAME, /join ROOM, /leave, /who, /quit; all else is said to the room");
}

static const struct command {
	const char *word;
	void (*obey)(struct seat *s, const char *rest);
} commands[] = {
    {"/nick", nick}, {"/join", join}, {"/leave", leave},
    {"/who", who},   {"/quit", quit}, {"/help", help},
};

static void command(struct seat *s, const char *text)
{
	size_t n = strcspn(text, " \t");

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strlen(commands[i].word) == n && memcmp(commands[i].word, text, n) == 0) {
			commands[i].obey(s, text + n + strspn(text + n, " \t"));
			return;
		}
	tell(s, "! there is no %.*s; try /help", n < NAME_BYTES ? (int)n : NAME_BYTES, text);
}

static void obey(struct seat *s, const struct input *input)
{
	const char *text = input->text;

	if (input->kind == INPUT_TOO_LONG)
		tell(s, "! a line is up to %d bytes", TEXT_BYTES);
	else if (input->kind == INPUT_NOT_TEXT)
		tell(s, "! a line is UTF-8, without control characters");
	else if (*text == '/')
		command(s, text);
	else if (*text && s->place.room)
		room_say(&s->server->hall, s->place.room, "<%s> %s", s->member.name, text);
	else if (*text)
		tell(s, "! join a room first: /join ROOM");
}

/* --- a connection */

static void greet(struct seat *s)
{
	struct member *m = &s->member;

	do
		snprintf(m->name, sizeof m->name, "guest-%u", ++s->server->guests);
	while (leat_map_load_or_store(&s->server->names, m->name, m, NULL));
	tell(s, "* welcome, %s", m->name);
}

static void serve_member(struct seat *s)
{
	while (!s->leaves && !s->broken && !scope_err(s->scope)) {
		chan_select {
			case_recv(s->inputs, input, more)
				if (more)
					obey(s, input);
				else
					s->leaves = true; /* he has shut down writing, or is gone */
			case_recv(s->place.numbers, number)
				hear(s, number);
			case_recv(scope_done(s->scope))
				;
		}
	}
}

static void part(struct seat *s)
{
	struct server *server = s->server;

	leave_room(s);
	if (!s->broken)
		tell(s, s->leaves ? "* good-bye" : "* the server stops; good-bye");
	leat_map_delete(&server->names, s->member.name);
	if (s->member.slow)
		fprintf(stderr, "chat: %s was too slow\n", s->member.name);
	scope_cancel(s->scope);
	scope_wait(s->scope);
}

/* To close while there is something to read would take from him what was written last. */
static void hang_up(struct seat *s)
{
	char text[TEXT_BYTES];

	leat_conn_set_read_deadline(s->conn, leat_now() + FAREWELL_NS);
	if (!s->broken && leat_conn_close_write(s->conn) == 0)
		while (leat_conn_read(s->conn, text, sizeof text) > 0)
			;
	leat_conn_free(s->conn);
}

void serve(struct serve *a)
{
	struct server *server = a->server;
	struct seat s = {.server = server, .conn = a->conn};

	if (++server->members > server->most) {
		tell(&s, "! there are too many members");
	} else {
		scope(own, server->serving);
		s.scope = s.member.scope = own;
		s.inputs = scope_chan(own, const struct input *, 0);
		scope_go(own, attend, own, a->conn, server->rate, s.read, chan_sender(s.inputs));
		greet(&s);
		serve_member(&s);
		part(&s);
	}
	server->members--;
	hang_up(&s);
}
