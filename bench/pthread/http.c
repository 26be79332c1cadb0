/* SPDX-License-Identifier: MIT */
/* http: see ../http.h; what one writes by hand: an epoll loop per processor, level-triggered, each with a part of the
   connections. */
#define _GNU_SOURCE
#include "../http.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct connection {
	int fd;
	struct http_session session;
};

static int loops[64], listener;

static void serve(int epoll, struct connection *c)
{
	struct http_session *s = &c->session;
	ssize_t n = read(c->fd, s->in + s->n, sizeof s->in - s->n);
	int bytes = n > 0 ? http_come(s, (size_t)n) : -1;

	if (bytes < 0 || write(c->fd, s->out, (size_t)bytes) != bytes) {
		/* While wrk is started its process may have the descriptor, too, which a close would leave watched. */
		epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
		close(c->fd);
		free(c);
	}
}

static void *loop(void *arg)
{
	struct epoll_event events[128];
	int epoll = *(int *)arg;

	for (;;) {
		int n = epoll_wait(epoll, events, 128, -1);

		for (int i = 0; i < n; i++)
			serve(epoll, events[i].data.ptr);
	}
	return NULL;
}

static void *listen_on(void *arg)
{
	int procs = bench_procs(), one = 1;

	(void)arg;
	for (int i = 0;; i++) {
		struct connection *c = calloc(1, sizeof *c);
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

		if (!c)
			exit(1);
		c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		epoll_ctl(loops[i % procs], EPOLL_CTL_ADD, c->fd, &e);
	}
	return NULL;
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t bytes = sizeof a;
	pthread_t thread;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench_check(bind(listener, (struct sockaddr *)&a, sizeof a), 0, "bind");
	bench_check(listen(listener, 1024), 0, "listen");
	getsockname(listener, (struct sockaddr *)&a, &bytes);
	for (int i = 0; i < bench_procs(); i++) {
		loops[i] = epoll_create1(EPOLL_CLOEXEC);
		pthread_create(&thread, NULL, loop, &loops[i]);
	}
	pthread_create(&thread, NULL, listen_on, NULL);
	http_measure(ntohs(a.sin_port));
	return 0;
}
