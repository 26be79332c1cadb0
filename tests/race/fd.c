/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: a wait orders nothing, whatever was written; the last wait of others before a close.
 *
 * The program reads and writes by system calls that the detector does not see: what it knows of read and
 * write is its own, and would order.
 */
#include "race.h"

#include <errno.h>

static int ends[2];

static void make_pipe(void)
{
	MUST(syscall(SYS_pipe2, ends, 0) == 0);
}

static void waits(void)
{
	MUST(leat_wait_fd(ends[0], POLLIN, LEAT_FOREVER) > 0);
	write_last();
}

static void writes(void)
{
	write_shared();
	MUST(syscall(SYS_write, ends[1], "x", 1) == 1);
	reach(1);
	await(99);
}

RACES(wait_for_what_comes)
{
	make_pipe();
	go0(waits);
	await_parked(1);
	go0(writes);
	await_last();
}

RACES(wait_for_what_is_there)
{
	make_pipe();
	go0(writes);
	await(1);
	go0(waits);
	await_last();
}

static void waits_first(void)
{
	write_shared();
	MUST(leat_wait_fd(ends[0], POLLIN, 0) == -ETIMEDOUT);
	MUST(leat_wait_fd(ends[0], POLLIN, LEAT_MILLISECOND) == -ETIMEDOUT);
	reach(1);
	await(99);
}

static void waits_second(void)
{
	await(1);
	MUST(leat_wait_fd(ends[0], POLLIN, LEAT_MILLISECOND) == -ETIMEDOUT);
	write_last();
}

RACES(two_waits)
{
	make_pipe();
	go0(waits_first);
	go0(waits_second);
	await_last();
}

static void waits_until_closed(void)
{
	write_shared();
	MUST(leat_wait_fd(ends[0], POLLIN, LEAT_FOREVER) == -ECANCELED);
}

static void closes(void)
{
	MUST(leat_close_fd(ends[0]) == 0);
	write_last();
}

ORDERED(wait_then_close)
{
	make_pipe();
	go0(waits_until_closed);
	await_parked(1);
	go0(closes);
	await_last();
}

static void writes_and_closes(void)
{
	write_shared();
	MUST(leat_close_fd(ends[0]) == 0);
	reach(1);
	await(99);
}

static void is_told_of_the_close(void)
{
	MUST(leat_wait_fd(ends[0], POLLIN, LEAT_FOREVER) == -ECANCELED);
	await(1);
	write_last();
}

RACES(close_then_wait)
{
	make_pipe();
	go0(is_told_of_the_close);
	await_parked(1);
	go0(writes_and_closes);
	await_last();
}
