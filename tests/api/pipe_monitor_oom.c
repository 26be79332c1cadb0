/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/*
 * Goal: where memory runs out, at any allocation of a monitor's, there is a panic, or nothing is written, and
 * nothing is left behind.
 */
#include "oom.h"

static FILE *nowhere;
static const int64_t numbers[] = {1, 2, 3};

static void forget(const int64_t *in)
{
	(void)in;
}

static int watch(void *arg)
{
	scope(s, NULL);
	chan(int64_t) c = scope_chan(s, int64_t, 1);
	leat_pipe_stage *st;

	(void)arg;
	pipe_monitor(s);
	st = pipe_watch(s, "own", c, (chan(int64_t))NULL);
	pipe_stage_begin(st);
	pipe_stage_end(st);
	return 0;
}

static int stages(void *arg)
{
	scope(s, NULL);

	if (!arg)
		pipe_monitor(s);
	pipe_each0(s, pipe_from_array(pipe_at(s, .cap = 3000), numbers, 3), forget);
	if (arg)
		pipe_monitor(s);
	return 0;
}

static int ask(void *arg)
{
	leat_pipe_totals all;

	leat_pipe_stats_of(arg, NULL, 0, &all);
	return 0;
}

static int report(void *arg)
{
	leat_pipe_report(arg, nowhere);
	return 0;
}

static int svg(void *arg)
{
	leat_pipe_svg(arg, nowhere);
	return 0;
}

static int at_end(void *arg)
{
	scope(s, NULL);

	(void)arg;
	pipe_monitor(s, .at_end = nowhere, .svg = nowhere);
	return OOM_COPED;
}

static int live(void *arg)
{
	scope(s, NULL);

	(void)arg;
	pipe_monitor(s, .live = nowhere);
	return 0;
}

TEST(out_of_memory)
{
	if (!OOM_WORKS)
		oom_skip();
	nowhere = fopen("/dev/null", "w");
	CHECK(nowhere);
	setvbuf(nowhere, NULL, _IONBF, 0);
	CHECK(oom_each(watch, NULL) > 0);
	CHECK(oom_each(stages, NULL) > 1);
	CHECK(oom_each(stages, "late") > 1);
	CHECK(oom_each(at_end, NULL) > 2);
	CHECK(oom_each(live, NULL) > 0);
	{
		scope(s, NULL);

		pipe_monitor(s);
		pipe_each0(s, pipe_from_array(s, numbers, 3), forget);
		scope_wait(s);
		CHECK(oom_each(ask, s) > 2);
		CHECK(oom_each(report, s) > 3);
		CHECK(oom_each(svg, s) > 3);
	}
	fclose(nowhere);
}

TEST_MAIN
