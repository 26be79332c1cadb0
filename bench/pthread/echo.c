/* SPDX-License-Identifier: MIT */
/* echo: see ../echo.h; what one writes by hand: an epoll loop per processor, level-triggered, each with a part of the
   connections. */
#define _GNU_SOURCE
#include "../echo.h"

#include <pthread.h>

static int loops[64], listener;

static void serve(int fd)
{
	char buffer[4096];
	ssize_t n = read(fd, buffer, sizeof buffer);

	if (n <= 0 || write(fd, buffer, (size_t)n) != n)
		close(fd);
}

static void *loop(void *arg)
{
	struct epoll_event events[128];

	for (;;) {
		int n = epoll_wait(*(int *)arg, events, 128, -1);

		for (int i = 0; i < n; i++)
			serve(events[i].data.fd);
	}
	return NULL;
}

static void *listen_on(void *arg)
{
	int procs = bench_procs(), one = 1;

	(void)arg;
	for (int i = 0;; i++) {
		struct epoll_event e = {.events = EPOLLIN,
		                        .data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)};

		setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		epoll_ctl(loops[i % procs], EPOLL_CTL_ADD, e.data.fd, &e);
	}
	return NULL;
}

int main(void)
{
	struct echo_load load = echo_load();
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t bytes = sizeof a;
	pthread_t thread;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench_check(bind(listener, (struct sockaddr *)&a, sizeof a), 0, "bind");
	bench_check(listen(listener, 1024), 0, "listen");
	getsockname(listener, (struct sockaddr *)&a, &bytes);
	for (int i = 0; i < bench_procs(); i++) {
		loops[i] = epoll_create1(0);
		pthread_create(&thread, NULL, loop, &loops[i]);
	}
	pthread_create(&thread, NULL, listen_on, NULL);
	echo_measure(&load, ntohs(a.sin_port));
	echo_end(&load);
	return 0;
}
