/* SPDX-License-Identifier: MIT */
/*
 * The seam for explore mode: every choice of the scheduler, every reading of the clock for the
 * program and every random number goes through here.
 *
 * In production leat__policy is NULL and each function below is the direct thing, inlined; otherwise
 * the policy answers, so that one thread can run a program under a schedule of its choosing, in
 * virtual time, and replay it.  The policy is set before the runtime starts and stays.
 */
#ifndef LEAT_SCHED_POLICY_H
#define LEAT_SCHED_POLICY_H

#include "os/os.h"
#include "sched/processor.h"

enum leat__choice {
	LEAT__CHOOSE_NEXT,   /* which of the runnable goroutines, oldest first, runs */
	LEAT__CHOOSE_CASE,   /* which of the ready cases of a select */
	LEAT__CHOOSE_VICTIM, /* where a search for work to steal begins */
	LEAT__CHOOSE_SRV,    /* which of the hosts of a service is tried first */
	LEAT__CHOOSE_RETAKE, /* 1: the caller, entering leat, has lost its processor and queues for it */
};

struct leat__policy {
	/* A number below n >= 1. */
	uint32_t (*choose)(enum leat__choice what, uint32_t n);
	int64_t (*now)(void);
};

extern const struct leat__policy *leat__policy HIDDEN;

/* p may be NULL: a plain thread. */
uint32_t leat__random(struct leat__p *p);

static inline uint32_t leat__choose(struct leat__p *p, enum leat__choice what, uint32_t n)
{
	if (unlikely(leat__policy != NULL))
		return leat__policy->choose(what, n);
	return n == 1 ? 0
	              : leat__random_below(
	                    likely(p != NULL) ? leat__random_next(&p->random) : leat__random(NULL), n);
}

static inline int64_t leat__clock(void)
{
	return unlikely(leat__policy != NULL) ? leat__policy->now() : leat__os_now();
}

#endif
