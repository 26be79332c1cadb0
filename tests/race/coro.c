/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: a resume happens before what the coroutine does then, and that before the return of the resume.
 * Two goroutines that resume one are ordered by it; to make one, or to have two, orders nothing besides.
 */
#include "race.h"

static coro(int) c;

static void reads(coro(int) self)
{
	MUST(shared == 1);
	coro_yield(self, 1);
	MUST(shared == 2);
	shared = 3;
	coro_yield(self, 2);
	shared = 4;
}

ORDERED(resume_and_yield)
{
	c = coro_make0(int, reads);
	shared = 1;
	coro_next(c, NULL);
	shared = 2;
	coro_next(c, NULL);
	MUST(shared == 3);
	coro_next(c, NULL);
	MUST(shared == 4);
	coro_free(c);
}

static void defers(coro(int) self)
{
	defer(free, malloc(4));
	write_shared();
	coro_yield(self, 1);
}

ORDERED(stop)
{
	c = coro_make0(int, defers);
	coro_next(c, NULL);
	coro_stop(c);
	write_shared();
	coro_free(c);
}

static void endless(coro(int) self)
{
	for (int i = 0;; i++)
		coro_yield(self, i);
}

static void writes_then_resumes(void)
{
	write_shared();
	coro_next(c, NULL);
	reach(1);
	await(99);
}

static void resumes_then_writes(void)
{
	await(1);
	coro_next(c, NULL);
	write_last();
}

/* The steps order nothing. */
ORDERED(two_resumers_of_one)
{
	c = coro_make0(int, endless);
	go0(writes_then_resumes);
	go0(resumes_then_writes);
	await_last();
}

static void resumes_another_then_writes(void)
{
	coro(int) mine = coro_make0(int, endless);

	await(1);
	coro_next(mine, NULL);
	write_last();
}

RACES(two_resumers_of_two)
{
	c = coro_make0(int, endless);
	go0(writes_then_resumes);
	go0(resumes_another_then_writes);
	await_last();
}

static void writes_inside(coro(int) self)
{
	coro_yield(self, 1);
	write_shared();
	reach(1);
	await(99);
}

static void runs_it(void)
{
	c = coro_make0(int, writes_inside);
	coro_next(c, NULL);
	coro_next(c, NULL);
}

static void writes_when_reached(void)
{
	await(1);
	write_last();
}

RACES(inside_and_another_goroutine)
{
	go0(runs_it);
	go0(writes_when_reached);
	await_last();
}
