/* SPDX-License-Identifier: MIT */
/* A file of hosts as /etc/hosts is: lines of an address and its names.  c-ares reads that one; others it does not before 1.19. */
#include "name/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"

/* What was found so far. */
struct found {
	void *list; /* leat_addr, or char * of their own */
	size_t n, room, elem_bytes;
};

static void *more(struct found *f)
{
	void *list;

	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 4;
		list = realloc(f->list, f->room * f->elem_bytes);
		if (!list)
			return NULL;
		f->list = list;
	}
	return (char *)f->list + f->n++ * f->elem_bytes;
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strlen(a), k = strlen(b);

	n -= n > 1 && a[n - 1] == '.';
	k -= k > 1 && b[k - 1] == '.';
	return n == k && strncasecmp(a, b, n) == 0;
}

static int add_text(struct found *f, const char *text)
{
	char *copy = strdup(text), **to = copy ? more(f) : NULL;

	if (!to) {
		free(copy);
		return -ENOMEM;
	}
	*to = copy;
	return 0;
}

static bool is_of(enum leat__lookup_kind kind, const leat_addr *addr)
{
	if (kind == LEAT__LOOKUP_IP4)
		return addr->any.sa_family == AF_INET;
	return kind != LEAT__LOOKUP_IP6 || addr->any.sa_family == AF_INET6;
}

/* names: the rest of the line of addr; its first name is the host's own. */
static int look_at(enum leat__lookup_kind kind, const leat_addr *addr, char *names,
                   const char *name, const leat_addr *wanted, struct found *f)
{
	char *rest = NULL, *first = strtok_r(names, BLANKS, &rest);
	bool of_address = kind == LEAT__LOOKUP_ADDR && leat_addr_equal(addr, wanted);
	leat_addr *to;
	int err = 0;

	for (char *s = first; s && !err; s = strtok_r(NULL, BLANKS, &rest)) {
		if (of_address) {
			err = add_text(f, s);
		} else if (kind != LEAT__LOOKUP_ADDR && is_of(kind, addr) && same_name(s, name)) {
			if (kind == LEAT__LOOKUP_CNAME)
				return add_text(f, first);
			to = more(f);
			if (!to)
				return -ENOMEM;
			*to = *addr;
			return 0;
		}
	}
	return err;
}

static int read_all(FILE *file, enum leat__lookup_kind kind, const char *name, struct found *f)
{
	leat_addr wanted = {0}, addr;
	char *line = NULL, *address, *rest;
	size_t room = 0;
	int err = 0;

	if (kind == LEAT__LOOKUP_ADDR && !leat__ip_literal(name, &wanted))
		return -EINVAL;
	while (!err && getline(&line, &room, file) >= 0) {
		line[strcspn(line, "#")] = '\0';
		address = strtok_r(line, BLANKS, &rest);
		if (address && leat__ip_literal(address, &addr))
			err = look_at(kind, &addr, rest, name, &wanted, f);
	}
	if (!err && ferror(file))
		err = -EINVAL;
	free(line);
	return err;
}

static int answer(struct leat__answer *a, const struct found *f)
{
	if (!f->n)
		return -ENOENT;
	if (a->kind == LEAT__LOOKUP_ADDR || a->kind == LEAT__LOOKUP_CNAME)
		return leat__answer_strings(a, f->list, a->kind == LEAT__LOOKUP_CNAME ? 1 : f->n);
	if (!leat__answer_room(a, f->n, sizeof(leat_addr), 0))
		return -ENOMEM;
	memcpy(a->block, f->list, a->bytes);
	return 0;
}

int leat__hosts_find(const char *path, const char *name, struct leat__answer *a)
{
	bool texts = a->kind == LEAT__LOOKUP_ADDR || a->kind == LEAT__LOOKUP_CNAME;
	struct found f = {.elem_bytes = texts ? sizeof(char *) : sizeof(leat_addr)};
	FILE *file = fopen(path, "re");
	int err;

	if (!file)
		return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? -errno : -EINVAL;
	err = read_all(file, a->kind, name, &f);
	fclose(file);
	if (!err)
		err = answer(a, &f);
	for (size_t i = 0; texts && i < f.n; i++)
		free(((char **)f.list)[i]);
	free(f.list);
	return err;
}
