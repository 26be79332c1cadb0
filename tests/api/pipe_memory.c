/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/*
 * Goal: pipelines without memory: whatever allocation fails, the call panics "out of memory", and all is as before;
 * and where nothing fails all memory comes back.
 * Method: oom.h fails them one after the other, the runtime's mappings among them where nothing is waited for.
 */
#include "test.h"

#include "oom.h"

struct plus {
	int by;
};

static void plus(const int *in, int *out, struct plus *a)
{
	*out = *in + a->by;
}

static bool yes(const int *in)
{
	(void)in;
	return true;
}

static void nothing(const int *in)
{
	(void)in;
}

static void one(int *out)
{
	*out = 1;
}

/* A pipeline of every kind of stage; the chain is long enough for several blocks of the scope's memory. */
static int make_all(void *arg)
{
	static const int numbers[] = {1, 2, 3};
	recv_chan(int) c;
	scope(s, NULL);

	(void)arg;
	c = pipe_from_array(pipe_at(s, .cap = 5), numbers, 3);
	for (int i = 0; i < 20; i++)
		c = pipe_map(pipe_at(s, .workers = 3), c, int, plus, .by = 1);
	c = pipe_take_while0(s, pipe_filter0(s, c, yes), yes);
	pipe_each0(pipe_at(s, .workers = 2), pipe_take(s, c, 2), nothing);
	pipe_each0(s, pipe_repeat(s, int, 1, 2, 3), nothing);
	pipe_each0(s, pipe_repeat_fn0(s, int, one), nothing);
	return 0;
}

struct batch {
	size_t n;
	int items[10];
};

static void to_any(const int *in, leat_any *out)
{
	*out = any_of(*in);
}

/* The stages of leat/pipe_flow.h, some of an input of their own and some of another's. */
static int make_flow(void *arg)
{
	static const int numbers[] = {1, 2, 3};
	leat_limiter l = LEAT_LIMITER(LEAT_LIMITER_INF, 0);
	recv_chan(int) c;
	scope(s, NULL);

	(void)arg;
	c = pipe_buffer(s, pipe_from_array(s, numbers, 3), 1000, LEAT_PIPE_DROP_OLDEST);
	c = pipe_buffer(s, c, 100, LEAT_PIPE_BLOCK);
	c = pipe_unbatch(s, pipe_batch(s, c, struct batch, LEAT_HOUR));
	c = pipe_cast_ok(s, pipe_map0(s, c, leat_any, to_any), int);
	c = pipe_limit(s, pipe_throttle(s, c, 1000, LEAT_SECOND), &l);
	c = pipe_timeout_or(s, pipe_timeout(s, c, LEAT_HOUR), LEAT_HOUR, 1);
	pipe_each0(s, pipe_sample(s, pipe_debounce(s, c, LEAT_HOUR), LEAT_HOUR), nothing);
	pipe_each0(s, pipe_unbatch(s, pipe_batch(s, (recv_chan(int))NULL, struct batch, LEAT_HOUR)),
	           nothing);
	return 0;
}

/* The context above is to be watched meanwhile. */
static recv_chan(leat_empty) never_done(void *self)
{
	return chan_receiver(*(chan(leat_empty) *)self);
}

static int no_err(void *self)
{
	(void)self;
	return 0;
}

static const leat_ctx_ops custom_ops = {.name = "custom", .done = never_done, .err = no_err};

static int make_below_custom(void *ctx)
{
	scope(s, (leat_ctx *)ctx);

	pipe_each0(s, pipe_repeat_fn0(s, int, one), nothing);
	return 0;
}

/* Into an array that grows: of 16, 32, ... of 300 bytes.  The input is all there, so that nothing parks. */
struct large {
	char bytes[300];
};

static int collect(void *arg)
{
	size_t n;
	scope(s, NULL);

	pipe_collect(s, *(chan(struct large) *)arg, &n);
	CHECK_EQ(n, 200);
	return 0;
}

static chan(struct large) two_hundred(void)
{
	chan(struct large) in = chan_make(struct large, 200);

	for (int i = 0; i < 200; i++)
		chan_send(in, ((struct large){{1}}));
	chan_close(in);
	return in;
}

TEST(each_allocation_of_collect_fails)
{
	int n = 0;
	bool hit;

	oom_skip();
	do {
		chan(struct large) in = two_hundred();

		hit = oom_nth(collect, &in, ++n);
		chan_free(in);
	} while (hit);
	CHECK_EQ(n, 1 + 5);
}

TEST(each_allocation_fails)
{
	chan(leat_empty) done;
	leat_ctx *ctx;

	oom_skip();
	CHECK(oom_each(make_all, NULL) > 10);
	CHECK(oom_each(make_flow, NULL) > 10);
	done = chan_make(leat_empty, 0);
	ctx = leat_ctx_custom(leat_ctx_background(), &custom_ops, &done);
	CHECK(oom_each(make_below_custom, ctx) > 2);
	leat_ctx_free(ctx);
	chan_free(done);
}

/* Goroutines that cannot be started: those of the stage that there are end with the scope. */
TEST(each_mapping_fails)
{
	oom_skip();
	oom_maps = true;
	CHECK(oom_each(make_all, NULL) > 10);
	CHECK(oom_each(make_flow, NULL) > 10);
	oom_maps = false;
}

/* A panic for want of memory is caught inside the block: the scope goes on, and can be left. */
struct in_scope {
	leat_scope *s;
	recv_chan(int) c;
};

static void make_large(void *arg)
{
	struct in_scope *a = arg;

	a->c = pipe_map(pipe_at(a->s, .cap = 100000), a->c, int, plus, .by = 1);
}

TEST(a_scope_goes_on_where_memory_was_out)
{
	static const int numbers[] = {1, 2, 3};
	leat_panic_info info;
	size_t n;

	oom_skip();
	{
		scope(s, NULL);
		struct in_scope a = {s, pipe_from_array(s, numbers, 3)};

		oom_begin(0);
		CHECK(leat_catch(make_large, &a, &info));
		oom_end();
		CHECK_STR(info.message, "out of memory");
		make_large(&a);
		pipe_collect(s, a.c, &n);
		CHECK_EQ(n, 3);
	}
}

static void panics(const int *in, int *out)
{
	(void)in;
	*out = 0;
	leat_panic("no");
}

static void some_pipelines(void)
{
	chan(struct large) in = two_hundred();
	size_t n;

	make_all(NULL);
	make_flow(NULL);
	collect(&in);
	chan_free(in);
	{
		scope(s, NULL);

		pipe_collect(s,
		             pipe_map0(pipe_at(s, .panics = LEAT_PIPE_FAIL, .workers = 4),
		                       pipe_repeat(s, int, 1), int, panics),
		             &n);
		CHECK_EQ(n, 0);
	}
}

TEST(all_memory_comes_back)
{
	size_t before, goroutines = leat_num_goroutine();

	for (int i = 0; i < 10; i++) /* what is kept for later use */
		some_pipelines();
	before = test_heap_in_use();
	for (int i = 0; i < test_count(10000); i++)
		some_pipelines();
	/* Goroutines are kept for later use; a leak of 66 bytes in each round would show. */
	CHECK(test_heap_in_use() <= before + 64 * 1024);
	test_goroutines(goroutines);
}

TEST_MAIN
