/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: lines 143, 144 and 154 under every schedule of some small programs: nothing stale is received, each
 * setting of a timer ends in exactly one way, and of two who wait the longer one is served.
 *
 * Method: a policy answers each choice of the scheduler from a script; the scripts are counted through.
 * Time is the policy's, too: it passes where one of the actors lets it.  What happens is compared with a
 * timer of three plain variables.
 */
#include "sched/policy.h"

#include "test.h"

enum { CHOICES = 200, ACTORS = 4 };

static unsigned char script[CHOICES], of[CHOICES];
static int choices;
static _Atomic int64_t virtual = 1000;

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	uint32_t answer;

	/* An act is one call; where one may end and another begin, the actors yield. */
	if (n == 1 || what == LEAT__CHOOSE_RETAKE)
		return 0;
	CHECK(choices < CHOICES);
	answer = script[choices];
	CHECK(answer < n);
	of[choices++] = (unsigned char)n;
	return answer;
}

static int64_t now(void)
{
	return load_relaxed(&virtual);
}

static const struct leat__policy policy = {.choose = choose, .now = now};

/* --- the play */

static leat_timer *timer;
static leat_waitgroup left, staying;
static chan(leat_empty) end;

/* What the timer must be like, but for values on their way to one who waits. */
static bool active;
static int64_t at;
static int settings, ends;

static void reset(int64_t ns)
{
	settings++;
	ends += leat_timer_reset(timer, ns);
	active = true;
	at = now() + ns;
}

static void stop(void)
{
	ends += leat_timer_stop(timer);
	active = false;
}

static void got(int64_t v)
{
	CHECK(v <= now());
	ends++;
	CHECK(ends <= settings);
}

/* --- the acts, by their number in their actor */

static void resets(int step)
{
	bool was = active, is;

	settings++;
	is = leat_timer_reset(timer, step ? 10 : 5);
	CHECK_EQ(is, was);
	ends += is;
	active = true;
	at = now() + (step ? 10 : 5);
}

static void stops(int step)
{
	bool was = active, is = leat_timer_stop(timer);

	(void)step;
	CHECK_EQ(is, was);
	ends += is;
	active = false;
}

static void looks(int step)
{
	bool due = active && at <= now();
	int64_t v;

	(void)step;
	CHECK_EQ(chan_try_recv(leat_timer_chan(timer), &v, NULL), due);
	if (due) {
		CHECK_EQ(v, at);
		got(v);
		active = false;
	}
}

/* The same beside one who waits: whether a value is on its way is not to be seen. */
static void resets_blindly(int step)
{
	reset(step ? 10 : 5);
}

static void stops_blindly(int step)
{
	(void)step;
	stop();
}

static void looks_blindly(int step)
{
	int64_t v;

	(void)step;
	if (chan_try_recv(leat_timer_chan(timer), &v, NULL)) {
		CHECK_EQ(v, at); /* nothing stale */
		got(v);
	}
}

static void waits(int step)
{
	(void)step;
	chan_select {
		case_recv(leat_timer_chan(timer), v)
			got(v);
		case_recv(end) {
		}
	}
}

static void time_passes(int step)
{
	(void)step;
	fetch_add_relaxed(&virtual, 6);
}

struct actor {
	void (*act)(int step);
	int steps;
	leat_waitgroup *wg;
};

static void actor(struct actor *a)
{
	for (int i = 0; i < a->steps; i++) {
		leat_yield();
		a->act(i);
	}
	leat_waitgroup_done(a->wg);
}

/* One run by the script.  Who waits is told to leave once all others are done, and time has passed. */
static void play(const struct actor *actors)
{
	choices = 0;
	settings = 1;
	ends = 0;
	end = chan_make(leat_empty, 0);
	timer = leat_timer_new(5);
	active = true;
	at = now() + 5;
	for (const struct actor *a = actors; a->act; a++) {
		leat_waitgroup_add(a->wg, 1);
		go(actor, a->act, a->steps, a->wg);
	}
	leat_waitgroup_wait(&left);
	chan_close(end);
	leat_waitgroup_wait(&staying);
	stop();
	CHECK_EQ(ends, settings);
	fetch_add_relaxed(&virtual, 100);
	CHECK(!chan_try_recv(leat_timer_chan(timer), NULL, NULL));
	leat_timer_free(timer);
	chan_free(end);
}

/* The next script, as numbers are counted: from the last choice that has another answer. */
static bool next_script(void)
{
	int last = choices - 1;

	while (last >= 0 && script[last] + 1 >= of[last])
		script[last--] = 0;
	if (last < 0)
		return false;
	script[last]++;
	return true;
}

/* Every schedule, or as many as there is time for. */
static void play_all(const struct actor *actors)
{
	int most = test_count(200000), n = 0;
	bool more = true;

	leat__policy = &policy;
	memset(script, 0, sizeof script);
	for (; more && n < most; n++) {
		play(actors);
		more = next_script();
	}
	fprintf(stderr, "\t%d schedules%s\n", n, more ? ", not all" : "");
	CHECK(n > 10);
}

TEST(line_143_stop_against_look)
{
	play_all((struct actor[]){{stops, 1, &left}, {looks, 1, &left}, {time_passes, 1, &left}, {0}});
	play_all((struct actor[]){{stops, 2, &left}, {looks, 2, &left}, {time_passes, 2, &left}, {0}});
}

TEST(line_144_reset_against_look_and_stop)
{
	play_all((struct actor[]){
	    {resets, 1, &left}, {looks, 1, &left}, {stops, 1, &left}, {time_passes, 1, &left}, {0}});
	play_all((struct actor[]){{resets, 2, &left}, {looks, 2, &left}, {time_passes, 2, &left}, {0}});
}

TEST(line_154_one_who_waits)
{
	play_all((struct actor[]){
	    {waits, 1, &staying}, {stops_blindly, 1, &left}, {time_passes, 1, &left}, {0}});
	play_all((struct actor[]){
	    {waits, 2, &staying}, {resets_blindly, 1, &left}, {time_passes, 2, &left}, {0}});
	play_all((struct actor[]){{waits, 1, &staying},
	                          {resets_blindly, 1, &left},
	                          {looks_blindly, 1, &left},
	                          {time_passes, 2, &left},
	                          {0}});
}

TEST(line_154_two_who_wait)
{
	play_all((struct actor[]){{waits, 1, &staying},
	                          {waits, 1, &staying},
	                          {resets_blindly, 1, &left},
	                          {time_passes, 2, &left},
	                          {0}});
}

TEST_MAIN
