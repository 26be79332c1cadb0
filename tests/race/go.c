/* SPDX-License-Identifier: MIT */
/* Goroutines and threads: starting one orders, nothing else here does. */
#include "race.h"

/* --- beginning and end */

static void spawned(void)
{
	write_last();
}

ORDERED(spawn)
{
	write_shared();
	go0(spawned);
	await_last();
}

struct with_argument {
	int *p;
};

static void with_argument(struct with_argument *a)
{
	++*a->p;
	write_last();
}

ORDERED(spawn_with_argument)
{
	write_shared();
	go(with_argument, .p = &shared);
	await_last();
}

static void spawner(void)
{
	write_shared();
	go0(spawned);
}

ORDERED(spawn_by_one_who_ends)
{
	go0(spawner);
	await_last();
}

static void writes_and_ends(void)
{
	write_shared();
}

RACES(end)
{
	go0(writes_and_ends);
	await_left(1);
	write_shared();
}

ORDERED(end_then_count)
{
	go0(writes_and_ends);
	while (leat_num_goroutine() > 1)
		let_others();
	write_shared();
}

RACES(end_then_another_on_that_stack)
{
	go0(writes_and_ends);
	await_left(1);
	go0(spawned);
	await_last();
}

static void nothing(void)
{
}

static void writes_and_spawns(void)
{
	write_shared();
	go0(nothing);
	reach(1);
	await(99);
}

static void spawns_the_second(void)
{
	await(2);
	go0(spawned);
}

/* The goroutine that writes last is likely to have the descriptor of one that another started. */
RACES(spawn_of_one_before)
{
	go0(writes_and_spawns);
	go0(spawns_the_second);
	await(1);
	await_left(3);
	reach(2);
	await_last();
}

/* --- stacks that are used again: where one had waited another one waits */

static chan(int) first, second;

static void waits_first(void)
{
	write_shared();
	chan_recv(first);
}

static void serves_first(void)
{
	chan_send(first, 1);
	await(99);
}

static void waits_second(void)
{
	chan_recv(second);
	write_last();
}

static void serves_second(void)
{
	chan_send(second, 1);
}

RACES(wait_where_another_had_waited)
{
	first = chan_make(int, 0);
	second = chan_make(int, 0);
	go0(waits_first);
	await_parked(1);
	go0(serves_first);
	await_left(2);
	go0(waits_second);
	await_parked(1);
	go0(serves_second);
	await_last();
}

/* --- what orders nothing */

static void yields_first(void)
{
	write_shared();
	leat_yield();
	reach(1);
}

static void yields_second(void)
{
	await(1);
	leat_yield();
	write_last();
}

RACES(yield)
{
	go0(yields_first);
	go0(yields_second);
	await_last();
}

static void sleeps_first(void)
{
	write_shared();
	leat_sleep(LEAT_MILLISECOND);
	reach(1);
}

static void sleeps_second(void)
{
	await(1);
	leat_sleep(LEAT_MILLISECOND);
	write_last();
}

RACES(sleep_)
{
	go0(sleeps_first);
	go0(sleeps_second);
	await_last();
}

static void asks(void)
{
	leat_num_parked();
	leat_procs(0);
	leat_max_threads(0);
	leat_goid();
	leat_name();
	leat_now();
}

static void asks_first(void)
{
	write_shared();
	asks();
	reach(1);
}

static void asks_second(void)
{
	await(1);
	asks();
	write_last();
}

RACES(asking)
{
	go0(asks_first);
	go0(asks_second);
	await_last();
}

static void blocks_first(void)
{
	write_shared();
	{
		leat_blocking();
		sched_yield();
	}
	reach(1);
}

static void blocks_second(void)
{
	await(1);
	{
		leat_blocking();
		sched_yield();
	}
	write_last();
}

RACES(blocking)
{
	go0(blocks_first);
	go0(blocks_second);
	await_last();
}

static void pins_first(void)
{
	leat_pin();
	write_shared();
	leat_yield();
	reach(1);
	await(99);
}

static void pins_second(void)
{
	leat_pin();
	await(1);
	leat_yield();
	write_last();
}

RACES(pin)
{
	go0(pins_first);
	go0(pins_second);
	await_last();
}

static void panics(void *arg)
{
	(void)arg;
	leat_panic("on purpose");
}

static void catches_first(void)
{
	write_shared();
	leat_catch(panics, NULL, NULL);
	reach(1);
}

static void catches_second(void)
{
	await(1);
	leat_catch(panics, NULL, NULL);
	write_last();
}

RACES(panic)
{
	go0(catches_first);
	go0(catches_second);
	await_last();
}

/* --- plain threads */

static chan(int) there, back;

static void *answers(void *arg)
{
	int v = chan_recv(there);

	(void)arg;
	write_shared();
	chan_send(back, v + 1);
	return NULL;
}

static void asks_thread(void)
{
	write_shared();
	chan_send(there, 1);
	MUST(chan_recv(back) == 2);
	write_last();
}

ORDERED(thread_and_goroutine)
{
	pthread_t t;

	there = chan_make(int, 0);
	back = chan_make(int, 1);
	MUST(pthread_create(&t, NULL, answers, NULL) == 0);
	go0(asks_thread);
	await_last();
	pthread_join(t, NULL);
}

static void *spawns(void *arg)
{
	(void)arg;
	write_shared();
	go0(spawned);
	return NULL;
}

ORDERED(thread_spawns)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, spawns, NULL) == 0);
	await_last();
	pthread_join(t, NULL);
}

static void *sends_first(void *arg)
{
	(void)arg;
	write_shared();
	chan_send(there, 1);
	reach(1);
	return NULL;
}

static void *sends_second(void *arg)
{
	(void)arg;
	await(1);
	chan_send(there, 2);
	write_last();
	return NULL;
}

RACES(two_threads_that_send)
{
	pthread_t a, b;

	there = chan_make(int, 2);
	MUST(pthread_create(&a, NULL, sends_first, NULL) == 0);
	MUST(pthread_create(&b, NULL, sends_second, NULL) == 0);
	await_last();
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}
