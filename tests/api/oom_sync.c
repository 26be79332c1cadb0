/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: where memory runs out in a primitive of sync, at whichever allocation, that is a clean panic; nothing is
 * leaked, and the primitive is as before.
 * Method: each operation with its 1st, 2nd, ... allocation failing, and the runtime's mappings too where no
 * goroutine that was started must be waited for.
 */
#include "test.h"

#include "oom.h"

static void with_maps(int (*fn)(void *), void *arg, bool maps, int at_least)
{
	__atomic_store_n(&oom_maps, maps, __ATOMIC_RELAXED);
	CHECK(oom_each(fn, arg) >= at_least);
	__atomic_store_n(&oom_maps, false, __ATOMIC_RELAXED);
}

/* --- limiters.  First: the heap of timers is not there yet */

static void wait_for_a_turn(void *l)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	defer(leat_ctx_free, ctx);

	CHECK_EQ(leat_limiter_wait_ctx((leat_limiter *)l, ctx), 0);
}

TEST(the_timer_of_a_limiter)
{
	leat_limiter l = LEAT_LIMITER(0.01, 1);
	leat_panic_info info;
	bool panicked, hit;

	oom_skip();
	CHECK(leat_limiter_allow(&l));
	oom_maps = true;
	oom_arm(2);
	panicked = leat_catch(wait_for_a_turn, &l, &info);
	hit = oom_disarm();
	oom_maps = false;
	CHECK(panicked && hit);
	CHECK_STR(info.message, "out of memory");
	CHECK(leat_limiter_tokens(&l) > -0.5); /* nothing was taken */
	CHECK_EQ(oom_holds, 0);
	leat_limiter_set_rate(&l, 100);
	wait_for_a_turn(&l);
}

/* --- maps */

static void free_map(void *m)
{
	leat_map_free(m);
}

static bool count(const void *key, void *value, void *n)
{
	(void)key;
	(void)value;
	++*(int *)n;
	return true;
}

static int fill_map(void *arg)
{
	leat_map m = {.strings = arg != NULL};
	char key[32];
	void *got = NULL;
	int n = 0;

	defer(free_map, &m);
	for (int i = 0; i < 300; i++) {
		snprintf(key, sizeof key, "%d", i);
		leat_map_store(&m, arg ? (const void *)key : (const void *)(intptr_t)i, &m);
	}
	CHECK(
	    leat_map_load_or_store(&m, arg ? (const void *)"7" : (const void *)(intptr_t)7, key, &got));
	CHECK(got == &m);
	leat_map_range(&m, count, &n);
	CHECK_EQ(n, 300);
	leat_map_clear(&m);
	CHECK(!leat_map_load(&m, arg ? (const void *)"7" : (const void *)(intptr_t)7, &got));
	return OOM_COPED; /* a table that cannot grow stays as it is */
}

TEST(maps)
{
	static char strings;

	with_maps(fill_map, NULL, true, 300);
	with_maps(fill_map, &strings, true, 300);
}

/* --- broadcasts and latest values */

static int one_broadcast(void *arg)
{
	leat_broadcast *b = leat_broadcast_make(sizeof(int), 4, LEAT_BROADCAST_DROP_OLDEST);
	int v = 7;

	(void)arg;
	defer(leat_broadcast_free, b);
	leat_chan *one = leat_broadcast_subscribe(b), *two = leat_broadcast_subscribe(b);

	leat_broadcast_send(b, &v);
	CHECK(leat_chan_recv(one, &v));
	leat_broadcast_unsubscribe(b, two);
	leat_broadcast_close(b);
	return 0;
}

static int one_latest(void *arg)
{
	leat_latest *l = leat_latest_make(sizeof(int));
	int v = 7;

	(void)arg;
	defer(leat_latest_free, l);
	leat_latest_set(l, &v);
	leat_chan *c = leat_latest_subscribe(l);

	CHECK(leat_chan_recv(c, &v));
	return 0;
}

TEST(broadcasts_and_latest_values)
{
	with_maps(one_broadcast, NULL, false, 3);
	with_maps(one_latest, NULL, false, 2);
}

/* --- waits with a custom context, whose watcher finds no memory */

static int asked;

static recv_chan(leat_empty) its_done(void *self)
{
	return chan_receiver((chan(leat_empty))self);
}

/* Not yet, as the wait begins; then its watcher finds the channel closed. */
static int its_err(void *self)
{
	(void)self;
	return __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED) <= 2 ? 0 : -ECANCELED;
}

static const leat_ctx_ops ops = {.name = "mine", .done = its_done, .err = its_err};

static leat_mutex mutex;
static leat_cond cond;

static int wait_on_cond(void *ctx)
{
	__atomic_store_n(&asked, 0, __ATOMIC_RELAXED);
	leat_mutex_lock(&mutex);
	defer(leat_mutex_unlock, &mutex); /* which the panic leaves locked */
	CHECK_EQ(leat_cond_wait_ctx(&cond, &mutex, (leat_ctx *)ctx), -ECANCELED);
	return 0;
}

static leat_once once;

static void run(void *arg)
{
	++*(int *)arg;
}

static int do_once(void *ctx)
{
	int ran = 0;

	__atomic_store_n(&asked, -1, __ATOMIC_RELAXED); /* a once asks once more */
	CHECK_EQ(leat_once_do_ctx(&once, run, &ran, (leat_ctx *)ctx), 0);
	CHECK_EQ(ran, 1); /* it was still to be done */
	return 0;
}

TEST(waits_with_a_custom_context)
{
	chan(leat_empty) closed = chan_make(leat_empty, 0), open = chan_make(leat_empty, 0);
	leat_ctx *ends = leat_ctx_custom(leat_ctx_background(), &ops, (void *)closed);
	leat_ctx *goes_on = leat_ctx_custom(leat_ctx_background(), &ops, (void *)open);

	chan_close(closed);
	CHECK_EQ(oom_each(wait_on_cond, ends), 3);
	CHECK(leat_mutex_trylock(&mutex));
	leat_mutex_unlock(&mutex);
	CHECK_EQ(oom_each(do_once, goes_on), 3);
	leat_ctx_free(ends);
	leat_ctx_free(goes_on);
	chan_free(closed);
	chan_free(open);
}

/* --- goroutines that are counted; flights */

static void nothing(void)
{
}

static int counted(void *arg)
{
	leat_waitgroup wg = {0};

	(void)arg;
	defer(leat_waitgroup_wait, &wg); /* of those that could be started */
	wg_go0(&wg, nothing);
	wg_go0(&wg, nothing);
	return 0;
}

static leat_singleflight flights;

static int fly(void *arg, void **value)
{
	*value = arg;
	return 0;
}

static int flight(void *arg)
{
	leat_singleflight_result r;

	leat_singleflight_do(&flights, "key", fly, arg, &r);
	CHECK(r.value == arg);
	if (leat_singleflight_do_ctx(&flights, "key", fly, arg, &r, arg) != 0)
		return -1;
	CHECK(r.value == arg);
	return 0;
}

static int flight_to_channel(void *arg)
{
	recv_chan(leat_singleflight_result) c = leat_singleflight_do_chan(&flights, "key", fly, arg);

	CHECK(chan_recv(c).value == arg);
	chan_free(c);
	return 0;
}

TEST(goroutines_that_are_counted_and_flights)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	with_maps(counted, NULL, false, 0);
	with_maps(flight, ctx, false, 1);
	with_maps(flight_to_channel, ctx, false, 2);
	leat_ctx_free(ctx);
}

TEST_MAIN
