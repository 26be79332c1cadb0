/* SPDX-License-Identifier: MIT */
/* Records of the Domain Name System, out of the replies that c-ares parses. */
#include "name/cares.h"

#if defined LEAT_HAVE_CARES && LEAT_HAVE_CARES

#include "sched/policy.h"
#include "sched/scheduler.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

int leat__record_type(enum leat__lookup_kind kind)
{
	switch (kind) {
	case LEAT__LOOKUP_TXT:
		return ns_t_txt;
	case LEAT__LOOKUP_NS:
		return ns_t_ns;
	case LEAT__LOOKUP_MX:
		return ns_t_mx;
	default:
		return ns_t_srv;
	}
}

/* The parts of a text follow one another, the first says that it is. */
static int take_texts(struct leat__answer *a, const struct ares_txt_ext *all)
{
	const struct ares_txt_ext *i;
	size_t n = 0, bytes = 0;
	char **to, *at;

	for (i = all; i; i = i->next) {
		n += i->record_start != 0;
		bytes += i->length;
	}
	if (!n)
		return -ENOENT;
	at = leat__answer_room(a, n + 1, sizeof *to, bytes + n);
	if (!at)
		return -ENOMEM;
	to = a->block;
	for (i = all; i; i = i->next) {
		if (i->record_start) {
			at += i != all; /* the NUL of the one before */
			*to++ = at;
		}
		memcpy(at, i->txt, i->length);
		at += i->length;
	}
	return 0;
}

static int take_servers(struct leat__answer *a, const struct hostent *found)
{
	size_t n = 0;

	while (found->h_aliases && found->h_aliases[n])
		n++;
	return leat__answer_strings(a, (const char *const *)found->h_aliases, n);
}

static int by_preference(const void *a, const void *b)
{
	return ((const leat_mx *)a)->preference - ((const leat_mx *)b)->preference;
}

static int take_mx(struct leat__answer *a, const struct ares_mx_reply *all)
{
	const struct ares_mx_reply *i;
	size_t n = 0, bytes = 0;
	leat_mx *to;
	char *at;

	for (i = all; i; i = i->next) {
		n++;
		bytes += strlen(i->host) + 1;
	}
	if (!n)
		return -ENOENT;
	at = leat__answer_room(a, n, sizeof *to, bytes);
	if (!at)
		return -ENOMEM;
	to = a->block;
	for (i = all; i; i = i->next)
		*to++ = (leat_mx){leat__answer_text(&at, i->host), i->priority};
	qsort(a->block, n, sizeof *to, by_preference);
	return 0;
}

/* Those of weight 0 first, so that they have a chance at all. */
static int by_priority(const void *a, const void *b)
{
	const leat_srv *x = a, *y = b;

	return x->priority != y->priority ? x->priority - y->priority : x->weight - y->weight;
}

static uint32_t random_below(uint32_t n)
{
	struct leat__m *m = leat__enter();
	uint32_t result = leat__choose(m->p, LEAT__CHOOSE_SRV, n);

	leat__leave(m);
	return result;
}

/* RFC 2782: one after the other is drawn, each as often as its part of the weight that is left. */
static void shuffle(leat_srv *all, size_t n)
{
	uint32_t left = 0;

	for (size_t i = 0; i < n; i++)
		left += (uint32_t)all[i].weight;
	for (size_t first = 0; first + 1 < n; first++) {
		uint32_t drawn = random_below(left + 1), sum = 0;
		size_t i = first;
		leat_srv one;

		while (i + 1 < n && (sum += (uint32_t)all[i].weight) < drawn)
			i++;
		one = all[i];
		memmove(&all[first + 1], &all[first], (i - first) * sizeof one);
		all[first] = one;
		left -= (uint32_t)one.weight;
	}
}

static int take_srv(struct leat__answer *a, const struct ares_srv_reply *all)
{
	const struct ares_srv_reply *i;
	size_t n = 0, bytes = 0;
	leat_srv *to;
	char *at;

	for (i = all; i; i = i->next) {
		n++;
		bytes += strlen(i->host) + 1;
	}
	if (!n)
		return -ENOENT;
	at = leat__answer_room(a, n, sizeof *to, bytes);
	if (!at)
		return -ENOMEM;
	to = a->block;
	for (i = all; i; i = i->next)
		*to++ = (leat_srv){leat__answer_text(&at, i->host), i->port, i->priority, i->weight};
	to = a->block;
	qsort(to, n, sizeof *to, by_priority);
	for (size_t first = 0, end; first < n; first = end) {
		for (end = first + 1; end < n && to[end].priority == to[first].priority;)
			end++;
		shuffle(&to[first], end - first);
	}
	return 0;
}

int leat__records_take(struct leat__answer *a, const unsigned char *reply, int bytes)
{
	union {
		struct ares_txt_ext *txt;
		struct ares_mx_reply *mx;
		struct ares_srv_reply *srv;
		struct hostent *ns;
	} found = {NULL};
	int err;

	switch (a->kind) {
	case LEAT__LOOKUP_NS:
		err = leat__cares_err(leat__cares.parse_ns_reply(reply, bytes, &found.ns));
		if (!err)
			err = take_servers(a, found.ns);
		if (found.ns)
			leat__cares.free_hostent(found.ns);
		return err;
	case LEAT__LOOKUP_TXT:
		err = leat__cares_err(leat__cares.parse_txt_reply_ext(reply, bytes, &found.txt));
		if (!err)
			err = take_texts(a, found.txt);
		break;
	case LEAT__LOOKUP_MX:
		err = leat__cares_err(leat__cares.parse_mx_reply(reply, bytes, &found.mx));
		if (!err)
			err = take_mx(a, found.mx);
		break;
	default:
		err = leat__cares_err(leat__cares.parse_srv_reply(reply, bytes, &found.srv));
		if (!err)
			err = take_srv(a, found.srv);
	}
	if (found.txt)
		leat__cares.free_data(found.txt);
	return err;
}

#endif
