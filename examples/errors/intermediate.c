/* SPDX-License-Identifier: MIT */
#include "intermediate.h"

#include "lowlevel.h"

LEAT_ERROR_TYPE(intermediate);

const leat_error *run_job(const char *id, const char *binary)
{
	bool executable = false;
	const leat_error *e = is_executable(binary, &executable);
	leat_error *wrapped;

	if (e) {
		wrapped = leat_error_wrap(e, &intermediate,
		                          "cannot run job \"%s\": requisite binaries not available", id);
		leat_error_put(wrapped, "binary", "%s", binary);
		return wrapped;
	}
	if (!executable)
		return leat_error_new(&intermediate,
		                      "cannot run job \"%s\": requisite binaries are not executable", id);
	e = run_program(binary, id);
	return e ? leat_error_wrap(e, &intermediate, "job \"%s\" failed", id) : NULL;
}

const leat_error *run_job_carelessly(const char *id, const char *binary)
{
	bool executable = false;
	const leat_error *e = is_executable(binary, &executable);

	return e ? e : run_program(binary, id);
}
