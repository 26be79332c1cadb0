/* SPDX-License-Identifier: MIT */
/* Making and reading the frame that switch.S saves, whose layout is drawn there, and a signal's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "arch/arch.h"

#include "base/copy.h"

#include <stddef.h>
#include <ucontext.h>

struct frame {
	uint64_t x[10]; /* x19 to x28 */
	uint64_t x29, x30;
	uint64_t d[8]; /* d8 to d15 */
	uint64_t fpcr;
	int error;
	int unused;
};
_Static_assert(sizeof(struct frame) == 176, "switch.S");

/* In switch.S. */
void leat__diverted(void);

#define X(n)                                                                                       \
	{                                                                                              \
		"x" #n, offsetof(struct frame, x) + sizeof(uint64_t) * ((n)-19)                            \
	}
const struct leat__saved_register leat__saved_registers[] = {
    {"pc", offsetof(struct frame, x30)},
    {"x30", offsetof(struct frame, x30)},
    {"x29", offsetof(struct frame, x29)},
    X(19),
    X(20),
    X(21),
    X(22),
    X(23),
    X(24),
    X(25),
    X(26),
    X(27),
    X(28),
    {NULL, sizeof(struct frame)},
};

void *leat__context_make(void *top, void (*entry)(void))
{
	struct frame *f = (struct frame *)top - 1;

	/* FPCR 0: round to nearest, no traps, the ABI's initial state. */
	*f = (struct frame){
	    .x[0] = (uint64_t)(uintptr_t)entry,
	    .x30 = (uint64_t)(uintptr_t)leat__context_start,
	};
	return f;
}

void *leat__context_divert(void *sp, void *(*fn)(void *value))
{
	struct frame copy = *(const struct frame *)sp, *f;
	uint64_t *pair = (uint64_t *)((struct frame *)sp + 1) - 2;

	/* leat__diverted takes the pair. */
	f = (struct frame *)(void *)pair - 1;
	pair[0] = (uint64_t)(uintptr_t)fn;
	pair[1] = copy.x30;
	copy.x30 = (uint64_t)(uintptr_t)leat__diverted;
	*f = copy;
	return f;
}

static void copy_kept(struct leat__regs *regs, const uint64_t *x19)
{
	for (size_t i = 0; i < ARRAY_LEN(regs->x); i++)
		regs->x[i] = x19[i];
}

/* Who takes a snapshot looks at contexts that may run again by now, and finds that out afterwards. */
__attribute__((no_sanitize("address"))) void leat__context_regs(const void *sp,
                                                                struct leat__regs *regs)
{
	const struct frame *f = sp;

	regs->ip = f->x30;
	regs->sp = (uint64_t)(uintptr_t)(f + 1);
	regs->fp = f->x29;
	regs->lr = 0; /* the caller's frame has it */
	copy_kept(regs, f->x);
}

void leat__signal_regs(const void *context, struct leat__regs *regs)
{
	const mcontext_t *c = &((const ucontext_t *)context)->uc_mcontext;

	regs->ip = c->pc;
	regs->sp = c->sp;
	regs->fp = c->regs[29];
	regs->lr = c->regs[30];
	copy_kept(regs, (const uint64_t *)&c->regs[19]);
}

void leat__signal_divert(void *context, void *top, void (*fn)(void *), void *arg)
{
	mcontext_t *c = &((ucontext_t *)context)->uc_mcontext;

	c->sp = (uintptr_t)top;
	c->pc = (uintptr_t)fn;
	c->regs[0] = (uintptr_t)arg;
	c->regs[29] = 0;
	c->regs[30] = 0;
}

/* DWARF for this CPU has no column of its own for where a signal came from: the walk ends here. */
void leat__signal_call(void *context, void (*fn)(void *), const void *data, size_t bytes)
{
	mcontext_t *c = &((ucontext_t *)context)->uc_mcontext;
	uintptr_t at = (c->sp - bytes) & ~(uintptr_t)15;

	leat__copy((void *)at, data, bytes); /* NOLINT(performance-no-int-to-ptr) */
	leat__signal_divert(context, (void *)at, fn,
	                    (void *)at); /* NOLINT(performance-no-int-to-ptr) */
}
