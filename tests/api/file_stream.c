/* SPDX-License-Identifier: MIT */
/* Files that can be waited for: pipes, FIFOs, terminals, descriptors of the program's. */
#define _GNU_SOURCE
#include "file_help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <termios.h>

static void pipe_of(leat_file **r, leat_file **w)
{
	CHECK(leat_file_pipe(r, w, NULL));
}

struct reading {
	leat_file *f;
	ssize_t expected;
	int *ended;
};

static void reading(struct reading *a)
{
	char b[16];

	CHECK_EQ(leat_file_read(a->f, b, sizeof b), a->expected);
	if (a->ended)
		++*a->ended;
}

TEST(line_168_a_reader_parks)
{
	leat_file *r, *w;
	scope(s, NULL);

	pipe_of(&r, &w);
	scope_go(s, reading, r, 3);
	test_parked(1);
	CHECK_EQ(leat_file_write(w, "abc", 3, NULL), 0);
	scope_wait(s);
	leat_file_free(w);
	CHECK_EQ(leat_file_read(r, (char[4]){0}, 4), 0);
	leat_file_free(r);
}

TEST(line_175_a_close_wakes_who_reads)
{
	leat_file *r, *w;
	scope(s, NULL);

	pipe_of(&r, &w);
	for (int i = 0; i < 3; i++)
		scope_go(s, reading, r, -EBADF);
	test_parked(3);
	CHECK_EQ(leat_file_close(r), 0);
	scope_wait(s);
	CHECK_EQ(leat_file_read(r, (char[4]){0}, 4), -EBADF);
	leat_file_free(r);
	leat_file_free(w);
}

TEST(what_nobody_reads_is_no_signal)
{
	leat_file *r, *w;
	const leat_error *e;
	size_t n = 5;

	pipe_of(&r, &w);
	leat_file_free(r);
	CHECK_EQ(leat_file_write(w, "abc", 3, &n), -EPIPE);
	CHECK_EQ(n, 0);
	e = leat_file_error(w, "write", -EPIPE);
	CHECK_STR(leat_error_message(e), "write |1: broken pipe");
	leat_error_free(e);
	leat_file_free(w);
}

struct overfill {
	leat_file *f;
	size_t *written;
};

/* Much more than there is room for. */
static void overfill(struct overfill *a)
{
	char *much = calloc(1, 1 << 20);

	CHECK_EQ(leat_file_write(a->f, much, 1 << 20, a->written), -ETIMEDOUT);
	free(much);
}

static void deadlines(leat_file *r, leat_file *w)
{
	char *much = calloc(1, 1 << 20), b[4];
	size_t n = 0;

	CHECK_EQ(leat_file_write(w, "ab", 2, NULL), 0);
	CHECK_EQ(leat_file_set_deadline(r, 1), 0);
	CHECK_EQ(leat_file_read(r, b, 4), -ETIMEDOUT);
	CHECK_EQ(leat_file_read(r, b, 4), -ETIMEDOUT);
	CHECK_EQ(leat_file_set_read_deadline(r, leat_now() + LEAT_HOUR), 0);
	CHECK_EQ(leat_file_read(r, b, 4), 2);
	CHECK_EQ(leat_file_set_read_deadline(r, leat_now() + 5 * LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_file_read(r, b, 4), -ETIMEDOUT);
	CHECK_EQ(leat_file_set_read_deadline(r, LEAT_FOREVER), 0);
	{
		scope(s, NULL);
		scope_go(s, overfill, w, &n);
		test_parked(1);
		CHECK_EQ(leat_file_set_write_deadline(w, leat_now()), 0);
		scope_wait(s);
	}
	CHECK(n > 0 && n < 1 << 20);
	CHECK_EQ(leat_file_read_full(r, much, n, NULL, NULL), 0);
	CHECK_EQ(leat_file_set_write_deadline(w, LEAT_FOREVER), 0);
	free(much);
}

TEST(lines_169_to_173_deadlines)
{
	leat_file *r, *w;

	pipe_of(&r, &w);
	deadlines(r, w);
	leat_file_free(r);
	leat_file_free(w);
}

TEST(line_172_a_deadline_that_moves_ends_a_wait)
{
	leat_file *r, *w;
	scope(s, NULL);

	pipe_of(&r, &w);
	scope_go(s, reading, r, -ETIMEDOUT);
	test_parked(1);
	CHECK_EQ(leat_file_set_read_deadline(r, leat_now()), 0);
	scope_wait(s);
	leat_file_free(r);
	leat_file_free(w);
}

struct reading_ctx {
	leat_file *f;
	leat_ctx *ctx;
};

static void reading_ctx(struct reading_ctx *a)
{
	CHECK_EQ(leat_file_read_ctx(a->f, (char[4]){0}, 4, a->ctx), -ECANCELED);
}

TEST(a_context_ends_a_wait)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_file *r, *w;

	pipe_of(&r, &w);
	{
		scope(s, NULL);
		scope_go(s, reading_ctx, r, ctx);
		test_parked(1);
		leat_ctx_cancel(ctx);
		scope_wait(s);
	}
	leat_ctx_free(ctx);
	CHECK_EQ(leat_file_write(w, "abc", 3, NULL), 0);
	CHECK_EQ(leat_file_read(r, (char[4]){0}, 4), 3);
	leat_file_free(r);
	leat_file_free(w);
}

struct sending {
	leat_file *f;
	unsigned char id;
	size_t bytes;
};

static void sending(struct sending *a)
{
	unsigned char *b = malloc(a->bytes);
	size_t n;

	memset(b, a->id, a->bytes);
	CHECK_EQ(leat_file_write(a->f, b, a->bytes, &n), 0);
	CHECK_EQ(n, a->bytes);
	free(b);
}

TEST(line_177_writes_larger_than_the_pipe_stay_whole)
{
	size_t bytes = 300000, at = 0;
	unsigned char b[7000];
	int last = -1, counts[4] = {0};
	leat_file *r, *w;
	scope(s, NULL);

	pipe_of(&r, &w);
	for (int i = 0; i < 4; i++)
		scope_go(s, sending, w, (unsigned char)i, bytes);
	while (at < 4 * bytes) {
		ssize_t n = leat_file_read(r, b, sizeof b);

		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++, at++) {
			if (at % bytes == 0) {
				last = b[i];
				counts[last]++;
			}
			CHECK_EQ(b[i], last);
		}
	}
	scope_wait(s);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(counts[i], 1);
	leat_file_free(r);
	leat_file_free(w);
}

TEST(a_read_of_no_bytes_waits_for_nothing)
{
	int fds[2];
	leat_file *r, *w;

	for (int blocking = 0; blocking < 2; blocking++) {
		pipe_of(&r, &w);
		if (blocking) {
			leat_file_free(r);
			leat_file_free(w);
			CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
			r = leat_file_from_fd(fds[0], "in", NULL);
			w = leat_file_from_fd(fds[1], "out", NULL);
			CHECK(r && w);
		}
		CHECK_EQ(leat_file_set_read_deadline(r, leat_now() + 200 * LEAT_MILLISECOND), 0);
		CHECK_EQ(leat_file_read(r, NULL, 0), 0);
		CHECK_EQ(leat_file_set_read_deadline(r, LEAT_FOREVER), 0);
		{
			/* Nor for who reads. */
			scope(s, NULL);
			scope_go(s, reading, r, 1);
			test_parked(1);
			CHECK_EQ(leat_file_read(r, NULL, 0), 0);
			CHECK_EQ(leat_file_write(w, "x", 1, NULL), 0);
			scope_wait(s);
		}
		CHECK_EQ(leat_file_close(r), 0);
		CHECK_EQ(leat_file_read(r, NULL, 0), -EBADF);
		leat_file_free(r);
		leat_file_free(w);
	}
}

/* --- descriptors of the program's */

TEST(a_shared_one_keeps_its_mode_and_yet_parks)
{
	int fds[2];
	leat_file *r, *w;

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	r = leat_file_from_fd(fds[0], "in", NULL);
	w = leat_file_from_fd(fds[1], "out", NULL);
	CHECK(r && w);
	{
		scope(s, NULL);
		scope_go(s, reading, r, 3);
		test_parked(1);
		CHECK_EQ(leat_file_write(w, "abc", 3, NULL), 0);
		scope_wait(s);
	}
	{
		scope(s, NULL);
		scope_go(s, reading, r, -ETIMEDOUT);
		test_parked(1);
		CHECK_EQ(leat_file_set_deadline(r, 1), 0);
		scope_wait(s);
	}
	CHECK_EQ(leat_file_set_deadline(r, LEAT_FOREVER), 0);
	deadlines(r, w);
	CHECK(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
	CHECK(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK));
	{
		scope(s, NULL);
		scope_go(s, reading, r, -EBADF);
		test_parked(1);
		CHECK_EQ(leat_file_close(r), 0);
		scope_wait(s);
	}
	leat_file_free(r);
	leat_file_free(w);
	CHECK_EQ(fcntl(fds[0], F_GETFD), -1);
}

TEST(what_has_no_offsets_says_so)
{
	leat_file *f = leat_file_from_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "event", NULL), *r, *w;
	uint64_t one = 1;

	CHECK(f);
	{
		scope(s, NULL);
		scope_go(s, reading, f, 8);
		test_parked(1);
		CHECK_EQ(leat_file_write(f, &one, 8, NULL), 0);
		scope_wait(s);
	}
	leat_file_free(f);
	pipe_of(&r, &w);
	CHECK_EQ(leat_file_pread(r, &one, 8, 0), -ESPIPE);
	CHECK_EQ(leat_file_pwrite(w, &one, 8, 0, NULL), -ESPIPE);
	CHECK_EQ(leat_file_seek(r, 0, SEEK_CUR), -ESPIPE);
	CHECK_EQ(leat_file_sync(r), -EINVAL);
	leat_file_free(r);
	leat_file_free(w);
}

static void opening(const char **path)
{
	leat_file *w = leat_file_open(*path, O_WRONLY, 0, NULL);

	CHECK(w);
	CHECK_EQ(leat_file_write(w, "abc", 3, NULL), 0);
	leat_file_free(w);
}

struct opener {
	const char *path;
};

static void opener(struct opener *o)
{
	opening(&o->path);
}

TEST(a_fifo_waits_for_its_other_end_and_then_parks)
{
	const char *path = file_path("fifo");
	leat_file *r;
	char b[8];
	scope(s, NULL);

	CHECK_EQ(mkfifo(path, 0600), 0);
	scope_go(s, opener, path);
	r = leat_file_open(path, O_RDONLY, 0, NULL);
	CHECK(r);
	CHECK_EQ(leat_file_read(r, b, sizeof b), 3);
	CHECK_EQ(leat_file_read(r, b, sizeof b), 0);
	scope_wait(s);
	leat_file_free(r);
}

TEST(a_terminal_parks_and_has_deadlines)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	leat_file *m, *t;
	char b[16];

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		return; /* none to be had here */
	t = leat_file_open(ptsname(master), O_RDWR | O_NOCTTY, 0, NULL);
	m = leat_file_from_fd(master, "master", NULL);
	CHECK(t && m);
	CHECK_EQ(leat_file_set_read_deadline(t, leat_now()), 0);
	CHECK_EQ(leat_file_read(t, b, sizeof b), -ETIMEDOUT);
	CHECK_EQ(leat_file_set_read_deadline(t, LEAT_FOREVER), 0);
	{
		scope(s, NULL);
		scope_go(s, reading, t, 3);
		test_parked(1);
		CHECK_EQ(leat_file_write(m, "hi\n", 3, NULL), 0);
		scope_wait(s);
	}
	{
		scope(s, NULL);
		scope_go(s, reading, t, -EBADF);
		test_parked(1);
		CHECK_EQ(leat_file_close(t), 0);
		scope_wait(s);
	}
	leat_file_free(t);
	leat_file_free(m);
}

TEST_MAIN
