/* SPDX-License-Identifier: MIT */
/* The module in the middle: jobs.  Its errors are of the type intermediate, and their messages are for people. */
#ifndef INTERMEDIATE_H
#define INTERMEDIATE_H

#include <leat.h>

LEAT_ERROR_TYPE_DECLARE(intermediate);

const leat_error *run_job(const char *id, const char *binary);

/* The same by somebody who forgot that errors from below must be wrapped. */
const leat_error *run_job_carelessly(const char *id, const char *binary);

#endif
