/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory runs out in a wait, which panics, the connection or listener is as good as before: whose turn it was has
   given it back, what was offered is taken back, and a close has nobody to wait for. */
#include "oom_conn.h"

static int reads_in_vain(void *arg)
{
	struct oom_conn *t = arg;
	leat_ctx *ctx = oom_conn_ctx(t);
	char byte;
	defer(oom_conn_ctx_free, ctx);
	defer(oom_wait_ended, NULL);

	CHECK_EQ(leat_conn_set_deadline(t->a, LEAT_FOREVER), 0);
	oom_wait_begins();
	CHECK_EQ(leat_conn_read_ctx(t->a, &byte, 1, ctx), -ETIMEDOUT);
	return 0;
}

static int writes_in_vain(void *arg)
{
	struct oom_conn *t = arg;
	leat_ctx *ctx = oom_conn_ctx(t);
	size_t written = 1;
	defer(oom_conn_ctx_free, ctx);
	defer(oom_wait_ended, NULL);

	CHECK_EQ(leat_conn_set_deadline(t->a, LEAT_FOREVER), 0);
	oom_wait_begins();
	CHECK_EQ(leat_conn_write_ctx(t->a, conn_zeros, CONN_LARGE, ctx, &written), -ETIMEDOUT);
	CHECK(written < CONN_LARGE);
	return 0;
}

/* Each of its allocations fails once, and after each the pair is as good as before. */
static int each(int (*fn)(void *), struct oom_conn *t)
{
	int n = 1;

	oom_ender_start(oom_conn_expire, t->a);
	for (bool hit = true; hit; n++) {
		hit = oom_nth(fn, t, n);
		oom_conn_good(t);
	}
	oom_ender_stop();
	return n - 2;
}

TEST(in_memory)
{
	struct oom_conn t = {0};

	oom_skip();
	CHECK(leat_conn_pipe(&t.a, &t.b));
	CHECK(each(reads_in_vain, &t) >= 2);
	CHECK(each(writes_in_vain, &t) >= 2);
	oom_conn_end(&t);
}

/* What was not read when the write panicked cannot be read any more, and what was is told. */
static size_t told;

static void write_in_vain(void *arg)
{
	struct oom_conn *t = arg;
	leat_ctx *ctx = oom_conn_ctx(t);
	defer(oom_conn_ctx_free, ctx);

	oom_begin(0);
	leat_conn_write_ctx(t->a, "abc", 3, ctx, &told);
}

TEST(nothing_is_offered_by_who_panicked)
{
	struct oom_conn t = {0};
	leat_panic_info info;
	char byte;

	oom_skip();
	CHECK(leat_conn_pipe(&t.a, &t.b));
	told = 7;
	CHECK(leat_catch(write_in_vain, &t, &info));
	oom_end();
	CHECK_STR(info.message, "out of memory");
	CHECK_EQ(told, 0);
	CHECK_EQ(leat_conn_set_read_deadline(t.b, leat_now() + LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_read(t.b, &byte, 1), -ETIMEDOUT);
	oom_conn_good(&t);
	oom_conn_end(&t);
}

/* Sockets need no memory to wait, but for contexts of the program's. */
TEST(sockets)
{
	struct oom_conn t = {.custom = true};

	oom_skip();
	CHECK(leat_conn_socketpair(&t.a, &t.b, NULL));
	CHECK(each(reads_in_vain, &t) >= 1);
	oom_conn_end(&t);
}

struct hold_turn {
	struct oom_conn *t;
};

static void use(struct oom_conn *t, leat_ctx *ctx)
{
	char byte;

	if (t->writes)
		CHECK_EQ(leat_conn_write_ctx(t->a, "x", 1, ctx, NULL), -ETIMEDOUT);
	else
		CHECK_EQ(leat_conn_read_ctx(t->a, &byte, 1, ctx), -ETIMEDOUT);
}

static void hold_turn(struct hold_turn *h)
{
	use(h->t, NULL);
}

static void wait_for_turn(void *arg)
{
	use(arg, oom_conn_custom());
}

/* A context of the program's, without memory for who watches it. */
static void others_turn(struct oom_conn *t)
{
	leat_panic_info info;

	CHECK(oom_conn_custom());
	CHECK_EQ(leat_conn_set_deadline(t->a, LEAT_FOREVER), 0);
	go(hold_turn, .t = t);
	test_parked(1);
	oom_begin(0);
	CHECK(leat_catch(wait_for_turn, t, &info));
	oom_end();
	CHECK_STR(info.message, "out of memory");
	CHECK_EQ(leat_conn_set_deadline(t->a, 1), 0);
	test_goroutines(1);
	oom_conn_good(t);
}

TEST(turns)
{
	struct oom_conn t = {0}, u = {.writes = true};

	oom_skip();
	CHECK(leat_conn_socketpair(&t.a, &t.b, NULL));
	others_turn(&t);
	oom_conn_end(&t);
	CHECK(leat_conn_pipe(&u.a, &u.b));
	others_turn(&u);
	oom_conn_end(&u);
}

/* --- listeners and datagrams */

static void listener_expire(void *l)
{
	CHECK_EQ(leat_listener_set_deadline(l, 1), 0);
}

static int accepts_in_vain(void *arg)
{
	leat_listener *l = arg;
	defer(oom_wait_ended, NULL);

	CHECK_EQ(leat_listener_set_deadline(l, LEAT_FOREVER), 0);
	oom_wait_begins();
	CHECK(!leat_accept(l, oom_conn_custom(), NULL));
	return 0;
}

TEST(listener)
{
	leat_listener *l;
	leat_conn *c, *d;
	leat_addr at;
	char text[LEAT_ADDR_TEXT];

	oom_skip();
	l = leat_listen("unix", "@", NULL, NULL);
	CHECK(l && oom_conn_custom());
	oom_ender_start(listener_expire, l);
	CHECK(oom_each(accepts_in_vain, l) >= 1);
	oom_ender_stop();
	at = leat_listener_addr(l);
	leat_addr_text(&at, text);
	CHECK_EQ(leat_listener_set_deadline(l, LEAT_FOREVER), 0);
	c = leat_dial("unix", text, NULL, NULL);
	d = leat_accept(l, NULL, NULL);
	CHECK(c && d);
	leat_conn_free(c);
	leat_conn_free(d);
	CHECK_EQ(leat_listener_close(l), 0);
	leat_listener_free(l);
}

static int batch_in_vain(void *arg)
{
	char byte;
	leat_packet p = {.data = &byte, .room = 1};
	int n;
	defer(oom_wait_ended, NULL);

	CHECK_EQ(leat_conn_set_deadline(arg, LEAT_FOREVER), 0);
	oom_wait_begins();
	n = leat_packet_read_batch(arg, &p, 1, oom_conn_custom());
	CHECK(n == -ETIMEDOUT || n == -ENOMEM);
	return n == -ENOMEM ? n : 0;
}

TEST(datagrams)
{
	leat_addr at;
	leat_conn *c;
	char byte = 'a';

	oom_skip();
	c = leat_listen_packet("unixgram", "@", NULL, NULL);
	CHECK(c && oom_conn_custom());
	oom_ender_start(oom_conn_expire, c);
	CHECK(oom_each(batch_in_vain, c) >= 2);
	oom_ender_stop();
	CHECK_EQ(leat_conn_set_deadline(c, LEAT_FOREVER), 0);
	at = leat_conn_local(c);
	CHECK_EQ(leat_packet_write_to(c, &byte, 1, &at, NULL), 0);
	CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	CHECK_EQ(leat_conn_close(c), 0);
	leat_conn_free(c);
}

/* --- dialling a Unix listener whose queue is full */

static void dials_in_vain(void *at)
{
	CHECK(!leat_dial("unix", at, oom_conn_custom(), NULL));
}

TEST(dialling)
{
	int filled[8];
	char text[LEAT_ADDR_TEXT];
	leat_panic_info info;
	bool panicked = false;
	leat_listener *l;
	leat_addr at;
	int n = 0, before;

	oom_skip();
	l = leat_listen("unix", "@", &(leat_listen_opts){.backlog = 1}, NULL);
	CHECK(l && oom_conn_custom());
	at = leat_listener_addr(l);
	leat_addr_text(&at, text);
	do {
		CHECK(n < 8);
		filled[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	} while (connect(filled[n++], &at.any, at.bytes) == 0);
	CHECK_EQ(errno, EAGAIN);
	before = test_descriptors();
	/* What comes before the wait fails; then the wait panics. */
	for (int succeed = 0; !panicked; succeed++) {
		oom_begin(succeed);
		panicked = leat_catch(dials_in_vain, text, &info);
		oom_end();
	}
	CHECK_STR(info.message, "out of memory");
	CHECK_EQ(test_descriptors(), before);
	while (n-- > 0)
		CHECK_EQ(close(filled[n]), 0);
	leat_listener_free(l);
}

TEST_MAIN
