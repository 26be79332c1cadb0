/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: what connections do about others that vanish without a word (half-open: no FIN, no RST, no answer), and about those that
 * have shut down one direction.
 * Method: the other end is a plain socket with a filter that drops all that arrives, so that not even its kernel answers: as if
 * its cable were cut.  What ends a wait by the system's own clock (keep-alive) takes the 10 s that it takes.
 */
#define _GNU_SOURCE
#include "conn_suite_help.h"
#include "vanish.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define MANY 100

/* --- the other end */

/* A connection that was accepted with o, and the other end of it, which is a plain socket: leat's own would probe. */
static leat_conn *accepted(const leat_listen_opts *o, int *fd)
{
	leat_listener *l = leat_listen("tcp", "127.0.0.1:0", o, NULL);
	leat_conn *c;
	leat_addr a;

	CHECK(l);
	a = leat_listener_addr(l);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(*fd >= 0);
	CHECK_EQ(connect(*fd, &a.any, a.bytes), 0);
	c = leat_accept(l, NULL, NULL);
	CHECK(c);
	leat_listener_free(l);
	return c;
}

/* One that was dialled with o, likewise. */
static leat_conn *dialled(const leat_dial_opts *o, int *fd)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof in;
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[40];
	leat_conn *c;

	CHECK_EQ(bind(l, (struct sockaddr *)&in, bytes), 0);
	CHECK_EQ(listen(l, 1), 0);
	CHECK_EQ(getsockname(l, (struct sockaddr *)&in, &bytes), 0);
	snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(in.sin_port));
	c = leat_dial_with(o, "tcp", text, NULL, NULL);
	CHECK(c);
	*fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(*fd >= 0);
	close(l);
	return c;
}

/* --- this end */

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * LEAT_SECOND + t.tv_nsec;
}

/* What leat_conn_error says, whole. */
static void check_words(leat_conn *c, const char *op, int err, const char *end)
{
	leat_addr local = leat_conn_local(c), remote = leat_conn_remote(c);
	char from[LEAT_ADDR_TEXT], to[LEAT_ADDR_TEXT], wanted[300];
	const leat_error *e = leat_conn_error(c, op, err);

	snprintf(wanted, sizeof wanted, "%s tcp %s->%s: %s", op, leat_addr_text(&local, from),
	         leat_addr_text(&remote, to), end);
	CHECK_STR(leat_error_message(e), wanted);
	CHECK_EQ(leat_error_code(e), err);
	CHECK_EQ(leat_error_timeout(e), err == -ETIMEDOUT);
	leat_error_free(e);
}

struct left {
	int descriptors;
};

static struct left before(void)
{
	leat_sleep(1); /* what the runtime opens at its first wait is open */
	return (struct left){test_descriptors()};
}

static void check_left(const struct left *l)
{
	test_goroutines(1);
	CHECK(test_descriptors() <= l->descriptors + 2); /* the poller's, at its first use */
}

/* --- deadlines */

/* A read and a write that nobody answers end with their deadlines, and the connection is none the worse: when the cable is
   mended all of it arrives. */
TEST(deadlines_end_waits_and_nothing_is_lost)
{
	struct left left = before();
	size_t written, more, got = 0;
	static char buffer[1 << 16];
	int64_t at, cpu;
	leat_conn *c;
	char byte;
	int fd;

	c = accepted(NULL, &fd);
	CHECK_EQ(leat_conn_set_write_buffer(c, 1 << 16), 0);
	vanish(fd);
	cpu = cpu_ns();
	at = leat_now() + 100 * LEAT_MILLISECOND;
	CHECK_EQ(leat_conn_set_read_deadline(c, at), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), -ETIMEDOUT);
	CHECK(leat_now() >= at);
	check_words(c, "read", -ETIMEDOUT, "i/o timeout");
	/* The buffer fills, then the write waits, and then its time is over. */
	at = leat_now() + 200 * LEAT_MILLISECOND;
	CHECK_EQ(leat_conn_set_write_deadline(c, at), 0);
	CHECK_EQ(leat_conn_write(c, conn_zeros, CONN_LARGE, &written), -ETIMEDOUT);
	CHECK(leat_now() >= at);
	CHECK(written > 0 && written < CONN_LARGE);
	check_words(c, "write", -ETIMEDOUT, "i/o timeout");
	/* Sticky, and for a write that is tried again, too. */
	CHECK_EQ(leat_conn_write(c, "x", 1, &more), -ETIMEDOUT);
	CHECK_EQ(more, 0);
	CHECK(cpu_ns() - cpu < 150 * LEAT_MILLISECOND);
	reappear(fd);
	CHECK_EQ(leat_conn_set_deadline(c, LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_close_write(c), 0);
	for (ssize_t n = 1; n; got += (size_t)n) {
		n = read(fd, buffer, sizeof buffer);
		CHECK(n >= 0);
	}
	CHECK_EQ(got, written);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	leat_conn_free(c);
	close(fd);
	check_left(&left);
}

/* --- the system's patience */

/* One who reads from c, and notes in *took how long that took. */
struct waiter {
	leat_conn *c;
	bool answered; /* something comes */
	int64_t since, *took;
};

static void waiter(struct waiter *w)
{
	char byte;

	if (w->answered) {
		CHECK_EQ(leat_conn_read(w->c, &byte, 1), 1);
	} else {
		CHECK_EQ(leat_conn_read(w->c, &byte, 1), -ETIMEDOUT);
		*w->took = leat_now() - w->since;
		check_words(w->c, "read", -ETIMEDOUT, "read: connection timed out");
		/* Told once; a deadline is none of it. */
		CHECK_EQ(leat_conn_read(w->c, &byte, 1), 0);
		CHECK_EQ(leat_conn_write(w->c, "x", 1, NULL), -EPIPE);
	}
	leat_conn_free(w->c);
	atomic_fetch_add(&conn_ended, 1);
}

/* Idle connections, probed each second, set so in all the ways there are: ended by the tenth second.  One whose other end
   answers the probes stays, and so does one that has none. */
TEST(keep_alive_ends_reads_from_who_has_vanished)
{
	struct left left = before();
	const leat_dial_opts second = {.keep_alive_ns = LEAT_SECOND}, none = {.keep_alive_ns = -1};
	const leat_listen_opts accept_second = {.keep_alive_ns = LEAT_MILLISECOND}; /* rounded up */
	int fd[MANY + 2];
	int64_t took[MANY], since = leat_now(), cpu;
	leat_conn *c;

	atomic_store(&conn_ended, 0);
	for (int i = 0; i < MANY + 2; i++) {
		bool gone = i < MANY;

		if (i == MANY)
			c = dialled(&none, &fd[i]);
		else if (i % 3 == 0)
			c = dialled(&second, &fd[i]);
		else
			c = accepted(i % 3 == 1 ? &accept_second : NULL, &fd[i]);
		if (i % 3 == 2)
			CHECK_EQ(leat_conn_set_keep_alive(c, LEAT_SECOND), 0);
		if (i <= MANY)
			vanish(fd[i]);
		go(waiter, .c = c, .answered = !gone, .since = leat_now(), .took = gone ? &took[i] : NULL);
	}
	test_parked(MANY + 2);
	cpu = cpu_ns();
	while (atomic_load(&conn_ended) < MANY)
		leat_sleep(100 * LEAT_MILLISECOND);
	cpu = cpu_ns() - cpu;
	fprintf(stderr, "\t%d ended after %.1f s, %.1f ms of CPU time\n", MANY,
	        (double)(leat_now() - since) / 1e9, (double)cpu / 1e6);
	for (int i = 0; i < MANY; i++)
		CHECK(took[i] >= 9 * LEAT_SECOND); /* jiffies may be lost, not a probe */
	CHECK(leat_now() - since < LEAT_MINUTE);
	if (!test_emulated())
		CHECK(cpu < (leat_now() - since) / 20);
	CHECK_EQ(atomic_load(&conn_ended), MANY);
	reappear(fd[MANY]);
	for (int i = MANY; i < MANY + 2; i++)
		CHECK_EQ(write(fd[i], "y", 1), 1);
	conn_await(MANY + 2);
	for (int i = 0; i < MANY + 2; i++)
		close(fd[i]);
	check_left(&left);
}

/* With something on its way nothing is probed; who waits is ended by the other option, be it in a write or in a read. */
TEST(user_timeout_ends_what_waits_for_an_answer)
{
	struct left left = before();
	int n = test_count(5000), *fd;
	struct rlimit limit;
	int64_t *took, since, cpu;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if ((rlim_t)n * 2 + 200 > limit.rlim_max)
		n = (int)(limit.rlim_max - 200) / 2;
	fd = malloc((size_t)n * sizeof *fd);
	took = malloc((size_t)n * sizeof *took);
	CHECK(fd && took);
	atomic_store(&conn_ended, 0);
	since = leat_now();
	cpu = cpu_ns();
	for (int i = 0; i < n; i++) {
		leat_conn *c = i % 2 ? accepted(NULL, &fd[i]) : dialled(NULL, &fd[i]);

		CHECK_EQ(leat_conn_set_user_timeout(c, 500 * LEAT_MILLISECOND), 0);
		vanish(fd[i]);
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
		go(waiter, .c = c, .since = leat_now(), .took = &took[i]);
	}
	conn_await(n);
	for (int i = 0; i < n; i++) {
		CHECK(took[i] >= 400 * LEAT_MILLISECOND);
		close(fd[i]);
	}
	fprintf(stderr, "\t%d ended after %.1f s, %.1f ms of CPU time\n", n,
	        (double)(leat_now() - since) / 1e9, (double)(cpu_ns() - cpu) / 1e6);
	free(fd);
	free(took);
	check_left(&left);
}

/* Likewise a write that fills the buffers: of an other end that has gone, and of one that is there and reads nothing. */
TEST(user_timeout_ends_writes_that_find_no_room)
{
	struct left left = before();

	for (int i = 0; i < 2; i++) {
		size_t written;
		leat_conn *c;
		int64_t at, cpu;
		int fd;

		c = i ? dialled(NULL, &fd) : accepted(NULL, &fd);
		CHECK_EQ(leat_conn_set_user_timeout(c, LEAT_SECOND), 0);
		if (i)
			vanish(fd);
		at = leat_now();
		cpu = cpu_ns();
		CHECK_EQ(leat_conn_write(c, conn_zeros, CONN_LARGE, &written), -ETIMEDOUT);
		CHECK(leat_now() - at > 900 * LEAT_MILLISECOND);
		if (!test_emulated())
			CHECK(cpu_ns() - cpu < 500 * LEAT_MILLISECOND);
		CHECK(written > 0 && written < CONN_LARGE);
		check_words(c, "write", -ETIMEDOUT, "write: connection timed out");
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -EPIPE);
		leat_conn_free(c);
		close(fd);
	}
	check_left(&left);
}

struct feed {
	leat_conn *c;
};

static void feed(struct feed *f)
{
	CHECK_EQ(leat_conn_write(f->c, conn_zeros, CONN_LARGE, NULL), -EPIPE);
}

/* Likewise where the kernel copies: from a file, and from another connection. */
TEST(user_timeout_ends_copies_that_find_no_room)
{
	leat_file *file = leat_file_temp(NULL, "leat-half-open-*", NULL);
	struct left left;

	CHECK(file);
	CHECK_EQ(leat_remove(leat_file_name(file), NULL), 0);
	CHECK_EQ(leat_file_truncate(file, CONN_LARGE), 0);
	left = before();
	for (int i = 0; i < 2; i++) {
		leat_conn *c, *from, *feeder;
		leat_copied copied;
		int fd;
		scope(s, NULL);

		c = accepted(NULL, &fd);
		CHECK_EQ(leat_conn_set_user_timeout(c, LEAT_SECOND), 0);
		CHECK(leat_conn_socketpair(&from, &feeder, NULL));
		if (i)
			scope_go(s, feed, feeder);
		CHECK_EQ(i ? leat_copy(c, from, NULL, &copied) : leat_copy(c, file, NULL, &copied),
		         -ETIMEDOUT);
		CHECK(!copied.reading);
		check_words(c, "write", -ETIMEDOUT, "write: connection timed out");
		leat_conn_free(from);
		scope_wait(s);
		leat_conn_free(feeder);
		leat_conn_free(c);
		close(fd);
	}
	check_left(&left);
	leat_file_free(file);
}

struct teller {
	leat_conn *c;
	bool writes;
	int *result;
};

static void teller(struct teller *t)
{
	char byte;

	*t->result = t->writes ? leat_conn_write(t->c, conn_zeros, CONN_LARGE, NULL)
	                       : (int)leat_conn_read(t->c, &byte, 1);
	atomic_fetch_add(&conn_ended, 1);
}

/* Of two that wait one is told why, and it is over for both. */
TEST(who_reads_and_who_writes_both_end)
{
	struct left left = before();

	for (int i = 0; i < test_count(100); i++) {
		int results[2] = {1, 1};
		leat_conn *c;
		int fd;

		atomic_store(&conn_ended, 0);
		c = accepted(NULL, &fd);
		CHECK_EQ(leat_conn_set_write_buffer(c, 1 << 16), 0);
		CHECK_EQ(leat_conn_set_user_timeout(c, 50 * LEAT_MILLISECOND), 0);
		vanish(fd);
		for (int k = 0; k < 2; k++)
			go(teller, .c = c, .writes = k, .result = &results[k]);
		conn_await(2);
		CHECK_EQ(results[0] == -ETIMEDOUT ? results[1] : -EPIPE, -EPIPE);
		CHECK_EQ(results[0] == -ETIMEDOUT ? -ETIMEDOUT : results[1], -ETIMEDOUT);
		CHECK(results[0] == -ETIMEDOUT || results[0] == 0);
		check_words(c, "read", -ETIMEDOUT, "read: connection timed out");
		leat_conn_free(c);
		close(fd);
	}
	check_left(&left);
}

/* Probed, and given up by the first probe due after that time instead of by the ninth. */
TEST(user_timeout_shortens_keep_alive)
{
	struct left left = before();
	const leat_dial_opts second = {.keep_alive_ns = LEAT_SECOND};
	int64_t took;
	leat_conn *c;
	int fd;

	atomic_store(&conn_ended, 0);
	c = dialled(&second, &fd);
	CHECK_EQ(leat_conn_set_user_timeout(c, LEAT_SECOND), 0);
	vanish(fd);
	go(waiter, .c = c, .since = leat_now(), .took = &took);
	conn_await(1);
	CHECK(took >= 1800 * LEAT_MILLISECOND && took < 9 * LEAT_SECOND);
	close(fd);
	check_left(&left);
}

TEST(user_timeout_as_an_option)
{
	leat_conn *a, *b;
	int value;
	socklen_t bytes = sizeof value;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	for (int i = 0; i < 3; i++) {
		static const int64_t given[] = {1, INT64_MAX, 0}, kept[] = {1, INT32_MAX, 0}; /* ns, ms */

		CHECK_EQ(leat_conn_set_user_timeout(a, given[i]), 0);
		CHECK_EQ(getsockopt(leat_conn_fd(a), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &bytes), 0);
		CHECK_EQ(value, kept[i]);
	}
	CHECK_EQ(leat_conn_set_user_timeout(a, -LEAT_SECOND), -EINVAL);
	CHECK_EQ(leat_conn_set_user_timeout(a, -1), -EINVAL);
	CHECK_EQ(leat_conn_set_user_timeout(a, INT64_MIN), -EINVAL);
	CHECK_EQ(leat_conn_close(a), 0);
	CHECK_EQ(leat_conn_set_user_timeout(a, 0), -EBADF);
	leat_conn_free(a);
	leat_conn_free(b);
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	CHECK_EQ(leat_conn_set_user_timeout(a, LEAT_SECOND), -ENOTSUP);
	leat_conn_free(a);
	leat_conn_free(b);
}

/* --- ends */

struct lingerer {
	leat_conn *c;
};

static void lingerer(struct lingerer *l)
{
	leat_conn_free(l->c);
	atomic_fetch_add(&conn_ended, 1);
}

/* A close that lingers holds its thread, and nobody else: there is always a processor for who sleeps and wakes. */
TEST(a_close_that_lingers_holds_up_nobody)
{
	struct left left = before();
	int64_t at = leat_now();
	leat_conn *c[4];
	int fd[4], turns = 0;

	atomic_store(&conn_ended, 0);
	for (int i = 0; i < 4; i++) {
		c[i] = accepted(NULL, &fd[i]);
		CHECK_EQ(leat_conn_set_linger(c[i], 1), 0);
		vanish(fd[i]);
		CHECK_EQ(leat_conn_write(c[i], "x", 1, NULL), 0);
	}
	at = leat_now();
	for (int i = 0; i < 4; i++)
		go(lingerer, .c = c[i]);
	while (atomic_load(&conn_ended) < 4) {
		leat_sleep(10 * LEAT_MILLISECOND);
		turns++;
	}
	CHECK(leat_now() - at >= 900 * LEAT_MILLISECOND);
	CHECK(turns >= 10);
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	check_left(&left);
}

/* The other end is gone without a word, and what answers in its place (a host that was started anew) knows of no connection. */
TEST(who_comes_back_without_knowing_resets)
{
	struct left left = before();
	int fd, on = 1;
	leat_conn *c;

	c = accepted(NULL, &fd);
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) != 0) {
		fprintf(stderr, "\tskipped: sockets cannot be repaired here: %s\n", strerror(errno));
	} else {
		atomic_store(&conn_ended, 0);
		go(conn_reader, .c = c, .expected = -ECONNRESET);
		test_parked(1);
		close(fd); /* in silence */
		fd = -1;
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
		conn_await(1);
		check_words(c, "read", -ECONNRESET, "read: connection reset by peer");
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), -EPIPE);
	}
	leat_conn_free(c);
	if (fd >= 0)
		close(fd);
	check_left(&left);
}

/* --- half-closed */

static char pattern_at(size_t i)
{
	return (char)(i * 7 + (i >> 12));
}

static void check_pattern(const char *bytes, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		CHECK_EQ(bytes[i], pattern_at(at + i));
}

struct answerer {
	leat_conn *c;
	size_t bytes;
};

/* Read to the end, and only then answer as much. */
static void answerer(struct answerer *a)
{
	static char all[CONN_LARGE];
	size_t done, at = 0;
	ssize_t n;

	while ((n = leat_conn_read(a->c, all + at, sizeof all - at)) > 0)
		at += (size_t)n;
	CHECK_EQ(n, 0);
	CHECK_EQ(at, a->bytes);
	check_pattern(all, at, 0);
	CHECK_EQ(leat_conn_read(a->c, all, 1), 0); /* the end stays */
	CHECK_EQ(leat_conn_write(a->c, all, at, &done), 0);
	CHECK_EQ(done, at);
	CHECK_EQ(leat_conn_close_write(a->c), 0);
	leat_conn_free(a->c);
	atomic_fetch_add(&conn_ended, 1);
}

/* Who has shut down writing, with much still on its way: all of that is read, and can be answered with as much. */
TEST(who_said_all_is_read_to_the_end_and_answered)
{
	struct left left = before();
	static char out[CONN_LARGE], in[1 << 16];

	for (size_t i = 0; i < sizeof out; i++)
		out[i] = pattern_at(i);
	for (int i = 0; i < 6; i++) {
		size_t bytes = i < 2 ? (size_t)i : i < 4 ? 100000 : 8 << 20, at = 0;
		leat_conn *a, *b;
		ssize_t n;

		CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
		atomic_store(&conn_ended, 0);
		go(answerer, .c = i % 2 ? a : b, .bytes = bytes);
		b = i % 2 ? b : a;
		CHECK_EQ(leat_conn_write(b, out, bytes, NULL), 0);
		CHECK_EQ(leat_conn_close_write(b), 0);
		CHECK_EQ(leat_conn_write(b, "x", 1, NULL), -EPIPE);
		while ((n = leat_conn_read(b, in, sizeof in)) > 0) {
			check_pattern(in, (size_t)n, at);
			at += (size_t)n;
		}
		CHECK_EQ(n, 0);
		CHECK_EQ(at, bytes);
		conn_await(1);
		leat_conn_free(b);
	}
	check_left(&left);
}

/* And when it vanishes after that, deadlines and the system's patience are all there is, as without the half-close. */
TEST(who_said_all_and_vanishes)
{
	struct left left = before();
	size_t written;
	leat_conn *c;
	char byte[2];
	int64_t cpu;
	int fd;

	c = accepted(NULL, &fd);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK_EQ(shutdown(fd, SHUT_WR), 0);
	CHECK_EQ(leat_conn_read(c, byte, 2), 1);
	CHECK_EQ(leat_conn_read(c, byte, 2), 0);
	vanish(fd);
	cpu = cpu_ns();
	CHECK_EQ(leat_conn_set_write_deadline(c, leat_now() + 100 * LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_write(c, conn_zeros, CONN_LARGE, &written), -ETIMEDOUT);
	check_words(c, "write", -ETIMEDOUT, "i/o timeout");
	CHECK_EQ(leat_conn_read(c, byte, 2), 0);
	CHECK_EQ(leat_conn_set_write_deadline(c, LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_set_user_timeout(c, 300 * LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_write(c, conn_zeros, CONN_LARGE, &written), -ETIMEDOUT);
	check_words(c, "write", -ETIMEDOUT, "write: connection timed out");
	if (!test_emulated())
		CHECK(cpu_ns() - cpu < 500 * LEAT_MILLISECOND);
	leat_conn_free(c);
	close(fd);
	check_left(&left);
}

TEST_MAIN
