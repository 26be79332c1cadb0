/* SPDX-License-Identifier: MIT */
/*
 * Stages that look at the clock: throttle, sample, debounce, timeout.
 *
 * What a stage holds back is one value, in its outlet's buffer; while it waits for the next one that is received into
 * its inlet's.
 */
#include "pipe/stage.h"

#include "sched/panic.h"

#include <leat/limiter.h>
#include <leat/pipe_flow.h>
#include <leat/time.h>

#include <errno.h>
#include <string.h>

/* The instant so long from now; INT64_MAX: never. */
static int64_t after(int64_t duration_ns)
{
	int64_t at_ns;

	return __builtin_add_overflow(leat_now(), duration_ns, &at_ns) ? INT64_MAX : at_ns;
}

/* A stage of one inlet and one outlet of the same type, not started. */
static ALWAYS_INLINE struct leat__stage *pacing(const leat_pipe_opts *at, struct leat__shape *shape,
                                                leat_chan *in, size_t in_bytes)
{
	struct leat__stage *st;

	shape->inlets = shape->outlets = shape->workers = 1;
	st = leat__stage_new(at, shape);
	leat__stage_take(st, 0, in, in_bytes);
	leat__stage_will_time(st);
	leat__stage_give(st, 0, in_bytes, at->cap);
	return st;
}

static void check_duration(int64_t duration_ns)
{
	if (duration_ns <= 0)
		leat__panic_runtime("pipe: duration is not positive");
}

/* --- throttle: state is a pointer to the limiter, and perhaps the limiter */

struct throttle {
	leat_limiter *by;
	leat_limiter own;
};

static void leat__run_throttle(struct leat__stage *st, void *in, void *out)
{
	struct throttle *t = st->state;
	int err;

	(void)out;
	while (leat__stage_recv(st, 0, in)) {
		err = leat_limiter_wait_ctx(t->by, (leat_any_ctx)st->scope);
		if (err) {
			if (!leat__stage_over(st))
				leat__stage_reason(st, leat_error_errno(err));
			return;
		}
		if (!leat__stage_send(st, 0, in))
			return;
	}
}

leat_chan *leat_pipe_throttle(leat_pipe_opts at, leat_chan *in, size_t in_bytes, int64_t n,
                              int64_t per_ns)
{
	struct leat__stage *st;
	struct throttle *t;

	check_duration(per_ns);
	if (n <= 0)
		leat__panic_runtime("pipe: rate is not positive");
	st = pacing(&at,
	            &(struct leat__shape){
	                .kind = "throttle", .run = leat__run_throttle, .state_bytes = sizeof *t},
	            in, in_bytes);
	t = st->state;
	leat_limiter_init(&t->own, (double)n * 1e9 / (double)per_ns, 1);
	t->by = &t->own;
	return leat__stage_start(st);
}

leat_chan *leat_pipe_limit(leat_pipe_opts at, leat_chan *in, size_t in_bytes, leat_limiter *limiter)
{
	struct leat__stage *st = pacing(&at,
	                                &(struct leat__shape){.kind = "limit",
	                                                      .run = leat__run_throttle,
	                                                      .state_bytes = sizeof(struct throttle)},
	                                in, in_bytes);

	((struct throttle *)st->state)->by = limiter;
	return leat__stage_start(st);
}

/* --- the latest of those that come close together: n is the duration */

/*
 * *out is to be sent at until.  While more come, they take its place; each, if it is put off by that, lets the
 * time begin anew.  False: the stage is to end, and *out is not sent.
 */
static bool leat__send_latest(struct leat__stage *st, void *in, void *out, int64_t until,
                              bool put_off)
{
	enum leat__received got;

	while ((got = leat__stage_recv_by(st, 0, in, until)) == LEAT__GOT) {
		memcpy(out, in, st->out[0].elem_bytes);
		leat__stage_lose_older(st);
		if (put_off)
			until = after(st->n);
	}
	if (leat__stage_over(st))
		return false;
	return leat__stage_send(st, 0, out) && got == LEAT__LATE;
}

static void leat__run_debounce(struct leat__stage *st, void *in, void *out)
{
	while (leat__stage_recv(st, 0, out) && leat__send_latest(st, in, out, after(st->n), true))
		;
}

static void leat__run_sample(struct leat__stage *st, void *in, void *out)
{
	int64_t due = leat_now();

	while (leat__stage_recv(st, 0, out)) {
		if (leat_now() < due) {
			if (!leat__send_latest(st, in, out, due, false))
				return;
		} else if (!leat__stage_send(st, 0, out)) {
			return;
		}
		due = after(st->n);
	}
}

leat_chan *leat_pipe_debounce(leat_pipe_opts at, leat_chan *in, size_t in_bytes, int64_t quiet_ns)
{
	struct leat__stage *st;

	check_duration(quiet_ns);
	st = pacing(&at, &(struct leat__shape){.kind = "debounce", .run = leat__run_debounce}, in,
	            in_bytes);
	st->n = quiet_ns;
	return leat__stage_start(st);
}

leat_chan *leat_pipe_sample(leat_pipe_opts at, leat_chan *in, size_t in_bytes, int64_t every_ns)
{
	struct leat__stage *st;

	check_duration(every_ns);
	st =
	    pacing(&at, &(struct leat__shape){.kind = "sample", .run = leat__run_sample}, in, in_bytes);
	st->n = every_ns;
	return leat__stage_start(st);
}

/* --- time-out: n is the duration, args the value that is sent then, if there is one */

static void leat__run_timeout(struct leat__stage *st, void *in, void *out)
{
	bool otherwise = *(bool *)st->state;

	(void)out;
	for (;;) {
		switch (leat__stage_recv_by(st, 0, in, after(st->n))) {
		case LEAT__ENDED:
			return;
		case LEAT__LATE:
			if (!otherwise) {
				leat__stage_reason(st, leat_error_errno(-ETIMEDOUT));
				return;
			}
			if (!leat__stage_send(st, 0, st->args))
				return;
			break;
		case LEAT__GOT:
			if (!leat__stage_send(st, 0, in))
				return;
		}
	}
}

leat_chan *leat_pipe_timeout(leat_pipe_opts at, leat_chan *in, size_t in_bytes, int64_t silence_ns,
                             const void *otherwise)
{
	struct leat__stage *st;

	check_duration(silence_ns);
	st = pacing(&at,
	            &(struct leat__shape){.kind = "timeout",
	                                  .run = leat__run_timeout,
	                                  .args = otherwise,
	                                  .args_bytes = otherwise ? in_bytes : 0,
	                                  .state_bytes = sizeof(bool)},
	            in, in_bytes);
	*(bool *)st->state = otherwise != NULL;
	st->n = silence_ns;
	return leat__stage_start(st);
}
