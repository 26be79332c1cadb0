/* SPDX-License-Identifier: MIT */
/* Type assertions: values with a type become values of that type. */
#include "pipe/stage.h"

#include <leat/any.h>
#include <leat/pipe_flow.h>

#include <errno.h>
#include <inttypes.h>

struct casting {
	const leat_type *type;
};

static const leat_type *type_of(const struct leat__stage *st)
{
	return ((const struct casting *)st->state)->type;
}

/* A value of another type fails the scope. */
static void leat__cast_fails(struct leat__stage *st, uint64_t number, leat_any a)
{
	const leat_type *type = type_of(st);
	leat_error *e = leat_errorf(NULL, "%s: value %" PRIu64 " is %s, not %s", st->name, number,
	                            leat_any_type_name(a), type->name);

	leat_error_set_code(e, -EINVAL);
	leat__stage_fail(st, e);
	leat_error_free(e);
}

static void leat__run_cast(struct leat__stage *st, void *in, void *out)
{
	const leat_type *type = type_of(st);
	leat_any *a = in;

	for (uint64_t number = 1; leat__stage_recv(st, 0, a); number++) {
		if (!leat_any_get(*a, type, out)) {
			leat__cast_fails(st, number, *a);
			return;
		}
		if (!leat__stage_send(st, 0, out))
			return;
	}
}

static void leat__run_cast_ok(struct leat__stage *st, void *in, void *out)
{
	const leat_type *type = type_of(st);
	leat_any *a = in;

	while (leat__stage_recv(st, 0, a)) {
		if (!leat_any_get(*a, type, out))
			leat__stage_lose(st);
		else if (!leat__stage_send(st, 0, out))
			return;
	}
}

static ALWAYS_INLINE leat_chan *cast(const leat_pipe_opts *at, struct leat__shape *shape,
                                     leat_chan *in, const leat_type *type)
{
	struct leat__stage *st;

	shape->inlets = shape->outlets = shape->workers = 1;
	shape->state_bytes = sizeof(struct casting);
	st = leat__stage_new(at, shape);
	((struct casting *)st->state)->type = type;
	leat__stage_take(st, 0, in, sizeof(leat_any));
	leat__stage_give(st, 0, type->bytes, at->cap);
	return leat__stage_start(st);
}

leat_chan *leat_pipe_cast(leat_pipe_opts at, leat_chan *in, const leat_type *type)
{
	return cast(&at, &(struct leat__shape){.kind = "cast", .run = leat__run_cast}, in, type);
}

leat_chan *leat_pipe_cast_ok(leat_pipe_opts at, leat_chan *in, const leat_type *type)
{
	return cast(&at, &(struct leat__shape){.kind = "cast_ok", .run = leat__run_cast_ok}, in, type);
}
