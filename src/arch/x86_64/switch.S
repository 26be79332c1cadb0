/* SPDX-License-Identifier: MIT */
/*
 * The context switch for x86-64, System V ABI.
 *
 * The frame that a saved stack pointer points at, from low to high:
 *	+0	MXCSR (2 bytes: the others are reserved and 0), x87 control word (2 bytes)
 *	+4	errno (4 bytes)
 *	+8	r15 r14 r13 r12 rbx rbp
 *	+56	return address
 *
 * The control words are loaded only where they differ: ldmxcsr and fldcw cost more than the compares.
 * They are read back before the next store overlaps them, so that each load is forwarded.
 * Both contexts nearly always stopped at the same call, or one began the other, so the ret is predicted
 * (measured against an indirect jump: no difference; an inlined switch with a clobber list: 1 ns less).
 *
 * CET: no shadow stack is switched here, so the object does not claim SHSTK in its ELF notes, and the
 * kernel keeps shadow stacks off for programs linked with it.
 */
	.hidden leat__errno_offset
	.set LEFT, 24	/* LEAT__M_LEFT */

	.macro push_register name
	pushq %\name
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \name, 0
	.endm

	.macro pop_register name
	popq %\name
	.cfi_adjust_cfa_offset -8
	.cfi_restore \name
	.endm

	/* Those that a call leaves as they are. */
	.macro push_registers
	.irp name, rbp, rbx, r12, r13, r14, r15
	push_register \name
	.endr
	.endm

	.macro pop_registers
	.irp name, r15, r14, r13, r12, rbx, rbp
	pop_register \name
	.endr
	.endm

	/* Save all but the stack pointer.  Then r8 is errno's offset, eax MXCSR; the x87 word is to be read from
	   2(%rsp). */
	.macro save
	push_registers
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	movq leat__errno_offset(%rip), %r8
	movl %fs:(%r8), %r9d
	stmxcsr (%rsp)
	movzwl (%rsp), %eax
	fnstcw 2(%rsp)
	movl %r9d, 4(%rsp)
	.endm

	.text
	.globl leat__switch
	.hidden leat__switch
	.type leat__switch, @function
	.p2align 4
leat__switch:
	.cfi_startproc
	endbr64
	save
	movq (%rsi), %rcx
	movl 4(%rcx), %r9d
	cmpw (%rcx), %ax
	jne 2f
1:	movzwl 2(%rsp), %eax
	cmpw 2(%rcx), %ax
	jne 3f
4:	movl %r9d, %fs:(%r8)
	movq $0, (%rsi)		/* the target runs now */
	movq %rsp, %rdx
	movq %rcx, %rsp		/* same frame layout: the CFI above stays true */
	movq %rdx, (%rdi)	/* last, and a release as every store is: another thread may resume it */

.Lresume:
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	pop_registers
	ret

	/* The same point as at 4 for the unwinder: 7 words below the return address. */
	.cfi_adjust_cfa_offset 56
	.cfi_rel_offset rbp, 48
	.cfi_rel_offset rbx, 40
	.cfi_rel_offset r12, 32
	.cfi_rel_offset r13, 24
	.cfi_rel_offset r14, 16
	.cfi_rel_offset r15, 8
2:	movzwl (%rcx), %eax
	movl %eax, -8(%rsp)	/* in the red zone */
	ldmxcsr -8(%rsp)
	jmp 1b
3:	fldcw 2(%rcx)
	jmp 4b
	.cfi_endproc
	.size leat__switch, . - leat__switch

/* leat__switch_start(from, top, entry) */
	.globl leat__switch_start
	.hidden leat__switch_start
	.type leat__switch_start, @function
	.p2align 4
leat__switch_start:
	.cfi_startproc
	endbr64
	save
	andl $0xffc0, %eax	/* what was inexact before does not matter */
	cmpl $0x1f80, %eax
	jne 2f
1:	cmpw $0x37f, 2(%rsp)
	jne 3f
4:	movl $0, %fs:(%r8)
	leaq .Lended(%rip), %rax
	xorl %ebp, %ebp
	movq %rsp, %rcx
	.cfi_undefined rip
	movq %rsi, %rsp
	movq %rcx, (%rdi)	/* last, as above */
	pushq %rax		/* as if called there, but no call that a return will not match */
	jmpq *%rdx
2:	movl $0x1f80, -8(%rsp)
	ldmxcsr -8(%rsp)
	jmp 1b
3:	movw $0x37f, -8(%rsp)
	fldcw -8(%rsp)
	jmp 4b
	.cfi_endproc
	.size leat__switch_start, . - leat__switch_start

/* leat__switch_last(to), but entered by a jump */
	.globl leat__switch_for_good
	.hidden leat__switch_for_good
	.type leat__switch_for_good, @function
	.p2align 4
leat__switch_for_good:
	.cfi_startproc
	.cfi_undefined rip
	movq leat__errno_offset(%rip), %r8
	movq (%rdi), %rcx
	stmxcsr -8(%rsp)
	movzwl -8(%rsp), %eax
	fnstcw -8(%rsp)
	movl 4(%rcx), %r9d
	cmpw (%rcx), %ax
	jne 2f
1:	movzwl -8(%rsp), %eax
	cmpw 2(%rcx), %ax
	jne 3f
4:	movl %r9d, %fs:(%r8)
	movq $0, (%rdi)
	movq %rcx, %rsp
	jmp .Lresume
2:	movzwl (%rcx), %eax
	movl %eax, -16(%rsp)
	ldmxcsr -16(%rsp)
	jmp 1b
3:	fldcw 2(%rcx)
	jmp 4b
	.cfi_endproc
	.size leat__switch_for_good, . - leat__switch_for_good

/*
 * leat__swap(from, to, value): errno and the control words stay as they are.  Their place in the frame does, too,
 * so that what reads frames needs to know of one kind only.
 *
 * By a jump, not by ret: it hardly ever goes on where it came from, so that a ret would be predicted wrongly each
 * time, and the one that was to match this call with it.
 */
	.globl leat__swap
	.hidden leat__swap
	.type leat__swap, @function
	.p2align 4
leat__swap:
	.cfi_startproc
	endbr64
	push_registers
	leaq -8(%rsp), %rcx
	movq %rdx, %rax
	movq %rcx, (%rdi)
	leaq 8(%rsi), %rsp	/* the same distance from the return address: the CFI above stays true */
	movq %rdx, %rdi
	pop_registers
	popq %rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	notrack jmpq *%rcx	/* a return in all but name: there is no endbr64 */
	.cfi_endproc
	.size leat__swap, . - leat__swap

/* The end of what is LEAT__RESUMED (arch.h): rax is its result. */
	.globl leat__return_resumed
	.hidden leat__return_resumed
	.type leat__return_resumed, @function
	.p2align 4
leat__return_resumed:
	.cfi_startproc
	movq leat__tls_self@gottpoff(%rip), %rcx
	movq (%rsp), %rsi
	movq %fs:(%rcx), %rcx
	cmpq %rsi, LEFT(%rcx)
	jne 1f
	ret
1:	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rsi
	notrack jmpq *%rsi
	.cfi_endproc
	.size leat__return_resumed, . - leat__return_resumed

/* Where a new context that was prepared begins: rbx holds the entry function.  Unwinders end here. */
	.globl leat__context_start
	.hidden leat__context_start
	.globl leat__context_ended
	.hidden leat__context_ended
	.type leat__context_start, @function
	.p2align 4
leat__context_start:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	xorl %ebp, %ebp
	callq *%rbx
leat__context_ended:
.Lended:	ud2
	.cfi_endproc
	.size leat__context_start, . - leat__context_start

/* Where leat__signal_call goes on: rbx holds the function, rsp points at its argument, which begins with a
   struct leat__regs.  The CFI reads the registers of the caller from that: the CFA is the word at rsp + 8. */
	.globl leat__signal_frame
	.hidden leat__signal_frame
	.type leat__signal_frame, @function
	.p2align 4
	nop				/* an unwinder may look at the byte before */
leat__signal_frame:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0x0f, 3, 0x77, 8, 0x06	/* DW_CFA_def_cfa_expression: DW_OP_breg7 8, DW_OP_deref */
	.cfi_escape 0x10, 16, 2, 0x77, 0	/* DW_CFA_expression: rip at rsp + 0 */
	.cfi_escape 0x10, 6, 2, 0x77, 16	/* rbp */
	.cfi_escape 0x10, 3, 2, 0x77, 24	/* rbx */
	.cfi_escape 0x10, 12, 2, 0x77, 32	/* r12 to r15 */
	.cfi_escape 0x10, 13, 2, 0x77, 40
	.cfi_escape 0x10, 14, 2, 0x77, 48
	.cfi_escape 0x10, 15, 2, 0x77, 56
	endbr64
	movq %rsp, %rdi
	callq *%rbx
	ud2
	.cfi_endproc
	.size leat__signal_frame, . - leat__signal_frame

/* leat__call_on(top, fn, arg): the frame pointer is the way back, for ret and for unwinders. */
	.globl leat__call_on
	.hidden leat__call_on
	.type leat__call_on, @function
	.p2align 4
leat__call_on:
	.cfi_startproc
	endbr64
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	movq %rdi, %rsp
	movq %rdx, %rdi
	callq *%rsi
	leave
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size leat__call_on, . - leat__call_on

/* leat__call_guarded(fn, arg): 0x1b is a place relative to here, in 4 bytes */
	.globl leat__call_guarded
	.hidden leat__call_guarded
	.hidden leat__no_exceptions
	.type leat__call_guarded, @function
	.p2align 4
leat__call_guarded:
	.cfi_startproc
	.cfi_personality 0x1b, leat__no_exceptions
	endbr64
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	movq %rdi, %rax
	movq %rsi, %rdi
	callq *%rax
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size leat__call_guarded, . - leat__call_guarded

	.section .note.GNU-stack, "", @progbits
