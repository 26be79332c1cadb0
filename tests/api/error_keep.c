/* SPDX-License-Identifier: MIT */
/*
 * Goal: whoever hands an error out as a cause or a reason holds it for as long, and no longer.
 * Method: the one who made the error lets go of it at once; then it is asked for.  A hold too few is a use after the
 * end, which ASan sees; one too many a leak, which it sees, too, and elsewhere the heap shows.
 */
#include "test.h"

#include <errno.h>

/* The bytes are for the heap to tell. */
enum { BYTES = 2000 };

static const leat_error *make(const char *what)
{
	return leat_errorf(NULL, "%s%*s", what, BYTES, "");
}

static bool says(const leat_error *e, const char *what)
{
	return e && strncmp(leat_error_message(e), what, strlen(what)) == 0 &&
	       strlen(leat_error_message(e)) == BYTES + strlen(what);
}

/* fn leaves nothing behind. */
static void leaves_nothing(void (*fn)(void))
{
	size_t before = 0;

	for (int i = 0; i < 40; i++) {
		fn();
		if (i == 10)
			before = test_heap_in_use();
	}
	CHECK(test_heap_in_use() < before + 20 * BYTES);
}

static void cancel(leat_ctx *ctx, const char *what)
{
	const leat_error *e = make(what);

	leat_ctx_cancel_cause(ctx, e);
	leat_error_free(e);
}

static void a_tree(void)
{
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *mid = leat_ctx_with_value(top, &(leat_ctx_key){"k"}, NULL);
	leat_ctx *low = leat_ctx_with_cancel(mid), *late, *own = leat_ctx_with_cancel(low);

	cancel(own, "own");
	cancel(top, "top");
	cancel(top, "again"); /* too late */
	late = leat_ctx_with_cancel(low);
	CHECK(says(leat_ctx_cause(top), "top") && says(leat_ctx_cause(mid), "top"));
	CHECK(says(leat_ctx_cause(low), "top") && says(leat_ctx_cause(late), "top"));
	CHECK(says(leat_ctx_cause(own), "own"));
	leat_ctx_free(late);
	leat_ctx_free(own);
	CHECK(says(leat_ctx_cause(low), "top"));
	leat_ctx_free(low);
	leat_ctx_free(mid);
	leat_ctx_free(top);
}

TEST(line_138_contexts)
{
	leaves_nothing(a_tree);
}

static void longer_than_the_context(void)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	const leat_error *e;

	cancel(ctx, "kept");
	e = leat_error_retain(leat_ctx_cause(ctx));
	leat_ctx_free(ctx);
	CHECK(says(e, "kept"));
	leat_error_free(e);
}

TEST(line_138_longer_than_the_context)
{
	leaves_nothing(longer_than_the_context);
}

static void deadlines(void)
{
	const leat_error *e = make("late");
	leat_ctx *soon = leat_ctx_with_timeout_cause(leat_ctx_background(), LEAT_MICROSECOND, e);
	leat_ctx *past = leat_ctx_with_timeout_cause(leat_ctx_background(), -1, e);
	leat_ctx *never = leat_ctx_with_timeout_cause(leat_ctx_background(), LEAT_HOUR, e);
	leat_ctx *below = leat_ctx_with_cancel(soon);
	leat_ctx *useless = leat_ctx_with_timeout_cause(past, LEAT_HOUR, e);

	leat_error_free(e);
	chan_recv(leat_ctx_done(below));
	CHECK(says(leat_ctx_cause(soon), "late") && says(leat_ctx_cause(below), "late"));
	CHECK(says(leat_ctx_cause(past), "late") && says(leat_ctx_cause(useless), "late"));
	CHECK(!leat_ctx_cause(never));
	leat_ctx_cancel(never);
	CHECK(leat_ctx_cause(never) == &leat_canceled);
	leat_ctx_free(useless);
	leat_ctx_free(below);
	leat_ctx_free(past);
	leat_ctx_free(soon);
	leat_ctx_free(never);
}

TEST(line_138_deadlines)
{
	leaves_nothing(deadlines);
}

static void a_scope(void)
{
	const leat_error *e = make("scoped");

	scope(s, NULL);
	leat_ctx_cancel_cause(s, e);
	leat_error_free(e);
	CHECK(says(leat_ctx_cause(s), "scoped"));
	scope(below, s);
	CHECK(says(leat_ctx_cause(below), "scoped"));
}

TEST(line_138_scopes)
{
	leaves_nothing(a_scope);
}

struct own {
	recv_chan(leat_empty) done;
	const leat_error *why;
};

static recv_chan(leat_empty) own_done(void *self)
{
	return ((struct own *)self)->done;
}

static int own_err(void *self)
{
	return chan_closed(((struct own *)self)->done) ? -ECANCELED : 0;
}

static const leat_error *own_cause(void *self)
{
	return ((struct own *)self)->why;
}

static void a_custom_one(void)
{
	static const leat_ctx_ops ops = {
	    .name = "own", .done = own_done, .err = own_err, .cause = own_cause};
	chan(leat_empty) done = chan_make(leat_empty, 0);
	struct own own = {chan_receiver(done), make("custom")};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &ops, &own);
	leat_ctx *below = leat_ctx_with_cancel(ctx);

	chan_close(done);
	chan_recv(leat_ctx_done(below));
	CHECK(says(leat_ctx_cause(ctx), "custom") && says(leat_ctx_cause(below), "custom"));
	leat_ctx_free(below);
	leat_ctx_free(ctx);
	leat_error_free(own.why);
	chan_free(done);
	test_goroutines(1);
}

TEST(line_138_custom_contexts)
{
	leaves_nothing(a_custom_one);
}

static void channels(void)
{
	chan(int) c = chan_make(int, 1), d = chan_make(int, 0);
	const leat_error *e = make("closed");

	scope(s, NULL);
	chan(int) mine = scope_chan(s, int, 0);

	chan_close_with(c, e);
	chan_close_with(mine, e);
	CHECK(chan_try_close_with(d, e) && !chan_try_close_with(d, e));
	leat_error_free(e);
	CHECK(says(chan_reason(c), "closed") && says(chan_reason(d), "closed"));
	CHECK(says(chan_reason(mine), "closed"));
	chan_free(c);
	CHECK(says(chan_reason(d), "closed"));
	chan_free(d);
}

TEST(channels_hold_their_reason)
{
	leaves_nothing(channels);
}

static void broadcasts(void)
{
	broadcast_chan(int) b = broadcast_make(int, 1, LEAT_BROADCAST_DROP_OLDEST);
	latest_cell(int) l = latest_make(int);
	recv_chan(int) early = broadcast_subscribe(b), late, last;
	const leat_error *e = make("over");

	broadcast_close_with(b, e);
	latest_close_with(l, e);
	leat_error_free(e);
	late = broadcast_subscribe(b);
	last = latest_subscribe(l);
	CHECK(says(chan_reason(early), "over") && says(chan_reason(late), "over"));
	CHECK(says(chan_reason(last), "over"));
	broadcast_unsubscribe(b, early);
	CHECK(says(chan_reason(late), "over"));
	broadcast_free(b);
	latest_free(l);
}

TEST(broadcasts_and_latest_values_hold_theirs)
{
	leaves_nothing(broadcasts);
}

TEST_MAIN
