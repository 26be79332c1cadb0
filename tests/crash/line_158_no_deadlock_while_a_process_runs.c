/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 noemulator env:LEAT_DEBUG=deadlock */
/* Who waits for a process waits for something. */
#include <leat.h>

#include <stdio.h>

int main(void)
{
	const char *const args[] = {"sleep", "0.3", NULL};
	const leat_error *e = leat_process_run(&(leat_command){.args = args}, NULL, NULL);

	puts(e ? leat_error_message(e) : "ended");
	return 0;
}
