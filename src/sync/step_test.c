/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate noemulator timeout=300 */
/*
 * Goal: what a primitive looks at for a second time, because it may have changed since the first, it must look at.
 * Method: a call that is stopped after each of its instructions in turn (step.h), while the test makes that change.
 */
#define _GNU_SOURCE
#include "sync/rwmutex.h"
#include "sync/waitgroup.h"

#include "step.h"

/* --- rwmutex */

static void read_locks(void *m)
{
	leat_rwmutex_rlock(m);
}

static void read_unlocks(void *m)
{
	leat_rwmutex_runlock(m);
}

/* Read for so long that m is striped. */
static void stripe(leat_rwmutex *m)
{
	for (int i = 0; i < 100000 && !(leat__rw_state(m) & LEAT__RW_ENTRY); i++) {
		leat_rwmutex_rlock(m);
		leat_rwmutex_runlock(m);
	}
	CHECK(leat__rw_state(m) & LEAT__RW_ENTRY);
}

/* Not in, and with n processors not about to be. */
static bool is_out(leat_rwmutex *m)
{
	if (!leat_rwmutex_trylock(m))
		return false;
	leat_rwmutex_unlock(m);
	return true;
}

struct writer {
	leat_rwmutex *m;
	leat_ctx *ctx;
	_Atomic int *result; /* 1: not back */
	atomic_bool *leave;  /* NULL: at once */
};

static void writer(struct writer *a)
{
	int err = leat_rwmutex_lock_ctx(a->m, a->ctx);

	atomic_store(a->result, err);
	if (err)
		return;
	if (a->leave)
		test_until(atomic_load(a->leave));
	leat_rwmutex_unlock(a->m);
}

/* A reader who has seen no writer, and is then counted, must look again.  The writer who has come meanwhile may have
   been woken by the last reader before him, and goes on without another look at who is counted. */
TEST(a_reader_who_is_counted_looks_again_for_a_writer)
{
	int kept_out = 0;

	step_skip();
	for (long n = 1;; n++) {
		leat_rwmutex m = {0};
		_Atomic int result = 1;
		atomic_bool leave = false;
		enum step_state how;
		bool in;

		stripe(&m);
		leat_rwmutex_rlock(&m);
		how = step_start(n, read_locks, &m);
		go(writer, &m, NULL, &result, &leave);
		test_until(leat_num_parked() > 0);
		leat_rwmutex_runlock(&m);
		step_go_on_alone(0);
		test_until(atomic_load(&result) == 0 || step_ended());
		in = step_ended();
		if (in) {
			for (int i = 0; i < 100; i++)
				leat_yield();
			CHECK_EQ(atomic_load(&result), 1);
			leat_rwmutex_runlock(&m);
		}
		atomic_store(&leave, true);
		test_goroutines(1);
		CHECK_EQ(atomic_load(&result), 0);
		step_end();
		if (!in) {
			kept_out++;
			CHECK(!is_out(&m));
			leat_rwmutex_runlock(&m);
		}
		CHECK(is_out(&m));
		if (how != STEP_STOPPED)
			break;
	}
	CHECK(kept_out > 0);
}

/* Others want entries, until they have that of m.  True: they got it. */
static bool take_away(const leat_rwmutex *m, const struct leat__striped *e)
{
	static leat_rwmutex others[LEAT__STRIPED + 64];

	for (size_t i = 0; i < sizeof others / sizeof *others && load_relaxed(&e->owner) == m; i++) {
		others[i] = (leat_rwmutex){0};
		for (int k = 0; k < 4200; k++) {
			leat_rwmutex_rlock(&others[i]);
			leat_rwmutex_runlock(&others[i]);
		}
	}
	return load_relaxed(&e->owner) != m;
}

/* And whether it has the entry still that it has seen, which is taken away without a word. */
TEST(a_reader_who_is_counted_looks_again_whose_the_entry_is)
{
	int taken_away = 0, kept = 0, usual_us = step_longest_us;

	step_skip();
	step_longest_us = 1000000;
	for (long n = 1;; n++) {
		leat_rwmutex m = {0};
		struct leat__striped *e;
		enum step_state how;

		stripe(&m);
		e = &leat__striped[leat__rw_entry(leat__rw_state(&m))];
		how = step_start(n, read_locks, &m);
		if (take_away(&m, e))
			taken_away++, kept = 0;
		else
			kept++;
		step_go_on();
		step_end();
		CHECK(!is_out(&m));
		leat_rwmutex_runlock(&m);
		CHECK(is_out(&m));
		if (how != STEP_STOPPED || kept == 10)
			break; /* from here on the reader is in */
	}
	CHECK(taken_away > 0);
	step_longest_us = usual_us;
}

/* A reader who leaves and has seen a writer may find neither him nor its own count where they were: the writer gave
   up, and the readers who are in were moved to stripes. */
TEST(a_reader_who_leaves_looks_again_under_the_inner_lock)
{
	int gave_up = 0;

	step_skip();
	for (long n = 1;; n++) {
		leat_rwmutex m = {0};
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		_Atomic int result = 1;
		enum step_state how;

		leat_rwmutex_rlock(&m);
		go(writer, &m, ctx, &result, NULL);
		test_parked(1);
		how = step_start(n, read_unlocks, &m);
		leat_ctx_cancel(ctx);
		test_until(atomic_load(&result) != 1);
		if (atomic_load(&result) != 0) {
			stripe(&m);
			gave_up++;
		}
		step_go_on();
		step_end();
		test_goroutines(1);
		CHECK(is_out(&m));
		leat_ctx_free(ctx);
		if (how != STEP_STOPPED)
			break;
	}
	CHECK(gave_up > 0);
}

/* --- wait group */

enum { REUSED = 5555 };

struct leaver {
	leat_waitgroup *wg;
	leat_ctx *ctx;
	atomic_bool *left;
};

/* Its wait is over, so what wg lies in is its own again. */
static void leaver(struct leaver *a)
{
	if (leat_waitgroup_wait_ctx(a->wg, a->ctx) != 0)
		leat_waitgroup_wait(a->wg);
	a->wg->leat__state = REUSED;
	atomic_store(a->left, true);
}

static void is_done(void *wg)
{
	leat_waitgroup_done(wg);
}

TEST(who_gave_up_and_then_finds_all_done_may_free_the_group)
{
	int waited = 0;

	step_skip();
	for (long n = 1;; n++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		leat_waitgroup wg = {0};
		atomic_bool left = false;
		enum step_state how;

		leat_waitgroup_add(&wg, 1);
		go(leaver, &wg, ctx, &left);
		test_parked(1);
		how = step_start(n, is_done, &wg);
		leat_ctx_cancel(ctx);
		test_until(atomic_load(&left) || leat_num_parked() == 1);
		waited += !atomic_load(&left);
		step_go_on();
		step_end();
		test_until(atomic_load(&left));
		CHECK_EQ(wg.leat__state, REUSED);
		test_goroutines(1);
		leat_ctx_free(ctx);
		if (how != STEP_STOPPED)
			break;
	}
	CHECK(waited > 0);
}

/* --- cond */

struct shared {
	leat_mutex mutex;
	leat_cond cond;
};

static void waits(void *arg)
{
	struct shared *s = arg;

	leat_cond_wait(&s->cond, &s->mutex);
	leat_mutex_unlock(&s->mutex);
}

/* Whoever has the mutex after a wait finds the wait. */
TEST(line_114_a_wait_can_be_signalled_once_it_has_let_go_of_the_mutex)
{
	int unlocked = 0;

	step_skip();
	for (long n = 1;; n++) {
		struct shared s = {0};
		enum step_state how;
		bool got;

		leat_mutex_lock(&s.mutex);
		how = step_start(n, waits, &s);
		got = leat_mutex_trylock(&s.mutex);
		if (got) {
			leat_cond_signal(&s.cond);
			leat_mutex_unlock(&s.mutex);
			unlocked++;
		}
		step_go_on();
		if (!got) {
			test_until(leat_mutex_trylock(&s.mutex));
			leat_cond_signal(&s.cond);
			leat_mutex_unlock(&s.mutex);
		}
		step_end();
		if (how != STEP_STOPPED)
			break;
	}
	CHECK(unlocked > 0);
}

TEST_MAIN
