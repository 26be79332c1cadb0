/* SPDX-License-Identifier: MIT */
/*
 * A room keeps its last lines once, in a ring, and broadcasts their numbers: so a line costs each member 8 bytes in its
 * subscription, which is as long as the ring, and a copy when it is sent out.  Who is further behind than the ring has
 * missed something.
 *
 * Locks: the hall's for the list of rooms and their references, then a room's for all that is in it.  Nothing waits with one
 * of them held: the broadcast drops, a cancel never parks.
 */
#include "chat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	uint16_t bytes;
	char text[LINE_BYTES];
};

struct room {
	char name[NAME_BYTES + 1];
	int references; /* places; under the hall's lock, as next */
	struct room *next;
	leat_mutex lock;
	struct member *members;
	broadcast_chan(uint64_t) numbers;
	uint64_t said; /* lines so far; the newest is said - 1 */
	int queue;
	struct line *ring; /* queue of them */
};

const char *room_name(const struct room *r)
{
	return r->name;
}

/* --- the hall */

/* Locked. */
static struct room *room_find(struct hall *h, const char *name)
{
	for (struct room *r = h->rooms; r; r = r->next)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

static struct room *room_make(const struct hall *h, const char *name)
{
	struct room *r = calloc(1, sizeof *r);

	if (r)
		r->ring = malloc((size_t)h->queue * sizeof *r->ring);
	if (!r || !r->ring)
		leat_panic_error(&leat_out_of_memory);
	r->queue = h->queue;
	r->numbers = broadcast_make(uint64_t, h->queue,
	                            h->policy == DROP_OLDEST ? LEAT_BROADCAST_DROP_OLDEST
	                                                     : LEAT_BROADCAST_DROP_NEWEST);
	snprintf(r->name, sizeof r->name, "%s", name);
	return r;
}

static struct room *room_enter(struct hall *h, const char *name)
{
	struct room *r;

	with_lock(&h->lock);
	r = room_find(h, name);
	if (!r) {
		r = room_make(h, name);
		r->next = h->rooms;
		h->rooms = r;
	}
	r->references++;
	return r;
}

static void room_exit(struct hall *h, struct room *r)
{
	struct room **link = &h->rooms;

	with_lock(&h->lock);
	if (--r->references > 0)
		return;
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	broadcast_free(r->numbers);
	free(r->ring);
	free(r);
}

/* --- saying.  The room is locked */

static void drop_the_slow(const struct room *r)
{
	for (struct member *m = r->members; m; m = m->next)
		if (m->hears && broadcast_lagged(m->hears)) {
			m->slow = true;
			scope_cancel(m->scope);
		}
}

static void say(const struct hall *h, struct room *r, const char *fmt, va_list args)
{
	struct line *l = &r->ring[r->said % (uint64_t)r->queue];
	int n = vsnprintf(l->text, sizeof l->text - 1, fmt, args);

	n = n < LINE_BYTES - 1 ? n : LINE_BYTES - 2;
	l->text[n] = '\n';
	l->bytes = (uint16_t)(n + 1);
	broadcast_send(r->numbers, r->said++);
	if (h->policy == DISCONNECT)
		drop_the_slow(r);
}

__attribute__((format(printf, 3, 4))) static void say_locked(const struct hall *h, struct room *r,
                                                             const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(h, r, fmt, args);
	va_end(args);
}

void room_say(const struct hall *h, struct room *r, const char *fmt, ...)
{
	va_list args;

	with_lock(&r->lock);
	va_start(args, fmt);
	say(h, r, fmt, args);
	va_end(args);
}

/* --- coming and going */

void room_join(struct hall *h, struct member *m, const char *name, struct place *p)
{
	struct room *r = room_enter(h, name);

	with_lock(&r->lock);
	*p = (struct place){r, broadcast_subscribe(r->numbers), r->said};
	m->hears = p->numbers;
	m->next = r->members;
	m->link = &r->members;
	if (m->next)
		m->next->link = &m->next;
	r->members = m;
	say_locked(h, r, "* %s joined %s", m->name, r->name);
}

void room_leave(struct hall *h, struct member *m, struct place *p)
{
	struct room *r = p->room;

	if (!r)
		return;
	{
		with_lock(&r->lock);
		*m->link = m->next;
		if (m->next)
			m->next->link = m->link;
		m->hears = NULL;
		say_locked(h, r, "* %s left %s", m->name, r->name);
	}
	broadcast_unsubscribe(r->numbers, p->numbers);
	*p = (struct place){0};
	room_exit(h, r);
}

void room_rename(const struct hall *h, struct room *r, struct member *m, const char *name)
{
	char old[sizeof m->name];

	if (!r) {
		snprintf(m->name, sizeof m->name, "%s", name);
		return;
	}
	with_lock(&r->lock);
	memcpy(old, m->name, sizeof old);
	snprintf(m->name, sizeof m->name, "%s", name);
	say_locked(h, r, "* %s is now %s", old, m->name);
}

/* --- hearing */

size_t room_hear(struct place *p, uint64_t number, char *text, size_t bytes)
{
	struct room *r = p->room;
	bool more = true, ok;
	size_t n = 0;

	with_lock(&r->lock);
	for (; more; more = n + 2 * LINE_BYTES <= bytes && chan_try_recv(p->numbers, &number, &ok)) {
		const struct line *l = &r->ring[number % (uint64_t)r->queue];

		if (r->said - number > (uint64_t)r->queue)
			continue; /* its place is another's by now */
		if (number > p->next)
			n += (size_t)snprintf(text + n, bytes - n, "* you missed %llu lines\n",
			                      (unsigned long long)(number - p->next));
		p->next = number + 1;
		memcpy(text + n, l->text, l->bytes);
		n += l->bytes;
	}
	return n;
}

/* --- who is there */

char *room_members(struct room *r)
{
	char *names = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&names, &n);

	if (!f)
		return NULL;
	{
		with_lock(&r->lock);
		for (const struct member *m = r->members; m; m = m->next)
			fprintf(f, "%s%s", m->name, m->next ? " " : "");
	}
	return fclose(f) == 0 ? names : NULL;
}

char *hall_rooms(struct hall *h)
{
	char *names = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&names, &n);

	if (!f)
		return NULL;
	{
		with_lock(&h->lock);
		for (const struct room *r = h->rooms; r; r = r->next)
			fprintf(f, "%s:%d%s", r->name, r->references, r->next ? " " : "");
	}
	return fclose(f) == 0 ? names : NULL;
}
