/* SPDX-License-Identifier: MIT */
/* Going over all that is below a folder, without recursion, as goroutines may have small stacks. */
#include "file/file.h"

#include <leat/defer.h>
#include <leat/path.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct level {
	leat_dir_list *list;
	size_t next, path_bytes; /* of the folder's path */
};

struct walk {
	leat_walk_fn *fn;
	void *arg;
	char *path;
	struct level *levels;
	size_t n, levels_room, path_room;
};

static void leat__walk_end(void *arg)
{
	struct walk *w = arg;

	while (w->n)
		free(w->levels[--w->n].list);
	free(w->levels);
	free(w->path);
	w->levels = NULL;
	w->path = NULL;
}

/* path becomes what it is up to bytes, then name. */
static bool extend(struct walk *w, size_t bytes, const char *name)
{
	size_t wanted = bytes + strlen(name) + 2;

	if (wanted > w->path_room) {
		char *larger = realloc(w->path, 2 * wanted);

		if (!larger)
			return false;
		w->path = larger;
		w->path_room = 2 * wanted;
	}
	if (bytes && w->path[bytes - 1] != '/')
		w->path[bytes++] = '/';
	strcpy(w->path + bytes, name);
	return true;
}

static bool push(struct walk *w, leat_dir_list *list)
{
	if (w->n == w->levels_room) {
		size_t room = w->n ? 2 * w->n : 16;
		struct level *larger = realloc(w->levels, room * sizeof *larger);

		if (!larger)
			return false;
		w->levels = larger;
		w->levels_room = room;
	}
	/* What is in "." has no "./" in front. */
	w->levels[w->n++] = (struct level){list, 0, strcmp(w->path, ".") == 0 ? 0 : strlen(w->path)};
	return true;
}

/* fn has said to go on with the folder path; what that leads to. */
static int leat__walk_into(struct walk *w, const leat_dir_entry *e)
{
	const leat_error *why = NULL;
	leat_dir_list *list = leat_read_dir(w->path, &why);
	int verdict;

	if (list && push(w, list))
		return LEAT_WALK_ON;
	if (list) {
		free(list);
		return -ENOMEM;
	}
	verdict = w->fn(w->arg, w->path, e, why);
	leat_error_free(why);
	return verdict == LEAT_WALK_SKIP_DIR ? LEAT_WALK_ON : verdict;
}

/* Call fn for path, and go into it where it is a folder. */
static int leat__walk_one(struct walk *w, const leat_dir_entry *e)
{
	int verdict = w->fn(w->arg, w->path, e, NULL);

	if (!S_ISDIR(e->type))
		return verdict;
	if (verdict == LEAT_WALK_ON)
		return leat__walk_into(w, e);
	return verdict == LEAT_WALK_SKIP_DIR ? LEAT_WALK_ON : verdict;
}

static int leat__walk_root(struct walk *w, const char *root)
{
	const char *slash = strrchr(root, '/');
	leat_dir_entry e = {.name = slash && slash[1] ? slash + 1 : root};
	const leat_error *why = NULL;
	struct stat s;
	int verdict;

	if (leat_lstat(root, &s, &why) == 0) {
		e.type = s.st_mode & S_IFMT;
		return leat__walk_one(w, &e);
	}
	verdict = w->fn(w->arg, root, NULL, why);
	leat_error_free(why);
	return verdict;
}

int leat_walk_dir(const char *root, leat_walk_fn *fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};
	int verdict = -ENOMEM;

	LEAT_DEFER(leat__walk_end, &w); /* where fn panics */
	if (extend(&w, 0, root))
		verdict = leat__walk_root(&w, root);
	while (verdict == LEAT_WALK_ON && w.n) {
		struct level *top = &w.levels[w.n - 1];
		const leat_dir_entry *e;

		if (top->next == top->list->n) {
			free(top->list);
			w.n--;
			continue;
		}
		e = &top->list->entries[top->next++];
		verdict = extend(&w, top->path_bytes, e->name) ? leat__walk_one(&w, e) : -ENOMEM;
		/* Of a file: enough of its folder, which is still on top. */
		if (verdict == LEAT_WALK_SKIP_DIR) {
			top->next = top->list->n;
			verdict = LEAT_WALK_ON;
		}
	}
	leat__walk_end(&w);
	return verdict < 0 ? verdict : 0;
}
