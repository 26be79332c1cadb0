/* SPDX-License-Identifier: MIT */
/*
 * errno, which is each goroutine's own.
 *
 * A goroutine finds errno as it left it, whatever other goroutines did on the thread meanwhile and on
 * whatever thread it goes on.  A new goroutine begins with 0.  Functions of leat leave errno alone.
 *
 * libc declares the function behind errno const, since no function changes threads in plain C.  So a
 * compiler calls it once and keeps the address, and after a call into leat errno would be another
 * thread's.  This header therefore defines errno anew, so that the address is asked for at each use.
 * Code that never sees a header of leat, but calls functions that do, must be compiled with
 * -D__const__=__unused__ if it uses errno both before and after such a call in one function.
 *
 * Define LEAT_KEEP_ERRNO before the first include to keep libc's definition.
 */
#ifndef LEAT_ERRNO_H
#define LEAT_ERRNO_H

#include <errno.h>

#ifndef LEAT_KEEP_ERRNO

/* Where the errno of the running thread is; valid until the next call into leat. */
static inline int *leat__errno_here(void)
{
	int *(*where)(void) = __errno_location;

	/* The compiler must not know which function this is. */
	__asm__("" : "+r"(where));
	return where();
}

#undef errno
#define errno (*leat__errno_here())

#endif /* !LEAT_KEEP_ERRNO */

#endif
