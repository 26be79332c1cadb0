/* SPDX-License-Identifier: MIT */
#include "lowlevel.h"

#include <errno.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

LEAT_ERROR_TYPE(lowlevel);

/* What the system says, with a word on what was tried, as an error of this module. */
#define SYSTEM_ERROR(code, what, path)                                                             \
	leat_error_wrap(leat_error_errno(code), &lowlevel, "%s %s: %s", (what), (path),                \
	                leat_error_message(leat_error_errno(code)))

const leat_error *is_executable(const char *path, bool *yes)
{
	struct stat info;
	int code = stat(path, &info) == 0 ? 0 : -errno;

	if (code)
		return SYSTEM_ERROR(code, "stat", path);
	*yes = info.st_mode & S_IXUSR;
	return NULL;
}

const leat_error *run_program(const char *path, const char *argument)
{
	char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)argument, NULL};
	char *const environment[] = {NULL};
	int code, status;
	pid_t child;

	leat_blocking();
	code = -posix_spawn(&child, path, NULL, NULL, argv, environment);
	if (code)
		return SYSTEM_ERROR(code, "spawn", path);
	while (waitpid(child, &status, 0) < 0) {
		code = -errno;
		if (code != -EINTR)
			return SYSTEM_ERROR(code, "wait for", path);
	}
	if (status != 0)
		return leat_error_new(&lowlevel, "%s ended with status %d", path, status);
	return NULL;
}
