/* SPDX-License-Identifier: MIT */
/*
 * foreign: a thread wakes another one through a queue of one slot.
 *
 *	foreign         from before the send until the other runs, after 200 us in which both slept
 *	foreign_trip    there and back over two queues, without a pause
 */
#include "threads.h"

enum { WAKES = 1500, TRIPS = 15000, PAUSE_US = 200 };

static struct queue to, from;
static _Atomic int64_t sent_at;

static void *thread(void *arg)
{
	int v = 0;

	for (int i = 0; i < WAKES; i++) {
		usleep(PAUSE_US);
		sent_at = bench_now();
		queue_send(&to, i);
	}
	for (int i = 0; i < TRIPS; i++) {
		queue_send(&to, i);
		queue_recv(&from, &v);
		bench_check(v, i + 1, "what came back");
	}
	return arg;
}

int main(void)
{
	static int64_t late[WAKES];
	pthread_t t;
	int v = 0;

	threads_limit();
	queue_init(&to, 1);
	queue_init(&from, 1);
	t = threads_start(thread, NULL);
	for (int i = 0; i < WAKES; i++) {
		queue_recv(&to, &v);
		late[i] = bench_now() - sent_at;
	}
	bench_result("foreign", bench_quantile(late, WAKES, 0.5) / 1e3, "us");
	int64_t start = bench_now();
	for (int i = 0; i < TRIPS; i++) {
		queue_recv(&to, &v);
		queue_send(&from, v + 1);
	}
	bench_result("foreign_trip", (double)(bench_now() - start) / 1e3 / TRIPS, "us");
	pthread_join(t, NULL);
	bench_work(WAKES + TRIPS, "wake-ups");
	return 0;
}
