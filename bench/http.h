/* SPDX-License-Identifier: MIT */
/*
 * http: a server says "hello, world" to wrk on 64 connections over the loopback; figures are the time per request of any
 * connection, and the time of the server's processors per request.
 *
 * A server reads what comes, finds where requests end, and writes the same answer as Go's net/http does, whose date is made
 * once a second.  It looks at no more of a request than its end, as a program can that has one answer; net/http reads
 * all of it.  examples/apps/httpd is what a whole server costs.
 *
 * wrk is a process of its own, the same for all implementations; what it uses is not the server's.
 */
#ifndef HTTP_H
#define HTTP_H

#include "bench.h"

enum {
	HTTP_REQUEST_BYTES = 4096, /* the longest */
	HTTP_ANSWER_BYTES = 256,
	HTTP_SECONDS = 2,
};

/* How many of the n bytes are whole requests; *requests: how many these are. */
static inline size_t http_whole(const char *bytes, size_t n, int *requests)
{
	const char *at = bytes, *end;

	*requests = 0;
	while ((end = (const char *)memmem(at, n - (size_t)(at - bytes), "\r\n\r\n", 4))) {
		at = end + 4;
		++*requests;
	}
	return (size_t)(at - bytes);
}

/* The answer of this second. */
struct http_answer {
	time_t second;
	int n;
	char bytes[HTTP_ANSWER_BYTES];
};

static inline void http_answer(struct http_answer *a)
{
	struct timespec now;
	struct tm tm;
	char date[64];

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec == a->second)
		return;
	a->second = now.tv_sec;
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	a->n = snprintf(a->bytes, sizeof a->bytes,
	                "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Length: 13\r\n"
	                "Content-Type: text/plain; charset=utf-8\r\n\r\nhello, world\n",
	                date);
}

/* A connection's requests, and the answers to them. */
struct http_session {
	size_t n;
	struct http_answer answer;
	char in[HTTP_REQUEST_BYTES], out[HTTP_ANSWER_BYTES * 16];
};

/* n bytes have come behind those that were there: how many bytes of answers are in out, or -1 for a request that is too long. */
static inline int http_come(struct http_session *s, size_t n)
{
	int requests, bytes = 0;
	size_t whole;

	s->n += n;
	whole = http_whole(s->in, s->n, &requests);
	s->n -= whole;
	memmove(s->in, s->in + whole, s->n);
	if (s->n == sizeof s->in || requests > 16)
		return -1;
	http_answer(&s->answer);
	for (int i = 0; i < requests; i++) {
		memcpy(s->out + bytes, s->answer.bytes, (size_t)s->answer.n);
		bytes += s->answer.n;
	}
	return bytes;
}

/* --- the load */

/* So many seconds of wrk: how many requests there were, and how many in a second. */
static inline double http_load(int port, int seconds, double *per_second)
{
	char command[128], line[256];
	double requests = 0;
	FILE *wrk;

	snprintf(command, sizeof command, "wrk -c64 -t2 -d%d http://127.0.0.1:%d/ 2>&1", seconds, port);
	wrk = popen(command, "r");
	if (!wrk)
		exit(1);
	*per_second = 0;
	while (fgets(line, sizeof line, wrk)) {
		if (strstr(line, "Socket errors") || strstr(line, "Non-2xx")) {
			fprintf(stderr, "wrong answers: %s", line);
			exit(1);
		}
		if (strstr(line, " requests in "))
			requests = strtod(line, NULL);
		if (strstr(line, "Requests/sec:"))
			*per_second = strtod(strchr(line, ':') + 1, NULL);
	}
	if (pclose(wrk) != 0 || requests <= 0 || *per_second <= 0) {
		fprintf(stderr, "wrk cannot be run, or says nothing (Debian's package wrk)\n");
		exit(77);
	}
	return requests;
}

/* Measure the server on that port, in a thread of its own or in one that waits meanwhile. */
static inline void http_measure(int port)
{
	double requests, per_second;
	int64_t cpu;

	http_load(port, 1, &per_second);
	cpu = bench_used();
	requests = http_load(port, HTTP_SECONDS, &per_second);
	bench_used_each("http_cpu", cpu, requests);
	bench_result("http", 1e9 / per_second, "ns");
	bench_work(HTTP_SECONDS, "seconds of wrk");
	fflush(stdout);
}

#endif
