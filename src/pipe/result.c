/* SPDX-License-Identifier: MIT */
/*
 * Results: values that may have been impossible to make, and the policy for those.
 *
 * Errors belong to the scope, not to who receives them: a result may be dropped by any stage when the scope is done,
 * and may be sent to several by a tee.  So the pipe has an account of all errors that it has sent, a hash table of
 * pointers with open addressing, and frees them at its end.  Who knows that an error is of no more use has it
 * taken out earlier (leat_pipe_forget).
 */
#include "pipe/stage.h"

#include "value/error.h"

#include <leat/mutex.h>

#include <errno.h>
#include <stdlib.h>

typedef const leat_error *leat__try_fn(const void *in, void *value, void *args);
typedef void leat__on_error_fn(const leat_error *e, void *args);

/* --- the account.  The same error may be in it several times */

#define ROOM_LEAST 16

static size_t place_of(const struct leat__errors *a, const leat_error *e)
{
	return (size_t)(((uintptr_t)e >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (a->room - 1);
}

static void put(struct leat__errors *a, const leat_error *e)
{
	size_t at = place_of(a, e);

	while (a->all[at])
		at = (at + 1) & (a->room - 1);
	a->all[at] = e;
	a->n++;
}

/* False: no memory. */
static bool grow(struct leat__errors *a)
{
	struct leat__errors larger = {.room = a->room ? 2 * a->room : ROOM_LEAST};

	larger.all = calloc(larger.room, sizeof(const leat_error *));
	if (!larger.all)
		return false;
	for (size_t i = 0; i < a->room; i++)
		if (a->all[i])
			put(&larger, a->all[i]);
	free(a->all);
	a->all = larger.all;
	a->room = larger.room;
	return true;
}

/* The hold on e goes over, and is let go where there is no memory: then &leat_out_of_memory takes its place. */
static const leat_error *keep(struct leat__pipe *p, const leat_error *e)
{
	struct leat__errors *a = &p->errors;
	bool kept;

	if (!leat__error_of(e))
		return e;
	leat_mutex_lock(&a->mutex);
	kept = 2 * a->n < a->room || grow(a);
	if (kept)
		put(a, e);
	leat_mutex_unlock(&a->mutex);
	if (kept)
		return e;
	leat_error_free(e);
	return &leat_out_of_memory;
}

/* What follows without a gap may have wanted this place, or one before it: it moves up. */
static void take_out(struct leat__errors *a, size_t at)
{
	size_t mask = a->room - 1;

	for (size_t next = (at + 1) & mask; a->all[next]; next = (next + 1) & mask) {
		size_t wanted = place_of(a, a->all[next]);

		if (((next - wanted) & mask) >= ((next - at) & mask)) {
			a->all[at] = a->all[next];
			at = next;
		}
	}
	a->all[at] = NULL;
	a->n--;
}

/* Locked.  False: it is not there. */
static bool find_and_take_out(struct leat__errors *a, const leat_error *e)
{
	size_t at;

	if (a->room == 0)
		return false;
	for (at = place_of(a, e); a->all[at]; at = (at + 1) & (a->room - 1))
		if (a->all[at] == e) {
			take_out(a, at);
			return true;
		}
	return false;
}

void leat_pipe_forget(leat_scope *s, const leat_error *e)
{
	struct leat__errors *a = &leat__pipe_of(s)->errors;
	bool found;

	if (!leat__error_of(e))
		return;
	leat_mutex_lock(&a->mutex);
	found = find_and_take_out(a, e);
	leat_mutex_unlock(&a->mutex);
	if (found)
		leat_error_free(e);
}

void leat__errors_end(struct leat__errors *a)
{
	for (size_t i = 0; i < a->room; i++)
		leat_error_free(a->all[i]);
	free(a->all);
}

/* --- making results: the state says how they, and those that come in, are laid out */

struct layout {
	leat_pipe_result from, to;
};

static const leat_error *error_of(const char *result, const leat_pipe_result *r)
{
	const leat_error *e;

	leat__copy(&e, result + r->error_at, sizeof(const leat_error *));
	return e;
}

/* What fn makes of *in goes to result: a value, or an error that says which stage this is. */
static void leat__try(struct leat__stage *st, const void *in, char *result)
{
	const leat_pipe_result *r = &((const struct layout *)st->state)->to;
	leat__try_fn *fn = (leat__try_fn *)st->fn;
	const leat_error *e;

	leat__zero(result, r->bytes);
	e = fn(in, result + r->value_at, st->args);
	if (e) {
		leat__zero(result + r->value_at, r->value_bytes);
		e = keep(st->pipe, leat_errorf(e, "%s", st->name));
	}
	leat__copy(result + r->error_at, &e, sizeof(const leat_error *));
}

static void leat__run_try_map(struct leat__stage *st, void *in, void *out)
{
	while (leat__stage_recv(st, 0, in)) {
		leat__try(st, in, out);
		if (!leat__stage_send(st, 0, out))
			return;
	}
}

static void leat__run_then(struct leat__stage *st, void *in, void *out)
{
	const struct layout *l = st->state;

	while (leat__stage_recv(st, 0, in)) {
		const leat_error *e = error_of(in, &l->from);

		if (e) {
			leat__zero(out, l->to.bytes);
			leat__copy((char *)out + l->to.error_at, &e, sizeof(const leat_error *));
		} else {
			leat__try(st, (char *)in + l->from.value_at, out);
		}
		if (!leat__stage_send(st, 0, out))
			return;
	}
}

/* The rest of shape, and start it. */
static ALWAYS_INLINE leat_chan *make(const leat_pipe_opts *at, const struct leat__shape *shape,
                                     leat_chan *in, size_t in_bytes, const struct layout *l)
{
	struct leat__shape full = *shape;
	struct leat__stage *st;

	full.state_bytes = sizeof *l;
	full.inlets = full.outlets = 1;
	st = leat__stage_new(at, &full);
	*(struct layout *)st->state = *l;
	leat__stage_take(st, 0, in, in_bytes);
	leat__stage_give(st, 0, l->to.bytes, at->cap);
	return leat__stage_start(st);
}

leat_chan *leat_pipe_try_map(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                             leat_pipe_result result,
                             const leat_error *(*fn)(const void *in, void *value, void *args),
                             const void *args, size_t args_bytes)
{
	return make(&at,
	            &(struct leat__shape){.kind = "try_map",
	                                  .run = leat__run_try_map,
	                                  .fn = (void (*)(void))fn,
	                                  .args = args,
	                                  .args_bytes = args_bytes},
	            in, in_bytes, &(struct layout){.to = result});
}

leat_chan *leat_pipe_then(leat_pipe_opts at, leat_chan *in, leat_pipe_result from,
                          leat_pipe_result result,
                          const leat_error *(*fn)(const void *in, void *value, void *args),
                          const void *args, size_t args_bytes)
{
	return make(&at,
	            &(struct leat__shape){.kind = "then",
	                                  .run = leat__run_then,
	                                  .fn = (void (*)(void))fn,
	                                  .args = args,
	                                  .args_bytes = args_bytes},
	            in, from.bytes, &(struct layout){from, result});
}

/* --- the policy: st->n errors are too many */

static void leat__too_many(struct leat__stage *st)
{
	int code = leat_error_code(st->reason);

	leat_ctx_cancel_cause((leat_any_ctx)st->scope, st->reason);
	leat_scope_fail(st->scope, code ? code : -EIO);
}

static void leat__run_values(struct leat__stage *st, void *in, void *out)
{
	const leat_pipe_result *r = st->state;
	leat__on_error_fn *fn = (leat__on_error_fn *)st->fn;
	int64_t errors = 0;

	(void)out;
	while (leat__stage_recv(st, 0, in)) {
		const leat_error *e = error_of(in, r);

		if (!e) {
			if (!leat__stage_send(st, 0, (char *)in + r->value_at))
				return;
			continue;
		}
		/* The function may forget it: the stage holds the last. */
		if (++errors == st->n)
			leat__stage_reason(st, e);
		fn(e, st->args);
		if (errors == st->n) {
			leat__too_many(st);
			return;
		}
	}
}

leat_chan *leat_pipe_values(leat_pipe_opts at, leat_chan *in, leat_pipe_result result, int64_t n,
                            void (*fn)(const leat_error *e, void *args), const void *args,
                            size_t args_bytes)
{
	struct leat__stage *st =
	    leat__stage_new(&at, &(struct leat__shape){.kind = "values",
	                                               .run = leat__run_values,
	                                               .fn = (void (*)(void))fn,
	                                               .args = args,
	                                               .args_bytes = args_bytes,
	                                               .state_bytes = sizeof result,
	                                               .inlets = 1,
	                                               .outlets = 1,
	                                               .workers = 1});

	*(leat_pipe_result *)st->state = result;
	st->n = n;
	leat__stage_take(st, 0, in, result.bytes);
	leat__stage_give(st, 0, result.value_bytes, at.cap);
	return leat__stage_start(st);
}
