/* SPDX-License-Identifier: MIT */
/*
 * What people call an address: function, file and line.
 *
 * libdw finds it in the debug information, and in the ELF symbol table for what has none.  It is
 * loaded with dlopen when the first name is wanted, so that a program needs libc alone.  Without it,
 * or where it finds nothing, there is what dladdr knows (the functions a file exports), and failing
 * that the place within the file.
 *
 * Meant for reports, those of a dying process among them: nothing here trusts more than malloc, and
 * nothing goes over the network.  A handler of faults that may have come from inside malloc must be
 * able to do without an answer (set leat__symbol_without_libraries, or an alarm).
 *
 * The callers take turns: one thread at a time may be in here.  A fault in here may be reported by way
 * of here all the same: it is then done without libdw.  Needs some 8 KiB of stack, 16 KiB under ASan;
 * what libdw needs beyond that (150 KiB) it is given.
 */
#ifndef LEAT_OS_SYMBOL_H
#define LEAT_OS_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leat__symbol {
	char function[128]; /* or MODULE+0xOFFSET, or 0xADDRESS; never empty */
	char file[256]; /* absolute where the compiler left its folder; "..." and its end if long; "" */
	int line;       /* 0 when unknown */
	uintptr_t offset; /* from the start of the function, or, for addr2line, in the module */
	char module[128]; /* the file name of the program or library, without folder; "" */
};

/*
 * Describe pc, the innermost inlined function if there is one.  is_return_address: the call before pc
 * is meant, not what comes after it, which may be in another line and even in another function.
 */
void leat__symbol_find(void *pc, bool is_return_address, struct leat__symbol *out);

/*
 * The same for every function that stands at pc: out[0] is the innermost inlined one, and each of the
 * following the one it was inlined into, at the line of the call.  1 to max entries; max is not 0.
 * All have the offset of the last, the function that was compiled.
 */
size_t leat__symbol_frames(void *pc, bool is_return_address, struct leat__symbol *out, size_t max);

/* The address of what the program or a library loaded with it exports by this name, or NULL. */
void *leat__symbol_named(const char *name);

/* Whether file names and lines can be had at all: libdw is there. */
bool leat__symbol_has_lines(void);

/* Set to do as if libdw were missing: the tests do, and who must not call malloc. */
extern bool leat__symbol_without_libraries;

#endif
