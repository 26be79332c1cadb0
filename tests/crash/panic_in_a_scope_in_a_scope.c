/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A panic three calls deep in a goroutine of a scope inside a scope: what its goroutine deferred runs, innermost
   first, its locks are free, and the scopes that it made are joined; then the report names each call. */
#include <leat.h>

#include <stdio.h>

static leat_mutex mutex;

static void say(const char *s)
{
	puts(s);
}

static void tell_lock(leat_mutex *m)
{
	puts(leat_mutex_trylock(m) ? "unlocked" : "locked");
}

struct child {
	leat_scope *s;
	const char *name;
};

static void child(struct child *a)
{
	chan_recv(scope_done(a->s));
	printf("%s joined\n", a->name);
}

__attribute__((noinline)) static void third(int depth)
{
	defer(say, "third");
	with_lock(&mutex);
	leat_panic("%d calls deep", depth);
}

__attribute__((noinline)) static void second(int depth)
{
	defer(tell_lock, &mutex);
	scope(s, NULL);
	scope_go(s, child, s, "inner");
	defer(say, "second");
	third(depth + 1);
}

__attribute__((noinline)) static void first(int depth)
{
	scope(s, NULL);
	scope_go(s, child, s, "outer");
	defer(say, "first");
	second(depth + 1);
}

struct worker {
	int depth;
};

static void worker(struct worker *a)
{
	defer(say, "worker");
	first(a->depth + 1);
}

int main(void)
{
	scope(outer, NULL);
	{
		scope(inner, outer);
		scope_go(inner, worker, 0);
	}
	return 0;
}
