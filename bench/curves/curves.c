/* SPDX-License-Identifier: MIT */
/*
 * curves SHAPE N: what one operation costs where so many goroutines do it at once, in all as many
 * operations whatever their number; curves.go is the same in Go, and run draws them.
 *
 * The time begins when all goroutines have begun and wait at a gate, but for spawn, which is about that.
 */
#include "../bench.h"

#include <leat.h>
#include <stdatomic.h>

enum { OPERATIONS = 1000000, CAPACITY = 128, WIDTH = 4 };

static leat_waitgroup begun, ended;
static _Atomic int64_t done; /* operations */

/* One goroutine's part; each shape uses what it needs. */
struct part {
	chan(int) gate, in, out, choice[WIDTH];
	leat_mutex *lock;
	int64_t *counter;
	int n;
};

static void at_gate(struct part *a)
{
	leat_waitgroup_done(&begun);
	chan_recv(a->gate);
}

static void finish(int n)
{
	atomic_fetch_add(&done, n);
	leat_waitgroup_done(&ended);
}

static void start(void (*fn)(struct part *), struct part a)
{
	leat_waitgroup_add(&begun, 1);
	leat_waitgroup_add(&ended, 1);
	leat_go((void (*)(void *))(void (*)(void))fn, &a, sizeof a);
}

static void yielder(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++)
		leat_yield();
	finish(a->n);
}

static void locker(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++) {
		leat_mutex_lock(a->lock);
		++*a->counter;
		leat_mutex_unlock(a->lock);
	}
	finish(a->n);
}

static void sender(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++)
		chan_send(a->out, i);
	finish(0);
}

static void receiver(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++)
		chan_recv(a->in);
	finish(a->n);
}

static void player(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++) {
		chan_send(a->out, i);
		chan_recv(a->in);
	}
	finish(a->n);
}

static void echo(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++)
		chan_send(a->out, chan_recv(a->in));
	finish(0);
}

static void selector(struct part *a)
{
	at_gate(a);
	for (int i = 0; i < a->n; i++)
		chan_select {
			case_recv(a->choice[0]) {
			}
			case_recv(a->choice[1]) {
			}
			case_recv(a->choice[2]) {
			}
			case_recv(a->choice[3]) {
			}
		}
	finish(a->n);
}

/* The token is the number of hops left; at less than 0 the ring ends, one after the other. */
static void member(struct part *a)
{
	int left, hops = 0;

	at_gate(a);
	do {
		left = chan_recv(a->in);
		hops += left > 0;
		/* The last to be told has nobody left to tell. */
		if (left > -a->n)
			chan_send(a->out, left - 1);
	} while (left > 0);
	finish(hops);
}

static void spawned(struct part *a)
{
	(void)a;
	leat_waitgroup_done(&ended);
}

/* --- the shapes: n goroutines or a few more, which do OPERATIONS in all */

static void yields(chan(int) gate, int n)
{
	for (int i = 0; i < n; i++)
		start(yielder, (struct part){.gate = gate, .n = OPERATIONS / n});
}

static void locks(chan(int) gate, int n)
{
	static leat_mutex lock;
	static int64_t counter;

	for (int i = 0; i < n; i++)
		start(locker,
		      (struct part){.gate = gate, .lock = &lock, .counter = &counter, .n = OPERATIONS / n});
}

static void pairs(chan(int) gate, int n, int capacity, void (*one)(struct part *),
                  void (*other)(struct part *))
{
	int half = n < 2 ? 1 : n / 2;

	for (int i = 0; i < half; i++) {
		chan(int) there = chan_make(int, capacity);
		chan(int) back = chan_make(int, capacity);

		start(one, (struct part){.gate = gate, .out = there, .in = back, .n = OPERATIONS / half});
		start(other, (struct part){.gate = gate, .in = there, .out = back, .n = OPERATIONS / half});
	}
}

static void pingpong(chan(int) gate, int n)
{
	pairs(gate, n, 0, player, echo);
}

static void chanbuf(chan(int) gate, int n)
{
	pairs(gate, n, CAPACITY, sender, receiver);
}

static void chanmpmc(chan(int) gate, int n)
{
	chan(int) c = chan_make(int, CAPACITY);
	int half = n < 2 ? 1 : n / 2;

	for (int i = 0; i < half; i++) {
		start(sender, (struct part){.gate = gate, .out = c, .n = OPERATIONS / half});
		start(receiver, (struct part){.gate = gate, .in = c, .n = OPERATIONS / half});
	}
}

static void selects(chan(int) gate, int n)
{
	int groups = n < WIDTH + 1 ? 1 : n / (WIDTH + 1), each = OPERATIONS / groups / WIDTH;

	for (int i = 0; i < groups; i++) {
		struct part s = {.gate = gate, .n = each * WIDTH};

		for (int k = 0; k < WIDTH; k++) {
			s.choice[k] = chan_make(int, 0);
			start(sender, (struct part){.gate = gate, .out = s.choice[k], .n = each});
		}
		start(selector, s);
	}
}

static void ring(chan(int) gate, int n)
{
	chan(int) first = chan_make(int, 1), in = first;
	int size = n < 2 ? 2 : n;

	for (int i = 0; i < size; i++) {
		chan(int) out = i == size - 1 ? first : chan_make(int, 0);

		start(member, (struct part){.gate = gate, .in = in, .out = out, .n = size - 1});
		in = out;
	}
	chan_send(first, OPERATIONS);
}

static double spawn(int n)
{
	int64_t begin = bench_now();

	for (int i = 0; i < OPERATIONS / n; i++) {
		leat_waitgroup_add(&ended, n);
		for (int k = 0; k < n; k++)
			go_as(part, spawned, .n = k);
		leat_waitgroup_wait(&ended);
	}
	atomic_fetch_add(&done, OPERATIONS / n * n);
	return (double)(bench_now() - begin);
}

static double behind_gate(void (*shape)(chan(int), int), int n)
{
	chan(int) gate = chan_make(int, 0);
	int64_t begin;

	shape(gate, n);
	leat_waitgroup_wait(&begun);
	begin = bench_now();
	chan_close(gate);
	leat_waitgroup_wait(&ended);
	return (double)(bench_now() - begin);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*shape)(chan(int), int); /* NULL: spawn */
	} shapes[] = {
	    {"yield", yields},      {"spawn", NULL},     {"pingpong", pingpong}, {"chanbuf", chanbuf},
	    {"chanmpmc", chanmpmc}, {"select", selects}, {"mutex", locks},       {"ring", ring},
	};
	int n = argc == 3 ? atoi(argv[2]) : 0;

	for (size_t i = 0; n > 0 && i < sizeof shapes / sizeof *shapes; i++) {
		double ns;

		if (strcmp(argv[1], shapes[i].name))
			continue;
		leat_procs(bench_procs());
		ns = shapes[i].shape ? behind_gate(shapes[i].shape, n) : spawn(n);
		/* What does not divide is left out. */
		bench_check(done > OPERATIONS - 2 * n - WIDTH && done <= OPERATIONS, true,
		            "that all operations were done");
		bench_result(shapes[i].name, ns / (double)done, "ns");
		return 0;
	}
	fprintf(stderr,
	        "usage: curves SHAPE N, with one of the shapes yield, spawn, pingpong, chanbuf, "
	        "chanmpmc, select, mutex and ring, and N from 1 up\n");
	return 2;
}
