/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 */
/*
 * Goal: stages of the program's own are counted, and what the monitor writes, a table and an image, has what there is to
 * say of each stage, whatever its name.
 * Method: as pipe_monitor.c.
 */
#include "pipe_monitor.h"

/* --- stages of one's own */

struct own {
	leat_pipe_stage *stage;
	recv_chan(int64_t) in;
	send_chan(int64_t) out;
	leat_waitgroup *workers;
};

static void own(struct own *a)
{
	chan_range(v, a->in) {
		pipe_stage_begin(a->stage);
		pipe_stage_end(a->stage);
		chan_send(a->out, v);
		pipe_stage_sent(a->stage);
	}
	leat_waitgroup_done(a->workers);
}

struct close_when_done {
	send_chan(int64_t) out;
	leat_waitgroup *workers;
};

static void close_when_done(struct close_when_done *a)
{
	leat_waitgroup_wait(a->workers);
	chan_close(a->out);
}

/* More workers than a stage has room for at first. */
TEST(own_stage_of_many_workers)
{
	int n = test_count(100000), workers = 100;
	struct making m = {n};
	struct seen seen;
	leat_waitgroup wg = {0};
	scope(s, NULL);
	chan(int64_t) out = scope_chan(s, int64_t, 3);

	pipe_monitor(s);
	recv_chan(int64_t) a = made(s, &m, 4);
	leat_pipe_stage *st = pipe_watch(s, "own", a, out);
	leat_waitgroup_add(&wg, workers);
	for (int i = 0; i < workers; i++)
		scope_go(s, own, st, a, chan_sender(out), &wg);
	scope_go(s, close_when_done, chan_sender(out), &wg);
	pipe_each0(s, out, forget);
	scope_wait(s);
	seen = look(s);
	CHECK_EQ(seen.n, 3);
	CHECK_STR(seen.stage[1].name, "own");
	CHECK_STR(seen.stage[1].kind, "watch");
	CHECK(seen.stage[1].workers >= 1 && seen.stage[1].workers <= workers);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(seen.stage[i].arrivals, n);
		CHECK_EQ(seen.stage[i].departures, n);
	}
	check_law("all", seen.all.mean_inside, seen.all.rate, seen.all.mean_time_ns, 0.05);
}

TEST(own_stages_alone_and_a_monitor_that_comes_later)
{
	struct seen seen;
	scope(s, NULL);
	chan(int64_t) c = scope_chan(s, int64_t, 10);
	leat_pipe_stage *source = pipe_watch(s, "source", (chan(int64_t))NULL, c);
	leat_pipe_stage *sink = pipe_watch(s, "sink", c, (chan(int64_t))NULL);

	pipe_stage_begin(NULL);
	pipe_stage_sent(NULL);
	for (int i = 0; i < 5; i++) {
		pipe_stage_begin(source);
		pipe_stage_end(source);
		chan_send(c, i);
	}
	CHECK_EQ(look(s).n, 0);
	pipe_monitor(s);
	for (int i = 0; i < 3; i++) {
		pipe_stage_begin(source);
		pipe_stage_end(source);
		chan_send(c, i);
	}
	pipe_stage_begin(source); /* there is no more: it is not made */
	for (int i = 0; i < 6; i++) {
		chan_recv(c);
		pipe_stage_begin(sink);
		if (i < 5)
			pipe_stage_end(sink);
	}
	seen = look(s);
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.stage[0].departures, 3);
	CHECK_EQ(seen.stage[0].arrivals, 3);
	/* Five lay there, three came; five left, one is in hand. */
	CHECK_EQ(seen.stage[1].arrivals, 8);
	CHECK_EQ(seen.stage[1].departures, 5);
	CHECK_EQ(seen.stage[1].inside, 3);
	CHECK_EQ(seen.stage[1].queued, 2);
}

/* --- what it writes */

static char *written(leat_scope *s, void (*write_it)(leat_scope *, FILE *))
{
	static char text[65536];
	FILE *to = fmemopen(text, sizeof text, "w");

	write_it(s, to);
	fclose(to);
	return text;
}

/* Each element of it is closed in its turn. */
static void check_xml(const char *at)
{
	const char *open[64];
	int depth = 0, elements = 0;

	while ((at = strchr(at, '<'))) {
		const char *name = ++at, *end = strchr(at, '>');

		CHECK(end && !memchr(at, '<', (size_t)(end - at)));
		if (*name == '/') {
			size_t n = (size_t)(end - name) - 1;

			CHECK(depth > 0);
			depth--;
			CHECK(strncmp(open[depth], name + 1, n) == 0 && strchr(" >", open[depth][n]));
		} else if (end[-1] != '/') {
			CHECK(depth < 64);
			open[depth++] = name;
		}
		elements++;
		at = end;
	}
	CHECK_EQ(depth, 0);
	CHECK(elements > 3);
}

TEST(report_and_graph)
{
	struct making m = {100};
	const char *text;
	char *end_text = NULL;
	size_t end_bytes = 0;
	FILE *end = open_memstream(&end_text, &end_bytes);

	{
		scope(s, NULL);

		CHECK_STR(written(s, leat_pipe_report), "no pipeline is watched here\n");
		pipe_monitor(s, .at_end = end);
		recv_chan(int64_t) a = made(s, &m, 0);
		recv_chan(int64_t) b = pipe_map(pipe_at(s, .name = "<b> & \033[2J \xff \xc3\xa9"), a,
		                                int64_t, rest, LEAT_MILLISECOND);
		pipe_each0(pipe_at(s, .name = "a name that is too long for a table, or a box"), b, forget);
		scope_wait(s);
		text = written(s, leat_pipe_report);
		CHECK(strstr(text, "pipeline of 3 stages: 100 came in "));
		CHECK(strstr(text, "<b> & ?[2J "));
		CHECK(strstr(text, "\na name that is too long"));
		CHECK(strstr(text, "bottleneck: <b> & ?[2J "));
		CHECK(!strchr(text, '\033'));
		text = written(s, leat_pipe_svg);
		check_xml(text);
		CHECK(strstr(text, "&lt;b&gt; &amp; ?[2J "));
		CHECK(strstr(text, "bottleneck"));
		CHECK(!strchr(text, '\xff'));
	}
	fclose(end);
	CHECK(strstr(end_text, "pipeline of 3 stages: 100 came in "));
	free(end_text);
}

TEST_MAIN
