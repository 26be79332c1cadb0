/* SPDX-License-Identifier: MIT */
/*
 * Goal: after a panic three calls deep in a goroutine of a scope inside a scope, caught at that goroutine's
 * top, everything is as if the functions had returned: deferred functions ran in order, locks are free, the
 * scopes are joined, memory is freed.
 * Method: as the crash test panic_in_a_scope_in_a_scope, with memory on each level, in many goroutines.
 */
#include "test.h"

#include <stdatomic.h>

struct tree {
	char log[64];
	leat_mutex mutex;
	leat_rwmutex table;
	atomic_int children;
};

static void put(struct tree *t, const char *s)
{
	strncat(t->log, s, sizeof t->log - strlen(t->log) - 1);
}

static void put_1(struct tree *t)
{
	put(t, "1");
}

static void put_2(struct tree *t)
{
	/* Third's lock is free again, and the scope below is joined. */
	CHECK(leat_mutex_trylock(&t->mutex));
	leat_mutex_unlock(&t->mutex);
	CHECK_EQ(atomic_load(&t->children), 2);
	put(t, "2");
}

static void put_3(struct tree *t)
{
	CHECK(!leat_mutex_trylock(&t->mutex));
	put(t, "3");
}

struct child {
	leat_scope *s;
	struct tree *t;
};

static void child(struct child *a)
{
	void *memory = malloc(100);

	defer(free, memory);
	chan_recv(scope_done(a->s));
	atomic_fetch_add(&a->t->children, 1);
}

__attribute__((noinline)) static void third(struct tree *t)
{
	char *own = malloc(1000);

	defer(free, own);
	with_lock(&t->mutex);
	defer(put_3, t);
	leat_panic("%s", "deep");
}

__attribute__((noinline)) static void second(struct tree *t)
{
	char *own = malloc(1000);

	defer(free, own);
	defer(put_2, t);
	scope(s, NULL);
	int *area = scope_alloc(s, int, 1000);
	chan(int) c = scope_chan(s, int, 3);

	chan_send(c, area[0]);
	scope_go(s, child, s, t);
	scope_go(s, child, s, t);
	third(t);
}

__attribute__((noinline)) static void first(void *arg)
{
	struct tree *t = arg;

	defer(put_1, t);
	with_rlock(&t->table);
	scope(s, NULL);
	scope_go(s, child, s, t);
	second(t);
}

struct worker {
	atomic_int *done;
	int i;
};

static void worker(struct worker *a)
{
	struct tree *t = calloc(1, sizeof *t);
	leat_panic_info info;

	defer(free, t);
	CHECK(leat_catch(first, t, &info));
	CHECK_STR(info.message, "deep");
	CHECK_STR(t->log, "321");
	CHECK_EQ(atomic_load(&t->children), 3);
	CHECK(leat_mutex_trylock(&t->mutex));
	leat_mutex_unlock(&t->mutex);
	CHECK(leat_rwmutex_trylock(&t->table));
	leat_rwmutex_unlock(&t->table);
	atomic_fetch_add(a->done, 1);
}

TEST(line_80_a_panic_in_a_scope_in_a_scope_is_caught)
{
	int n = test_count(1000) / 10;
	atomic_int done = 0;

	{
		scope(outer, NULL);
		{
			scope(inner, outer);
			for (int i = 0; i < n; i++)
				scope_go(inner, worker, &done, i);
			scope_wait(inner);
		}
	}
	CHECK_EQ(atomic_load(&done), n);
	test_goroutines(1);
}

TEST_MAIN
