/* SPDX-License-Identifier: MIT */
/*
 * errors: what the user is told, and what the log keeps.
 *
 * A program of three modules.  lowlevel asks the system, intermediate runs jobs by means of lowlevel, and main
 * talks to people.  Each module has a type for its errors, and wraps what comes from below in one of its own, with
 * a message that makes sense to who called it.  So main knows what to do with any error: one of intermediate's type
 * was thought of, and its message is shown; one of another type slipped through, which is a bug.  Either way all
 * of it is in the log, and a number leads there.
 */
#include "errors/intermediate.h"

#include <stdio.h>

/* An error is a value like others: who gets one last lets go of it. */
static void handle(const leat_error *e)
{
	leat_error_report(e, &intermediate, stdout, stderr);
	leat_error_free(e);
}

int main(void)
{
	handle(run_job("1", "/bad/job/binary"));
	handle(run_job("2", "/etc/passwd"));
	handle(run_job("3", "/bin/true")); /* no error, nothing to say */
	handle(run_job_carelessly("4", "/bad/job/binary"));
	return 0;
}
