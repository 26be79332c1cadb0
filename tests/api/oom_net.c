/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/* Goal: where memory runs out in the making of connections, listeners and their errors, all that was taken is given back,
   descriptors too. */
#include "conn_suite_help.h"
#include "oom.h"

static int descriptors;

static int pair_in_memory(void *arg)
{
	leat_conn *a, *b;

	(void)arg;
	if (!leat_conn_pipe(&a, &b))
		return -ENOMEM;
	leat_conn_free(a);
	leat_conn_free(b);
	return 0;
}

static int socketpair_of_two(void *arg)
{
	leat_conn *a, *b;

	(void)arg;
	if (!leat_conn_socketpair(&a, &b, NULL))
		return -ENOMEM;
	leat_conn_free(a);
	leat_conn_free(b);
	return 0;
}

static int listener(void *arg)
{
	leat_listener *l = leat_listen("unix", "@", NULL, NULL);

	(void)arg;
	if (!l)
		return -ENOMEM;
	leat_listener_free(l);
	return 0;
}

static int dialled(void *arg)
{
	leat_conn *c = leat_dial("unix", arg, NULL, NULL);

	if (!c)
		return -ENOMEM;
	leat_conn_free(c);
	return 0;
}

/* Both families: one refuses, or finds no memory, the other is connected. */
static int dialled_by_name(void *arg)
{
	leat_conn *c = leat_dial("tcp", arg, NULL, NULL);

	if (!c)
		return -ENOMEM;
	leat_conn_free(c);
	return OOM_COPED;
}

static int listener_by_name(void *arg)
{
	leat_listener *l = leat_listen("tcp", arg, NULL, NULL);

	if (!l)
		return -ENOMEM;
	leat_listener_free(l);
	return 0;
}

TEST(nothing_is_left_by_name)
{
	char text[LEAT_ADDR_TEXT];
	leat_listener *l;
	leat_addr a;

	oom_skip();
	l = leat_listen("tcp", "localhost:0", NULL, NULL);
	CHECK(l);
	a = leat_listener_addr(l);
	snprintf(text, sizeof text, "localhost:%d", leat_addr_port(&a));
	CHECK_EQ(dialled_by_name(text), OOM_COPED);
	descriptors = test_descriptors();
	CHECK(oom_each(dialled_by_name, text) > 1);
	CHECK(oom_each(listener_by_name, "localhost:0") > 1);
	CHECK_EQ(test_descriptors(), descriptors);
	leat_listener_free(l);
}

static int packets(void *arg)
{
	leat_conn *c = leat_listen_packet("unixgram", arg, NULL, NULL);

	if (!c)
		return -ENOMEM;
	leat_conn_free(c);
	return 0;
}

/* Where a batch finds no memory, nothing is sent, and none is taken. */
static int batch(void *arg)
{
	char bytes[3] = "ab";
	leat_packet out[2] = {{.data = bytes, .bytes = 1}, {.data = bytes + 1, .bytes = 1}};
	leat_packet in[2] = {{.data = bytes, .room = 1}, {.data = bytes + 1, .room = 1}};
	leat_conn *c = arg;
	size_t sent = 0;
	leat_addr at = leat_conn_local(c);
	int err;

	out[0].addr = out[1].addr = at;
	err = leat_packet_write_batch(c, out, 2, NULL, &sent);
	CHECK_EQ(sent, err ? 0 : 2);
	if (err)
		return err;
	err = leat_packet_read_batch(c, in, 2, NULL);
	if (err < 0) {
		CHECK_EQ(leat_conn_read(c, bytes, 1), 1);
		CHECK_EQ(leat_conn_read(c, bytes, 1), 1);
		return err;
	}
	CHECK_EQ(err, 2);
	return 0;
}

TEST(nothing_is_left_of_datagrams)
{
	char name[64];
	leat_conn *c;

	oom_skip();
	snprintf(name, sizeof name, "/tmp/leat-oom-%d", (int)getpid());
	c = leat_listen_packet("unixgram", "@", NULL, NULL);
	CHECK(c);
	descriptors = test_descriptors();
	CHECK(oom_each(packets, name) > 0);
	CHECK_EQ(access(name, F_OK), -1);
	CHECK(oom_each(batch, c) > 1);
	CHECK_EQ(test_descriptors(), descriptors);
	leat_conn_free(c);
}

/* A connection that comes while there is no memory waits. */
struct accepting {
	leat_listener *l;
	leat_addr at;
};

static int accepted(void *arg)
{
	struct accepting *a = arg;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	leat_conn *c;

	CHECK(fd >= 0);
	CHECK_EQ(connect(fd, &a->at.any, a->at.bytes), 0);
	c = leat_accept(a->l, NULL, NULL);
	CHECK(c);
	leat_conn_free(c);
	CHECK_EQ(close(fd), 0);
	return OOM_COPED;
}

TEST(accept_loses_none)
{
	struct accepting a = {.l = leat_listen("unix", "@", NULL, NULL)};

	oom_skip();
	CHECK(a.l);
	a.at = leat_listener_addr(a.l);
	CHECK(oom_each(accepted, &a) > 0);
	leat_listener_free(a.l);
}

TEST(nothing_is_left)
{
	char text[LEAT_ADDR_TEXT];
	leat_listener *l;
	leat_addr a;

	oom_skip();
	CHECK_EQ(socketpair_of_two(NULL), 0); /* the poller is there now */
	l = leat_listen("unix", "@", NULL, NULL);
	CHECK(l);
	a = leat_listener_addr(l);
	leat_addr_text(&a, text);
	descriptors = test_descriptors();
	CHECK(oom_each(pair_in_memory, NULL) > 0);
	CHECK(oom_each(socketpair_of_two, NULL) > 1);
	CHECK(oom_each(listener, NULL) > 0);
	CHECK(oom_each(dialled, text) > 0);
	CHECK_EQ(test_descriptors(), descriptors);
	leat_listener_free(l);
}

TEST_MAIN
