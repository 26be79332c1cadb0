/* SPDX-License-Identifier: MIT */
/*
 * Each module has a type for its errors, and wraps what comes from the modules below in one of its own.  Main knows the
 * jobs' errors, whose messages are for people; any other that comes up has slipped through, which is a bug, and it
 * says no more than that.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

static LEAT_ERROR_TYPE(disk);
static LEAT_ERROR_TYPE(jobs);

static const leat_error *find(const char *file)
{
	return leat_error_wrap(leat_error_errno(-ENOENT), &disk, "stat %s", file);
}

static const leat_error *run_job(int id)
{
	return leat_error_wrap(find("/bad/binary"), &jobs, "cannot run job %d", id);
}

/* By somebody who forgot to wrap. */
static const leat_error *run_job_carelessly(int id)
{
	(void)id;
	return find("/bad/binary");
}

static void handle(const leat_error *e)
{
	if (leat_error_type_of(e) == &jobs)
		printf("%s\n", leat_error_message(e));
	else
		printf("something unexpected happened; please report it\n");
	printf("    (it came from disk: %s)\n", leat_error_message(leat_error_as(e, &disk)));
	leat_error_free(e);
}

int main(void)
{
	handle(run_job(1));
	handle(run_job_carelessly(2));
}
