/* SPDX-License-Identifier: MIT */
/*
 * Folders: what is in them, and removing all of it.
 *
 * remove_all goes down by descriptors, so that nobody who puts a link in a folder's place leads it elsewhere; path is for
 * what it says.  It does not recurse, as goroutines may have small stacks.
 */
#include "file/file.h"

#include <leat/path.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- what is in a folder */

/* Names one behind the other, and what begins with their offsets. */
struct names {
	char *text;
	leat_dir_entry *entries; /* their names are offsets */
	size_t bytes, room, n, entries_room;
};

/* At *p is room for what; false: memory is out. */
static bool grow(void **p, size_t wanted, size_t *room, size_t each)
{
	size_t more = *room ? *room : 32;
	void *larger;

	if (wanted <= *room)
		return true;
	while (more < wanted)
		more *= 2;
	larger = realloc(*p, more * each);
	if (!larger)
		return false;
	*p = larger;
	*room = more;
	return true;
}

static bool add(struct names *l, const char *name, unsigned type)
{
	size_t bytes = strlen(name) + 1;
	void *text = l->text, *entries = l->entries;
	bool enough = grow(&text, l->bytes + bytes, &l->room, 1);

	l->text = text;
	enough = enough && grow(&entries, l->n + 1, &l->entries_room, sizeof *l->entries);
	l->entries = entries;
	if (!enough)
		return false;
	memcpy(l->text + l->bytes, name, bytes);
	l->entries[l->n++] = (leat_dir_entry){(const char *)(uintptr_t)l->bytes, (mode_t)type};
	l->bytes += bytes;
	return true;
}

/* Merge from[low..middle) and from[middle..high) to to. */
static void merge(const leat_dir_entry *from, leat_dir_entry *to, size_t low, size_t middle,
                  size_t high)
{
	size_t i = low, k = middle;

	for (size_t at = low; at < high; at++)
		if (k == high || (i < middle && strcmp(from[i].name, from[k].name) <= 0))
			to[at] = from[i++];
		else
			to[at] = from[k++];
}

/* By bottom-up merging: qsort may take more stack than a small goroutine has.  other has room for n, too; the one of both
   that is sorted. */
static leat_dir_entry *sorted(leat_dir_entry *entries, leat_dir_entry *other, size_t n)
{
	for (size_t width = 1; width < n; width *= 2) {
		leat_dir_entry *to = other;

		for (size_t low = 0; low < n; low += 2 * width) {
			size_t middle = low + width < n ? low + width : n;
			size_t high = middle + width < n ? middle + width : n;

			merge(entries, to, low, middle, high);
		}
		other = entries;
		entries = to;
	}
	return entries;
}

/* One piece of memory with all of it; NULL: memory is out. */
static leat_dir_list *finish(struct names *l)
{
	size_t entries_bytes = l->n * sizeof *l->entries;
	leat_dir_entry *other = malloc(entries_bytes + 1), *in_order;
	leat_dir_list *list = other ? malloc(sizeof *list + entries_bytes + l->bytes) : NULL;
	char *text;

	if (list) {
		list->n = l->n;
		list->entries = (leat_dir_entry *)(list + 1);
		text = (char *)(list->entries + l->n);
		if (l->n) {
			memcpy(text, l->text, l->bytes);
			for (size_t i = 0; i < l->n; i++)
				l->entries[i].name = text + (uintptr_t)l->entries[i].name;
			in_order = sorted(l->entries, other, l->n);
			memcpy(list->entries, in_order, entries_bytes);
		}
	}
	free(other);
	return list;
}

/* All names in path, which is a folder's; 0, or a negative errno code and what failed in *op. */
static int leat__dir_names(const char *path, struct names *l, const char **op)
{
	leat_blocking_call const announced = leat_blocking_begin();
	struct leat__os_dir *dir;
	const char *name;
	unsigned type;
	int err = leat__os_dir_open(NULL, path, true, &dir);

	*op = "open";
	if (!err) {
		*op = "readdirent";
		while ((err = leat__os_dir_next(dir, &name, &type)) > 0)
			if (!add(l, name, type)) {
				err = -ENOMEM;
				break;
			}
		leat__os_dir_close(dir);
	}
	leat_blocking_end(&announced);
	return err;
}

leat_dir_list *leat_read_dir(const char *path, const leat_error **error)
{
	struct names l = {0};
	leat_dir_list *list = NULL;
	const char *op;
	int err = leat__dir_names(path, &l, &op);

	if (!err) {
		list = finish(&l);
		err = list ? 0 : -ENOMEM;
	}
	free(l.text);
	free(l.entries);
	leat__path_failed(op, path, err, error);
	return list;
}

/* --- removing all */

struct level {
	struct leat__os_dir *dir;
	size_t path_bytes; /* of the path to here */
	bool removed;      /* something, since the names were last begun with */
};

struct removal {
	struct level *levels;
	char *path; /* to what is being removed */
	size_t n, room, path_room;
	int err; /* the first */
	const leat_error **error;
};

static void failed(struct removal *r, const char *op, int err)
{
	if (err && err != -ENOENT && !r->err) {
		r->err = err;
		leat__path_failed(op, r->path, err, r->error);
	}
}

/* path becomes what it is up to bytes, and /name. */
static bool extend(struct removal *r, size_t bytes, const char *name)
{
	size_t length = strlen(name) + 1;
	void *path = r->path;
	bool enough = grow(&path, bytes + 1 + length, &r->path_room, 1);

	r->path = path;
	if (!enough)
		return false;
	if (bytes)
		r->path[bytes++] = '/';
	memcpy(r->path + bytes, name, length);
	return true;
}

/* The folder name goes on top of the levels, to be emptied. */
static int descend(struct removal *r, const char *name)
{
	void *levels = r->levels;
	struct leat__os_dir *dir;
	int err = grow(&levels, r->n + 1, &r->room, sizeof *r->levels) ? 0 : -ENOMEM;

	r->levels = levels;
	if (!err)
		err = leat__os_dir_open(r->n ? r->levels[r->n - 1].dir : NULL, name, false, &dir);
	if (!err)
		r->levels[r->n++] = (struct level){dir, strlen(r->path), false};
	return err;
}

/* What path says now, name in dir: it is gone, or on top of the levels, or its error is noted. */
static void remove_one(struct removal *r, struct level *in, const char *name)
{
	int err = leat__os_remove(in ? in->dir : NULL, name, false), opened;

	if (!err) {
		if (in)
			in->removed = true;
		return;
	}
	if (err == -ENOENT)
		return;
	/* A folder is EISDIR, or EPERM where the system follows POSIX. */
	opened = descend(r, name);
	if (opened == -ENOTDIR || opened == -ELOOP)
		failed(r, "unlinkat", err);
	else
		failed(r, "openfdat", opened);
}

/* The top level has no more names: it goes, or is gone over again, as systems may pass over names while others go. */
static void ascend(struct removal *r)
{
	struct level *top = &r->levels[r->n - 1], *above = r->n > 1 ? top - 1 : NULL;
	const char *name = r->path;
	int err;

	r->path[top->path_bytes] = '\0';
	if (above)
		name += above->path_bytes + 1;
	err = leat__os_remove(above ? above->dir : NULL, name, true);
	if ((err == -ENOTEMPTY || err == -EEXIST) && top->removed && !r->err) {
		top->removed = false;
		leat__os_dir_again(top->dir);
		return;
	}
	failed(r, "unlinkat", err);
	leat__os_dir_close(top->dir);
	r->n--;
	if (above && !err)
		above->removed = true;
}

static void empty(struct removal *r)
{
	while (r->n && r->err != -ENOMEM) {
		struct level *top = &r->levels[r->n - 1];
		const char *name;
		unsigned type;
		int got = leat__os_dir_next(top->dir, &name, &type);

		if (got > 0 && !extend(r, top->path_bytes, name))
			failed(r, "unlinkat", -ENOMEM);
		else if (got > 0)
			remove_one(r, top, name);
		else {
			r->path[top->path_bytes] = '\0';
			failed(r, "readdirent", got);
			ascend(r);
		}
	}
	while (r->n)
		leat__os_dir_close(r->levels[--r->n].dir);
}

int leat_remove_all(const char *path, const leat_error **error)
{
	struct removal r = {.error = error};
	size_t length = strlen(path);
	leat_blocking_call announced;

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (!length)
		return 0;
	if (path[length - 1] == '.' && (length == 1 || path[length - 2] == '/'))
		return leat__path_failed("RemoveAll", path, -EINVAL, error);
	announced = leat_blocking_begin();
	if (extend(&r, 0, path)) {
		r.path[length] = '\0';
		remove_one(&r, NULL, r.path);
		empty(&r);
	} else {
		r.err = leat__path_failed("unlinkat", path, -ENOMEM, error);
	}
	free(r.path);
	free(r.levels);
	leat_blocking_end(&announced);
	return r.err;
}
