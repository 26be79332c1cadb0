/* SPDX-License-Identifier: MIT */
/* The parts of chat.c: lines that come in, rooms that pass them on, members. */
#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include <leat.h>

enum {
	TEXT_BYTES = 512,                          /* of a line that a member writes, at most */
	NAME_BYTES = 32,                           /* of a member's or a room's name, likewise */
	LINE_BYTES = TEXT_BYTES + NAME_BYTES + 16, /* of a line that a room passes on */
};

/* --- lines that come in (input.c) */

/* What a member wrote, without the line's end; or what was wrong with it, and no text. */
struct input {
	enum { INPUT_TEXT, INPUT_TOO_LONG, INPUT_NOT_TEXT } kind;
	char text[TEXT_BYTES + 1];
};

struct reader {
	leat_conn *conn;
	size_t begin, end; /* in bytes[], what was read and not taken */
	bool ended;
	char bytes[2 * TEXT_BYTES];
};

/*
 * The next line, which ends with \n or \r\n or where the connection does.  One that is too long is passed over, and reported once;
 * what is not UTF-8, or has control characters, is reported instead of it.  1; 0 at the end; or a negative errno code.
 */
int read_line(struct reader *r, struct input *to, leat_any_ctx ctx);

/* It may be a member's or a room's: letters, digits, - and _, and all that is not ASCII. */
bool is_name(const char *text);

/* --- rooms (room.c) */

struct member;

enum policy {
	DROP_OLDEST, /* a slow member misses what it has not taken longest, and is told how much */
	DISCONNECT,  /* a slow member is */
};

/* Rooms by their names.  Zero but for the first two. */
struct hall {
	int queue; /* lines that a member may be behind */
	enum policy policy;
	leat_mutex lock;
	struct room *rooms;
};

struct room;

/* What a member has of a room: the numbers of the lines said there since it came, as they are said. */
struct place {
	struct room *room; /* NULL: it is in none */
	recv_chan(uint64_t) numbers;
	uint64_t next; /* the first that it has not heard */
};

/* Go into a room, made if there is none of the name, and say so there.  Panics "out of memory". */
void room_join(struct hall *h, struct member *m, const char *name, struct place *p);

/* Say that m leaves, and leave; nothing where it is in none. */
void room_leave(struct hall *h, struct member *m, struct place *p);

/* Call m by another name from now on, and say so in the room that it is in, if any. */
void room_rename(const struct hall *h, struct room *r, struct member *m, const char *name);

/* Say a line, which is cut at LINE_BYTES, to all who are there, the speaker among them. */
void room_say(const struct hall *h, struct room *r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Write the line of this number to text, and as many as fit of those that wait in p, each after what says how many were
 * missed before it; how many bytes.  bytes is 2 * LINE_BYTES at least.
 */
size_t room_hear(struct place *p, uint64_t number, char *text, size_t bytes);

const char *room_name(const struct room *r);

/* The names of those in r, separated by blanks; of all rooms, with how many are there.  From malloc, NULL: no memory. */
char *room_members(struct room *r);
char *hall_rooms(struct hall *h);

/* --- members (member.c) */

struct member {
	char name[NAME_BYTES + 1];   /* its own goroutine changes it, under the lock of its room */
	struct member *next, **link; /* in its room, under its lock, as hears */
	recv_chan(uint64_t) hears;   /* its place's */
	leat_scope *scope;           /* of its connection */
	_Atomic bool slow;           /* it is disconnected for that */
};

/* What all connections share. */
struct server {
	struct hall hall;
	leat_map names;      /* of members, to them */
	leat_scope *serving; /* done: say good-bye */
	double rate;         /* lines that a member may write in a second */
	long most;           /* members */
	_Atomic long members;
	_Atomic unsigned guests; /* that have come so far */
};

/* A connection from beginning to end; frees conn. */
struct serve {
	struct server *server;
	leat_conn *conn;
};
void serve(struct serve *a);

#endif
