/* SPDX-License-Identifier: MIT */
/*
 * Others that vanish without a word: a filter on a TCP socket drops all that arrives there, so that not even its kernel answers,
 * as if its cable were cut.
 */
#ifndef VANISH_H
#define VANISH_H

#include "test.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

/* From now on nothing reaches fd. */
static inline void vanish(int fd)
{
	struct sock_filter drop = {.code = BPF_RET | BPF_K, .k = 0};
	struct sock_fprog program = {.len = 1, .filter = &drop};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
		fprintf(stderr, "skipped: sockets cannot be filtered here: %s\n", strerror(errno));
		exit(77);
	}
}

/* It is there again. */
static inline void reappear(int fd)
{
	int unused = 0;

	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused), 0);
}

#endif
