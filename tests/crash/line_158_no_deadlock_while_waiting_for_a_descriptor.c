/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 env:LEAT_DEBUG=deadlock */
/* Another process will write: no suspicion at all, and no thread that leat does not know of. */
#include <leat.h>

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct reader {
	int fd;
	send_chan(int) out;
};

static void reader(struct reader *r)
{
	char c = 0;

	if (leat_wait_fd(r->fd, POLLIN, LEAT_FOREVER) == POLLIN && read(r->fd, &c, 1) == 1)
		chan_send(r->out, c);
}

int main(void)
{
	chan(int) c;
	int fd[2];

	if (pipe(fd) != 0 || fcntl(fd[0], F_SETFL, O_NONBLOCK) != 0)
		return 1;
	if (fork() == 0) { /* before leat begins */
		nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
		_exit(write(fd[1], "!", 1) == 1 ? 0 : 1);
	}
	c = chan_make(int, 0);
	go(reader, .fd = fd[0], .out = chan_sender(c));
	printf("alive%c\n", chan_recv(c));
	return 0;
}
