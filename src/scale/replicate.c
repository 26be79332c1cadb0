/* SPDX-License-Identifier: MIT */
/*
 * Replicated requests: a scope with a goroutine for each, and a word in which the first success stands.
 *
 * Every replica has a place for its answer and one for its error.  Who succeeds changes `winner` from NOBODY to his
 * number, and cancels the scope; who finds another one there lets go of his answer himself.  The caller looks at
 * places only after the join.  So nobody sends to who has left, and nothing is held by who comes late.
 *
 * However the caller leaves, also by a panic, leat__race_end lets go of what has not been handed out, after the scope
 * has joined: it is deferred before the scope.
 */
#include "base/atomic.h"
#include "base/compiler.h"
#include "base/copy.h"
#include "scope/scope.h"
#include "sched/panic.h"

#include <leat/defer.h>
#include <leat/panic.h>
#include <leat/replicate.h>
#include <leat/select.h>

#include <errno.h>
#include <stdlib.h>

#define NOBODY SIZE_MAX

struct race {
	leat_replica_fn fn;
	void *arg;
	void (*discard)(void *);
	leat_scope *scope;
	size_t n, stride;
	char *answers;             /* the replicas', until the join; as are the errors */
	const leat_error **errors; /* held */
	leat_chan *failures;       /* hedged: a token for each */
	_Atomic size_t winner; /* changes once; the scope's join orders it before the caller's look */
	bool delivered;
	void *created_at; /* for reports */
};

struct replica {
	struct race *r;
	size_t i;
	bool answered; /* with whichever */
};

static void *answer(struct race *r, size_t i)
{
	return r->answers + i * r->stride;
}

static void leat__replica_discard(struct race *r, size_t i)
{
	if (r->discard)
		r->discard(answer(r, i));
}

static void leat__race_prepare(void *arg)
{
	struct race *r = arg;
	size_t bytes;

	if (!__builtin_mul_overflow(r->n, r->stride, &bytes) && bytes <= PTRDIFF_MAX)
		r->answers = calloc(1, bytes);
	r->errors = calloc(r->n, sizeof *r->errors);
	if (!r->answers || !r->errors)
		leat__panic_runtime("out of memory");
	r->failures = leat_chan_make(0, (ptrdiff_t)r->n);
}

static void leat__race_end(void *arg)
{
	struct race *r = arg;
	size_t winner = load_relaxed(&r->winner);

	if (winner != NOBODY && !r->delivered)
		leat__replica_discard(r, winner);
	for (size_t i = 0; r->errors && i < r->n; i++)
		leat_error_free(r->errors[i]);
	leat_chan_free(r->failures);
	free(r->errors);
	free(r->answers);
}

/* --- a replica's goroutine */

static void fail(struct race *r, size_t i, const leat_error *e)
{
	static const char token;

	r->errors[i] = e;
	leat_chan_try_send(r->failures, &token); /* there is room for all */
}

/* On every way out: of a goexit, too. */
static void leat__replica_over(void *arg)
{
	struct replica *a = arg;

	if (!a->answered)
		fail(a->r, a->i, leat_error_errno(-ECANCELED));
}

static void leat__replica(void *arg)
{
	struct replica *a = arg;
	struct race *r = a->r;
	size_t nobody = NOBODY;
	const leat_error *e;
	LEAT_DEFER(leat__replica_over, a);

	e = r->fn(r->scope, a->i, r->arg, answer(r, a->i));
	a->answered = true;
	if (e)
		fail(r, a->i, e);
	else if (cas_acq_rel(&r->winner, &nobody, a->i))
		leat_scope_cancel(r->scope);
	else
		leat__replica_discard(r, a->i);
}

static void leat__replica_start(void *arg)
{
	struct replica *a = arg;

	leat__scope_go_from(a->r->scope, leat__replica, a, sizeof *a, a->r->created_at);
}

/* --- the caller */

/* Wait until the next one is to be started; false when none is. */
static bool leat__race_next(struct race *r, int64_t hedge_ns)
{
	leat_case cases[2] = {{(leat_chan *)(void *)leat_scope_done(r->scope), LEAT_RECV, NULL},
	                      {r->failures, LEAT_RECV, NULL}};

	return leat_select(cases, ARRAY_LEN(cases), hedge_ns, NULL) != 0 && !leat_scope_err(r->scope);
}

static void leat__race_run(struct race *r, int64_t hedge_ns, leat_any_ctx ctx)
{
	LEAT_SCOPE(scope, ctx);

	r->scope = scope;
	for (size_t i = 0; i < r->n; i++) {
		struct replica a = {r, i, false};

		if (i > 0 && hedge_ns > 0 ? !leat__race_next(r, hedge_ns) : leat_scope_err(scope) != 0)
			break;
		if (leat_catch(leat__replica_start, &a, NULL))
			fail(r, i, &leat_out_of_memory); /* nothing else panics there */
	}
	leat_scope_wait(scope);
}

const leat_error *leat_replicate(size_t n, leat_replica_fn fn, void *arg,
                                 const leat_replicate_opts *opts, void *result, size_t result_bytes,
                                 leat_any_ctx ctx)
{
	static const leat_replicate_opts none;
	const leat_replicate_opts *o = opts ? opts : &none;
	struct race r = {.fn = fn, .arg = arg, .discard = o->discard, .n = n, .winner = NOBODY};
	LEAT_DEFER(leat__race_end, &r);
	const leat_error *e;

	if (n == 0)
		leat__panic_runtime("replicate: no replicas");
	if (!fn)
		leat__panic_runtime("replicate: no function");
	r.stride = result_bytes > SIZE_MAX - 15 ? SIZE_MAX : ((result_bytes + 15) & ~(size_t)15) + 16;
	if (leat_catch(leat__race_prepare, &r, NULL))
		return &leat_out_of_memory;
	r.created_at = __builtin_return_address(0);
	leat__race_run(&r, o->hedge_ns, ctx);

	if (r.winner != NOBODY) {
		leat__copy(result, answer(&r, r.winner), result_bytes);
		if (o->winner)
			*o->winner = r.winner;
		r.delivered = true;
		return NULL;
	}
	e = leat_error_join(r.errors, n);
	for (size_t i = 0; i < n; i++)
		r.errors[i] = NULL; /* they are e's */
	return e ? e : leat_ctx_error(ctx);
}
