/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced noemulator */
/* A fault of the report itself ends the process with what is out by then. */
#include <leat.h>

#include <sys/syscall.h>
#include <unistd.h>

static int lines;

/* In libc's place: the report is written through it. */
ssize_t write(int fd, const void *text, size_t bytes)
{
	if (fd == 2 && ++lines == 4)
		*(volatile int *)NULL = 1; /* NOLINT */
	return syscall(SYS_write, fd, text, bytes);
}

static void worker(void)
{
	*(volatile int *)NULL = 1; /* NOLINT */
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
