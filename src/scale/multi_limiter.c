/* SPDX-License-Identifier: MIT */
/*
 * Multi limiter: several buckets of tokens from which an event takes at one instant.
 *
 * Who may not act at once takes nothing from the tiers but from one: the one whose tokens come last keeps his place.
 * When these have come, and lie aside, he looks at the others.  If they have theirs he takes all; if somebody was
 * quicker in one of them he puts back what he had and keeps his place there instead.  So nothing that is filled lies idle for an event
 * that waits for something else, and every tier sees the event when it happens.  That is what keeps its promise: a
 * bucket that gave its token long before has been filled again by the time of the event, and would let a burst pass
 * besides.  Only the first who waits does so; the others queue in a semaphore, in the order of their calls.
 *
 * Who takes from the tiers by himself can be quicker each time, for ever.  So whoever has been overtaken for some rounds
 * has his place kept in all tiers at once, and what is filled there does lie idle for him.
 *
 * A reservation cannot wait, so its tokens are taken early all the same.  For each tier what would overflow by the
 * time of the event is forgone (sync/limiter.h), so that those tokens and the bucket are together one bucket.
 *
 * Invariants (the locks of all tiers)
 *  - waiting is the sum of n of all who wait; without tiers nobody does, and there are no locks.
 *  - kept_in and kept say which tier the first of them has taken from, or that it is all, where he needs no more.
 *
 * Lock order: the tiers', by address; nothing is taken under them.
 *
 * Rejected: taking from all tiers when the call comes, and waiting for the latest, as Go's limiters used one after
 * the other do.  With tiers that are shared that lets more pass than a tier's burst and rate allow: tokens of 5 events
 * that wait 10 s for another tier are filled again by then, and 10 pass at once.
 */
#include "ctx/wait.h"
#include "sync/limiter.h"

#include <leat/multi_limiter.h>
#include <leat/time.h>

#include <errno.h>

enum {
	NONE = -1,
	ALL = UINT8_MAX, /* of kept_in */
	ROUNDS = 5,      /* of the first who waits, until he keeps his place in all tiers */
};

static struct leat__m *lock(leat_multi_limiter *l)
{
	struct leat__m *m = leat__enter();

	for (unsigned i = 0; i < l->leat__count; i++)
		leat__lock(&l->leat__tiers[l->leat__order[i]]->leat__lock);
	return m;
}

static void unlock(struct leat__m *m, leat_multi_limiter *l)
{
	for (unsigned i = l->leat__count; i-- > 0;)
		leat__unlock(&l->leat__tiers[l->leat__order[i]]->leat__lock);
	leat__leave(m);
}

/* --- locked */

static bool too_many(const leat_multi_limiter *l, int64_t n)
{
	for (unsigned i = 0; i < l->leat__count; i++) {
		const leat_limiter *tier = l->leat__tiers[i];

		if (n > tier->leat__burst && !leat__limiter_unlimited(tier->leat__rate))
			return true;
	}
	return false;
}

/* In how many nanoseconds all tiers have n, but the one that it passes over; *latest is the last that does. */
static int64_t turn(leat_multi_limiter *l, int64_t n, int64_t now, int pass_over, int *latest)
{
	int64_t longest = 0;

	for (int i = 0; i < l->leat__count; i++) {
		int64_t t;

		if (i == pass_over)
			continue;
		t = leat__limiter_turn(l->leat__tiers[i], (double)n, now);
		if (t > longest) {
			longest = t;
			*latest = i;
		}
	}
	return longest;
}

/* The same for one who comes after all who wait. */
static int64_t turn_after_all(leat_multi_limiter *l, int64_t n, int64_t now)
{
	int64_t longest = 0;

	for (unsigned i = 0; i < l->leat__count; i++) {
		double wanted = (double)n + (double)l->leat__waiting;
		int64_t t;

		if (l->leat__kept_in == i + 1 || l->leat__kept_in == ALL)
			wanted -= (double)l->leat__kept;
		t = leat__limiter_turn(l->leat__tiers[i], wanted, now);
		if (t > longest)
			longest = t;
	}
	return longest;
}

static int64_t after(int64_t now, int64_t wait_ns)
{
	int64_t at;

	return __builtin_add_overflow(now, wait_ns, &at) ? INT64_MAX : at;
}

static void take(leat_multi_limiter *l, int64_t n, int64_t now, int but)
{
	for (int i = 0; i < l->leat__count; i++)
		if (i != but)
			leat__limiter_take(l->leat__tiers[i], n, now, now);
}

/* What the first who waits has set aside goes back. */
static void put_back(leat_multi_limiter *l, const leat_reservation *kept, int64_t now)
{
	leat_limiter *tier = l->leat__tiers[l->leat__kept_in - 1];

	leat__limiter_use(tier, kept);
	leat__limiter_give_back(tier, kept, now);
	l->leat__kept_in = 0;
}

/* --- making one */

static bool has(const leat_multi_limiter *l, const leat_limiter *tier)
{
	for (unsigned i = 0; i < l->leat__count; i++)
		if (l->leat__tiers[i] == tier)
			return true;
	return false;
}

/* Among the others, by its rate and its address.  False: there is no room. */
static bool add(leat_multi_limiter *l, leat_limiter *tier)
{
	double rate = leat_limiter_rate(tier);
	unsigned i = l->leat__count;

	if (has(l, tier))
		return true;
	if (i == LEAT_MULTI_LIMITER_TIERS)
		return false;
	for (; i > 0 && leat_limiter_rate(l->leat__tiers[i - 1]) > rate; i--)
		l->leat__tiers[i] = l->leat__tiers[i - 1];
	l->leat__tiers[i] = tier;
	l->leat__count++;
	return true;
}

static void sort_by_address(leat_multi_limiter *l)
{
	for (unsigned i = 0; i < l->leat__count; i++) {
		unsigned j = i;

		for (; j > 0; j--) {
			if ((uintptr_t)l->leat__tiers[l->leat__order[j - 1]] < (uintptr_t)l->leat__tiers[i])
				break;
			l->leat__order[j] = l->leat__order[j - 1];
		}
		l->leat__order[j] = (uint8_t)i;
	}
}

static const char *add_all(leat_multi_limiter *l, const leat_tier *tiers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		leat_multi_limiter *multi = tiers[i].multi;

		if (!tiers[i].limiter && !multi)
			return "multi_limiter: nil tier";
		if (tiers[i].limiter && !add(l, tiers[i].limiter))
			return "multi_limiter: more than 8 tiers";
		for (unsigned k = 0; multi && k < multi->leat__count; k++)
			if (!add(l, multi->leat__tiers[k]))
				return "multi_limiter: more than 8 tiers";
	}
	return NULL;
}

void leat_multi_limiter_init(leat_multi_limiter *l, const leat_tier *tiers, size_t n)
{
	leat_multi_limiter made = {.leat__first = LEAT_SEMAPHORE(1)};
	const char *wrong = add_all(&made, tiers, n);

	if (wrong) {
		*l = (leat_multi_limiter){0};
		leat__panic_runtime(wrong);
	}
	sort_by_address(&made);
	*l = made;
}

/* --- at once */

bool leat_multi_limiter_allow_n(leat_multi_limiter *l, int64_t n)
{
	struct leat__m *m;
	int64_t now;
	bool ok;
	int latest;

	leat__limiter_check_n(n);
	m = lock(l);
	now = leat__clock();
	ok = !l->leat__waiting && !too_many(l, n) && turn(l, n, now, NONE, &latest) == 0;
	if (ok)
		take(l, n, now, NONE);
	unlock(m, l);
	return ok;
}

bool leat_multi_limiter_allow(leat_multi_limiter *l)
{
	return leat_multi_limiter_allow_n(l, 1);
}

/* --- waiting */

/* Nanoseconds from now until ctx's deadline. */
static int64_t time_left(leat_any_ctx ctx, int64_t now)
{
	int64_t at, left;

	if (!leat_ctx_deadline(ctx, &at))
		return INT64_MAX;
	return __builtin_sub_overflow(at, now, &left) ? (at > now ? INT64_MAX : -1) : left;
}

/* Be counted among those who wait, if that can come to a good end. */
static int begin_wait(leat_multi_limiter *l, int64_t n, leat_any_ctx ctx)
{
	int64_t left = time_left(ctx, leat_now());
	struct leat__m *m = lock(l);
	int err = 0;

	if (too_many(l, n))
		err = -E2BIG;
	else if (left < INT64_MAX && turn_after_all(l, n, leat__clock()) > left)
		err = -ETIME;
	else
		l->leat__waiting += n;
	unlock(m, l);
	return err;
}

/* One round of the first who waits, locked: 0, and all was taken; or -EAGAIN, and *kept is what to wait for; or why
   there is no use in waiting.  Before, *kept is what he waited for. */
static int look(leat_multi_limiter *l, int64_t n, int64_t left, leat_reservation *kept)
{
	int64_t now = leat__clock(), wait_ns = 0;
	int in = (int)l->leat__kept_in - 1, latest = NONE;

	if (!too_many(l, n) && turn(l, n, now, in, &latest) == 0) {
		if (in != NONE)
			wait_ns = leat__limiter_turn_aside(l->leat__tiers[in], kept, now);
		if (wait_ns > 0) {
			kept->act_at_ns = after(now, wait_ns);
			return -EAGAIN;
		}
		take(l, n, now, in);
		if (in != NONE)
			leat__limiter_use(l->leat__tiers[in], kept);
		l->leat__kept_in = 0;
		l->leat__waiting -= n;
		return 0;
	}
	if (in != NONE)
		put_back(l, kept, now);
	if (too_many(l, n))
		return -E2BIG;
	wait_ns = turn(l, n, now, NONE, &latest);
	if (wait_ns > left)
		return -ETIME;
	if (wait_ns == 0)
		return look(l, n, left, kept);
	*kept = leat__limiter_set_aside(l->leat__tiers[latest], n, now, after(now, wait_ns));
	l->leat__kept_in = (uint8_t)(latest + 1);
	l->leat__kept = n;
	return -EAGAIN;
}

/* He is not to be the first any more, with nothing taken. */
static void leave_wait(leat_multi_limiter *l, int64_t n, const leat_reservation *kept)
{
	struct leat__m *m = lock(l);

	if (kept && l->leat__kept_in)
		put_back(l, kept, leat__clock());
	l->leat__waiting -= n;
	unlock(m, l);
}

/* --- overtaken */

/* Set aside n in each tier; kept[i] says what and until when. */
static void keep_all(leat_multi_limiter *l, int64_t n, int64_t now, leat_reservation *kept)
{
	for (unsigned i = 0; i < l->leat__count; i++) {
		leat_limiter *tier = l->leat__tiers[i];
		int64_t wait_ns = leat__limiter_turn(tier, (double)n, now);

		kept[i] = leat__limiter_set_aside(tier, n, now, after(now, wait_ns));
	}
	l->leat__kept_in = ALL;
	l->leat__kept = n;
}

/* In how many nanoseconds all of it is there. */
static int64_t turn_of_all(leat_multi_limiter *l, const leat_reservation *kept, int64_t now)
{
	int64_t longest = 0;

	for (unsigned i = 0; i < l->leat__count; i++) {
		int64_t t = leat__limiter_turn_aside(l->leat__tiers[i], &kept[i], now);

		if (t > longest)
			longest = t;
	}
	return longest;
}

/* The event happens now, or not at all. */
static void end_all(leat_multi_limiter *l, const leat_reservation *kept, int64_t now, bool happens)
{
	for (unsigned i = 0; i < l->leat__count; i++) {
		leat__limiter_use(l->leat__tiers[i], &kept[i]);
		if (!happens)
			leat__limiter_give_back(l->leat__tiers[i], &kept[i], now);
	}
	l->leat__waiting -= l->leat__kept;
	l->leat__kept_in = 0;
}

/* He keeps his place in all tiers; first is what he has kept before. */
static int leat__multi_limiter_overtaken(leat_multi_limiter *l, int64_t n, leat_any_ctx ctx,
                                         const leat_reservation *first)
{
	leat_reservation kept[LEAT_MULTI_LIMITER_TIERS];
	int err = 0;

	for (;;) {
		int64_t left = time_left(ctx, leat_now()), now, wait_ns;
		struct leat__m *m = lock(l);

		now = leat__clock();
		if (l->leat__kept_in != ALL) {
			if (l->leat__kept_in)
				put_back(l, first, now);
			keep_all(l, n, now, kept);
		}
		wait_ns = turn_of_all(l, kept, now);
		if (!err && too_many(l, n))
			err = -E2BIG;
		if (!err && wait_ns > left)
			err = -ETIME;
		if (err || wait_ns == 0)
			end_all(l, kept, now, !err);
		unlock(m, l);
		if (err || wait_ns == 0)
			return err;
		err = leat__limiter_sleep(after(now, wait_ns), ctx.leat__ctx);
	}
}

/* --- the first who waits */

static int leat__multi_limiter_first(leat_multi_limiter *l, int64_t n, leat_any_ctx ctx)
{
	leat_reservation kept;
	int err;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t left = time_left(ctx, leat_now());
		struct leat__m *m = lock(l);

		err = look(l, n, left, &kept);
		unlock(m, l);
		if (!err)
			return 0;
		if (err == -EAGAIN)
			err = leat__limiter_sleep(kept.act_at_ns, ctx.leat__ctx);
		if (err) {
			leave_wait(l, n, &kept);
			return err;
		}
	}
	return leat__multi_limiter_overtaken(l, n, ctx, &kept);
}

/* With a context that is being watched, if need be. */
static int leat__multi_limiter_wait(leat_multi_limiter *l, int64_t n, leat_any_ctx ctx)
{
	int err = begin_wait(l, n, ctx);

	if (err)
		return err;
	err = leat_semaphore_acquire_ctx(&l->leat__first, 1, ctx);
	if (err) {
		leave_wait(l, n, NULL);
		return err;
	}
	err = leat__multi_limiter_first(l, n, ctx);
	leat_semaphore_release(&l->leat__first, 1);
	return err;
}

int leat_multi_limiter_wait_n_ctx(leat_multi_limiter *l, int64_t n, leat_any_ctx ctx)
{
	int err;

	leat__limiter_check_n(n);
	err = leat__ctx_begin_wait(ctx.leat__ctx);
	if (err)
		return err;
	if (l->leat__count)
		err = leat__multi_limiter_wait(l, n, ctx);
	leat__ctx_end_wait(ctx.leat__ctx);
	if (unlikely(err == -ENOMEM))
		leat__panic_runtime("out of memory");
	return err;
}

int leat_multi_limiter_wait_ctx(leat_multi_limiter *l, leat_any_ctx ctx)
{
	return leat_multi_limiter_wait_n_ctx(l, 1, ctx);
}

int leat_multi_limiter_wait_n(leat_multi_limiter *l, int64_t n)
{
	return leat_multi_limiter_wait_n_ctx(l, n, (leat_any_ctx)(leat_ctx *)NULL);
}

int leat_multi_limiter_wait(leat_multi_limiter *l)
{
	return leat_multi_limiter_wait_n(l, 1);
}

/* --- promised */

leat_multi_reservation leat_multi_limiter_reserve_n(leat_multi_limiter *l, int64_t n)
{
	leat_multi_reservation r = {.act_at_ns = INT64_MAX, .leat__limiter = l};
	struct leat__m *m;
	int latest;
	int64_t now;

	leat__limiter_check_n(n);
	m = lock(l);
	now = leat__clock();
	if (!too_many(l, n)) {
		r.ok = true;
		r.leat__n = n;
		r.act_at_ns = after(now, turn(l, n, now, NONE, &latest));
		for (unsigned i = 0; i < l->leat__count; i++) {
			leat_limiter *tier = l->leat__tiers[i];
			double forgone = leat__limiter_forgo(tier, now, r.act_at_ns);
			int64_t before = tier->leat__last_event;

			leat__limiter_take(tier, n, now, r.act_at_ns);
			r.leat__promises[i] =
			    (struct leat__promise){tier->leat__rate, forgone, before, tier->leat__promises};
		}
	}
	unlock(m, l);
	return r;
}

int64_t leat_multi_reservation_delay(const leat_multi_reservation *r)
{
	leat_reservation one = {.ok = r->ok, .act_at_ns = r->act_at_ns};

	return leat_reservation_delay(&one);
}

static void give_back(leat_limiter *tier, const leat_multi_reservation *r,
                      const struct leat__promise *p, int64_t now)
{
	leat_reservation one = {.ok = true,
	                        .act_at_ns = r->act_at_ns,
	                        .leat__limiter = tier,
	                        .leat__n = r->leat__n,
	                        .leat__rate = p->rate};

	if (leat__limiter_unlimited(p->rate))
		return;
	if (tier->leat__promises != p->promises) {
		leat__limiter_give_back(tier, &one, now);
		return;
	}
	leat__limiter_turn(tier, 0, now);
	tier->leat__tokens += (double)r->leat__n + p->forgone;
	leat__limiter_turn(tier, 0, now); /* no more than it holds */
	tier->leat__last_event = p->before;
}

void leat_multi_reservation_cancel(leat_multi_reservation *r)
{
	leat_multi_limiter *l = r->leat__limiter;
	struct leat__m *m;
	int64_t now;

	if (!r->ok || !r->leat__n)
		return;
	m = lock(l);
	now = leat__clock();
	for (unsigned i = 0; r->act_at_ns >= now && i < l->leat__count; i++)
		give_back(l->leat__tiers[i], r, &r->leat__promises[i], now);
	unlock(m, l);
	r->leat__n = 0;
}

/* --- asking */

double leat_multi_limiter_rate(leat_multi_limiter *l)
{
	double least = LEAT_LIMITER_INF;

	for (unsigned i = 0; i < l->leat__count; i++) {
		double rate = leat_limiter_rate(l->leat__tiers[i]);

		if (rate < least)
			least = rate;
	}
	return least;
}

int64_t leat_multi_limiter_burst(leat_multi_limiter *l)
{
	struct leat__m *m = lock(l);
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < l->leat__count; i++) {
		const leat_limiter *tier = l->leat__tiers[i];

		if (!leat__limiter_unlimited(tier->leat__rate) && tier->leat__burst < least)
			least = tier->leat__burst;
	}
	unlock(m, l);
	return least;
}

double leat_multi_limiter_tokens(leat_multi_limiter *l)
{
	struct leat__m *m = lock(l);
	double least = LEAT_LIMITER_INF;
	int64_t now = leat__clock();

	for (unsigned i = 0; i < l->leat__count; i++) {
		leat_limiter *tier = l->leat__tiers[i];

		if (leat__limiter_unlimited(tier->leat__rate))
			continue;
		leat__limiter_turn(tier, 0, now);
		if (tier->leat__tokens < least)
			least = tier->leat__tokens;
	}
	unlock(m, l);
	return least;
}

leat_limiter *leat_multi_limiter_tier(const leat_multi_limiter *l, size_t i)
{
	return i < l->leat__count ? l->leat__tiers[i] : NULL;
}
