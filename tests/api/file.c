/* SPDX-License-Identifier: MIT */
/*
 * Regular files.  file_uring.c and file_blocking.c are the same with all of it through io_uring, and nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "file_help.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

static leat_file *opened(const char *name, int flags)
{
	const leat_error *e = NULL;
	leat_file *f = leat_file_open(file_path(name), flags, 0600, &e);

	if (!f)
		fprintf(stderr, "%s\n", leat_error_message(e));
	CHECK(f);
	return f;
}

/* What is at an offset. */
static unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 7 + at / 251 + at / 65536);
}

static unsigned char *patterned(size_t bytes)
{
	unsigned char *b = malloc(bytes);

	CHECK(b);
	for (size_t i = 0; i < bytes; i++)
		b[i] = pattern(i);
	return b;
}

static leat_file *large(const char *name, size_t bytes)
{
	leat_file *f = opened(name, O_RDWR | O_CREAT | O_TRUNC);
	unsigned char *b = patterned(bytes);
	size_t written = 0;

	CHECK_EQ(leat_file_write(f, b, bytes, &written), 0);
	CHECK_EQ(written, bytes);
	free(b);
	return f;
}

TEST(opening_fails_in_gos_words)
{
	const leat_error *e = NULL;

	CHECK(!leat_file_open(file_path("none"), O_RDONLY, 0, &e));
	CHECK_EQ(leat_error_code(e), -ENOENT);
	CHECK(file_says(e, "open", "none", "no such file or directory"));
	CHECK(!leat_file_open(file_path("none"), O_RDONLY, 0, NULL));
	CHECK(!leat_file_create(file_path("none/x"), NULL));
	CHECK(!leat_file_from_fd(-1, "x", &e));
	CHECK_STR(leat_error_message(e), "open x: bad file descriptor");
	leat_error_free(e);
}

TEST(what_is_written_is_read)
{
	leat_file *f = opened("a", O_RDWR | O_CREAT | O_TRUNC);
	char b[32] = "";
	size_t n = 0;

	CHECK_STR(leat_file_name(f), file_path("a"));
	CHECK_EQ(leat_file_write(f, "hello, world", 12, &n), 0);
	CHECK_EQ(n, 12);
	CHECK_EQ(leat_file_read(f, b, sizeof b), 0);
	CHECK_EQ(leat_file_seek(f, 7, SEEK_SET), 7);
	CHECK_EQ(leat_file_read(f, b, 0), 0);
	CHECK_EQ(leat_file_read(f, b, 2), 2);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_CUR), 9);
	CHECK_EQ(leat_file_read(f, b + 2, sizeof b - 2), 3);
	CHECK_STR(b, "world");
	CHECK_EQ(leat_file_read(f, b, sizeof b), 0);
	CHECK_EQ(leat_file_write(f, "!", 1, NULL), 0);
	CHECK_EQ(leat_file_seek(f, -1, SEEK_END), 12);
	CHECK_EQ(leat_file_seek(f, -1, SEEK_SET), -EINVAL);
	CHECK_EQ(leat_file_close(f), 0);
	leat_file_free(f);
}

TEST(read_full_tells_the_end_from_an_end_too_early)
{
	leat_file *f = large("b", 10);
	char b[16];
	size_t n = 99;

	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	CHECK_EQ(leat_file_read_full(f, b, 4, NULL, &n), 0);
	CHECK_EQ(n, 4);
	CHECK_EQ(leat_file_read_full(f, b, 16, NULL, &n), -EPROTO);
	CHECK_EQ(n, 6);
	CHECK_EQ(leat_file_read_full(f, b, 16, NULL, &n), -ENODATA);
	CHECK_EQ(n, 0);
	leat_file_free(f);
}

TEST(at_an_offset_and_the_position_stays)
{
	leat_file *f = large("c", 1000);
	unsigned char b[300];
	size_t n = 9;

	CHECK_EQ(leat_file_pread(f, b, 300, 100), 300);
	for (size_t i = 0; i < 300; i++)
		CHECK_EQ(b[i], pattern(100 + i));
	CHECK_EQ(leat_file_pread(f, b, 300, 900), 100);
	CHECK_EQ(leat_file_pread(f, b, 300, 1000), 0);
	CHECK_EQ(leat_file_pread(f, b, 300, 5000), 0);
	CHECK_EQ(leat_file_pread(f, b, 300, -1), -EINVAL);
	CHECK_EQ(leat_file_pwrite(f, "abc", 3, 2000, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_EQ(leat_file_pwrite(f, "abc", 3, -1, &n), -EINVAL);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_CUR), 1000);
	CHECK_EQ(leat_file_read(f, b, 300), 300);
	CHECK_EQ(b[0], 0);
	leat_file_free(f);
}

TEST(append_writes_at_the_end)
{
	leat_file *f = large("d", 10), *a = opened("d", O_RDWR | O_APPEND);
	struct stat s;
	char b[4];

	CHECK_EQ(leat_file_write(a, "12", 2, NULL), 0);
	CHECK_EQ(leat_file_write(f, "34", 2, NULL), 0);
	CHECK_EQ(leat_file_write(a, "56", 2, NULL), 0);
	CHECK_EQ(leat_file_pwrite(a, "x", 1, 0, NULL), -EINVAL);
	CHECK_EQ(leat_file_stat(a, &s), 0);
	CHECK_EQ(s.st_size, 14);
	CHECK_EQ(leat_file_pread(f, b, 4, 10), 4);
	CHECK(memcmp(b, "3456", 4) == 0);
	leat_file_free(a);
	leat_file_free(f);
}

TEST(truncate_sync_and_stat)
{
	leat_file *f = large("e", 5000);
	struct stat s;

	CHECK_EQ(leat_file_truncate(f, 100), 0);
	CHECK_EQ(leat_file_sync(f), 0);
	CHECK_EQ(leat_file_sync_data(f), 0);
	CHECK_EQ(leat_file_stat(f, &s), 0);
	CHECK_EQ(s.st_size, 100);
	CHECK(S_ISREG(s.st_mode));
	CHECK_EQ(leat_file_truncate(f, -1), -EINVAL);
	leat_file_free(f);
}

TEST(a_large_one_comes_as_it_went)
{
	size_t bytes = 3 << 20;
	leat_file *f = large("f", bytes);
	unsigned char *b = malloc(bytes + 1);

	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	CHECK_EQ(leat_file_read(f, b, bytes + 1), bytes);
	for (size_t i = 0; i < bytes; i++)
		if (b[i] != pattern(i))
			CHECK_EQ(i, -1);
	free(b);
	leat_file_free(f);
}

TEST(line_180_regular_files_have_no_deadlines)
{
	leat_file *f = large("g", 10);
	const leat_error *e;
	char b[16];
	int err = leat_file_set_deadline(f, leat_now());

	CHECK_EQ(err, -ENOTSUP);
	e = leat_file_error(f, "set deadline", err);
	CHECK(file_says(e, "set deadline", "g", "file type does not support deadline"));
	CHECK_EQ(leat_file_set_read_deadline(f, LEAT_FOREVER), -ENOTSUP);
	CHECK_EQ(leat_file_set_write_deadline(f, 0), -ENOTSUP);
	CHECK_EQ(leat_file_pread(f, b, 16, 0), 10);
	CHECK_EQ(leat_file_write(f, b, 4, NULL), 0);
	leat_file_free(f);
}

TEST(line_175_closed_is_closed)
{
	leat_file *f = large("h", 10);
	struct stat s;
	size_t n = 7;
	char b[4];

	CHECK(leat_file_fd(f) >= 0);
	CHECK_EQ(leat_file_close(f), 0);
	CHECK_EQ(leat_file_close(f), -EBADF);
	CHECK_EQ(leat_file_fd(f), -1);
	CHECK_EQ(leat_file_read(f, b, 4), -EBADF);
	CHECK(file_says(leat_file_error(f, "read", -EBADF), "read", "h", "file already closed"));
	CHECK_EQ(leat_file_write(f, b, 4, &n), -EBADF);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_file_pread(f, b, 4, 0), -EBADF);
	CHECK_EQ(leat_file_pwrite(f, b, 4, 0, NULL), -EBADF);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), -EBADF);
	CHECK_EQ(leat_file_truncate(f, 0), -EBADF);
	CHECK_EQ(leat_file_sync(f), -EBADF);
	CHECK_EQ(leat_file_stat(f, &s), -EBADF);
	CHECK_EQ(leat_file_set_deadline(f, 1), -EBADF);
	leat_file_free(f);
	leat_file_free(NULL);
}

TEST(not_open_for_that_is_another_error)
{
	leat_file *f = large("i", 10);

	leat_file_free(f);
	f = opened("i", O_RDONLY);
	CHECK_EQ(leat_file_write(f, "x", 1, NULL), -EBADF);
	CHECK(file_says(leat_file_error(f, "write", -EBADF), "write", "i", "bad file descriptor"));
	CHECK(leat_file_error(f, "write", 0) == NULL);
	leat_file_free(f);
	f = leat_file_open(file_path("."), O_RDONLY, 0, NULL);
	CHECK(f);
	CHECK_EQ(leat_file_read(f, &(char){0}, 1), -EISDIR);
	leat_file_free(f);
}

TEST(temporary_ones_are_all_different)
{
	const leat_error *e;
	leat_file *f[20];

	for (int i = 0; i < 20; i++) {
		f[i] = leat_file_temp(file_path(""), "a*z", NULL);
		CHECK(f[i]);
		CHECK(strncmp(strrchr(leat_file_name(f[i]), '/'), "/a", 2) == 0);
		CHECK(leat_file_name(f[i])[strlen(leat_file_name(f[i])) - 1] == 'z');
	}
	for (int i = 0; i < 20; i++)
		leat_file_free(f[i]);
	CHECK(!leat_file_temp(file_path(""), "a/b", &e));
	CHECK_EQ(leat_error_code(e), -EINVAL);
	leat_error_free(e);
	CHECK(!leat_file_temp(file_path("none"), "x", &e));
	CHECK_EQ(leat_error_code(e), -ENOENT);
	leat_error_free(e);
}

/* --- many at once */

enum { PIECE = 4096, PIECES = 512 };

static _Atomic int pieces_read;

#define SHARES(name)                                                                               \
	struct name {                                                                                  \
		leat_file *f;                                                                              \
		unsigned seed;                                                                             \
	}

SHARES(read_pieces);
SHARES(read_records);
SHARES(write_records);
SHARES(read_until_closed);

static void read_pieces(struct read_pieces *r)
{
	unsigned char *b = malloc(PIECE);

	for (int i = 0; i < test_count(200); i++) {
		size_t at;

		r->seed = r->seed * 1103515245 + 12345;
		at = (size_t)(r->seed / 65536 % PIECES) * PIECE;
		CHECK_EQ(leat_file_pread(r->f, b, PIECE, (int64_t)at), PIECE);
		for (size_t k = 0; k < PIECE; k += 97)
			CHECK_EQ(b[k], pattern(at + k));
		atomic_fetch_add(&pieces_read, 1);
	}
	free(b);
}

TEST(many_read_what_is_not_in_memory)
{
	leat_file *f = large("j", (size_t)PIECE * PIECES);

	CHECK_EQ(leat_file_sync(f), 0);
	atomic_store(&pieces_read, 0);
	for (int round = 0; round < 2; round++) {
		scope(s, NULL);
		CHECK_EQ(posix_fadvise(leat_file_fd(f), 0, 0, POSIX_FADV_DONTNEED), 0);
		for (unsigned i = 0; i < 32; i++)
			scope_go(s, read_pieces, f, i);
		scope_wait(s);
	}
	CHECK_EQ(atomic_load(&pieces_read), 2 * 32 * test_count(200));
	leat_file_free(f);
}

static void *read_in_thread(void *arg)
{
	read_pieces(arg);
	return NULL;
}

TEST(plain_threads_do_too)
{
	leat_file *f = large("k", (size_t)PIECE * PIECES);
	pthread_t t[4];
	struct read_pieces r[4];

	CHECK_EQ(leat_file_sync(f), 0);
	CHECK_EQ(posix_fadvise(leat_file_fd(f), 0, 0, POSIX_FADV_DONTNEED), 0);
	for (unsigned i = 0; i < 4; i++) {
		r[i] = (struct read_pieces){f, i};
		CHECK_EQ(pthread_create(&t[i], NULL, read_in_thread, &r[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	leat_file_free(f);
}

enum { RECORD = 100, RECORDS = 2000 };

static atomic_uchar seen[RECORDS];

static void read_records(struct read_records *r)
{
	unsigned char b[RECORD];
	ssize_t n;

	while ((n = leat_file_read(r->f, b, RECORD)) == RECORD) {
		uint32_t which;

		memcpy(&which, b, sizeof which);
		CHECK(which < RECORDS);
		for (size_t i = sizeof which; i < RECORD; i++)
			CHECK_EQ(b[i], (unsigned char)which);
		atomic_fetch_add(&seen[which], 1);
	}
	CHECK_EQ(n, 0);
}

static void write_records(struct write_records *r)
{
	unsigned char b[RECORD];

	for (uint32_t i = 0; i < RECORDS / 8; i++) {
		uint32_t which = r->seed * (RECORDS / 8) + i;

		memset(b, (unsigned char)which, RECORD);
		memcpy(b, &which, sizeof which);
		CHECK_EQ(leat_file_write(r->f, b, RECORD, NULL), 0);
	}
}

TEST(line_177_who_shares_the_position_takes_turns)
{
	leat_file *f = opened("l", O_RDWR | O_CREAT | O_TRUNC);

	{
		scope(s, NULL);
		for (unsigned i = 0; i < 8; i++)
			scope_go(s, write_records, f, i);
		scope_wait(s);
	}
	CHECK_EQ(leat_file_seek(f, 0, SEEK_CUR), RECORD * RECORDS);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	{
		scope(s, NULL);
		for (unsigned i = 0; i < 8; i++)
			scope_go(s, read_records, f, i);
		scope_wait(s);
	}
	for (int i = 0; i < RECORDS; i++)
		CHECK_EQ(atomic_load(&seen[i]), 1);
	leat_file_free(f);
}

static void read_until_closed(struct read_until_closed *r)
{
	unsigned char b[512];
	ssize_t n;

	while ((n = leat_file_pread(r->f, b, sizeof b, 512)) == sizeof b)
		CHECK_EQ(b[0], pattern(512));
	CHECK_EQ(n, -EBADF);
	atomic_fetch_add(&pieces_read, 1);
}

TEST(line_176_a_close_lets_those_at_work_leave)
{
	for (int round = 0; round < test_count(200); round++) {
		leat_file *f = large("m", 2048);
		scope(s, NULL);

		atomic_store(&pieces_read, 0);
		for (unsigned i = 0; i < 4; i++)
			scope_go(s, read_until_closed, f, i);
		leat_yield();
		CHECK_EQ(leat_file_close(f), 0);
		scope_wait(s);
		CHECK_EQ(atomic_load(&pieces_read), 4);
		leat_file_free(f);
	}
}

TEST(a_context_that_is_done_lets_nothing_begin)
{
	leat_file *f = large("n", 100);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	size_t n = 5;
	char b[4];

	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	CHECK_EQ(leat_file_read_ctx(f, b, 4, ctx), 4);
	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_file_read_ctx(f, b, 4, ctx), -ECANCELED);
	CHECK_EQ(leat_file_write_ctx(f, b, 4, ctx, &n), -ECANCELED);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_file_read_full(f, b, 4, ctx, &n), -ECANCELED);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_CUR), 4);
	leat_ctx_free(ctx);
	leat_file_free(f);
}

/* --- where there is no room */

TEST(a_full_disk_is_an_error_that_says_how_much_went)
{
	struct rlimit old, limit;
	leat_file *f = opened("o", O_RDWR | O_CREAT | O_TRUNC);
	unsigned char *b = patterned(100000);
	size_t n = 0;

	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){50000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_EQ(leat_file_write(f, b, 100000, &n), -EFBIG);
	CHECK_EQ(n, 50000);
	CHECK(file_says(leat_file_error(f, "write", -EFBIG), "write", "o", "file too large"));
	CHECK_EQ(leat_file_pwrite(f, b, 100, 49990, &n), -EFBIG);
	CHECK_EQ(n, 10);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
	CHECK_EQ(leat_file_write(f, b + 50000, 50000, &n), 0);
	CHECK_EQ(leat_file_pread(f, b, 50000, 50000), 50000);
	CHECK_EQ(b[0], pattern(50000));
	free(b);
	leat_file_free(f);
}

TEST(devices_and_files_of_the_kernel)
{
	leat_file *f = leat_file_open("/dev/full", O_RDWR, 0, NULL);
	size_t n = 9;
	char b[512];

	CHECK(f);
	CHECK_EQ(leat_file_write(f, "abc", 3, &n), -ENOSPC);
	CHECK_EQ(n, 0);
	CHECK_EQ(leat_file_set_deadline(f, 1), -ENOTSUP);
	CHECK_EQ(leat_file_read(f, b, 8), 8);
	leat_file_free(f);
	f = leat_file_open("/dev/null", O_RDWR, 0, NULL);
	CHECK(f);
	CHECK_EQ(leat_file_write(f, "abc", 3, &n), 0);
	CHECK_EQ(n, 3);
	CHECK_EQ(leat_file_read(f, b, 8), 0);
	leat_file_free(f);
	f = leat_file_open("/proc/self/stat", O_RDONLY, 0, NULL);
	CHECK(f);
	CHECK(leat_file_read(f, b, sizeof b) > 10);
	CHECK(leat_file_pread(f, b, sizeof b, 0) > 10);
	CHECK_EQ(strtol(b, NULL, 10), getpid());
	leat_file_free(f);
}

TEST_MAIN
