/* SPDX-License-Identifier: MIT */
/* Waits on pairs of connections in which memory runs out.  Includes oom.h. */
#ifndef OOM_CONN_H
#define OOM_CONN_H

#include "conn_suite_help.h"
#include "oom.h"

struct oom_conn {
	leat_conn *a, *b; /* who waits, and who is there for it */
	bool custom;      /* with a context of the program's own kind */
	bool writes;      /* the turn that is waited for is that to write */
};

/* --- contexts that need memory when they are waited for: the usual ones for their channel, others for who watches it */

static leat_ctx *oom_conn_mine;

static inline recv_chan(leat_empty) oom_conn_done(void *self)
{
	return chan_receiver((chan(leat_empty))self);
}

static inline int oom_conn_err(void *self)
{
	(void)self;
	return 0;
}

/* Made once, and there for ever. */
static inline leat_ctx *oom_conn_custom(void)
{
	static const leat_ctx_ops ops = {.name = "mine", .done = oom_conn_done, .err = oom_conn_err};
	static chan(leat_empty) c;

	if (!c) {
		c = chan_make(leat_empty, 0);
		oom_conn_mine = leat_ctx_custom(leat_ctx_background(), &ops, (void *)c);
	}
	return oom_conn_mine;
}

static inline leat_ctx *oom_conn_ctx(const struct oom_conn *t)
{
	return t->custom ? oom_conn_custom() : leat_ctx_with_cancel(leat_ctx_background());
}

static inline void oom_conn_ctx_free(leat_ctx *ctx)
{
	if (ctx != oom_conn_mine)
		leat_ctx_free(ctx);
}

/* --- who ends a wait once it is one, or once its context is watched: an instant could be past before it has begun */

static struct {
	void (*end)(void *arg);
	void *arg;
	_Atomic bool waits, stop;
} oom_ender;

LEAT__UNUSED static void oom_ending(void)
{
	while (!atomic_load(&oom_ender.stop)) {
		if (atomic_load(&oom_ender.waits) && leat_num_parked() >= 1) {
			atomic_store(&oom_ender.waits, false);
			oom_ender.end(oom_ender.arg);
		}
		leat_sleep(50 * LEAT_MICROSECOND);
	}
}

LEAT__UNUSED static void oom_ender_start(void (*end)(void *), void *arg)
{
	oom_ender.end = end;
	oom_ender.arg = arg;
	atomic_store(&oom_ender.stop, false);
	go0(oom_ending);
}

LEAT__UNUSED static void oom_ender_stop(void)
{
	atomic_store(&oom_ender.stop, true);
	test_goroutines(1);
}

/* What follows is to be ended, unless it ends by itself. */
LEAT__UNUSED static void oom_wait_begins(void)
{
	atomic_store(&oom_ender.waits, true);
}

LEAT__UNUSED static void oom_wait_ended(void *nothing)
{
	(void)nothing;
	atomic_store(&oom_ender.waits, false);
}

LEAT__UNUSED static void oom_conn_expire(void *conn)
{
	CHECK_EQ(leat_conn_set_deadline(conn, 1), 0);
}

/* --- it is as good as before */

struct oom_conn_echo {
	leat_conn *c;
};

LEAT__UNUSED static void oom_conn_echo(struct oom_conn_echo *e)
{
	leat_conn *c = e->c;
	char byte;

	/* What was written before does not matter. */
	do
		CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
	while (byte != 'a');
	CHECK_EQ(leat_conn_write(c, "b", 1, NULL), 0);
}

LEAT__UNUSED static void oom_conn_good(struct oom_conn *t)
{
	size_t goroutines = leat_num_goroutine();
	char byte;

	oom_conn_custom(); /* is made by now */
	CHECK_EQ(leat_conn_set_deadline(t->a, LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_set_deadline(t->b, LEAT_FOREVER), 0);
	go(oom_conn_echo, .c = t->b);
	CHECK_EQ(leat_conn_write(t->a, "a", 1, NULL), 0);
	CHECK_EQ(leat_conn_read(t->a, &byte, 1), 1);
	CHECK_EQ(byte, 'b');
	test_goroutines(goroutines);
}

static inline void oom_conn_end(struct oom_conn *t)
{
	CHECK_EQ(leat_conn_close(t->a), 0);
	CHECK_EQ(leat_conn_close(t->b), 0);
	leat_conn_free(t->a);
	leat_conn_free(t->b);
}

#endif
