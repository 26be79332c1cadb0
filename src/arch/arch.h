/* SPDX-License-Identifier: MIT */
/*
 * What leat needs of a CPU.  One folder per architecture holds the switch (switch.S), what reads and
 * makes its frames (context.c), and what must be inline (cpu.h); this header holds the contract.
 *
 * A context is a stack pointer: everything else that the ABI preserves over a call (callee-saved
 * registers, and the floating-point control words) lies on the stack below it, and errno, which is the
 * context's own like these.  The word that holds it is 0 while the context runs.  leat__switch stores
 * it last, by a store-release after it has left the stack, so whoever load-acquires it non-zero may
 * resume the context on another thread.
 *
 * errno is a thread-local variable behind __errno_location(), which libc declares const: compilers call
 * it once a function and keep the address over a switch.  Where it lies relative to the thread pointer
 * is the same in every thread, libc being there from the start; so that offset is measured once, and
 * the switch adds it to the pointer of the thread it is on.
 */
#ifndef LEAT_ARCH_ARCH_H
#define LEAT_ARCH_ARCH_H

#include "base/atomic.h"
#include "base/compiler.h"

/*
 * Each cpu.h defines
 *	struct leat__regs       what a function must preserve, and the place itself, as an unwinder wants
 *	                        them: of a parked context, or of one that faulted.  Every CPU's has ip, sp
 *	                        and fp, the frame pointer.  Registers that are not known are 0.
 *	leat__self()            the thread's own M, NULL before its first call.  In assembly, since
 *	                        compilers believe that a thread-local's address cannot change inside a
 *	                        function, and keep it across a switch.
 *	leat__thread_pointer()  what the offset of a thread-local is added to; in assembly likewise
 *	leat__switch_last(to)   see below: by a jump, which a compiler makes of no call that does not return
 *	leat__context_reset()   the running context begins anew: what leat__switch saves beside registers
 *	                        becomes what it is in a new one.  Cheap where it is that already.
 *	leat__cpu_relax()       a pause of some tens of cycles in a loop that waits for another CPU
 *	leat__count_up(byte)    add 1, where nobody else writes but others read
 *	leat__ticks()           a cheap clock for heuristics: constant rate, unit unknown (see
 *	                        leat__ticks_per_us), ordered with nothing
 *	leat__regs_here(regs)   the registers at this very place
 *	leat__regs_uncall(regs) from a place that was called and has done nothing yet, back to its caller
 *	leat__is_signal_frame(a)  the return address is into leat__signal_call's frame: what called that did not
 *	                        call, and its address is the instruction itself
 *	leat__code_address(a)   a saved return address without what the CPU has signed it with
 */
struct leat__m;
extern __thread struct leat__m *leat__tls_self __attribute__((tls_model("initial-exec")));

/* Of errno, from the thread pointer; known before main and other constructors. */
extern ptrdiff_t leat__errno_offset;

#if defined __x86_64__
#include "arch/x86_64/cpu.h"
#elif defined __aarch64__
#include "arch/aarch64/cpu.h"
#else
#error "leat has no context switch for this CPU yet: see src/arch"
#endif

/*
 * CPUs predict that a return goes to behind the last call that has not returned yet.  After a switch that is where
 * who left was called from, not who goes on: a misprediction, of some 6 ns on an EPYC.  So a function of which each
 * call switches is LEAT__RESUMED: where it was called from it has written, before it left, to its M, at LEAT__M_LEFT,
 * and in its body it says leat__resumed().  If who left was called from somewhere else it returns by an indirect jump,
 * which is predicted by what was executed before.  Else it returns, which is right, and keeps calls and returns in
 * pairs, for those that follow.
 */
#define LEAT__M_LEFT 24

/* Save the running context in *from and continue the one in *to, which must not be 0. */
void leat__switch(void **from, void **to);

/*
 * Save the running context in *from, and begin another with entry() on the stack that ends at top (aligned to
 * 16), as a switch to what leat__context_make makes would.  And continue the context in *to for good: nothing
 * of the running one is saved.
 *
 * These are a call and its return to the CPU, which predicts returns by the calls it has seen, innermost first:
 * a context that was begun so, and has ended, leaves those of the context that began it on top.  By
 * leat__switch alone each return on the way out of a join was mispredicted: fib32 374 ms instead of 240.
 */
void leat__switch_start(void **from, void *top, void (*entry)(void));
static inline void leat__switch_last(void **to) __attribute__((noreturn));

/*
 * Save the running context in *from and continue the one saved at to, where leat__swap returns value: what a
 * coroutine and who resumed it do.  Control passes as by a call and its return, so errno and the floating-point
 * control words stay as they are.  No other thread looks for what is stored in *from, which is a plain store.
 * A context that stopped in leat__switch does not go on by this, nor the reverse; one that is prepared may
 * begin by either.
 */
void *leat__swap(void **from, void *to, void *value);

/*
 * Let the context saved at sp, which leat__swap is to continue, go on in fn(value), as if it had called that instead.
 * What fn returns its caller gets.  The result is to be used instead of sp.
 */
void *leat__context_divert(void *sp, void *(*fn)(void *value));

/*
 * Prepare the stack that ends at top (aligned to 16) so that the first switch to the result calls
 * entry(), which must not return.  The floating-point control words are the ABI's initial ones, errno
 * is 0.
 */
void *leat__context_make(void *top, void (*entry)(void));

/* Where such a context begins, and where its entry would return to: the last address on its stack. */
void leat__context_start(void);
extern const char leat__context_ended[];

/* Where a saved context keeps which register, for debuggers: offsets from its stack pointer, names as
   gdb has them.  The last has no name: so many bytes above sp is the context's own stack pointer. */
struct leat__saved_register {
	const char *name;
	uint64_t offset;
};
extern const struct leat__saved_register leat__saved_registers[];

/* The registers of the context saved at sp. */
void leat__context_regs(const void *sp, struct leat__regs *regs);

/* Call fn(arg) on the stack that ends at top (aligned to 16), and return on the caller's.  Unwinders
   find the way back. */
void leat__call_on(void *top, void (*fn)(void *), void *arg);

/*
 * Call fn(arg).  An exception that would leave fn, of C++ or another language, calls leat__no_exceptions
 * instead, as the ABI's personality routine, before anything is unwound.
 */
void leat__call_guarded(void (*fn)(void *), void *arg);
int leat__no_exceptions(int version, int actions, uint64_t kind, void *exception, void *context);

/* The registers that a signal interrupted; context is the handler's third argument. */
void leat__signal_regs(const void *context, struct leat__regs *regs);

/* Let the interrupted thread, when the handler returns, go on in fn(arg) on the stack that ends at top,
   as if called by nobody.  fn must not return. */
void leat__signal_divert(void *context, void *top, void (*fn)(void *), void *arg);

/*
 * The same on the stack that was interrupted, below all that is in use there, the red zone too:
 * fn(copy), where copy is one of data on that stack.  data begins with the struct leat__regs of
 * leat__signal_regs.  Unwinders go on with what was interrupted, on x86-64.  Takes
 * LEAT__SIGNAL_CALL_BYTES beside data, which must be there.
 */
enum { LEAT__SIGNAL_CALL_BYTES = 256 };
void leat__signal_call(void *context, void (*fn)(void *), const void *data, size_t bytes);

#endif
