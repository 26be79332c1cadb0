/* SPDX-License-Identifier: MIT */
/*
 * A panic with an error that nothing catches is reported by what the error and its causes say, each once, and by where
 * the innermost of them was made that knows.
 */
#include <leat.h>

#include <errno.h>

static LEAT_ERROR_TYPE(lowlevel);
static LEAT_ERROR_TYPE(intermediate);

__attribute__((noinline)) static const leat_error *open_binary(void)
{
	return leat_error_wrap(leat_error_errno(-ENOENT), &lowlevel, "cannot open \"%s\"", "/bad/job");
}

__attribute__((noinline)) static const leat_error *run_job(void)
{
	const leat_error *e = leat_errorf(open_binary(), "requisite binaries");

	return leat_error_wrap(e, &intermediate, "cannot run job \"%d\"", 1);
}

int main(void)
{
	const leat_error *e = run_job();

	leat_panic_error(leat_errorf(e, "main"));
}
