/* SPDX-License-Identifier: MIT */
/* What holds values for others: pools, maps, broadcasts and latest values.  To give one comes before getting it. */
#include "race.h"

/* --- pool: a put before the get that returns the object */

static leat_pool pool;
static int one, two;

static void one_after_the_other(void (*first)(void), void (*second)(void))
{
	go0(first);
	await_left(1);
	go0(second);
	await_last();
}

static void writes_and_puts(void)
{
	write_shared();
	leat_pool_put(&pool, &one);
}

static void gets(void)
{
	MUST(leat_pool_get(&pool) == &one);
	write_last();
}

ORDERED(put_then_get)
{
	one_after_the_other(writes_and_puts, gets);
}

static void puts_first(void)
{
	writes_and_puts();
	reach(1);
	await(99);
}

static void puts_second(void)
{
	await(1);
	leat_pool_put(&pool, &two);
	write_last();
}

RACES(two_puts)
{
	go0(puts_first);
	go0(puts_second);
	await_last();
}

/* --- map: a change before whatever comes later for that key */

static leat_map map = LEAT_MAP_STRINGS;

static void writes_and_stores(void)
{
	write_shared();
	leat_map_store(&map, "key", &one);
}

static void loads(void)
{
	void *value;

	MUST(leat_map_load(&map, "key", &value) && value == &one);
	write_last();
}

ORDERED(store_then_load)
{
	one_after_the_other(writes_and_stores, loads);
}

ORDERED(second_store_then_load)
{
	leat_map_store(&map, "key", &two);
	one_after_the_other(writes_and_stores, loads);
}

static void stores(void)
{
	leat_map_store(&map, "key", &two);
	write_last();
}

ORDERED(two_stores)
{
	one_after_the_other(writes_and_stores, stores);
}

static void writes_and_deletes(void)
{
	write_shared();
	leat_map_delete(&map, "key");
}

static void finds_nothing(void)
{
	MUST(!leat_map_load(&map, "key", NULL));
	write_last();
}

ORDERED(delete_then_load)
{
	leat_map_store(&map, "key", &one);
	one_after_the_other(writes_and_deletes, finds_nothing);
}

static void writes_and_clears(void)
{
	write_shared();
	leat_map_clear(&map);
}

ORDERED(clear_then_load)
{
	leat_map_store(&map, "key", &one);
	one_after_the_other(writes_and_clears, finds_nothing);
}

static void writes_and_loads(void)
{
	write_shared();
	MUST(leat_map_load(&map, "key", NULL));
	reach(1);
	await(99);
}

static void stores_when_reached(void)
{
	await(1);
	stores();
}

static void loads_when_reached(void)
{
	await(1);
	loads();
}

RACES(load_then_store)
{
	leat_map_store(&map, "key", &one);
	go0(writes_and_loads);
	go0(stores_when_reached);
	await_last();
}

RACES(two_loads)
{
	leat_map_store(&map, "key", &one);
	go0(writes_and_loads);
	go0(loads_when_reached);
	await_last();
}

/* --- broadcast: a send before the receive of its value */

static broadcast_chan(int) all;
static recv_chan(int) subscription;

static void subscribe(ptrdiff_t cap, leat_broadcast_policy policy)
{
	all = broadcast_make(int, cap, policy);
	subscription = broadcast_subscribe(all);
}

static void writes_and_sends(void)
{
	write_shared();
	broadcast_send(all, 2);
}

static void receives(void)
{
	MUST(chan_recv(subscription) == 2);
	write_last();
}

ORDERED(send_then_receive)
{
	subscribe(1, LEAT_BROADCAST_BLOCK);
	one_after_the_other(writes_and_sends, receives);
}

ORDERED(send_while_one_waits)
{
	subscribe(0, LEAT_BROADCAST_BLOCK);
	go0(receives);
	await_parked(1);
	go0(writes_and_sends);
	await_last();
}

ORDERED(send_that_drops_the_oldest_then_receive)
{
	subscribe(2, LEAT_BROADCAST_DROP_OLDEST);
	broadcast_send(all, 0);
	broadcast_send(all, 1);
	broadcast_send(all, 1);
	MUST(chan_recv(subscription) == 1);
	MUST(chan_recv(subscription) == 1);
	one_after_the_other(writes_and_sends, receives);
}

static void closes(void)
{
	write_shared();
	broadcast_close(all);
}

static void finds_it_closed(void)
{
	int value;

	MUST(!chan_recv_ok(subscription, &value));
	write_last();
}

ORDERED(close_then_receive)
{
	subscribe(1, LEAT_BROADCAST_BLOCK);
	one_after_the_other(closes, finds_it_closed);
}

static void writes_and_receives(void)
{
	write_shared();
	chan_recv(subscription);
	reach(1);
	await(99);
}

static void sends_and_writes(void)
{
	broadcast_send(all, 2);
	write_last();
}

/* The room was there before. */
RACES(receive_and_the_send)
{
	subscribe(1, LEAT_BROADCAST_BLOCK);
	go0(writes_and_receives);
	await_parked(1);
	go0(sends_and_writes);
	await_last();
}

/* --- latest value: a set before a get, and before the receive of its value */

static latest_cell(int) cell;

static void writes_and_sets(void)
{
	write_shared();
	latest_set(cell, 2);
}

static void gets_it(void)
{
	MUST(latest_get(cell) == 2);
	write_last();
}

ORDERED(set_then_get)
{
	cell = latest_make(int);
	one_after_the_other(writes_and_sets, gets_it);
}

ORDERED(set_then_receive)
{
	cell = latest_make(int);
	latest_set(cell, 1);
	subscription = latest_subscribe(cell);
	one_after_the_other(writes_and_sets, receives);
}
