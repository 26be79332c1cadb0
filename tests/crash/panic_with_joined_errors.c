/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/*
 * Joined errors are lines of the report, each with its causes; a message longer than a leat_panic_info holds is not
 * cut; and what was deferred may free the error.  There is no trace, and no place is said.
 */
#include <leat.h>

#include <errno.h>

static void let_go(void *e)
{
	leat_error_free(e);
}

int main(void)
{
	const leat_error *disks[] = {leat_errorf(leat_error_errno(-EIO), "disk 1"),
	                             leat_errorf(NULL, "disk 2:\nno such disk")};
	const leat_error *both = leat_errorf(leat_error_join(disks, 2), "cannot mount");
	const leat_error *all[] = {both, leat_errorf(leat_error_errno(-ENOENT), "%600s", "long"),
	                           &leat_canceled};
	const leat_error *e = leat_errorf(leat_error_join(all, 3), "start");

	defer(let_go, (void *)(uintptr_t)e);
	leat_panic_any(any_of(e));
}
