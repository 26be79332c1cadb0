/* SPDX-License-Identifier: MIT */
/* The module at the bottom: files and processes.  Its errors are of the type lowlevel. */
#ifndef LOWLEVEL_H
#define LOWLEVEL_H

#include <leat.h>

LEAT_ERROR_TYPE_DECLARE(lowlevel);

/* *yes: whether the file's owner may execute it. */
const leat_error *is_executable(const char *path, bool *yes);

/* Run a program with one argument, and wait for its end. */
const leat_error *run_program(const char *path, const char *argument);

#endif
