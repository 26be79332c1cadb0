/* SPDX-License-Identifier: MIT */
/* CTEST: nomigrate */
/*
 * Goal: what happens once in a million times between striped readers, writers and who takes entries away.
 * Method: the steps of one side by hand, in the order that matters.
 */
#include "sync/rwmutex.h"

#include "test.h"

#include <pthread.h>

static void make_striped(leat_rwmutex *mu)
{
	*mu = (leat_rwmutex){0};
	for (int i = 0; i < 5000; i++) {
		leat_rwmutex_rlock(mu);
		leat_rwmutex_runlock(mu);
	}
	CHECK(leat__rw_state(mu) & LEAT__RW_ENTRY);
	CHECK_EQ(leat__rw_count(leat__rw_state(mu)), 0);
}

static struct leat__striped *entry_of(const leat_rwmutex *mu)
{
	return &leat__striped[leat__rw_entry(leat__rw_state(mu))];
}

static void *write_once(void *mu)
{
	leat_rwmutex_lock(mu);
	leat_rwmutex_unlock(mu);
	return NULL;
}

/* By the caller's processor, without a look at who waits. */
static void stripe_changes(unsigned entry, int came, int went)
{
	struct leat__m *m = leat__enter();
	struct leat__stripe *s = leat__stripe(m, entry);

	store_relaxed(&s->came, load_relaxed(&s->came) + (uint32_t)came);
	store_release(&s->went, load_relaxed(&s->went) + (uint32_t)went);
	leat__leave(m);
}

/* A reader of another lock, the entry's former owner, is late: the writer takes it for one of its own. */
TEST(who_comes_in_vain_wakes_the_writer)
{
	static leat_rwmutex mu, former;
	struct leat__m *m;
	unsigned entry;
	pthread_t t;

	make_striped(&mu);
	entry = leat__rw_entry(leat__rw_state(&mu));
	stripe_changes(entry, 1, 0);
	CHECK_EQ(pthread_create(&t, NULL, write_once, &mu), 0);
	test_parked(1);
	stripe_changes(entry, -1, 0);
	CHECK_EQ(leat_num_parked(), 1);
	m = leat__enter();
	CHECK(!leat__stripe_enter(m, entry, &former, &former.leat__state,
	                          LEAT__RW_WRITER | LEAT__RW_ENTRY, 0));
	leat__leave(m);
	pthread_join(t, NULL);
	CHECK(!(leat__rw_state(&mu) & LEAT__RW_ENTRY));
}

static void take_away(leat_rwmutex *mu)
{
	struct leat__striped *e = entry_of(mu);
	struct leat__m *m = leat__enter();

	leat__lock(&e->lock);
	CHECK_EQ(leat__striped_look(e), 0);
	leat__striped_give(e);
	leat__unlock(&e->lock);
	leat__leave(m);
}

/* Its readers find out; one of them, who was counted in the state already, is in from then on. */
TEST(an_entry_is_taken_away_without_a_word)
{
	static leat_rwmutex mu;

	make_striped(&mu);
	take_away(&mu);
	CHECK(leat_rwmutex_tryrlock(&mu));
	CHECK(!(leat__rw_state(&mu) & LEAT__RW_ENTRY));
	CHECK_EQ(leat__rw_count(leat__rw_state(&mu)), 1);
	CHECK_EQ(mu.leat__granted, 0);
	leat_rwmutex_runlock(&mu);

	make_striped(&mu);
	take_away(&mu);
	leat__rw_add(&mu, LEAT__RW_READER); /* saw the entry too late */
	leat_rwmutex_rlock(&mu);
	CHECK_EQ(leat__rw_count(leat__rw_state(&mu)), 2);
	CHECK_EQ(mu.leat__granted, 1);
	CHECK(!leat_rwmutex_trylock(&mu));
	CHECK_EQ(mu.leat__granted, 1);

	make_striped(&mu);
	take_away(&mu);
	CHECK(leat_rwmutex_trylock(&mu));
	CHECK(!leat_rwmutex_tryrlock(&mu));
	leat_rwmutex_unlock(&mu);
}

TEST(an_entry_is_never_taken_from_who_is_in)
{
	static leat_rwmutex held;
	static char owners[1000];
	struct leat__striped *e, *mine;
	struct leat__m *m;

	make_striped(&held);
	mine = entry_of(&held);
	leat_rwmutex_rlock(&held);
	for (int i = 0; i < 1000; i++) {
		m = leat__enter();
		e = leat__striped_take(&owners[i]);
		if (e)
			leat__unlock(&e->lock);
		leat__leave(m);
		CHECK(e != mine);
	}
	CHECK(load_relaxed(&mine->owner) == &held);
	leat_rwmutex_runlock(&held);
	CHECK(leat_rwmutex_trylock(&held));
	leat_rwmutex_unlock(&held);
}

/* A reader adds itself just as a writer comes, or as the lock becomes striped, and learns at the inner lock what
   came of it. */
TEST(who_is_counted_on_the_way_is_in_or_waits)
{
	static leat_rwmutex mu;

	leat_rwmutex_lock(&mu);
	leat__rw_add(&mu, LEAT__RW_READER);
	leat_rwmutex_unlock(&mu);
	CHECK_EQ(mu.leat__granted, 1);
	CHECK(!leat_rwmutex_trylock(&mu));
	CHECK_EQ(leat__rwmutex_read_slow(&mu, NULL, true, false), 0);
	CHECK_EQ(mu.leat__granted, 0);
	CHECK(!leat_rwmutex_trylock(&mu));
	leat_rwmutex_runlock(&mu);
	CHECK(leat_rwmutex_trylock(&mu));
	leat_rwmutex_unlock(&mu);

	make_striped(&mu);
	leat__rw_add(&mu, LEAT__RW_READER);
	CHECK_EQ(leat__rwmutex_read_slow(&mu, NULL, true, false), 0);
	CHECK_EQ(leat__rw_count(leat__rw_state(&mu)), 0);
	CHECK(!leat_rwmutex_trylock(&mu));
	leat_rwmutex_runlock(&mu);
	CHECK(leat_rwmutex_trylock(&mu));
	leat_rwmutex_unlock(&mu);
}

/* Those who are in are no news to anybody. */
TEST(a_writer_that_gives_up_grants_nothing_to_who_was_in)
{
	static leat_rwmutex mu;
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 100000);

	leat_rwmutex_rlock(&mu);
	leat_rwmutex_rlock(&mu);
	CHECK(leat_rwmutex_lock_ctx(&mu, ctx) != 0);
	CHECK_EQ(mu.leat__granted, 0);
	CHECK_EQ(mu.leat__active, 0);
	leat_rwmutex_runlock(&mu);
	leat_rwmutex_runlock(&mu);
	CHECK(leat_rwmutex_trylock(&mu));
	leat_rwmutex_unlock(&mu);
	leat_ctx_free(ctx);
}

/* How long a streak is wanted follows from what the last time was worth. */
TEST(the_streak_that_is_wanted_follows_the_use)
{
	static leat_rwmutex mu;

	make_striped(&mu);
	CHECK_EQ(mu.leat__patience, 0);
	leat_rwmutex_lock(&mu);
	leat_rwmutex_unlock(&mu);
	CHECK_EQ(mu.leat__patience, 1); /* few have come: the next time takes longer */
	for (int i = 0; i < 40000; i++) {
		leat_rwmutex_rlock(&mu);
		leat_rwmutex_runlock(&mu);
	}
	CHECK(leat__rw_state(&mu) & LEAT__RW_ENTRY);
	leat_rwmutex_lock(&mu);
	leat_rwmutex_unlock(&mu);
	CHECK_EQ(mu.leat__patience, 0); /* many */
}

TEST_MAIN
