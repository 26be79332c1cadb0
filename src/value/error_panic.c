/* SPDX-License-Identifier: MIT */
/* Panics with an error. */
#include <leat/any.h>
#include <leat/error.h>
#include <leat/panic.h>

void leat_panic_error(const leat_error *e)
{
	leat_panic_any(e ? leat_any_make(&leat__type_error, &e) : (leat_any){0});
}
