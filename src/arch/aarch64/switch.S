/* SPDX-License-Identifier: MIT */
/*
 * The context switch for 64-bit Arm, AAPCS64.
 *
 * The frame that a saved stack pointer points at, from low to high:
 *	+0	x19 to x28
 *	+80	x29 (frame pointer), x30 (return address)
 *	+96	d8 to d15: of the vector registers a function keeps the low halves of these
 *	+160	FPCR (8 bytes), errno (4 bytes), 4 bytes unused
 *
 * FPCR is loaded only where it differs: writing it stops the pipeline.  FPSR holds sticky flags and is
 * kept by nobody.  Both contexts nearly always stopped at the same call, or one began the other, so the
 * ret is predicted.
 *
 * Memory order: the registers are stored before the word that says that they are (stlr), and whoever
 * resumes the context has load-acquired that word (leat__off_cpu) before it comes here.  A
 * plain store would let another thread load old registers: tests/litmus/model_arm.c.
 *
 * Branch target identification: every entry that can be called through a pointer begins with bti c, and
 * leat__context_start is entered by ret alone, which needs none; so the object claims BTI in its ELF
 * notes.  It does not claim PAC: x30 is saved unsigned here.  (What signed its return address may switch
 * all the same: the stack pointer that it signed with is the same again when it goes on.)  Nor does it
 * claim GCS: no guarded control stack is switched.  bti is written as the hint it is, for assemblers
 * that know no better.  SVE keeps nothing more; code in SME's streaming mode, or with ZA live, must not
 * park.
 */
	.hidden leat__errno_offset

	.macro save_registers
	sub	sp, sp, #176
	.cfi_adjust_cfa_offset 176
	stp	x19, x20, [sp, #0]
	.cfi_rel_offset x19, 0
	.cfi_rel_offset x20, 8
	stp	x21, x22, [sp, #16]
	.cfi_rel_offset x21, 16
	.cfi_rel_offset x22, 24
	stp	x23, x24, [sp, #32]
	.cfi_rel_offset x23, 32
	.cfi_rel_offset x24, 40
	stp	x25, x26, [sp, #48]
	.cfi_rel_offset x25, 48
	.cfi_rel_offset x26, 56
	stp	x27, x28, [sp, #64]
	.cfi_rel_offset x27, 64
	.cfi_rel_offset x28, 72
	stp	x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp	d8, d9, [sp, #96]
	.cfi_rel_offset d8, 96
	.cfi_rel_offset d9, 104
	stp	d10, d11, [sp, #112]
	.cfi_rel_offset d10, 112
	.cfi_rel_offset d11, 120
	stp	d12, d13, [sp, #128]
	.cfi_rel_offset d12, 128
	.cfi_rel_offset d13, 136
	stp	d14, d15, [sp, #144]
	.cfi_rel_offset d14, 144
	.cfi_rel_offset d15, 152
	.endm

	.macro restore_registers
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	.cfi_remember_state
	add	sp, sp, #176
	.cfi_def_cfa_offset 0
	.cfi_restore x19
	.cfi_restore x20
	.cfi_restore x21
	.cfi_restore x22
	.cfi_restore x23
	.cfi_restore x24
	.cfi_restore x25
	.cfi_restore x26
	.cfi_restore x27
	.cfi_restore x28
	.cfi_restore x29
	.cfi_restore x30
	.cfi_restore d8
	.cfi_restore d9
	.cfi_restore d10
	.cfi_restore d11
	.cfi_restore d12
	.cfi_restore d13
	.cfi_restore d14
	.cfi_restore d15
	.endm

	/* Save all but the stack pointer.  Then x2 is FPCR, x6 + x7 errno's address. */
	.macro save
	save_registers
	mrs	x2, fpcr
	str	x2, [sp, #160]
	mrs	x6, tpidr_el0
	adrp	x7, leat__errno_offset
	ldr	x7, [x7, #:lo12:leat__errno_offset]
	ldr	w8, [x6, x7]
	str	w8, [sp, #168]
	.endm

	.text
	.globl leat__switch
	.hidden leat__switch
	.type leat__switch, %function
	.p2align 4
leat__switch:
	.cfi_startproc
	hint	#34			/* bti c */
	save

	ldr	x3, [x1]
	ldr	x4, [x3, #160]
	cmp	x2, x4
	b.ne	2f
1:	str	xzr, [x1]		/* the target runs now */
	mov	x5, sp
	mov	sp, x3			/* same frame layout: the CFI above stays true */
	stlr	x5, [x0]		/* last: from here on another thread may resume it */

.Lresume:
	ldr	w8, [sp, #168]
	str	w8, [x6, x7]
	restore_registers
	ret

	.cfi_restore_state
2:	msr	fpcr, x4
	b	1b
	.cfi_endproc
	.size leat__switch, . - leat__switch

/* leat__switch_start(from, top, entry) */
	.globl leat__switch_start
	.hidden leat__switch_start
	.type leat__switch_start, %function
	.p2align 4
leat__switch_start:
	.cfi_startproc
	hint	#34			/* bti c */
	mov	x16, x2
	save
	cbnz	x2, 2f
1:	str	wzr, [x6, x7]
	mov	x29, xzr
	adrp	x30, .Lended
	add	x30, x30, #:lo12:.Lended	/* as if called there, but no call that a return will not match */
	mov	x5, sp
	.cfi_undefined x30
	mov	sp, x1
	stlr	x5, [x0]		/* last, as above */
	br	x16
2:	msr	fpcr, xzr
	b	1b
	.cfi_endproc
	.size leat__switch_start, . - leat__switch_start

/* leat__switch_last(to), but entered by a jump */
	.globl leat__switch_for_good
	.hidden leat__switch_for_good
	.type leat__switch_for_good, %function
	.p2align 4
leat__switch_for_good:
	.cfi_startproc
	.cfi_undefined x30
	hint	#34			/* bti c: a linker may come here by way of x16 */
	mrs	x2, fpcr
	mrs	x6, tpidr_el0
	adrp	x7, leat__errno_offset
	ldr	x7, [x7, #:lo12:leat__errno_offset]
	ldr	x3, [x0]
	ldr	x4, [x3, #160]
	cmp	x2, x4
	b.ne	2f
1:	str	xzr, [x0]
	mov	sp, x3
	b	.Lresume
2:	msr	fpcr, x4
	b	1b
	.cfi_endproc
	.size leat__switch_for_good, . - leat__switch_for_good

/* leat__swap(from, to, value): errno and FPCR stay as they are, and so do their places in the frame. */
	.globl leat__swap
	.hidden leat__swap
	.type leat__swap, %function
	.p2align 4
leat__swap:
	.cfi_startproc
	hint	#34			/* bti c */
	save_registers
	mov	x5, sp
	str	x5, [x0]
	mov	sp, x1			/* same frame layout: the CFI above stays true */
	mov	x0, x2
	restore_registers
	ret
	.cfi_endproc
	.size leat__swap, . - leat__swap

/* Where a context goes on that was diverted: as if it called what lies on top of its stack, which its return
   address follows. */
	.globl leat__diverted
	.hidden leat__diverted
	.type leat__diverted, %function
	.p2align 4
leat__diverted:
	.cfi_startproc
	.cfi_def_cfa_offset 16
	.cfi_offset x30, -8
	ldp	x16, x30, [sp], #16
	.cfi_def_cfa_offset 0
	.cfi_restore x30
	br	x16
	.cfi_endproc
	.size leat__diverted, . - leat__diverted

/* Where a new context that was prepared begins: x19 holds the entry function.  Unwinders end here. */
	.globl leat__context_start
	.hidden leat__context_start
	.globl leat__context_ended
	.hidden leat__context_ended
	.type leat__context_start, %function
	.p2align 4
leat__context_start:
	.cfi_startproc
	.cfi_undefined x30
	mov	x29, xzr
	mov	x30, xzr
	blr	x19
leat__context_ended:
.Lended:	brk	#0
	.cfi_endproc
	.size leat__context_start, . - leat__context_start

/* leat__call_on(top, fn, arg): the frame pointer is the way back, for ret and for unwinders. */
	.globl leat__call_on
	.hidden leat__call_on
	.type leat__call_on, %function
	.p2align 4
leat__call_on:
	.cfi_startproc
	hint	#34			/* bti c */
	stp	x29, x30, [sp, #-16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov	x29, sp
	.cfi_def_cfa_register x29
	mov	sp, x0
	mov	x0, x2
	blr	x1
	mov	sp, x29
	ldp	x29, x30, [sp], #16
	.cfi_def_cfa sp, 0
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size leat__call_on, . - leat__call_on

/* leat__call_guarded(fn, arg): 0x1b is a place relative to here, in 4 bytes */
	.globl leat__call_guarded
	.hidden leat__call_guarded
	.hidden leat__no_exceptions
	.type leat__call_guarded, %function
	.p2align 4
leat__call_guarded:
	.cfi_startproc
	.cfi_personality 0x1b, leat__no_exceptions
	hint	#34			/* bti c */
	stp	x29, x30, [sp, #-16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov	x29, sp
	mov	x9, x0
	mov	x0, x1
	blr	x9
	ldp	x29, x30, [sp], #16
	.cfi_adjust_cfa_offset -16
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size leat__call_guarded, . - leat__call_guarded

	/* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI */
	.section .note.gnu.property, "a", %note
	.p2align 3
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 1, 0

	.section .note.GNU-stack, "", %progbits
