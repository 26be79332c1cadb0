/* SPDX-License-Identifier: MIT */
/*
 * Back-off: a delay that grows, and a random part of it.
 *
 * The delay before the jitter is a double, so that it may grow past any cap without an overflow; it stays where it is
 * once it has come to the cap.
 */
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <leat/backoff.h>
#include <leat/time.h>

#define FIRST_NS (100 * LEAT_MILLISECOND)
#define MAX_NS   (30 * LEAT_SECOND)
#define FACTOR   2.0

/* Evenly from 0 to 1, which it never is. */
static double random_part(void)
{
	struct leat__m *m = leat__enter();
	uint64_t bits = (uint64_t)leat__random(m->p) << 32 | leat__random(m->p);

	leat__leave(m);
	return (double)(bits >> 11) / (double)(UINT64_C(1) << 53);
}

int64_t leat_backoff_next(leat_backoff *b)
{
	double max = (double)(b->max_ns ? b->max_ns : MAX_NS);
	double factor = b->factor != 0 ? b->factor : FACTOR;
	double delay = b->leat__delay;

	if (b->first_ns < 0 || b->max_ns < 0)
		leat__panic_runtime("backoff: negative delay");
	if (!(factor >= 1)) /* or it is no number */
		leat__panic_runtime("backoff: factor less than 1");
	if (b->leat__tries == 0)
		delay = (double)(b->first_ns ? b->first_ns : FIRST_NS);
	if (delay > max)
		delay = max;
	b->leat__delay = delay < max ? delay * factor : delay;
	if (b->leat__tries < UINT32_MAX)
		b->leat__tries++;
	if (b->jitter == LEAT_JITTER_FULL)
		delay *= random_part();
	else if (b->jitter == LEAT_JITTER_EQUAL)
		delay *= 0.5 + 0.5 * random_part();
	return delay < (double)INT64_MAX ? (int64_t)delay : INT64_MAX;
}

uint32_t leat_backoff_tries(const leat_backoff *b)
{
	return b->leat__tries;
}

void leat_backoff_reset(leat_backoff *b)
{
	b->leat__tries = 0;
}

int leat_backoff_wait_ctx(leat_backoff *b, leat_any_ctx ctx)
{
	int err = leat_ctx_err(ctx);

	return err ? err : leat_sleep_ctx(leat_backoff_next(b), ctx);
}
