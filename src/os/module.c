/* SPDX-License-Identifier: MIT */
/* The contract of module.h, by the program headers of all files. */
#define _GNU_SOURCE
#include "os/module.h"

#include <errno.h>
#include <link.h>
#include <stddef.h>

struct search {
	uintptr_t address;
	struct leat__module *out;
};

static int look(struct dl_phdr_info *file, size_t size, void *arg)
{
	const struct search *s = arg;

	(void)size;
	for (size_t i = 0; i < file->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &file->dlpi_phdr[i];

		if (part->p_type != PT_LOAD ||
		    s->address - (uintptr_t)file->dlpi_addr - part->p_vaddr >= part->p_memsz)
			continue;
		*s->out = (struct leat__module){
		    .path = file->dlpi_name && *file->dlpi_name ? file->dlpi_name
		                                                : program_invocation_short_name,
		    .bias = (uintptr_t)file->dlpi_addr,
		    .code = (part->p_flags & PF_X) != 0,
		};
		return 1;
	}
	return 0;
}

bool leat__module_find(uintptr_t address, struct leat__module *out)
{
	struct search s = {address, out};

	return dl_iterate_phdr(look, &s) != 0;
}
