/* SPDX-License-Identifier: MIT */
/* Libraries of leat's that programs are to be run with: see preload.h. */
#define _GNU_SOURCE
#include "preload.h"

#include "command.h"
#include "home.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the program names a dynamic linker; in doubt it does. */
static bool is_dynamic(const char *program)
{
	FILE *file = fopen(program, "re");
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	bool found = false;

	if (!file)
		return true;
	if (fread(&head, sizeof head, 1, file) != 1 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_phentsize != sizeof part || fseek(file, (long)head.e_phoff, SEEK_SET) != 0)
		found = true;
	for (int i = 0; !found && i < head.e_phnum && fread(&part, sizeof part, 1, file) == 1; i++)
		found = part.p_type == PT_INTERP;
	fclose(file);
	return found;
}

int preload_locks(const char *program)
{
	const char *others = getenv("LD_PRELOAD");
	char path[PATH_MAX + 32], *all;
	struct home home;
	int error = home_find(&home);

	if (error)
		return error;
	snprintf(path, sizeof path, "%.*s/libleat_locks.so",
	         (int)(strrchr(home.library, '/') - home.library), home.library);
	if (access(path, R_OK) < 0) {
		error = errno;
		complain("--locks: %s: %s", path, strerror(error));
		return -error;
	}
	if (strpbrk(path, ": ")) {
		complain("--locks: the dynamic linker takes no path with a blank or a colon: %s", path);
		return -EINVAL;
	}
	if (!is_dynamic(program)) {
		complain("--locks: the program is linked statically, so nothing can see its locks");
		return -ENOEXEC;
	}
	if (asprintf(&all, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") < 0 ||
	    setenv("LD_PRELOAD", all, 1) < 0) {
		complain("out of memory");
		return -ENOMEM;
	}
	free(all);
	return 0;
}
