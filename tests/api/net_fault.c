/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: what goes wrong in a network costs no more than the connection it hits: descriptors run out, others vanish or reset,
 * hundreds at once; and waiting connections cost little.
 * Method: real sockets; RLIMIT_NOFILE; the kernel's counts of threads, memory and CPU time.
 */
#define _GNU_SOURCE
#include "conn_suite_help.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char text[LEAT_ADDR_TEXT];

static leat_listener *listen_here(const char *network, const char *address)
{
	leat_listener *l = leat_listen(network, address, NULL, NULL);
	leat_addr a;

	CHECK(l);
	a = leat_listener_addr(l);
	leat_addr_text(&a, text);
	return l;
}

struct acceptor {
	leat_listener *l;
	int n; /* connections, then the end */
	leat_conn **c;
	int last; /* what the end says */
};

static void acceptor(struct acceptor *a)
{
	const leat_error *e = NULL;

	for (int i = 0; i < a->n; i++) {
		a->c[i] = leat_accept(a->l, NULL, NULL);
		CHECK(a->c[i]);
		atomic_fetch_add(&conn_ended, 1);
	}
	if (a->last) {
		CHECK(!leat_accept(a->l, NULL, &e));
		CHECK_EQ(leat_error_code(e), a->last);
		leat_error_free(e);
	}
	atomic_fetch_add(&conn_ended, 1);
}

TEST(line_175_close_wakes_who_accepts)
{
	leat_listener *l = listen_here("tcp", "127.0.0.1:0");

	atomic_store(&conn_ended, 0);
	for (int i = 0; i < 4; i++)
		go(acceptor, .l = l, .last = -EBADF);
	test_parked(4);
	CHECK_EQ(leat_listener_close(l), 0);
	conn_await(4);
	leat_listener_free(l);
}

TEST(line_172_deadline_moved_while_accept_waits)
{
	leat_listener *l = listen_here("tcp", "127.0.0.1:0");

	atomic_store(&conn_ended, 0);
	go(acceptor, .l = l, .last = -ETIMEDOUT);
	test_parked(1);
	CHECK_EQ(leat_listener_set_deadline(l, leat_now()), 0);
	conn_await(1);
	leat_listener_free(l);
}

/* --- descriptors run out */

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * LEAT_SECOND + t.tv_nsec;
}

/*
 * From here on there is no new descriptor for anybody.  None at all, since a number that is free now may be one that
 * the runtime uses for a moment.
 */
static rlim_t no_descriptors(void)
{
	struct rlimit limit;
	rlim_t before;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = 0;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static void set_descriptors(rlim_t n)
{
	struct rlimit limit;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = n;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(descriptors_run_out_and_accept_serves_on)
{
	leat_listener *l = listen_here("tcp", "127.0.0.1:0");
	leat_conn *c[2], *accepted[2] = {NULL, NULL};
	int64_t cpu, since;
	leat_addr a;
	rlim_t before;
	int more;

	atomic_store(&conn_ended, 0);
	for (int i = 0; i < 2; i++) {
		c[i] = leat_dial("tcp", text, NULL, NULL);
		CHECK(c[i]);
	}
	before = no_descriptors();
	go(acceptor, .l = l, .n = 2, .c = accepted, .last = -EBADF);
	test_parked(1);
	/* For a quarter of a second it tries, seldom: one that spun would use all of it. */
	cpu = cpu_ns();
	since = leat_now();
	leat_sleep(250 * LEAT_MILLISECOND);
	CHECK_EQ(atomic_load(&conn_ended), 0);
	CHECK(cpu_ns() - cpu < (leat_now() - since) / 2);
	set_descriptors(before);
	conn_await(2);
	/* Out again: the close ends the pause. */
	more = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(more >= 0);
	before = no_descriptors();
	a = leat_listener_addr(l);
	CHECK_EQ(connect(more, &a.any, a.bytes), 0);
	test_parked(1);
	CHECK_EQ(leat_listener_close(l), 0);
	conn_await(3);
	set_descriptors(before);
	close(more);
	for (int i = 0; i < 2; i++) {
		leat_conn_free(c[i]);
		leat_conn_free(accepted[i]);
	}
	leat_listener_free(l);
}

TEST(descriptors_run_out_and_dialling_says_so)
{
	leat_listener *l = listen_here("tcp", "127.0.0.1:0");
	const leat_error *e = NULL;
	char wanted[200];
	rlim_t before = no_descriptors();

	CHECK(!leat_dial("tcp", text, NULL, &e));
	set_descriptors(before);
	snprintf(wanted, sizeof wanted, "dial tcp %s: socket: too many open files", text);
	CHECK_STR(leat_error_message(e), wanted);
	leat_error_free(e);
	leat_listener_free(l);
}

/* --- others vanish */

TEST(a_reset_wakes_who_waits)
{
	leat_conn *a, *b;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	atomic_store(&conn_ended, 0);
	go(conn_reader, .c = a, .expected = -ECONNRESET);
	test_parked(1);
	CHECK_EQ(leat_conn_set_linger(b, 0), 0);
	leat_conn_free(b);
	conn_await(1);
	leat_conn_free(a);
	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	go(conn_writer, .c = a, .expected = -ECONNRESET);
	test_parked(1);
	CHECK_EQ(leat_conn_set_linger(b, 0), 0);
	leat_conn_free(b);
	conn_await(2);
	leat_conn_free(a);
}

/* Bytes and a reset, and bytes and the end, that come while nobody reads, after a read that was short. */
TEST(the_end_after_a_short_read)
{
	for (int i = 0; i < test_count(2000); i++) {
		leat_conn *a, *b;
		char buffer[64];
		ssize_t n;

		if (i % 100 == 0)
			test_goroutines(1);
		CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
		CHECK_EQ(leat_conn_write(b, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(a, buffer, sizeof buffer), 1);
		if (i % 2)
			CHECK_EQ(leat_conn_write(b, "y", 1, NULL), 0);
		if (i % 4 < 2)
			CHECK_EQ(leat_conn_set_linger(b, 0), 0);
		leat_conn_free(b);
		n = leat_conn_read(a, buffer, sizeof buffer);
		if (n > 0)
			n = leat_conn_read(a, buffer, sizeof buffer);
		CHECK_EQ(n, i % 4 < 2 ? -ECONNRESET : 0);
		leat_conn_free(a);
	}
}

/* A read stops at urgent data; what follows it came with the same edge. */
TEST(urgent_data_hides_nothing)
{
	leat_conn *a, *b;
	char buffer[64];
	int fd, total = 0;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	atomic_store(&conn_ended, 0);
	fd = leat_conn_fd(b);
	go(conn_reader, .c = a, .expected = 1);
	test_parked(1);
	CHECK_EQ(send(fd, "ab", 2, 0), 2);
	CHECK_EQ(send(fd, "!", 1, MSG_OOB), 1);
	CHECK_EQ(send(fd, "cd", 2, 0), 2);
	conn_await(1);
	while (total < 3) {
		ssize_t n = leat_conn_read(a, buffer, sizeof buffer);

		CHECK(n > 0);
		total += (int)n;
	}
	leat_conn_free(a);
	leat_conn_free(b);
}

/* --- many */

static int threads(void)
{
	char status[4096];
	FILE *f = fopen("/proc/self/status", "r");
	size_t n = fread(status, 1, sizeof status - 1, f);

	fclose(f);
	status[n] = '\0';
	return atoi(strstr(status, "\nThreads:") + 9);
}

static int64_t resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK_EQ(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return (int64_t)pages * getpagesize();
}

struct idle {
	leat_conn *c;
};

static void idle(struct idle *a)
{
	char byte;
	ssize_t n = leat_conn_read(a->c, &byte, 1);

	CHECK(n == 0 || n == -ECONNRESET);
	leat_conn_free(a->c);
	atomic_fetch_add(&conn_ended, 1);
}

/* A child holds the other ends, and ends: all of them drop at once.  It reads nothing, and has little room for what is not read. */
static void other_ends(int n)
{
	int few = 4096;

	char byte;

	for (int i = 0; i < n; i++) {
		struct sockaddr_storage to;
		leat_addr a;
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		CHECK(fd >= 0);
		CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few), 0);
		CHECK_EQ(leat_addr_parse(&a, text), 0);
		memcpy(&to, &a.any, a.bytes);
		CHECK_EQ(connect(fd, (struct sockaddr *)&to, a.bytes), 0);
	}
	CHECK_EQ(read(0, &byte, 1), 0);
	_exit(0);
}

/* Who may hold that many descriptors: of n wanted. */
static int room_for(int n, int each)
{
	struct rlimit limit;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	set_descriptors(limit.rlim_max);
	return (rlim_t)n * (rlim_t)each + 200 > limit.rlim_max ? (int)(limit.rlim_max - 200) / each : n;
}

static pid_t start_other_ends(int n, int *stop)
{
	int ends[2];
	pid_t child;

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		dup2(ends[0], 0);
		close(ends[1]);
		other_ends(n);
	}
	close(ends[0]);
	*stop = ends[1];
	return child;
}

TEST(line_168_ten_thousand_idle_connections)
{
	leat_listener *l = listen_here("tcp", "127.0.0.1:0");
	int n = room_for(10000, 1), before = test_descriptors(), threads_before = threads(), stop;
	leat_go_opts small = {.stack_bytes = 4 << 10};
	int64_t memory;
	int status;
	pid_t child;

#ifdef TEST_SANITIZED
	n /= 10; /* what they add to a stack and to the heap is not the question */
#endif
	atomic_store(&conn_ended, 0);
	child = start_other_ends(n, &stop);
	memory = resident();
	for (int i = 0; i < n; i++) {
		leat_conn *c = leat_accept(l, NULL, NULL);

		CHECK(c);
		go_with(&small, idle, .c = c);
	}
	test_parked(n);
	memory = (resident() - memory) / n;
	fprintf(stderr, "\t%d connections, %d threads more, %lld bytes each\n", n,
	        threads() - threads_before, (long long)memory);
	CHECK(threads() - threads_before <= 2 * leat_procs(0) + 12);
#ifndef TEST_SANITIZED
	if (!test_emulated())
		CHECK(memory < 8192);
#endif
	close(stop);
	conn_await(n);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	leat_listener_free(l);
	test_goroutines(1);
	CHECK(test_descriptors() <= before + 2);
}

struct busy {
	leat_conn *c;
	_Atomic int *users;
	bool writes;
};

/* One direction of a connection, until it is over; whoever is last frees it. */
static void busy(struct busy *b)
{
	char byte;
	ssize_t r = 0;

	if (b->writes)
		while (r == 0)
			r = leat_conn_write(b->c, conn_zeros, 1 << 16, NULL);
	else
		r = leat_conn_read(b->c, &byte, 1);
	CHECK(r == -ECONNRESET || r == -EPIPE || (r == 0 && !b->writes));
	if (atomic_fetch_sub(b->users, 1) == 1)
		leat_conn_free(b->c);
	atomic_fetch_add(&conn_ended, 1);
}

/* A thousand at once whose other ends are killed while this side reads and writes: all are told, and nothing is left. */
TEST(a_thousand_dropped_at_once_while_they_are_busy)
{
	leat_listener *l = listen_here("tcp", "127.0.0.1:0");
	int n = room_for(test_count(10000), 1), before = test_descriptors(), threads_before = threads(),
	    stop;
	_Atomic int *users = calloc((size_t)n, sizeof *users);
	int64_t at, cpu;
	int status;
	pid_t child;

	CHECK(users);
	atomic_store(&conn_ended, 0);
	child = start_other_ends(n, &stop);
	for (int i = 0; i < n; i++) {
		leat_conn *c = leat_accept(l, NULL, NULL);

		CHECK(c);
		CHECK_EQ(leat_conn_set_write_buffer(c, 4096), 0);
		atomic_store(&users[i], 2);
		go(busy, .c = c, .users = &users[i]);
		go(busy, .c = c, .users = &users[i], .writes = true);
	}
	test_parked(2 * n);
	CHECK_EQ(atomic_load(&conn_ended), 0);
	at = leat_now();
	cpu = cpu_ns();
	CHECK_EQ(kill(child, SIGKILL), 0);
	conn_await(2 * n);
	test_goroutines(1);
	fprintf(stderr, "\t%d gone in %.1f ms, %.1f ms of CPU time, %d threads more\n", n,
	        (double)(leat_now() - at) / 1e6, (double)(cpu_ns() - cpu) / 1e6,
	        threads() - threads_before);
	CHECK(threads() - threads_before <= 2 * leat_procs(0) + 12);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(stop);
	free(users);
	leat_listener_free(l);
	CHECK(test_descriptors() <= before + 2);
}

TEST_MAIN
