/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/*
 * A recursion without end in a coroutine that a plain thread resumes, within another coroutine, is reported with the
 * limit that it has and the frames below.  The thread's own stack is too small for a report.
 */
#include <leat.h>

#include <limits.h>
#include <pthread.h>

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	room[n % 400] = (char)n;
	if (n == INT32_MAX)
		return 0;
	return recurse(n + 1) + room[n % 400];
}

struct deep {
	int from;
};

static void deep(coro(int) c, struct deep *a)
{
	coro_yield(c, 1);
	coro_yield(c, recurse(a->from));
}

static void outer(coro(int) c)
{
	leat_coro_opts opts = {.stack_bytes = 400 << 10};

	coro_range(v, coro_make_with(&opts, int, deep, 0))
		coro_yield(c, v);
}

static void *thread(void *unused)
{
	coro_range(v, coro_make0(int, outer))
		if (v != 1)
			leat_panic("it came back");
	return unused;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN + 16384);
	pthread_create(&id, &attr, thread, NULL);
	pthread_join(id, NULL);
	return 0;
}
