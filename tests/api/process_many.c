/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 timeout=300 noemulator */
/*
 * Goal: a thousand processes at a time hold few threads, and leave nothing.
 * Method: all read one pipe, whose end ends them together.
 */
#include "process_help.h"

#include "descriptors.h"

#include <sys/resource.h>

static int threads(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	int n = 0;

	while (status && fgets(line, sizeof line, status))
		sscanf(line, "Threads: %d", &n);
	if (status)
		fclose(status);
	CHECK(n > 0);
	return n;
}

struct one {
	int from;
	leat_waitgroup *started, *ended;
	chan(int) results;
};

static void one(struct one *a)
{
	const leat_error *e = NULL;
	leat_process *p = leat_process_start(
	    &(leat_command){.args = SHELL("read x; exit 3"), .in = {LEAT_STDIO_FD, .fd = a->from}},
	    NULL, &e);
	leat_exit x = {0};

	CHECK_STR(leat_error_message(e), "");
	leat_waitgroup_done(a->started);
	CHECK_SAYS(leat_process_wait(p, NULL, &x), "exit status 3");
	leat_process_free(p);
	chan_send(a->results, x.code);
	leat_waitgroup_done(a->ended);
}

TEST(many_at_a_time)
{
	int n = test_count(10000), end[2], before, open, sum = 0;
	leat_waitgroup started = {0}, ended = {0};
	chan(int) results = chan_make(int, n);
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_cur < (rlim_t)n + 100)
		n = (int)limit.rlim_cur - 100;
	CHECK(!leat_process_run(&(leat_command){.args = AS("exit", "0")}, NULL, NULL));
	CHECK(pipe(end) == 0);
	open = test_descriptors();
	before = threads();
	for (int i = 0; i < n; i++) {
		leat_waitgroup_add(&started, 1);
		leat_waitgroup_add(&ended, 1);
		go(one, end[0], &started, &ended, results);
	}
	leat_waitgroup_wait(&started);
	fprintf(stderr, "%d processes, %d threads more\n", n, threads() - before);
	/* At most eight start at a time, each with a thread; those that are too many end after a second in which
	   nobody needed them.  To yield until then would need some, where a yield changes the thread. */
	CHECK(threads() - before < 8 + 3 * leat_procs(0) + 40);
	test_until((leat_sleep(10 * LEAT_MILLISECOND), threads() <= before + leat_procs(0) + 3));
	CHECK_EQ(chan_len(results), 0);
	close(end[1]);
	leat_waitgroup_wait(&ended);
	for (int i = 0; i < n; i++)
		sum += chan_recv(results);
	CHECK_EQ(sum, 3 * n);
	test_goroutines(1);
	CHECK_EQ(test_descriptors(), open - 1);
	CHECK(!has_children());
	close(end[0]);
	chan_free(results);
}

/* Descriptors of one that is being started are in no other that is started at the same time. */
struct lone {
	leat_waitgroup *wg;
	int rounds;
};

static void lone(struct lone *a)
{
	for (int i = 0; i < a->rounds; i++) {
		leat_result r;

		CHECK(!leat_process_output(
		    &(leat_command){.args = AS("fds"), .in = {LEAT_STDIO_BYTES, .bytes = "x", .n = 1}},
		    NULL, &r));
		CHECK_STR(r.out, "0 1 2 ");
		leat_result_free(&r);
	}
	leat_waitgroup_done(a->wg);
}

TEST(none_has_another_s_descriptors)
{
	leat_waitgroup wg = {0};

	for (int i = 0; i < 8; i++) {
		leat_waitgroup_add(&wg, 1);
		go(lone, &wg, test_count(100));
	}
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

PROCESS_MAIN
