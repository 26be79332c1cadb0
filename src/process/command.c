/* SPDX-License-Identifier: MIT */
/*
 * From a command to a child.
 *
 * Descriptors are put in place by a dup2 each, from 0 upwards, so none that is yet to be a source may lie among those
 * that are targets, unless it is its own target.  Where one does (a program may have closed its standard streams, or
 * cross them) another one for the same file is made above.
 *
 * What the program has open is looked at before anything is opened here: what is opened takes the numbers of what is closed.
 */
#include "process/command.h"

#include "file/disk.h"
#include "io/fifo.h"
#include "os/file.h"
#include "os/poller.h"
#include "os/process.h"
#include "sched/panic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char *const names[3] = {"stdin", "stdout", "stderr"};

/* --- what went wrong */

/* "OP WHAT: WORDS", or without WHAT. */
static void fail(const leat_error **error, const char *op, const char *what, int err)
{
	char words[LEAT__IO_WORDS];
	leat_error *e;

	if (!error)
		return;
	e = leat_errorf(NULL, "%s%s%s: %s", op, what ? " " : "", what ? what : "",
	                leat__system_words(err, words));
	leat_error_set_code(e, err);
	*error = e;
}

static void not_found(const leat_error **error, const char *name, const char *why, int err)
{
	leat_error *e;

	if (!error)
		return;
	e = leat_errorf(NULL, "exec: \"%s\": %s", name, why);
	leat_error_set_code(e, err);
	*error = e;
}

/* --- which program */

static char *copy_of(const char *folder, size_t n, const char *name, const leat_error **error)
{
	size_t bytes = n + strlen(name) + 2;
	char *path = malloc(bytes);

	if (!path) {
		if (error)
			*error = &leat_out_of_memory;
		return NULL;
	}
	snprintf(path, bytes, "%.*s%s%s", (int)n, folder, n ? "/" : "", name);
	return path;
}

char *leat_look_path(const char *name, const leat_error **error)
{
	const char *list = getenv("PATH"), *end;

	if (strchr(name, '/')) {
		char words[LEAT__IO_WORDS];
		int err = leat__os_is_program(name);

		if (!err)
			return copy_of("", 0, name, error);
		not_found(error, name, leat__system_words(err, words), err);
		return NULL;
	}
	for (; list && *name; list = *end ? end + 1 : NULL) {
		char *path;

		end = list + strcspn(list, ":");
		path = copy_of(list, (size_t)(end - list), name, error);
		if (!path)
			return NULL;
		if (leat__os_is_program(path) == 0) {
			if (*path == '/')
				return path;
			not_found(error, name, "cannot run executable found relative to current directory",
			          -ENOENT);
			free(path);
			return NULL;
		}
		free(path);
	}
	not_found(error, name, "executable file not found in $PATH", -ENOENT);
	return NULL;
}

static const char *program_of(const leat_command *c)
{
	return c->path ? c->path : c->args ? c->args[0] : NULL;
}

char *leat__command_path(const leat_command *c, const leat_error **error)
{
	const char *name = program_of(c);

	return strchr(name, '/') ? copy_of("", 0, name, error) : leat_look_path(name, error);
}

/* --- what it is given */

static LEAT__NORETURN void leat__bad_stream(int fd, const char *why)
{
	char message[80];

	snprintf(message, sizeof message, "exec: %s %s", names[fd], why);
	leat__panic_runtime(message);
}

void leat__command_check(const leat_command *c)
{
	if (!program_of(c))
		leat__panic_runtime("exec: no command");
	for (int fd = 0; fd < 3; fd++) {
		const leat_stdio *io = fd == 0 ? &c->in : fd == 1 ? &c->out : &c->err;

		if (io->kind > LEAT_STDIO_OUT)
			leat__bad_stream(fd, "is of no kind");
		if (fd == 0 && (io->kind == LEAT_STDIO_CAPTURE || io->kind == LEAT_STDIO_APPEND))
			leat__bad_stream(fd, "cannot be captured or appended to");
		if (fd != 0 && io->kind == LEAT_STDIO_BYTES)
			leat__bad_stream(fd, "is no input");
		if (fd != 2 && io->kind == LEAT_STDIO_OUT)
			leat__bad_stream(fd, "cannot go where the output goes");
	}
}

static int own(struct leat__streams *s, int fd)
{
	if (fd >= 0)
		s->ours[s->ours_n++] = fd;
	return fd;
}

/* fd as a source of the child's descriptor target: itself, or another one; or a negative errno code. */
static int source(struct leat__streams *s, int fd, int target)
{
	if (fd < 0 || fd == target || fd >= (int)s->child_n)
		return fd;
	return own(s, leat__os_dup_above(fd, (int)s->child_n));
}

static int open_pipe(struct leat__streams *s, int target)
{
	bool to_child = target == 0;
	int fds[2], err = leat__os_pipe(fds, 0);

	if (err)
		return err;
	own(s, fds[!to_child]);
	s->conn[target] = leat__conn_of_pipe(fds[to_child], &err);
	if (!s->conn[target]) {
		own(s, fds[to_child]);
		return err;
	}
	return fds[!to_child];
}

/* It may be a FIFO, and wait for who opens the other end. */
static int open_file(const char *path, int flags)
{
	return LEAT__ANNOUNCED(leat__os_open(path, flags, 0666));
}

static int open_one(struct leat__streams *s, const leat_stdio *io, int target)
{
	static const int out = O_WRONLY | O_CREAT;

	switch (io->kind) {
	case LEAT_STDIO_NULL:
		return own(s, open_file("/dev/null", target == 0 ? O_RDONLY : O_WRONLY));
	case LEAT_STDIO_FILE:
		return own(s, open_file(io->path, target == 0 ? O_RDONLY : out | O_TRUNC));
	case LEAT_STDIO_APPEND:
		return own(s, open_file(io->path, out | O_APPEND));
	case LEAT_STDIO_FD:
		return io->fd;
	case LEAT_STDIO_INHERIT:
		return target;
	case LEAT_STDIO_OUT:
		return s->child[1];
	default:
		return open_pipe(s, target);
	}
}

/* closed: what io is of was not open when nothing was opened here yet. */
static int open_stream(struct leat__streams *s, const leat_stdio *io, int target, bool closed,
                       const leat_error **error)
{
	bool absent =
	    io->kind == LEAT_STDIO_INHERIT ? closed : io->kind == LEAT_STDIO_OUT && s->child[1] < 0;
	int fd = absent ? -1 : closed && io->kind == LEAT_STDIO_FD ? -EBADF : open_one(s, io, target);

	if (fd >= 0)
		fd = source(s, fd, target);
	s->child[target] = fd;
	if (absent || fd >= 0)
		return 0;
	if (io->kind == LEAT_STDIO_FILE || io->kind == LEAT_STDIO_APPEND)
		fail(error, "open", io->path, fd);
	else if (io->kind == LEAT_STDIO_NULL)
		fail(error, "open", "/dev/null", fd);
	else if (io->kind == LEAT_STDIO_FD)
		fail(error, "exec:", names[target], fd);
	else
		fail(error, "pipe", NULL, fd);
	return fd;
}

/* Our descriptor that io, the child's target, is of, is not open. */
static bool is_closed(const leat_stdio *io, int target)
{
	return io->kind == LEAT_STDIO_INHERIT ? !leat__os_is_open(target)
	       : io->kind == LEAT_STDIO_FD    ? !leat__os_is_open(io->fd)
	                                      : false;
}

static int check_fds(const leat_command *c)
{
	for (size_t i = 0; i < c->fds_n; i++)
		if (!leat__os_is_open(c->fds[i]))
			return -EBADF;
	return 0;
}

bool leat__streams_open(struct leat__streams *s, const leat_command *c, const leat_error **error)
{
	const leat_stdio *const stdio[3] = {&c->in, &c->out, &c->err};
	size_t n = 3 + c->fds_n;
	int err, no_fds = check_fds(c);
	bool closed[3];

	for (int i = 0; i < 3; i++)
		closed[i] = is_closed(stdio[i], i);
	*s = (struct leat__streams){.child_n = n};
	s->child = calloc(n, sizeof *s->child);
	s->ours = calloc(2 * n + 3, sizeof *s->ours);
	err = s->child && s->ours ? 0 : -ENOMEM;
	if (err)
		fail(error, "exec", NULL, err);
	for (int i = 0; i < 3 && !err; i++)
		err = open_stream(s, stdio[i], i, closed[i], error);
	for (size_t i = 0; i < c->fds_n && !err; i++) {
		/* Always another one: what is its own target here may be a source of one before. */
		int fd = no_fds ? no_fds : own(s, leat__os_dup_above(c->fds[i], (int)n));

		s->child[3 + i] = fd;
		err = fd < 0 ? fd : 0;
		if (err)
			fail(error, "exec:", "fds", err);
	}
	if (err)
		leat__streams_close(s);
	return !err;
}

void leat__streams_part(struct leat__streams *s)
{
	for (size_t i = 0; i < s->ours_n; i++)
		leat__os_fd_close(s->ours[i]);
	free(s->ours);
	free(s->child);
	s->ours = s->child = NULL;
	s->ours_n = s->child_n = 0;
}

void leat__streams_close(struct leat__streams *s)
{
	leat__streams_part(s);
	for (int i = 0; i < 3; i++) {
		leat_conn_free(s->conn[i]);
		s->conn[i] = NULL;
	}
}

/*
 * So many at a time: who starts one blocks its thread, and goroutines that would do so by the thousand would make as
 * many threads, the more the slower the machine is.
 */
#define STARTERS 8

static leat_mutex turns[STARTERS];
static _Atomic uint32_t next_turn, life; /* life: which process's; changes under lock */
static uint8_t lock;

/* Those who had turns in the process that this one was forked from are not here. */
static COLD void forget_turns(void)
{
	struct leat__m *m = leat__enter();

	leat__lock(&lock);
	if (load_relaxed(&life) != leat__sched.forks) {
		for (int i = 0; i < STARTERS; i++)
			turns[i] = (leat_mutex){0};
		store_release(&life, leat__sched.forks);
	}
	leat__unlock(&lock);
	leat__leave(m);
}

static int leat__spawn_in_turn(const struct leat__os_spawn *spawn, int *pid)
{
	leat_mutex *turn = &turns[fetch_add_relaxed(&next_turn, 1) % STARTERS];
	int err;

	if (unlikely(load_acquire(&life) != leat__sched.forks))
		forget_turns();
	leat_mutex_lock(turn);
	err = leat__os_spawn(spawn, pid);
	leat_mutex_unlock(turn);
	return err;
}

int leat__command_spawn(const leat_command *c, const char *path, const struct leat__streams *s,
                        const leat_error **error)
{
	const char *const alone[] = {program_of(c), NULL};
	const char *const *args = c->args && c->args[0] ? c->args : alone;
	struct leat__os_spawn spawn = {
	    .path = path,
	    .args = (char *const *)(uintptr_t)args,
	    .env = c->env ? (char *const *)(uintptr_t)c->env : environ,
	    .dir = c->dir,
	    .fds = s->child,
	    .fds_n = s->child_n,
	    .group = c->group,
	};
	int pid = -1, err = c->dir ? leat__os_is_folder(c->dir) : 0;

	if (err) {
		fail(error, "chdir", c->dir, err);
		return -1;
	}
	err = leat__spawn_in_turn(&spawn, &pid);
	if (err) {
		fail(error, "fork/exec", path, err);
		return -1;
	}
	return pid;
}
