/* SPDX-License-Identifier: MIT */
/*
 * Goal: very many goroutines at once.
 * Method: park them on channels, look at what they cost, wake them all; a daisy chain passes a
 * value through every one.
 */
#include "test.h"

#include <stdatomic.h>

static atomic_long woken;

struct park_on {
	chan(long) c;
};

static void park_on(struct park_on *a)
{
	atomic_fetch_add(&woken, chan_recv(a->c));
}

static long rss_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	CHECK(f != NULL);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	CHECK(kib > 0);
	return kib;
}

TEST(line_09_100000_parked_goroutines_are_small_and_all_wake)
{
	int n = test_count(100000);
	chan(long) c = chan_make(long, 0);
	long before = rss_kib();

	woken = 0;
	for (int i = 0; i < n; i++)
		go(park_on, c);
	test_parked(n);
	CHECK_EQ(leat_num_goroutine(), n + 1);
	fprintf(stderr, "\t%ld bytes each\n", (rss_kib() - before) * 1024 / n);
#ifndef TEST_SANITIZED
	/* A page of stack, a descriptor, and what the start-up of the runtime costs once. */
	if (!test_emulated())
		CHECK((rss_kib() - before) * 1024 / n < 6000);
#endif
	for (int i = 0; i < n; i++)
		chan_send(c, 1);
	test_until(atomic_load(&woken) == n);
	test_goroutines(1);
	chan_free(c);
}

struct link {
	chan(long) left, right;
};

static void link_up(struct link *a)
{
	long v = chan_recv(a->right);

	chan_send(a->left, v + 1);
}

TEST(line_09_a_daisy_chain_of_10000)
{
	int n = test_count(10000);
	chan(long) *links = calloc((size_t)n + 1, sizeof *links);

	CHECK(links != NULL);
	for (int i = 0; i <= n; i++)
		links[i] = chan_make(long, 0);
	for (int i = 0; i < n; i++)
		go_as(link, link_up, links[i], links[i + 1]);
	test_parked(n);
	chan_send(links[n], 0);
	CHECK_EQ(chan_recv(links[0]), n);
	test_goroutines(1);
	for (int i = 0; i <= n; i++)
		chan_free(links[i]);
	free(links);
}

struct tree {
	int depth;
	send_chan(long) out;
};

/* A tree of goroutines, each waiting for its children: many starts and ends from all processors. */
static void tree(struct tree *a)
{
	chan(long) c;
	long sum = 0;

	if (a->depth == 0) {
		chan_send(a->out, 1);
		return;
	}
	c = chan_make(long, 0);
	for (int i = 0; i < 10; i++)
		go(tree, a->depth - 1, chan_sender(c));
	for (int i = 0; i < 10; i++)
		sum += chan_recv(c);
	chan_free(c);
	chan_send(a->out, sum);
}

TEST(line_18_a_tree_of_goroutines_adds_up)
{
	int depth = 1, leaves = 10;
	chan(long) c = chan_make(long, 0);

	while (leaves * 10 <= test_count(100000)) {
		leaves *= 10;
		depth++;
	}
	go(tree, depth, chan_sender(c));
	CHECK_EQ(chan_recv(c), leaves);
	chan_free(c);
	test_goroutines(1);
}

TEST_MAIN
