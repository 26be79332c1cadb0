/* SPDX-License-Identifier: MIT */
/* Scopes: the end of each of its goroutines before the wait and the end of the block. */
#include "race.h"

static leat_scope *open_scope;

static void writes(void)
{
	write_shared();
}

ORDERED(end_then_wait)
{
	scope(s, NULL);

	scope_go0(s, writes);
	MUST(scope_wait(s) == 0);
	write_shared();
}

ORDERED(end_then_end_of_block)
{
	{
		scope(s, NULL);
		scope_go0(s, writes);
	}
	write_shared();
}

static void leaves(void)
{
	write_shared();
	leat_goexit();
}

ORDERED(goexit_then_end_of_block)
{
	{
		scope(s, NULL);
		scope_go0(s, leaves);
	}
	write_shared();
}

static void has_a_scope(void)
{
	scope(s, NULL);
	scope_go0(s, writes);
}

ORDERED(scope_in_a_scope)
{
	{
		scope(s, NULL);
		scope_go0(s, has_a_scope);
	}
	write_shared();
}

static void fails(void)
{
	write_shared();
	scope_fail(open_scope, -5);
}

ORDERED(fail_then_wait)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, fails);
	MUST(scope_wait(s) == -5);
	write_shared();
}

static void begins(void)
{
	write_last();
}

ORDERED(spawn)
{
	scope(s, NULL);

	write_shared();
	scope_go0(s, begins);
	await_last();
}

/* --- done */

static void writes_and_cancels(void)
{
	write_shared();
	scope_cancel(open_scope);
	reach(1);
}

static void finds_it_done(void)
{
	while (!scope_err(open_scope))
		let_others();
	write_last();
}

static void is_told(void)
{
	chan_recv(scope_done(open_scope));
	write_last();
}

ORDERED(cancel_then_err)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, finds_it_done);
	go0(writes_and_cancels);
	await_last();
}

ORDERED(cancel_while_one_waits)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, is_told);
	await_parked(1);
	go0(writes_and_cancels);
	await_last();
}

ORDERED(cancel_then_done)
{
	scope(s, NULL);

	open_scope = s;
	go0(writes_and_cancels);
	await(1);
	scope_go0(s, is_told);
	await_last();
}

static void sets_a_deadline(void)
{
	write_shared();
	scope_timeout(open_scope, LEAT_MILLISECOND);
}

ORDERED(deadline_then_done)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, is_told);
	await_parked(1);
	go0(sets_a_deadline);
	await_last();
}

/* --- using it together */

static void fill_memory(void)
{
	char *p = scope_alloc(open_scope, char, 100);

	MUST(p[0] == 0);
	memset(p, 1, 100);
}

static void fills_memory(void)
{
	fill_memory();
	reach(1);
	await(2);
}

static void fills_more(void)
{
	await(1);
	fill_memory();
	reach(2);
}

/* Fresh memory is the caller's, though another one made the block that it is in. */
ORDERED(alloc_by_two)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, fills_memory);
	scope_go0(s, fills_more);
	scope_wait(s);
}

static void uses_first(void)
{
	write_shared();
	MUST(scope_alloc(open_scope, char, 100));
	MUST(scope_chan(open_scope, int, 1));
	MUST(scope_err(open_scope) == 0);
	MUST(scope_done(open_scope));
	reach(1);
	await(99);
}

static void uses_second(void)
{
	await(1);
	MUST(scope_alloc(open_scope, char, 100));
	MUST(scope_chan(open_scope, int, 1));
	MUST(scope_err(open_scope) == 0);
	MUST(scope_done(open_scope));
	write_last();
}

RACES(using_it)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, uses_first);
	scope_go0(s, uses_second);
	await_last();
}

static void spawns_second(void)
{
	await(1);
	scope_go0(open_scope, begins);
}

static void writes_first(void)
{
	write_shared();
	reach(1);
	await(99);
}

RACES(two_goroutines_of_it)
{
	scope(s, NULL);

	open_scope = s;
	scope_go0(s, writes_first);
	scope_go0(s, spawns_second);
	await_last();
}

/* A scope on a stack where another scope had been. */
static void cancels_its_own(void)
{
	scope(s, NULL);

	write_shared();
	scope_cancel(s);
}

static void looks_at_its_own(void)
{
	scope(s, NULL);

	scope_timeout(s, 0);
	MUST(scope_err(s));
	write_last();
}

RACES(one_where_another_had_been)
{
	go0(cancels_its_own);
	await_left(1);
	go0(looks_at_its_own);
	await_last();
}
