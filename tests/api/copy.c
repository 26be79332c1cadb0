/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=200 */
/* Goal: all that is there arrives, once and in order, from each kind of source at each kind of sink, by whichever way; and an
   error says which side, and how much was copied before it. */
#include "conn_listen.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define LARGE ((size_t)(3 << 20) + 7)

static char data[LARGE], got[LARGE + 1];

static void make_data(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (char)(x >> 24);
	}
}

/* --- sources and sinks */

enum kind { MEMORY, DISK, BUFFERED_DISK, OS_PIPE, TCP, UNIX, PAIR, BUFFERED_TCP, KINDS };

struct end {
	enum kind kind;
	leat_conn *conn, *other; /* of a connection; the end that the test has */
	leat_file *file, *peer;
	leat_reader *reader;
	leat_writer *writer;
	_Atomic bool finished;
	size_t bytes; /* to come, or that came */
};

static void open_conns(struct end *e)
{
	if (e->kind == PAIR)
		CHECK(leat_conn_pipe(&e->conn, &e->other));
	else if (e->kind == UNIX)
		CHECK(leat_conn_socketpair(&e->conn, &e->other, NULL));
	else
		CHECK(listen_pair("tcp", "127.0.0.1:0", &e->conn, &e->other));
}

static leat_file *open_disk(void)
{
	leat_file *f = leat_file_temp(NULL, "leat-copy-*", NULL);

	CHECK(f);
	CHECK_EQ(leat_remove(leat_file_name(f), NULL), 0);
	return f;
}

struct feed {
	struct end *e;
};

static void feed(struct feed *a)
{
	struct end *e = a->e;

	if (e->peer) {
		CHECK_EQ(leat_file_write(e->peer, data, e->bytes, NULL), 0);
		CHECK_EQ(leat_file_close(e->peer), 0);
	} else {
		CHECK_EQ(leat_conn_write(e->other, data, e->bytes, NULL), 0);
		CHECK_EQ(leat_conn_close_write(e->other), 0);
	}
	atomic_store(&e->finished, true);
}

struct drain {
	struct end *e;
};

static void drain(struct drain *a)
{
	struct end *e = a->e;
	ssize_t n;

	do {
		n = e->peer ? leat_file_read(e->peer, got + e->bytes, sizeof got - e->bytes)
		            : leat_conn_read(e->other, got + e->bytes, sizeof got - e->bytes);
		CHECK(n >= 0);
		e->bytes += (size_t)n;
	} while (n);
	atomic_store(&e->finished, true);
}

/* bytes of data. */
static void source_open(struct end *e, enum kind kind, size_t bytes)
{
	*e = (struct end){.kind = kind, .bytes = bytes};
	switch (kind) {
	case MEMORY:
		e->reader = leat_reader_of_memory(data, bytes, NULL);
		break;
	case DISK:
	case BUFFERED_DISK:
		e->file = open_disk();
		CHECK_EQ(leat_file_write(e->file, data, bytes, NULL), 0);
		CHECK_EQ(leat_file_seek(e->file, 0, SEEK_SET), 0);
		if (kind == BUFFERED_DISK)
			e->reader = leat_reader_of_file(e->file, NULL);
		break;
	case OS_PIPE:
		CHECK(leat_file_pipe(&e->file, &e->peer, NULL));
		break;
	default:
		open_conns(e);
		if (kind == BUFFERED_TCP)
			e->reader = leat_reader_of_conn(e->conn, NULL);
	}
}

static void sink_open(struct end *e, enum kind kind)
{
	*e = (struct end){.kind = kind};
	switch (kind) {
	case MEMORY:
		e->writer = leat_writer_of_memory(NULL);
		break;
	case DISK:
	case BUFFERED_DISK:
		e->file = open_disk();
		if (kind == BUFFERED_DISK)
			e->writer = leat_writer_of_file(e->file, NULL);
		break;
	case OS_PIPE:
		CHECK(leat_file_pipe(&e->peer, &e->file, NULL));
		break;
	default:
		open_conns(e);
		if (kind == BUFFERED_TCP)
			e->writer = leat_writer_of_conn(e->conn, NULL);
	}
}

/* Their other ends begin; not before all are open, since listen_pair waits for goroutines. */
static void start(struct end *from, struct end *to)
{
	if (from && (from->peer || from->conn))
		go(feed, .e = from);
	else if (from)
		atomic_store(&from->finished, true);
	if (to && (to->peer || to->conn))
		go(drain, .e = to);
}

static void end_free(struct end *e)
{
	leat_reader_free(e->reader);
	leat_writer_free(e->writer);
	leat_conn_free(e->conn);
	leat_conn_free(e->other);
	leat_file_free(e->file);
	leat_file_free(e->peer);
}

static void source_close(struct end *e)
{
	test_until(atomic_load(&e->finished));
	end_free(e);
}

/* These bytes came, and no more. */
static void sink_close(struct end *e, size_t bytes)
{
	if (e->writer)
		CHECK_EQ(leat_writer_flush(e->writer), 0);
	if (e->conn) {
		CHECK_EQ(leat_conn_close_write(e->conn), 0);
	} else if (e->peer) {
		CHECK_EQ(leat_file_close(e->file), 0);
	} else if (e->file) {
		CHECK_EQ(leat_file_seek(e->file, 0, SEEK_CUR), (int64_t)bytes);
		e->bytes = (size_t)leat_file_pread(e->file, got, sizeof got, 0);
	} else {
		e->bytes = leat_writer_buffered(e->writer);
		memcpy(got, leat_writer_memory(e->writer), e->bytes);
	}
	if (e->peer || e->conn)
		test_until(atomic_load(&e->finished));
	CHECK_EQ(e->bytes, bytes);
	CHECK(memcmp(got, data, bytes) == 0);
	end_free(e);
}

static int copy_n(struct end *to, struct end *from, int64_t bytes, leat_copied *c)
{
	if (to->writer && from->reader)
		return leat_copy_n(to->writer, from->reader, bytes, NULL, c);
	if (to->writer && from->file)
		return leat_copy_n(to->writer, from->file, bytes, NULL, c);
	if (to->writer)
		return leat_copy_n(to->writer, from->conn, bytes, NULL, c);
	if (to->file && from->reader)
		return leat_copy_n(to->file, from->reader, bytes, NULL, c);
	if (to->file && from->file)
		return leat_copy_n(to->file, from->file, bytes, NULL, c);
	if (to->file)
		return leat_copy_n(to->file, from->conn, bytes, NULL, c);
	if (from->reader)
		return leat_copy_n(to->conn, from->reader, bytes, NULL, c);
	if (from->file)
		return leat_copy_n(to->conn, from->file, bytes, NULL, c);
	return leat_copy_n(to->conn, from->conn, bytes, NULL, c);
}

static int copy(struct end *to, struct end *from, leat_copied *c)
{
	if (to->writer)
		return from->reader ? leat_copy(to->writer, from->reader, NULL, c)
		       : from->file ? leat_copy(to->writer, from->file, NULL, c)
		                    : leat_copy(to->writer, from->conn, NULL, c);
	if (to->file)
		return from->reader ? leat_copy(to->file, from->reader, NULL, c)
		       : from->file ? leat_copy(to->file, from->file, NULL, c)
		                    : leat_copy(to->file, from->conn, NULL, c);
	return from->reader ? leat_copy(to->conn, from->reader, NULL, c)
	       : from->file ? leat_copy(to->conn, from->file, NULL, c)
	                    : leat_copy(to->conn, from->conn, NULL, c);
}

/* In two parts: so many bytes, a look at what a reader buffers, and the rest. */
static void between(enum kind in, enum kind out, size_t bytes, size_t first)
{
	struct end from, to;
	leat_copied c = {7, true};

	source_open(&from, in, bytes);
	sink_open(&to, out);
	start(&from, &to);
	CHECK_EQ(copy_n(&to, &from, (int64_t)first, &c), 0);
	CHECK_EQ(c.bytes, (int64_t)first);
	CHECK(!c.reading);
	CHECK_EQ(copy(&to, &from, &c), 0);
	CHECK_EQ(c.bytes, (int64_t)(bytes - first));
	CHECK(!c.reading);
	CHECK_EQ(copy(&to, &from, &c), 0);
	CHECK_EQ(c.bytes, 0);
	CHECK_EQ(copy_n(&to, &from, 1, &c), -ENODATA);
	CHECK(c.reading && c.bytes == 0);
	sink_close(&to, bytes);
	source_close(&from);
}

TEST(between_all_kinds)
{
	static const size_t sizes[] = {0, 1, 5000, (32 << 10) + 1, LARGE};

	make_data();
	for (enum kind in = 0; in < KINDS; in++)
		for (enum kind out = 0; out < KINDS; out++)
			for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
				between(in, out, sizes[i], 0);
				if (sizes[i])
					between(in, out, sizes[i], sizes[i] / 3 + 1);
			}
}

/* By way of a reader that has more in its buffer than a copy takes at once, when the kernel could copy as well. */
static void through_a_reader(enum kind in, enum kind out, size_t room, size_t peeked, size_t first)
{
	struct end from, to;
	const void *at;
	leat_copied c;

	source_open(&from, in, LARGE);
	from.reader = from.file ? leat_reader_of_file(from.file, &(leat_reader_opts){room, 0})
	                        : leat_reader_of_conn(from.conn, &(leat_reader_opts){room, 0});
	CHECK(from.reader);
	sink_open(&to, out);
	start(&from, &to);
	CHECK_EQ(leat_reader_peek(from.reader, peeked, &at), 0);
	CHECK_EQ(copy_n(&to, &from, (int64_t)first, &c), 0);
	CHECK_EQ(copy(&to, &from, &c), 0);
	CHECK_EQ(c.bytes, (int64_t)(LARGE - first));
	CHECK_EQ(leat_reader_buffered(from.reader), 0);
	sink_close(&to, LARGE);
	source_close(&from);
}

TEST(a_large_buffer_of_a_reader_comes_first)
{
	static const enum kind ins[] = {DISK, TCP, UNIX},
	                       outs[] = {DISK, BUFFERED_DISK, TCP, UNIX, BUFFERED_TCP};

	make_data();
	for (size_t i = 0; i < sizeof ins / sizeof *ins; i++)
		for (size_t k = 0; k < sizeof outs / sizeof *outs; k++) {
			through_a_reader(ins[i], outs[k], 49152, 0, 0);
			through_a_reader(ins[i], outs[k], 100000, 1, 150001);
			through_a_reader(ins[i], outs[k], 0, 40000, 0); /* grown */
		}
}

/* --- the ends of waits */

struct feed_some {
	leat_conn *c;
	size_t bytes;
};

static void feed_some(struct feed_some *a)
{
	CHECK_EQ(leat_conn_write(a->c, data, a->bytes, NULL), 0);
}

/* The source stops in the middle; the copy that follows goes on from there. */
static void stalled(const char *network, size_t bytes)
{
	struct end to;
	leat_conn *from, *other;
	leat_copied c;
	leat_ctx *ctx;

	CHECK(listen_pair(network, network[0] == 't' ? "127.0.0.1:0" : "@", &from, &other));
	sink_open(&to, network[0] == 't' ? TCP : DISK);
	start(NULL, &to);
	go(feed_some, .c = other, .bytes = bytes);
	for (int64_t all = 0; all < (int64_t)bytes; all += c.bytes) {
		CHECK_EQ(leat_conn_set_read_deadline(from, leat_now() + 20 * LEAT_MILLISECOND), 0);
		CHECK_EQ(to.conn ? leat_copy(to.conn, from, NULL, &c) : leat_copy(to.file, from, NULL, &c),
		         -ETIMEDOUT);
		CHECK(c.reading);
	}
	CHECK_EQ(leat_conn_set_read_deadline(from, LEAT_FOREVER), 0);
	ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	CHECK_EQ(to.conn ? leat_copy(to.conn, from, ctx, &c) : leat_copy(to.file, from, ctx, &c),
	         -ETIMEDOUT);
	CHECK(c.reading || c.bytes == 0);
	leat_ctx_free(ctx);
	CHECK_EQ(leat_conn_write(other, data + bytes, 5, NULL), 0);
	CHECK_EQ(to.conn ? leat_copy_n(to.conn, from, 5, NULL, &c)
	                 : leat_copy_n(to.file, from, 5, NULL, &c),
	         0);
	CHECK_EQ(leat_conn_close(from), 0);
	CHECK_EQ(to.conn ? leat_copy(to.conn, from, NULL, &c) : leat_copy(to.file, from, NULL, &c),
	         -EBADF);
	CHECK(c.reading && c.bytes == 0);
	sink_close(&to, bytes + 5);
	leat_conn_free(from);
	leat_conn_free(other);
}

TEST(a_source_that_stalls)
{
	make_data();
	stalled("tcp", 1000);
	stalled("tcp", 1 << 20);
	stalled("unix", 1000);
	stalled("unix", 1 << 20);
}

/* A sink that takes no more: of a regular file, and of a reader's buffer, nothing is lost. */
TEST(a_sink_that_stalls)
{
	struct end from;
	leat_conn *to, *other;
	leat_copied c;
	int64_t total;

	make_data();
	for (int k = 0; k < 3; k++) {
		if (k == 2)
			CHECK(leat_conn_pipe(&to, &other));
		else
			CHECK(listen_pair(k ? "unix" : "tcp", k ? "@" : "127.0.0.1:0", &to, &other));
		if (k < 2)
			CHECK_EQ(leat_conn_set_write_buffer(to, 4096), 0);
		source_open(&from, DISK, LARGE);
		start(&from, NULL);
		CHECK_EQ(leat_conn_set_write_deadline(to, leat_now() + 20 * LEAT_MILLISECOND), 0);
		/* More than fits on the way, whatever the system's buffers are. */
		total = 0;
		do {
			CHECK_EQ(leat_file_seek(from.file, 0, SEEK_SET), 0);
			CHECK_EQ(leat_conn_set_write_deadline(to, leat_now() + 20 * LEAT_MILLISECOND), 0);
			total = leat_copy(to, from.file, NULL, &c);
		} while (total == 0);
		CHECK_EQ(total, -ETIMEDOUT);
		CHECK(!c.reading);
		CHECK(c.bytes < (int64_t)LARGE);
		CHECK_EQ(leat_file_seek(from.file, 0, SEEK_CUR), c.bytes);
		leat_conn_free(to);
		leat_conn_free(other);
		source_close(&from);
	}
}

TEST(a_reader_keeps_what_was_not_written)
{
	leat_reader *r = leat_reader_of_memory("hello", 5, NULL);
	leat_conn *to, *other;
	leat_copied c;
	char text[5];

	CHECK(leat_conn_pipe(&to, &other));
	CHECK_EQ(leat_conn_set_write_deadline(to, leat_now() + LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_copy(to, r, NULL, &c), -ETIMEDOUT);
	CHECK(!c.reading && c.bytes == 0);
	CHECK_EQ(leat_reader_read_full(r, text, 5, NULL), 0);
	CHECK(memcmp(text, "hello", 5) == 0);
	leat_reader_free(r);
	leat_conn_free(to);
	leat_conn_free(other);
}

/* ctx stands in for a reader's and a writer's own, for the time of the copy. */
TEST(contexts_of_readers_and_writers)
{
	leat_ctx *done = leat_ctx_with_cancel(leat_ctx_background());
	leat_conn *from, *feeder, *to, *drain_it;
	leat_reader *r;
	leat_writer *w;
	leat_copied c;

	CHECK(leat_conn_socketpair(&from, &feeder, NULL));
	CHECK(leat_conn_socketpair(&to, &drain_it, NULL));
	r = leat_reader_of_conn(from, NULL);
	w = leat_writer_of_conn(to, NULL);
	CHECK(r && w);
	leat_ctx_cancel(done);
	CHECK_EQ(leat_copy(w, r, done, &c), -ECANCELED);
	CHECK(c.reading);
	/* Theirs are as before: none. */
	CHECK_EQ(leat_conn_write(feeder, "abc", 3, NULL), 0);
	CHECK_EQ(leat_conn_close_write(feeder), 0);
	CHECK_EQ(leat_copy(w, r, NULL, &c), 0);
	CHECK_EQ(leat_writer_flush(w), 0);
	leat_reader_set_ctx(r, done);
	CHECK_EQ(leat_copy(w, r, NULL, &c), -ECANCELED);
	CHECK_EQ(leat_copy(w, r, leat_ctx_background(), &c), 0);
	CHECK_EQ(leat_copy(w, r, NULL, &c), -ECANCELED);
	leat_reader_free(r);
	leat_writer_free(w);
	leat_conn_free(from);
	leat_conn_free(feeder);
	leat_conn_free(to);
	leat_conn_free(drain_it);
	leat_ctx_free(done);
}

/* --- what the kernel cannot do */

TEST(append)
{
	leat_file *out = open_disk(), *log;
	char name[64];
	struct end from;
	leat_copied c;

	make_data();
	snprintf(name, sizeof name, "/proc/self/fd/%d", leat_file_fd(out));
	log = leat_file_open(name, O_RDWR | O_APPEND, 0, NULL);
	CHECK(log);
	CHECK_EQ(leat_file_write(out, data, 1000, NULL), 0);
	for (int k = 0; k < 2; k++) {
		source_open(&from, k ? TCP : DISK, LARGE);
		start(&from, NULL);
		CHECK_EQ(k ? leat_copy(log, from.conn, NULL, &c) : leat_copy(log, from.file, NULL, &c), 0);
		CHECK_EQ(c.bytes, (int64_t)LARGE);
		source_close(&from);
		CHECK_EQ(leat_file_pread(log, got, LARGE, 1000 + k * (int64_t)LARGE), (int64_t)LARGE);
		CHECK(memcmp(got, data, LARGE) == 0);
	}
	leat_file_free(log);
	leat_file_free(out);
}

/* Files that have no size, and yet something in them. */
TEST(proc)
{
	leat_file *in = leat_file_open("/proc/self/maps", O_RDONLY, 0, NULL), *out = open_disk();
	leat_copied c;

	CHECK(in);
	CHECK_EQ(leat_copy(out, in, NULL, &c), 0);
	CHECK(c.bytes > 100);
	leat_file_free(in);
	leat_file_free(out);
}

TEST(to_itself)
{
	leat_file *f = open_disk();
	char all[11] = {0};
	leat_copied c;

	CHECK_EQ(leat_file_write(f, "abcdefghij", 10, NULL), 0);
	CHECK_EQ(leat_file_seek(f, 0, SEEK_SET), 0);
	CHECK_EQ(leat_copy_n(f, f, 4, NULL, &c), 0);
	CHECK_EQ(leat_file_pread(f, all, 10, 0), 10);
	CHECK_STR(all, "abcdabcdij");
	leat_file_free(f);
}

/* --- errors */

static _Atomic int signals;

static void count_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

TEST(whose_error)
{
	leat_file *in = open_disk(), *out = open_disk(), *write_only, *read_only;
	char name[64];
	leat_conn *a, *b;
	leat_copied c;

	signal(SIGPIPE, count_signal);
	CHECK_EQ(leat_file_write(in, "abc", 3, NULL), 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", leat_file_fd(in));
	write_only = leat_file_open(name, O_WRONLY, 0, NULL);
	read_only = leat_file_open(name, O_RDONLY, 0, NULL);
	CHECK(write_only && read_only);
	CHECK_EQ(leat_copy(out, write_only, NULL, &c), -EBADF);
	CHECK(c.reading);
	CHECK_EQ(leat_copy(read_only, read_only, NULL, &c), -EBADF);
	CHECK(!c.reading);
	CHECK_EQ(leat_file_seek(in, 0, SEEK_SET), 0);
	CHECK_EQ(leat_copy(read_only, in, NULL, &c), -EBADF);
	CHECK(!c.reading);
	CHECK_EQ(leat_file_seek(in, 0, SEEK_CUR), 0);
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	CHECK_EQ(leat_copy(a, write_only, NULL, &c), -EBADF);
	CHECK(c.reading);
	leat_conn_free(b);
	CHECK_EQ(leat_copy(a, in, NULL, &c), -EPIPE);
	CHECK(!c.reading);
	CHECK_EQ(leat_file_seek(in, 0, SEEK_CUR), 0);
	CHECK_EQ(leat_conn_close(a), 0);
	CHECK_EQ(leat_copy(a, in, NULL, &c), -EBADF);
	CHECK(!c.reading);
	CHECK_EQ(leat_file_seek(in, 0, SEEK_CUR), 0);
	leat_conn_free(a);
	CHECK_EQ(leat_file_close(in), 0);
	CHECK_EQ(leat_copy(out, in, NULL, NULL), -EBADF);
	CHECK_EQ(atomic_load(&signals), 0);
	leat_file_free(in);
	leat_file_free(out);
	leat_file_free(write_only);
	leat_file_free(read_only);
}

/* A sink that goes away in the middle of a splice. */
TEST(a_sink_that_goes)
{
	struct end from;
	leat_conn *to, *other;
	leat_writer *w;
	leat_copied c;
	int err;

	make_data();
	signal(SIGPIPE, count_signal);
	CHECK(listen_pair("tcp", "127.0.0.1:0", &to, &other));
	source_open(&from, TCP, LARGE);
	start(&from, NULL);
	CHECK_EQ(leat_copy_n(to, from.conn, 64 << 10, NULL, &c), 0);
	leat_conn_free(other);
	err = leat_copy(to, from.conn, NULL, &c);
	CHECK(err == -EPIPE || err == -ECONNRESET);
	CHECK(!c.reading);
	CHECK_EQ(atomic_load(&signals), 0);
	leat_conn_free(to);
	w = leat_writer_of_memory(NULL);
	CHECK_EQ(leat_copy(w, from.conn, NULL, NULL), 0);
	leat_writer_free(w);
	source_close(&from);
}

TEST_MAIN
