/* SPDX-License-Identifier: MIT */
/* Making and reading the frame that switch.S saves; its layout is drawn there. */
#include "arch/arch.h"

struct frame {
	uint16_t mxcsr;
	uint16_t x87;
	int error;
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t ip;
};
_Static_assert(sizeof(struct frame) == 64, "switch.S");

void leat__context_start(void);

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

void leat__context_regs(void *sp, struct leat__regs *regs)
{
	const struct frame *f = sp;

	*regs = (struct leat__regs){
	    .ip = f->ip,
	    .sp = (uint64_t)(uintptr_t)(f + 1),
	    .bp = f->rbp,
	    .rbx = f->rbx,
	    .r12 = f->r12,
	    .r13 = f->r13,
	    .r14 = f->r14,
	    .r15 = f->r15,
	};
}
