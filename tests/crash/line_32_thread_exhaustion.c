/* SPDX-License-Identifier: MIT */
/* Goroutines that block want more threads than there may be. */
#include <leat.h>

#include <unistd.h>

struct reader {
	int fd;
};

static void reader(struct reader *a)
{
	char byte;

	if (read(a->fd, &byte, 1) != 1)
		return;
}

int main(void)
{
	int fds[2];

	leat_max_threads(20);
	if (pipe(fds) != 0)
		return 1;
	for (int i = 0; i < 100; i++)
		go(reader, fds[0]);
	for (;;)
		leat_sleep(LEAT_MILLISECOND);
}
