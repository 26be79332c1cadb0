/* SPDX-License-Identifier: MIT */
/*
 * select: four senders, each with a slot of its own, and one receiver that takes from whichever
 * slot is full; the figure is per element.  Threads have no select, so the four slots share one
 * mutex and one condition for the receiver, as a C programmer writes it.
 */
#include "threads.h"

enum { SENDERS = 4, EACH = 50000 };

struct slot {
	bool full;
	int value;
	pthread_cond_t emptied;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects the slots */
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static struct slot slots[SENDERS];

static void *sender(void *arg)
{
	struct slot *s = arg;

	for (int i = 0; i < EACH; i++) {
		pthread_mutex_lock(&lock);
		while (s->full)
			pthread_cond_wait(&s->emptied, &lock);
		s->full = true;
		s->value = i;
		pthread_mutex_unlock(&lock);
		pthread_cond_signal(&filled);
	}
	return NULL;
}

/* Take from a full slot, looking from place start on; false when none is. */
static bool take(unsigned start, int *value)
{
	for (unsigned i = 0; i < SENDERS; i++) {
		struct slot *s = &slots[(start + i) % SENDERS];

		if (s->full) {
			s->full = false;
			*value = s->value;
			pthread_cond_signal(&s->emptied);
			return true;
		}
	}
	return false;
}

int main(void)
{
	pthread_t threads[SENDERS];
	int64_t sum = 0;
	int v;

	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < SENDERS; i++) {
		pthread_cond_init(&slots[i].emptied, NULL);
		threads[i] = threads_start(sender, &slots[i]);
	}
	for (unsigned i = 0; i < SENDERS * EACH; i++) {
		pthread_mutex_lock(&lock);
		while (!take(i, &v))
			pthread_cond_wait(&filled, &lock);
		pthread_mutex_unlock(&lock);
		sum += v;
	}
	bench_ns_each("select", start, (double)SENDERS * EACH);
	bench_work((int64_t)SENDERS * EACH, "elements");
	bench_check(sum, SENDERS * ((int64_t)EACH * (EACH - 1) / 2), "the sum");
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
