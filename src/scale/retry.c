/* SPDX-License-Identifier: MIT */
/*
 * Retry: a loop around a call, for both kinds of errors.
 *
 * A delay that would end after a limit is not waited for: by then nothing could come of it, and the caller has his
 * answer earlier.
 */
#include <leat/defer.h>
#include <leat/error.h>
#include <leat/retry.h>
#include <leat/time.h>

struct outcome {
	bool failed;
	int err;
	const leat_error *error;
};

struct retry {
	leat_retry_opts opts;
	int64_t begun;
	leat_any_ctx ctx;
};

/* Until the next attempt, which is the so-many-th; INT64_MAX: there is none. */
static int64_t delay_before(struct retry *r, uint32_t attempt, const struct outcome *o)
{
	int64_t delay, at, deadline;

	if (!o->failed)
		return INT64_MAX;
	if (r->opts.permanent && r->opts.permanent(o->err, o->error, r->opts.arg))
		return INT64_MAX;
	if (r->opts.attempts && attempt > r->opts.attempts)
		return INT64_MAX;
	delay = leat_backoff_next(&r->opts.backoff);
	if (__builtin_add_overflow(leat_now(), delay, &at))
		return INT64_MAX;
	if (r->opts.elapsed_ns && at - r->begun > r->opts.elapsed_ns)
		return INT64_MAX;
	if (leat_ctx_deadline(r->ctx, &deadline) && at >= deadline)
		return INT64_MAX;
	return delay;
}

/* 0: the outcome is the last attempt's; else why ctx is done, and *tried is whether there was one. */
static int leat__retry(const leat_retry_opts *opts, void (*attempt)(void *, struct outcome *),
                       void *arg, leat_any_ctx ctx, struct outcome *o)
{
	struct retry r = {.ctx = ctx};
	leat_retry_attempt a = {0};
	int err = leat_ctx_err(ctx);

	if (opts)
		r.opts = *opts;
	r.begun = leat_now();
	while (!err) {
		attempt(arg, o);
		a.attempt++;
		a.err = o->err;
		a.error = o->error;
		a.delay_ns = delay_before(&r, a.attempt + 1, o);
		a.elapsed_ns = leat_now() - r.begun;
		if (r.opts.attempted)
			r.opts.attempted(&a, r.opts.arg);
		if (a.delay_ns == INT64_MAX)
			return 0;
		err = leat_sleep_ctx(a.delay_ns, ctx);
	}
	return err;
}

/* --- errno codes */

struct call {
	int (*fn)(void *);
	void *arg;
};

static void leat__retry_call(void *arg, struct outcome *o)
{
	struct call *c = arg;

	o->err = c->fn(c->arg);
	o->failed = o->err != 0;
}

int leat_retry(const leat_retry_opts *opts, int (*fn)(void *), void *arg, leat_any_ctx ctx)
{
	struct call c = {fn, arg};
	struct outcome o = {0};
	int err = leat__retry(opts, leat__retry_call, &c, ctx, &o);

	return err ? err : o.err;
}

/* --- errors */

struct error_call {
	const leat_error *(*fn)(void *);
	void *arg;
};

static void leat__retry_let_go(void *arg)
{
	struct outcome *o = arg;
	const leat_error *error = o->error;

	o->error = NULL;
	leat_error_free(error);
}

static void leat__retry_error_call(void *arg, struct outcome *o)
{
	struct error_call *c = arg;

	leat__retry_let_go(o);
	o->error = c->fn(c->arg);
	o->err = leat_error_code(o->error);
	o->failed = o->error != NULL;
}

const leat_error *leat_retry_error(const leat_retry_opts *opts, const leat_error *(*fn)(void *),
                                   void *arg, leat_any_ctx ctx)
{
	struct error_call c = {fn, arg};
	struct outcome o = {0};
	const leat_error *both[2];
	LEAT_DEFER(leat__retry_let_go, &o); /* where one of the program's functions panics */

	both[0] = NULL;
	if (leat__retry(opts, leat__retry_error_call, &c, ctx, &o) != 0)
		both[0] = leat_error_retain(leat_ctx_cause(ctx));
	both[1] = o.error;
	o.error = NULL;
	return both[0] && both[1] ? leat_error_join(both, 2) : both[0] ? both[0] : both[1];
}
