/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=300 */
/*
 * Goal: trees of scopes that grow, fail, time out, are cancelled and left, all at the same time,
 * join every goroutine and never touch what is gone.
 * Method: goroutines draw from a seed what happens to the scope they are in; counts of started and
 * ended must agree after each tree; memory of a scope holds a pattern until its end.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_long started, ended;

struct node {
	leat_scope *parent;
	unsigned seed;
	int depth;
};

static void node(struct node *a);

struct leaf {
	leat_scope *s;
	unsigned char *memory;
	chan(int) c;
	unsigned seed;
};

/* Work with what the scope owns until it is done, then once more. */
static void leaf(struct leaf *a)
{
	bool over = false;

	while (!over) {
		chan_select {
			case_recv(scope_done(a->s))
				over = true;
			case_recv(a->c, v)
				CHECK(v >= 0);
			case_send(a->c, 1) {
			}
			case_timeout(rand_r(&a->seed) % 100 * LEAT_MICROSECOND) {
			}
		}
		if (rand_r(&a->seed) % 200 == 0)
			scope_fail(a->s, -EIO);
	}
	for (int i = 0; i < 64; i++)
		CHECK_EQ(a->memory[i], (unsigned char)i);
	CHECK(scope_err(a->s) == -ECANCELED || scope_err(a->s) == -ETIMEDOUT);
	atomic_fetch_add(&ended, 1);
}

static void fill(leat_scope *s, struct node *a)
{
	unsigned char *memory = scope_alloc(s, unsigned char, 64);
	chan(int) c = scope_chan(s, int, rand_r(&a->seed) % 3);
	int leaves = rand_r(&a->seed) % 4, nodes = a->depth > 0 ? rand_r(&a->seed) % 4 : 0;

	for (int i = 0; i < 64; i++)
		memory[i] = (unsigned char)i;
	for (int i = 0; i < leaves; i++) {
		atomic_fetch_add(&started, 1);
		scope_go(s, leaf, s, memory, c, (unsigned)rand_r(&a->seed));
	}
	for (int i = 0; i < nodes; i++) {
		atomic_fetch_add(&started, 1);
		scope_go(s, node, s, (unsigned)rand_r(&a->seed), a->depth - 1);
	}
}

static void count_end(atomic_long *n)
{
	atomic_fetch_add(n, 1);
}

static void leave_by_panic(void *arg)
{
	struct node *a = arg;
	scope(s, a->parent);

	fill(s, a);
	leat_panic("drawn");
}

static void node(struct node *a)
{
	int err;

	defer(count_end, &ended);
	if (rand_r(&a->seed) % 6 == 0) {
		CHECK(test_panics(leave_by_panic, a, "drawn"));
		return;
	}
	scope(s, a->parent);
	fill(s, a);
	switch (rand_r(&a->seed) % 8) {
	case 0:
		return;
	case 1:
		leat_goexit();
	case 2:
		scope_cancel(s);
		break;
	case 3:
		scope_fail(s, -EPIPE);
		err = scope_wait(s);
		CHECK(err == -EPIPE || err == -EIO); /* a leaf may have been first */
		return;
	case 4:
	case 5:
		scope_timeout(s, rand_r(&a->seed) % 300 * LEAT_MICROSECOND);
		break;
	case 6:
		if (a->parent && rand_r(&a->seed) % 8 == 0)
			scope_cancel(a->parent);
		scope_timeout(s, LEAT_MILLISECOND);
		break;
	default:
		scope_timeout(s, 0);
	}
	scope_wait(s);
}

static void *node_in_thread(void *arg)
{
	struct node *a = arg;
	scope(s, NULL);

	fill(s, a);
	scope_timeout(s, rand_r(&a->seed) % 2000 * LEAT_MICROSECOND);
	scope_wait(s);
	return NULL;
}

TEST(storms_of_scopes)
{
	int rounds = test_count(30000);

	for (int round = 0; round < rounds; round++) {
		struct node outside = {NULL, (unsigned)round * 3 + 1, 2};
		pthread_t thread;

		if (round % 10 == 0)
			CHECK_EQ(pthread_create(&thread, NULL, node_in_thread, &outside), 0);
		{
			scope(s, NULL);
			for (unsigned i = 0; i < 4; i++) {
				atomic_fetch_add(&started, 1);
				scope_go(s, node, s, (unsigned)round * 31 + i, 3);
			}
			if (round % 3 == 0)
				scope_timeout(s, round % 50 * 10 * LEAT_MICROSECOND);
			if (round % 3 == 1)
				scope_wait(s);
		}
		if (round % 10 == 0)
			pthread_join(thread, NULL);
		CHECK_EQ(started, ended);
	}
	test_goroutines(1);
	fprintf(stderr, "\t%ld goroutines\n", (long)ended);
}

TEST_MAIN
