/* SPDX-License-Identifier: MIT */
/*
 * Panics with a value.
 *
 * The value's text is made before anything else: what is deferred may free what the value leads to, and
 * a report is no place for the program's code.  The printer of a type is the program's: it runs under a
 * catch of its own, and not inside itself, so a printer that panics with what it was to print ends.
 */
#include "sched/panic.h"
#include "sched/scheduler.h"
#include "value/error.h"

#include <stdio.h>
#include <string.h>

#define WHILE_PRINTING "panic while printing panic value: "

static void leat__print_value(void *arg)
{
	leat_panic_info *info = &((struct leat__panic *)arg)->info;
	const leat_error *e = NULL;

	if (leat_any_get(info->value, &leat__type_error, &e) && e)
		leat__error_chain(e, info->message, sizeof info->message);
	else
		leat_any_text(info->value, info->message, sizeof info->message);
}

/* Without the program's code. */
static void leat__print_plain(void *arg)
{
	leat_panic_info *info = &((struct leat__panic *)arg)->info;

	if (info->value.leat__type->print)
		snprintf(info->message, sizeof info->message, "type %s", info->value.leat__type->name);
	else
		leat__print_value(arg);
}

/* By the type's own printer. */
static void leat__print_custom(struct leat__panic *p)
{
	leat_panic_info failed;

	p->unprintable = leat__catch_printing(leat__print_value, p, &failed);
	if (p->unprintable)
		snprintf(p->info.message, sizeof p->info.message, WHILE_PRINTING "%.*s",
		         (int)(sizeof p->info.message - sizeof WHILE_PRINTING), failed.message);
}

void leat_panic_any(leat_any value)
{
	struct leat__panic p = {.info.value = value};

	if (!value.leat__type)
		leat__panic_runtime(LEAT__NIL_PANIC);
	if (leat__cramped(leat__self())) {
		struct leat__m *m = leat__enter();

		leat__with_room(leat__print_plain, &p);
		leat__leave(m);
	} else if (!value.leat__type->print || leat__is_printing()) {
		leat__print_plain(&p);
	} else {
		leat__print_custom(&p);
	}
	leat__panic_add_more(&p);
	leat__raise(&p);
}
