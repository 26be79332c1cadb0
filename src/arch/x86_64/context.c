/* SPDX-License-Identifier: MIT */
/* Making and reading the frame that switch.S saves, whose layout is drawn there, and a signal's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* REG_RIP */
#endif
#include "arch/arch.h"

#include "base/copy.h"

#include <stddef.h>
#include <ucontext.h>

#define RED_ZONE  128   /* below the stack pointer a function may keep what it likes */
#define DIRECTION 0x400 /* the flag that the ABI wants clear at a call */

struct frame {
	uint16_t mxcsr;
	uint16_t x87;
	int error;
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t ip;
};
_Static_assert(sizeof(struct frame) == 64, "switch.S");

const struct leat__saved_register leat__saved_registers[] = {
    {"rip", offsetof(struct frame, ip)},  {"rbp", offsetof(struct frame, rbp)},
    {"rbx", offsetof(struct frame, rbx)}, {"r12", offsetof(struct frame, r12)},
    {"r13", offsetof(struct frame, r13)}, {"r14", offsetof(struct frame, r14)},
    {"r15", offsetof(struct frame, r15)}, {NULL, sizeof(struct frame)},
};

void *leat__context_make(void *top, void (*entry)(void))
{
	/* After the ret of the switch rsp is top: aligned as before a call. */
	struct frame *f = (struct frame *)top - 1;

	*f = (struct frame){
	    .mxcsr = LEAT__MXCSR,
	    .x87 = LEAT__X87,
	    .rbx = (uint64_t)(uintptr_t)entry,
	    .ip = (uint64_t)(uintptr_t)leat__context_start,
	};
	return f;
}

void *leat__context_divert(void *sp, void *(*fn)(void *value))
{
	/* Its return address stays where it is, on top when fn begins. */
	struct frame *f = (struct frame *)((char *)sp - sizeof(uint64_t));
	struct frame copy = *(const struct frame *)sp;

	*f = copy;
	f->ip = (uint64_t)(uintptr_t)fn;
	return f;
}

/* Who takes a snapshot looks at contexts that may run again by now, and finds that out afterwards. */
__attribute__((no_sanitize("address"))) void leat__context_regs(const void *sp,
                                                                struct leat__regs *regs)
{
	const struct frame *f = sp;

	*regs = (struct leat__regs){
	    .ip = f->ip,
	    .sp = (uint64_t)(uintptr_t)(f + 1),
	    .fp = f->rbp,
	    .rbx = f->rbx,
	    .r12 = f->r12,
	    .r13 = f->r13,
	    .r14 = f->r14,
	    .r15 = f->r15,
	};
}

void leat__signal_regs(const void *context, struct leat__regs *regs)
{
	const greg_t *r = ((const ucontext_t *)context)->uc_mcontext.gregs;

	*regs = (struct leat__regs){
	    .ip = (uint64_t)r[REG_RIP],
	    .sp = (uint64_t)r[REG_RSP],
	    .fp = (uint64_t)r[REG_RBP],
	    .rbx = (uint64_t)r[REG_RBX],
	    .r12 = (uint64_t)r[REG_R12],
	    .r13 = (uint64_t)r[REG_R13],
	    .r14 = (uint64_t)r[REG_R14],
	    .r15 = (uint64_t)r[REG_R15],
	};
}

void leat__signal_divert(void *context, void *top, void (*fn)(void *), void *arg)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	r[REG_RSP] = (greg_t)((uintptr_t)top - 8); /* as after a call */
	r[REG_RIP] = (greg_t)(uintptr_t)fn;
	r[REG_RDI] = (greg_t)(uintptr_t)arg;
	r[REG_RBP] = 0;
}

void leat__signal_call(void *context, void (*fn)(void *), const void *data, size_t bytes)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t at = ((uintptr_t)r[REG_RSP] - RED_ZONE - bytes) & ~(uintptr_t)15;

	leat__copy((void *)at, data, bytes); /* NOLINT(performance-no-int-to-ptr) */
	r[REG_RSP] = (greg_t)at;
	r[REG_RIP] = (greg_t)(uintptr_t)leat__signal_frame;
	r[REG_RBX] = (greg_t)(uintptr_t)fn;
	r[REG_EFL] &= ~(greg_t)DIRECTION;
}
