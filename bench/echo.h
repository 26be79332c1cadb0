/* SPDX-License-Identifier: MIT */
/*
 * echo: a server returns what it reads, 64 bytes at a time, on 100 connections over the loopback; figures are the time of the
 * server's processors per request, and the time per request of any connection.
 *
 * The load comes from a process of its own, the same for all implementations: an epoll loop on one thread, which sends each
 * connection's next request when the answer to the last has come.  It is forked before the server starts anything, and sends
 * through a pipe the port back and forth.  What it uses is not the server's.
 */
#ifndef ECHO_H
#define ECHO_H

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { ECHO_CONNECTIONS = 100, ECHO_BYTES = 64, ECHO_WARM = 20000, ECHO_REQUESTS = 200000 };

struct echo_load {
	pid_t pid;
	int to, from; /* pipes: the port goes in; 'w' comes when it is warm, 'd' when it is done */
};

static inline void echo_connect(int epoll, int *fds, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < ECHO_CONNECTIONS; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.fd = i};

		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bench_check(connect(fds[i], (struct sockaddr *)&to, sizeof to), 0, "connect");
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e);
	}
}

/* So many requests, a whole number for each connection. */
static inline void echo_requests(int epoll, const int *fds, int requests)
{
	char message[ECHO_BYTES] = "what is sent comes back", answer[ECHO_BYTES];
	int sent[ECHO_CONNECTIONS] = {0}, each = requests / ECHO_CONNECTIONS, open = ECHO_CONNECTIONS;
	struct epoll_event events[ECHO_CONNECTIONS];

	for (int i = 0; i < ECHO_CONNECTIONS; i++)
		bench_check(write(fds[i], message, sizeof message), sizeof message, "what was written");
	while (open) {
		int n = epoll_wait(epoll, events, ECHO_CONNECTIONS, -1);

		for (int k = 0; k < n; k++) {
			int i = events[k].data.fd;

			bench_check(recv(fds[i], answer, sizeof answer, MSG_WAITALL), sizeof answer,
			            "an answer");
			bench_check(memcmp(message, answer, sizeof answer), 0, "its difference");
			if (++sent[i] < each)
				bench_check(write(fds[i], message, sizeof message), sizeof message, "a request");
			else
				open--;
		}
	}
}

static inline struct echo_load echo_load(void)
{
	struct echo_load l;
	int to[2], from[2], port, fds[ECHO_CONNECTIONS], epoll;

	bench_check(pipe(to) | pipe(from), 0, "pipe");
	l.to = to[1];
	l.from = from[0];
	l.pid = fork();
	if (l.pid)
		return l;
	close(to[1]);
	if (read(to[0], &port, sizeof port) != sizeof port)
		_exit(1);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	echo_connect(epoll, fds, port);
	echo_requests(epoll, fds, ECHO_WARM);
	if (write(from[1], "w", 1) != 1 || read(to[0], &port, 1) != 1)
		_exit(1);
	echo_requests(epoll, fds, ECHO_REQUESTS);
	if (write(from[1], "d", 1) != 1 || read(to[0], &port, 1) != 0)
		_exit(1);
	_exit(0);
}

/* Measure, in a thread of its own or in one that waits meanwhile. */
static inline void echo_measure(struct echo_load *l, int port)
{
	int64_t start, cpu;
	char c;

	bench_check(write(l->to, &port, sizeof port), sizeof port, "the port's bytes");
	bench_check(read(l->from, &c, 1), 1, "warm");
	cpu = bench_used();
	start = bench_now();
	bench_check(write(l->to, "g", 1), 1, "go");
	bench_check(read(l->from, &c, 1), 1, "done");
	bench_used_each("echo_cpu", cpu, ECHO_REQUESTS);
	bench_ns_each("echo", start, ECHO_REQUESTS);
	bench_work(ECHO_REQUESTS, "requests");
	fflush(stdout);
}

/* And see it end. */
static inline void echo_end(struct echo_load *l)
{
	int status;

	close(l->to);
	waitpid(l->pid, &status, 0);
	bench_check(status, 0, "how the load ended");
}

#endif
