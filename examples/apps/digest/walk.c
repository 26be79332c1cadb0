/* SPDX-License-Identifier: MIT */
/*
 * The goroutine walk: goes through the operands, depth first and in the order in which the system
 * gives a directory's entries, and sends each file out as a job.
 *
 * A name is opened only when it is believed to be a regular file, and looked at again once it is
 * open.  Everything is opened relative to its directory, so paths may be longer than PATH_MAX.
 */
#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the directories that the walk is inside of, so many are open at most. */
#define OPEN_DIRECTORIES 32

/* A directory that the walk is inside of. */
struct level {
	DIR *dir; /* NULL while it is closed to save descriptors */
	dev_t dev;
	ino_t ino;
	long entry;      /* the position of the entry that is being visited */
	size_t path_len; /* of the directory's path */
	size_t name_at;  /* where the names of its entries begin: behind a slash */
};

/*
 * Where the walk is.  The levels are a list, not the frames of a recursion: trees may be deeper than
 * stacks.  The outermost open directory is closed when there are too many of them or descriptors run
 * short, and opened again through ".." when the walk comes back to it.  Thus the open ones are always
 * levels[first_open] and all below it, and the memory of a level does not depend on how many entries
 * it has.
 */
struct tree {
	struct walk *to;
	struct level *levels;
	size_t depth, first_open, levels_room;
	char *path; /* of what is being visited */
	size_t path_room;
};

/* Room for bytes at *at, of which *room are there already. */
static void *grow(void *at, size_t *room, size_t bytes)
{
	if (bytes <= *room)
		return at;
	*room = bytes + bytes / 2;
	at = realloc(at, *room);
	if (!at)
		leat_panic("out of memory");
	return at;
}

/* Send t->path on its way; fd is -1 when there is only trouble to report. */
static void submit(struct tree *t, int fd, int err, const char *note)
{
	struct walk *to = t->to;
	struct job *job = NULL;

	if (fd >= 0)
		pipe_stage_end(to->stage);
	chan_select {
		case_recv(to->spare, spare)
			job = spare;
		case_recv(scope_done(to->scope))
			break;
	}
	if (!job) {
		if (fd > STDIN_FILENO)
			close(fd);
		return;
	}
	job->path = strdup(t->path);
	if (!job->path)
		leat_panic("out of memory");
	job->fd = fd;
	job->err = err;
	job->note = note;
	chan_send(to->ordered, job);
	if (fd >= 0)
		chan_send(to->work, job);
	else
		chan_send(job->done, (leat_empty){});
	pipe_stage_begin(to->stage);
}

static void report(struct tree *t, int err, const char *note)
{
	submit(t, -1, err, note);
}

static bool close_outermost(struct tree *t)
{
	if (t->first_open + 1 >= t->depth)
		return false;
	closedir(t->levels[t->first_open].dir);
	t->levels[t->first_open++].dir = NULL;
	return true;
}

/* Open a name and see what it is: a descriptor or a negative errno code. */
static int open_at(struct tree *t, int at, const char *name, int flags, struct stat *st)
{
	int fd, err;

	for (;;) {
		fd = try_open(at, name, flags);
		if ((fd != -EMFILE && fd != -ENFILE) || scope_err(t->to->scope))
			break;
		if (close_outermost(t))
			continue;
		if (chan_len(t->to->spare) == chan_cap(t->to->spare))
			break; /* the workers have no file open either: it is not us who use them up */
		leat_sleep(LEAT_MILLISECOND);
	}
	if (fd < 0)
		return fd;
	err = try_fstat(fd, st);
	if (err)
		close(fd);
	return err ? err : fd;
}

static void visit_file(struct tree *t, int at, const char *name, int flags)
{
	struct stat st;
	/* If it became a FIFO since we looked, then opening must not wait for a writer. */
	int fd = open_at(t, at, name, flags | O_NONBLOCK, &st);

	if (fd < 0) {
		report(t, fd, NULL);
	} else if (S_ISREG(st.st_mode)) {
		submit(t, fd, 0, NULL);
	} else {
		close(fd);
		report(t, 0, "is no longer a regular file");
	}
}

static void visit_directory(struct tree *t, int at, const char *name, int flags)
{
	struct stat st;
	struct level *level;
	DIR *dir;
	size_t len = strlen(t->path);
	int fd = open_at(t, at, name, flags | O_DIRECTORY, &st);
	int err = fd < 0 ? fd : try_fdopendir(fd, &dir);

	if (err) {
		report(t, err, NULL);
		return;
	}
	for (size_t i = 0; i < t->depth; i++) {
		if (t->levels[i].dev == st.st_dev && t->levels[i].ino == st.st_ino) {
			closedir(dir);
			report(t, 0, "is one of the directories that it lies in: a loop");
			return;
		}
	}
	if (t->depth - t->first_open >= OPEN_DIRECTORIES)
		close_outermost(t);
	t->levels = grow(t->levels, &t->levels_room, (t->depth + 1) * sizeof *t->levels);
	level = &t->levels[t->depth++];
	*level = (struct level){dir, st.st_dev, st.st_ino, 0, len, len + (t->path[len - 1] != '/')};
}

/* Visit t->path, which has this mode. */
static void visit(struct tree *t, int at, const char *name, mode_t mode, int flags)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		visit_file(t, at, name, flags);
		break;
	case S_IFDIR:
		visit_directory(t, at, name, flags);
		break;
	case S_IFLNK: /* followed only where the user wrote it */
		break;
	case S_IFIFO:
		report(t, 0, "is a FIFO");
		break;
	case S_IFSOCK:
		report(t, 0, "is a socket");
		break;
	default:
		report(t, 0, "is a device");
	}
}

/*
 * Go back to where dir was left: behind the entry name.  The position is only a hint, for not every
 * file system keeps it over a closing.  The right name there proves it, else the name is searched for.
 */
static int go_to_entry(DIR *dir, long position, const char *name)
{
	struct dirent *entry;
	int err;

	seekdir(dir, position);
	err = try_readdir(dir, &entry);
	if (entry && strcmp(entry->d_name, name) == 0)
		return 0;
	rewinddir(dir);
	do
		err = try_readdir(dir, &entry);
	while (entry && strcmp(entry->d_name, name) != 0);
	return entry ? 0 : err ? err : -ESTALE;
}

/* Open a closed directory again, through the one below it, of which it has the entry name. */
static int open_again(struct tree *t, struct level *level, int below, const char *name)
{
	struct stat st;
	DIR *dir;
	int fd = open_at(t, below, "..", O_DIRECTORY, &st);
	int err = fd < 0 ? fd : try_fdopendir(fd, &dir);

	if (err)
		return err;
	if (st.st_dev != level->dev || st.st_ino != level->ino)
		err = -ESTALE; /* somebody moved the tree meanwhile */
	else
		err = go_to_entry(dir, level->entry, name);
	if (err)
		closedir(dir);
	else
		level->dir = dir;
	return err;
}

/* The innermost directory is finished: return to the one that it lies in. */
static void leave(struct tree *t)
{
	DIR *below = t->levels[--t->depth].dir;

	for (; t->depth > 0; t->depth--) {
		struct level *level = &t->levels[t->depth - 1];
		int err = 0;

		if (!level->dir)
			err = open_again(t, level, dirfd(below), t->path + level->name_at);
		t->path[level->path_len] = '\0';
		if (!err)
			break;
		report(t, err, NULL); /* the rest of that directory is out of reach */
	}
	closedir(below);
	if (t->first_open >= t->depth)
		t->first_open = t->depth > 0 ? t->depth - 1 : 0;
}

/* Visit the next entry of the innermost directory. */
static void step(struct tree *t)
{
	struct level *level = &t->levels[t->depth - 1];
	int at = dirfd(level->dir), err;
	size_t depth = t->depth, path_len = level->path_len, name_bytes;
	struct dirent *entry;
	struct stat st;

	level->entry = telldir(level->dir);
	err = try_readdir(level->dir, &entry);
	if (!entry) {
		if (err)
			report(t, err, NULL);
		leave(t);
		return;
	}
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return;

	name_bytes = strlen(entry->d_name) + 1;
	t->path = grow(t->path, &t->path_room, level->name_at + name_bytes);
	t->path[level->name_at - 1] = '/';
	memcpy(t->path + level->name_at, entry->d_name, name_bytes);

	st.st_mode = DTTOIF(entry->d_type);
	if (entry->d_type == DT_UNKNOWN)
		err = try_stat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
	if (err)
		report(t, err, NULL);
	else
		visit(t, at, entry->d_name, st.st_mode, O_NOFOLLOW);
	if (t->depth == depth)
		t->path[path_len] = '\0';
}

/* Send out what one operand names. */
static void walk_operand(struct tree *t, const char *operand)
{
	struct stat st;
	size_t bytes = strlen(operand) + 1;
	int err;

	t->path = grow(t->path, &t->path_room, bytes);
	memcpy(t->path, operand, bytes);
	if (strcmp(operand, "-") == 0) {
		/* A second "-" reads what the first one left: they must not share the bytes. */
		chan_recv(t->to->stdin_turn);
		submit(t, STDIN_FILENO, 0, NULL);
		return;
	}
	err = try_stat(AT_FDCWD, operand, &st, 0);
	if (err)
		report(t, err, NULL);
	else
		visit(t, AT_FDCWD, operand, st.st_mode, 0);
	while (t->depth > 0 && !scope_err(t->to->scope))
		step(t);
}

static void tree_done(struct tree *t)
{
	for (; t->first_open < t->depth; t->first_open++)
		closedir(t->levels[t->first_open].dir);
	free(t->levels);
	free(t->path);
}

void walk(struct walk *a)
{
	struct tree t = {.to = a};

	defer(tree_done, &t);
	pipe_stage_begin(a->stage);
	for (char **operand = a->operands; *operand && !scope_err(a->scope); operand++)
		walk_operand(&t, *operand);
	chan_close(a->work);
	chan_close(a->ordered);
}
