/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "range.h"

#include "date.h"

#include <string.h>
#include <strings.h>

/* --- conditions */

/* Is etag in the list?  Weakly: W/ does not matter. */
static bool listed(const char *list, const char *etag, bool weakly)
{
	size_t n = strlen(etag);

	for (;;) {
		list += strspn(list, " \t,");
		if (!*list)
			return false;
		if (*list == '*')
			return true;
		if (strncmp(list, "W/", 2) == 0) {
			list += 2;
			if (!weakly) {
				list += strcspn(list, ",");
				continue;
			}
		}
		if (strncmp(list, etag, n) == 0 && (list[n] == '\0' || strchr(" \t,", list[n])))
			return true;
		/* A tag may have commas in it. */
		if (*list == '"')
			list += 1 + strcspn(list + 1, "\"");
		list += strcspn(list, ",");
	}
}

int conditions(const struct head *h, const struct validators *v)
{
	const char *match = h->known[FIELD_IF_MATCH], *none = h->known[FIELD_IF_NONE_MATCH];
	const char *since = h->known[FIELD_IF_MODIFIED_SINCE];
	const char *unmodified = h->known[FIELD_IF_UNMODIFIED_SINCE];
	int64_t at;

	if (match) {
		if (!listed(match, v->etag, false))
			return 412;
	} else if (unmodified && date_parse(unmodified, &at) && v->modified > at) {
		return 412;
	}
	if (none)
		return listed(none, v->etag, true) ? 304 : 0;
	return since && date_parse(since, &at) && v->modified <= at ? 304 : 0;
}

/* --- ranges */

/* The number at *at, at most 18 digits, which is more than files have; false without one. */
static bool number(const char **at, uint64_t *n)
{
	const char *from = *at;

	for (*n = 0; **at >= '0' && **at <= '9'; (*at)++) {
		if (*at - from == 18)
			return false;
		*n = *n * 10 + (uint64_t)(**at - '0');
	}
	return *at > from;
}

/* "a-b", "a-" or "-n"; false where it is none.  One that is not there has n of 0. */
static bool parse(const char **at, uint64_t size, struct range *r)
{
	uint64_t from, to;

	if (**at == '-') {
		++*at;
		if (!number(at, &to))
			return false;
		r->n = to < size ? to : size;
		r->from = size - r->n;
		return true;
	}
	if (!number(at, &from) || *(*at)++ != '-')
		return false;
	if (**at >= '0' && **at <= '9') {
		if (!number(at, &to) || to < from)
			return false;
	} else {
		to = UINT64_MAX - 1;
	}
	if (to >= size)
		to = size ? size - 1 : 0;
	r->from = from;
	r->n = from < size ? to - from + 1 : 0;
	return true;
}

/* Has it changed since the client got the part that it has? */
static bool still(const char *if_range, const struct validators *v)
{
	int64_t at;

	if (!if_range)
		return true;
	if (*if_range == '"' || strncmp(if_range, "W/", 2) == 0)
		return strcmp(if_range, v->etag) == 0;
	return date_parse(if_range, &at) && at == v->modified;
}

int ranges(const struct head *h, const struct validators *v, uint64_t size,
           struct range found[MOST_RANGES])
{
	const char *at = h->known[FIELD_RANGE];
	uint64_t total = 0;
	int n = 0, asked = 0;

	if (!at || strncasecmp(at, "bytes=", 6) != 0 || !still(h->known[FIELD_IF_RANGE], v))
		return 0;
	for (at += 6;; at++) {
		struct range r;

		at += strspn(at, " \t");
		if (*at == ',')
			continue;
		if (!*at)
			break;
		if (asked++ == MOST_RANGES || !parse(&at, size, &r))
			return 0;
		at += strspn(at, " \t");
		if (*at && *at != ',')
			return 0;
		if (r.n) {
			found[n++] = r;
			total += r.n;
		}
		if (!*at)
			break;
	}
	if (!asked)
		return 0;
	/* More than the file: somebody means to have it sent many times. */
	return n == 0 ? -1 : total > size ? 0 : n;
}
