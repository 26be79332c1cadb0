/* SPDX-License-Identifier: MIT */
/* A key must have been declared as one. */
/* ERROR: leat__ctx_type_number.*(undeclared|unknown)|(undeclared|unknown).*leat__ctx_type_number */
/* ERROR: ctx_value_no_key\.c:11: */
#include <leat.h>

static const leat_ctx_key number = {"number"};

int *f(leat_ctx *ctx)
{
	return ctx_value(ctx, number);
}
