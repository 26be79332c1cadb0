/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: poll descriptors keep the promises that a descriptor's owner builds on: deadlines as Go's,
 * independent directions, a close that waits, and lives that do not meet.
 *
 * Method: reads and writes of one byte written as the header says that the I/O above is to be, by
 * goroutines, while the test moves the deadlines under them.
 */
#define _GNU_SOURCE
#include "sched/polldesc.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

struct conn {
	struct leat__pd *pd[2];
	int fd[2];
};

static void open_conn(struct conn *c)
{
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, c->fd), 0);
	for (int i = 0; i < 2; i++) {
		struct leat__m *m = leat__enter();
		int err = leat__pd_open(c->fd[i], &c->pd[i]);

		leat__leave(m);
		CHECK_EQ(err, 0);
	}
}

static void close_end(struct conn *c, int end)
{
	struct leat__m *m = leat__enter();
	bool first = leat__pd_evict(m, c->pd[end]);

	m = leat__pd_close(m, c->pd[end]);
	leat__leave(m);
	CHECK(first);
	CHECK_EQ(close(c->fd[end]), 0);
}

static void close_conn(struct conn *c)
{
	close_end(c, 0);
	close_end(c, 1);
}

static void set_deadline(struct conn *c, int end, enum leat__poll_dir dir, int64_t when)
{
	struct leat__m *m = leat__enter();
	int err = leat__pd_set_deadline(m, c->pd[end], dir, when);

	leat__leave(m);
	CHECK_EQ(err, 0);
}

/* Read or write one byte of one end: 1, or -errno. */
static int operate(struct conn *c, int end, enum leat__poll_dir dir)
{
	struct leat__m *m = leat__enter();
	char byte = 0;
	ssize_t n = 0;
	int err;

	if (!leat__pd_hold(c->pd[end])) {
		leat__leave(m);
		return -ECANCELED;
	}
	err = leat__pd_prepare(c->pd[end], dir);
	while (!err) {
		leat__leave(m);
		n = dir == LEAT__POLL_READ ? read(c->fd[end], &byte, 1) : write(c->fd[end], &byte, 1);
		if (n < 0)
			CHECK_EQ(errno, EAGAIN);
		m = leat__enter();
		if (n >= 0)
			break;
		m = leat__pd_wait(m, c->pd[end], dir, NULL, &err);
	}
	leat__pd_drop(m, c->pd[end]);
	leat__leave(m);
	return err ? err : (int)n;
}

static int read_byte(struct conn *c, int end)
{
	return operate(c, end, LEAT__POLL_READ);
}

static void fill(struct conn *c, int end)
{
	while (write(c->fd[end], "", 1) == 1)
		;
}

enum { PENDING = INT32_MIN };

struct operation {
	struct conn *c;
	int end;
	enum leat__poll_dir dir;
	_Atomic int *result;
};

static void operation(struct operation *o)
{
	atomic_store(o->result, operate(o->c, o->end, o->dir));
}

static void start(_Atomic int *result, struct conn *c, int end, enum leat__poll_dir dir)
{
	atomic_store(result, PENDING);
	go(operation, .c = c, .end = end, .dir = dir, .result = result);
}

#define RETURNS(result, value)                                                                     \
	do {                                                                                           \
		test_until(atomic_load(&(result)) != PENDING);                                             \
		CHECK_EQ(atomic_load(&(result)), value);                                                   \
	} while (0)

TEST(line_169_past_deadline_fails_at_once_though_there_is_data)
{
	struct conn c;
	_Atomic int result;

	open_conn(&c);
	start(&result, &c, 0, LEAT__POLL_READ);
	test_parked(1);
	set_deadline(&c, 0, LEAT__POLL_READ, leat_now() - 1); /* the pending one */
	RETURNS(result, -ETIMEDOUT);
	CHECK_EQ(write(c.fd[1], "x", 1), 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT); /* and later ones */
	set_deadline(&c, 0, LEAT__POLL_READ, 1);
	CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT);
	set_deadline(&c, 0, LEAT__POLL_READ, INT64_MAX);
	CHECK_EQ(read_byte(&c, 0), 1);
	close_conn(&c);
}

TEST(line_170_data_comes_first_then_the_timeout_and_not_early)
{
	struct conn c;

	open_conn(&c);
	for (int64_t ns = 1000; ns < 20 * LEAT_MILLISECOND; ns *= 3) {
		int64_t when = leat_now() + LEAT_MINUTE;

		CHECK_EQ(write(c.fd[1], "xx", 2), 2);
		set_deadline(&c, 0, LEAT__POLL_READ, when);
		CHECK_EQ(read_byte(&c, 0), 1);
		CHECK_EQ(read_byte(&c, 0), 1);
		when = leat_now() + ns;
		set_deadline(&c, 0, LEAT__POLL_READ, when);
		CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT);
		CHECK(leat_now() >= when);
	}
	close_conn(&c);
}

TEST(line_171_timeout_stays_until_the_deadline_is_moved)
{
	struct conn c;
	_Atomic int result;

	open_conn(&c);
	set_deadline(&c, 0, LEAT__POLL_READ, leat_now() + LEAT_MILLISECOND);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT);
	set_deadline(&c, 0, LEAT__POLL_READ, leat_now() - LEAT_SECOND);
	CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT);
	set_deadline(&c, 0, LEAT__POLL_READ, INT64_MAX);
	start(&result, &c, 0, LEAT__POLL_READ);
	test_parked(1);
	CHECK_EQ(write(c.fd[1], "x", 1), 1);
	RETURNS(result, 1);
	close_conn(&c);
}

TEST(line_172_moved_deadline_holds_for_who_is_blocked)
{
	struct conn c;
	_Atomic int result;

	open_conn(&c);
	fill(&c, 0);
	for (enum leat__poll_dir dir = LEAT__POLL_READ; dir <= LEAT__POLL_WRITE; dir++) {
		int64_t when;

		/* From none to soon, from far to soon, from far to past. */
		for (int from = 0; from < 3; from++) {
			set_deadline(&c, 0, dir, from ? leat_now() + LEAT_HOUR : INT64_MAX);
			start(&result, &c, 0, dir);
			test_parked(1);
			when = from < 2 ? leat_now() + LEAT_MILLISECOND : leat_now() - 1;
			set_deadline(&c, 0, dir, when);
			RETURNS(result, -ETIMEDOUT);
			CHECK(leat_now() >= when);
		}
		/* From soon to none: it goes on.  It may have passed before it is moved. */
		set_deadline(&c, 0, dir, leat_now() + 20 * LEAT_MILLISECOND);
		start(&result, &c, 0, dir);
		test_until(leat_num_parked() == 1 || atomic_load(&result) != PENDING);
		when = leat_now();
		set_deadline(&c, 0, dir, INT64_MAX);
		if (atomic_load(&result) == PENDING) {
			leat_sleep(25 * LEAT_MILLISECOND);
			if (atomic_load(&result) == PENDING)
				set_deadline(&c, 0, dir, leat_now());
		}
		RETURNS(result, -ETIMEDOUT);
	}
	close_conn(&c);
}

TEST(line_173_directions_have_deadlines_of_their_own)
{
	struct conn c;
	_Atomic int reads, writes;

	open_conn(&c);
	fill(&c, 0);
	start(&reads, &c, 0, LEAT__POLL_READ);
	start(&writes, &c, 0, LEAT__POLL_WRITE);
	test_parked(2);
	set_deadline(&c, 0, LEAT__POLL_READ, 1);
	RETURNS(reads, -ETIMEDOUT);
	test_parked(1);
	CHECK_EQ(atomic_load(&writes), PENDING);
	set_deadline(&c, 0, LEAT__POLL_WRITE, 1);
	RETURNS(writes, -ETIMEDOUT);

	set_deadline(&c, 0, LEAT__POLL_READ, INT64_MAX);
	start(&reads, &c, 0, LEAT__POLL_READ);
	test_parked(1);
	CHECK_EQ(operate(&c, 0, LEAT__POLL_WRITE), -ETIMEDOUT);
	set_deadline(&c, 0, LEAT__POLL_WRITE, INT64_MAX);
	start(&writes, &c, 0, LEAT__POLL_WRITE);
	test_parked(2);
	set_deadline(&c, 0, LEAT__POLL_EITHER, leat_now() + LEAT_MILLISECOND);
	RETURNS(reads, -ETIMEDOUT);
	RETURNS(writes, -ETIMEDOUT);
	close_conn(&c);
}

TEST(line_175_close_is_not_a_timeout)
{
	for (int i = 0; i < test_count(1000); i++) {
		struct conn c;
		_Atomic int reads, writes;

		open_conn(&c);
		fill(&c, 0);
		set_deadline(&c, 0, LEAT__POLL_EITHER, leat_now() + LEAT_HOUR);
		start(&reads, &c, 0, LEAT__POLL_READ);
		start(&writes, &c, 0, LEAT__POLL_WRITE);
		test_parked(2);
		close_conn(&c);
		RETURNS(reads, -ECANCELED);
		RETURNS(writes, -ECANCELED);
	}
}

struct close_job {
	struct conn *c;
	_Atomic int *closed;
};

static void close_job(struct close_job *j)
{
	close_conn(j->c);
	atomic_store(j->closed, 1);
}

TEST(line_176_number_is_kept_while_an_operation_is_in_flight)
{
	struct conn c;
	_Atomic int closed = 0;
	struct leat__m *m;

	open_conn(&c);
	m = leat__enter();
	CHECK(leat__pd_hold(c.pd[0]));
	leat__leave(m);
	go(close_job, .c = &c, .closed = &closed);
	test_parked(1);
	CHECK(!leat__pd_hold(c.pd[0]));
	CHECK(fcntl(c.fd[0], F_GETFD) >= 0);
	CHECK_EQ(atomic_load(&closed), 0);
	m = leat__enter();
	leat__pd_drop(m, c.pd[0]);
	leat__leave(m);
	test_until(atomic_load(&closed));
}

/* What was collected in one life is not delivered in the next. */
TEST(line_176_edge_of_an_earlier_life_is_dropped)
{
	int old = eventfd(0, EFD_NONBLOCK), quiet = eventfd(0, EFD_NONBLOCK), other, kept, number = old;
	struct leat__pd *pd;
	struct leat__m *m;

	m = leat__enter();
	CHECK_EQ(leat__pd_open(old, &pd), 0);
	leat__leave(m);
	kept = dup(old); /* so that the kernel goes on watching the old file, under its number */
	other = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(dup2(other, number), number);
	m = leat__enter();
	CHECK(leat__pd_evict(m, pd));
	m = leat__pd_close(m, pd);
	CHECK_EQ(leat__pd_open(number, &pd), 0);
	leat__leave(m);
	m = leat__enter();
	CHECK_EQ(leat__pd_prepare(pd, LEAT__POLL_READ), 0);
	leat__leave(m);
	CHECK_EQ(eventfd_write(kept, 1), 0);
	for (int i = 0; i < 5; i++) {
		/* Who waits for something else looks into the poller. */
		CHECK_EQ(leat_wait_fd(quiet, POLLIN, LEAT_MILLISECOND), -ETIMEDOUT);
		CHECK_EQ(load_relaxed(&pd->state[LEAT__POLL_READ]), LEAT__POLL_NIL);
	}
	CHECK_EQ(eventfd_write(number, 1), 0);
	test_until(leat_wait_fd(quiet, POLLIN, LEAT_MICROSECOND) == -ETIMEDOUT &&
	           load_relaxed(&pd->state[LEAT__POLL_READ]) == LEAT__POLL_READY);
	m = leat__enter();
	CHECK(leat__pd_evict(m, pd));
	m = leat__pd_close(m, pd);
	leat__leave(m);
	leat_close_fd(quiet);
	close(number);
	close(other);
	close(kept);
}

/* --- many at once */

struct echo {
	struct conn *c;
	int end, rounds;
	bool deadlines;
	leat_waitgroup *left;
};

static void echo(struct echo *e)
{
	for (int i = 0; i < e->rounds; i++) {
		if (e->deadlines)
			set_deadline(e->c, e->end, LEAT__POLL_EITHER, leat_now() + LEAT_HOUR);
		CHECK_EQ(operate(e->c, e->end, e->end ? LEAT__POLL_READ : LEAT__POLL_WRITE), 1);
		CHECK_EQ(operate(e->c, e->end, e->end ? LEAT__POLL_WRITE : LEAT__POLL_READ), 1);
	}
	leat_waitgroup_done(e->left);
}

static void echo_all(int conns, int rounds, bool deadlines)
{
	struct conn *c = calloc((size_t)conns, sizeof *c);
	leat_waitgroup left = {0};

	leat_waitgroup_add(&left, 2 * conns);
	for (int i = 0; i < conns; i++) {
		open_conn(&c[i]);
		for (int end = 0; end < 2; end++)
			go(echo, .c = &c[i], .end = end, .rounds = rounds, .deadlines = deadlines,
			   .left = &left);
	}
	leat_waitgroup_wait(&left);
	for (int i = 0; i < conns; i++)
		close_conn(&c[i]);
	free(c);
}

TEST(line_178_echo_with_far_deadlines)
{
	echo_all(1, test_count(20000), true);
	echo_all(test_count(4000), 5, false); /* 800 descriptors, the usual limit is 1,024 */
}

struct mover {
	struct conn *conns;
	int seed, rounds;
	leat_waitgroup *left;
};

static void mover(struct mover *v)
{
	uint64_t random = leat__random_seed((uint64_t)v->seed);

	for (int i = 0; i < v->rounds; i++) {
		uint32_t dice = leat__random_next(&random);
		int64_t when = dice >> 16 & 3 ? leat_now() + (dice >> 20) * 10 : 1;

		set_deadline(&v->conns[dice % 10], dice >> 4 & 1, (enum leat__poll_dir)((dice >> 5) % 3),
		             when);
	}
	leat_waitgroup_done(v->left);
}

struct striver {
	struct conn *c;
	int end;
	_Atomic int *stop;
	leat_waitgroup *left;
};

static void striver(struct striver *s)
{
	while (!atomic_load(s->stop)) {
		int n = operate(s->c, s->end, s->end ? LEAT__POLL_READ : LEAT__POLL_WRITE);

		CHECK(n == 1 || n == -ETIMEDOUT);
		leat_yield();
	}
	leat_waitgroup_done(s->left);
}

TEST(line_178_goroutines_race_to_move_deadlines)
{
	struct conn c[10];
	_Atomic int stop = 0;
	leat_waitgroup movers = {0}, strivers = {0};

	leat_waitgroup_add(&movers, 8);
	leat_waitgroup_add(&strivers, 20);
	for (int i = 0; i < 10; i++) {
		open_conn(&c[i]);
		for (int end = 0; end < 2; end++)
			go(striver, .c = &c[i], .end = end, .stop = &stop, .left = &strivers);
	}
	for (int i = 0; i < 8; i++)
		go(mover, .conns = c, .seed = i, .rounds = test_count(20000), .left = &movers);
	leat_waitgroup_wait(&movers);
	atomic_store(&stop, 1);
	for (int i = 0; i < 10; i++)
		for (int end = 0; end < 2; end++)
			set_deadline(&c[i], end, LEAT__POLL_EITHER, 1);
	leat_waitgroup_wait(&strivers);
	for (int i = 0; i < 10; i++)
		close_conn(&c[i]);
}

struct timed {
	int64_t after_ns;
	leat_waitgroup *left;
};

static void timed(struct timed *t)
{
	struct conn c;
	int64_t when;

	open_conn(&c);
	when = leat_now() + t->after_ns;
	set_deadline(&c, 0, LEAT__POLL_READ, when);
	CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT);
	CHECK(leat_now() >= when);
	close_conn(&c);
	leat_waitgroup_done(t->left);
}

TEST(line_179_various_deadlines)
{
	static const int64_t after_ns[] = {
	    1,
	    2,
	    5,
	    10,
	    20,
	    50,
	    100,
	    1000,
	    2000,
	    5000,
	    10000,
	    100000,
	    500000,
	    1000000,
	    10 * 1000000,
	    50 * 1000000,
	    200 * 1000000,
	    500 * 1000000,
	    1000 * 1000000,
	};
	leat_waitgroup left = {0};

	leat_waitgroup_add(&left, (int)ARRAY_LEN(after_ns));
	for (size_t i = 0; i < ARRAY_LEN(after_ns); i++)
		go(timed, .after_ns = after_ns[i], .left = &left);
	leat_waitgroup_wait(&left);
}

/* --- accounting */

TEST(line_159_waiters_are_counted_exactly)
{
	struct conn c;
	_Atomic int result;

	CHECK_EQ(load_relaxed(&leat__poll_waiters), 0);
	open_conn(&c);
	start(&result, &c, 0, LEAT__POLL_READ);
	test_parked(1);
	CHECK_EQ(load_relaxed(&leat__poll_waiters), 1);
	CHECK_EQ(write(c.fd[1], "x", 1), 1);
	RETURNS(result, 1);
	test_until(load_relaxed(&leat__poll_waiters) == 0);
	set_deadline(&c, 0, LEAT__POLL_READ, leat_now() + 1000);
	CHECK_EQ(read_byte(&c, 0), -ETIMEDOUT);
	test_until(load_relaxed(&leat__poll_waiters) == 0);
	close_conn(&c);
}

static void look(struct leat__g *g, void *arg)
{
	if (load_relaxed(&g->wait) == LEAT__WAIT_IO)
		++*(int *)arg;
}

TEST(line_163_state_is_io_wait)
{
	struct conn c;
	_Atomic int result;
	int seen = 0;

	CHECK_STR(leat__wait_name(LEAT__WAIT_IO), "IO wait");
	open_conn(&c);
	start(&result, &c, 0, LEAT__POLL_READ);
	test_parked(1);
	leat__g_each(look, &seen);
	CHECK_EQ(seen, 1);
	close_conn(&c);
	RETURNS(result, -ECANCELED);
}

TEST_MAIN
