/* SPDX-License-Identifier: MIT */
/*
 * The file that an address belongs to: the program, or a library loaded with it.
 *
 * dladdr does not do: it has nothing to say in a statically linked program, and where a program is not
 * position independent it gives the place where that begins, so that a difference from there is not an
 * address that addr2line and nm know.
 */
#ifndef LEAT_OS_MODULE_H
#define LEAT_OS_MODULE_H

#include <stdbool.h>
#include <stdint.h>

struct leat__module {
	const char *path; /* as the loader has it, the program's short name; while it is loaded */
	uintptr_t bias;   /* from the addresses in the file to those in memory */
	bool code;        /* the address is where instructions are */
};

/* False where no file is mapped.  Any thread; takes the loader's lock, allocates nothing. */
bool leat__module_find(uintptr_t address, struct leat__module *out);

#endif
