/* SPDX-License-Identifier: MIT */
/*
 * What the pthread programs share: threads kept to the given number of processors, and the queue
 * that takes the place of a channel, as a C programmer writes it with a mutex and two conditions.
 *
 * Where the others use an unbuffered channel these use a queue of one slot: it passes the same
 * values by the same hands, with one wait less.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* the affinity of threads */
#endif

#include "../bench.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

static inline void threads_must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(1);
}

/* The place-th of the processors that this process may use. */
static inline int threads_cpu(int place)
{
	cpu_set_t all;
	int cpu;

	if (sched_getaffinity(0, sizeof all, &all))
		threads_must(errno, "sched_getaffinity");
	if (place >= CPU_COUNT(&all)) {
		fprintf(stderr, "needs %d processors, has %d\n", place + 1, CPU_COUNT(&all));
		exit(77);
	}
	for (cpu = 0; place > 0 || !CPU_ISSET(cpu, &all); cpu++)
		place -= CPU_ISSET(cpu, &all);
	return cpu;
}

/* Keep this process, from here on, to bench_procs() processors. */
static inline void threads_limit(void)
{
	cpu_set_t some;

	CPU_ZERO(&some);
	for (int i = 0; i < bench_procs(); i++)
		CPU_SET(threads_cpu(i), &some);
	threads_must(pthread_setaffinity_np(pthread_self(), sizeof some, &some), "affinity");
}

/* Keep the calling thread to the one processor cpu. */
static inline void threads_pin(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	threads_must(pthread_setaffinity_np(pthread_self(), sizeof one, &one), "affinity");
}

static inline pthread_t threads_start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	threads_must(pthread_create(&t, &attr, fn, arg), "pthread_create");
	pthread_attr_destroy(&attr);
	return t;
}

/* A first-in, first-out queue of ints for any number of threads. */
struct queue {
	pthread_mutex_t lock; /* protects the rest */
	pthread_cond_t not_empty, not_full;
	int capacity, first, count;
	bool closed;
	int *slots;
};

static inline void queue_init(struct queue *q, int capacity)
{
	memset(q, 0, sizeof *q);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_empty, NULL);
	pthread_cond_init(&q->not_full, NULL);
	q->capacity = capacity;
	q->slots = (int *)calloc((size_t)capacity, sizeof *q->slots);
	if (!q->slots)
		threads_must(ENOMEM, "queue_init");
}

static inline void queue_send(struct queue *q, int v)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == q->capacity)
		pthread_cond_wait(&q->not_full, &q->lock);
	int last = q->first + q->count++;
	q->slots[last < q->capacity ? last : last - q->capacity] = v;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->not_empty);
}

/* False when the queue is closed and empty. */
static inline bool queue_recv(struct queue *q, int *v)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == 0 && !q->closed)
		pthread_cond_wait(&q->not_empty, &q->lock);
	if (q->count == 0) {
		pthread_mutex_unlock(&q->lock);
		return false;
	}
	*v = q->slots[q->first];
	q->first = q->first + 1 < q->capacity ? q->first + 1 : 0;
	q->count--;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->not_full);
	return true;
}

static inline void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_broadcast(&q->not_empty);
}

#endif
