/* SPDX-License-Identifier: MIT */
/*
 * foreign: a thread that leat did not start wakes a goroutine by a send on an unbuffered channel.
 *
 *	foreign         from before the send until the goroutine runs, after 200 us in which all slept
 *	foreign_trip    there and back over two channels, without a pause
 */
#include "../bench.h"

#include <leat.h>
#include <pthread.h>

enum { WAKES = 1500, TRIPS = 15000, PAUSE_US = 200 };

static chan(int64_t) to, from;

static void *thread(void *arg)
{
	for (int i = 0; i < WAKES; i++) {
		usleep(PAUSE_US);
		chan_send(to, bench_now());
	}
	for (int64_t i = 0; i < TRIPS; i++) {
		chan_send(to, i);
		bench_check(chan_recv(from), i + 1, "what came back");
	}
	return arg;
}

int main(void)
{
	static int64_t late[WAKES];
	pthread_t t;

	leat_procs(bench_procs());
	to = chan_make(int64_t, 0);
	from = chan_make(int64_t, 0);
	if (pthread_create(&t, NULL, thread, NULL)) {
		fputs("cannot start a thread\n", stderr);
		return 1;
	}
	for (int i = 0; i < WAKES; i++) {
		int64_t sent = chan_recv(to);
		late[i] = bench_now() - sent;
	}
	bench_result("foreign", bench_quantile(late, WAKES, 0.5) / 1e3, "us");
	int64_t start = bench_now();
	for (int i = 0; i < TRIPS; i++)
		chan_send(from, chan_recv(to) + 1);
	bench_result("foreign_trip", (double)(bench_now() - start) / 1e3 / TRIPS, "us");
	pthread_join(t, NULL);
	bench_work(WAKES + TRIPS, "wake-ups");
	chan_free(to);
	chan_free(from);
	return 0;
}
