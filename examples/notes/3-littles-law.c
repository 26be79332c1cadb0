/* SPDX-License-Identifier: MIT */
/*
 * Little's law: in a stable system, where in the long run as many leave as arrive, L = λW.  The number of units inside
 * (L) is the rate at which they arrive (λ) times how long each stays (W).  Here L is measured from outside, by how many
 * are inside for how long, and W by each unit for itself.
 */
#include <leat.h>

#include <math.h>
#include <stdio.h>

enum { UNITS = 100 };

static leat_mutex lock;
static int inside; /* this and the others: under the lock */
static int64_t changed, area, stayed;

/* Count one in or out, and return when that was. */
static int64_t count(int by)
{
	with_lock(&lock);
	int64_t now = leat_now();

	area += inside * (now - changed);
	inside += by;
	changed = now;
	return now;
}

static void visit(void)
{
	int64_t came = count(1);

	leat_sleep(5 * LEAT_MILLISECOND);
	int64_t went = count(-1);
	with_lock(&lock);
	stayed += went - came;
}

int main(void)
{
	int64_t begin = count(0);
	scope(s, NULL);

	for (int i = 0; i < UNITS; i++) {
		scope_go0(s, visit);
		leat_sleep(LEAT_MILLISECOND);
	}
	scope_wait(s);
	double seconds = (double)(changed - begin) / LEAT_SECOND;
	double arrivals = UNITS / seconds, stay = (double)stayed / LEAT_SECOND / UNITS;
	double number = (double)area / LEAT_SECOND / seconds;

	printf("λ: %.0f come in a second\n", arrivals);
	printf("W: each stays %.1f ms\n", stay * 1e3);
	printf("L: %.2f are inside\n", number);
	printf("L = λW: %s\n", fabs(number / (arrivals * stay) - 1) < 0.05 ? "yes" : "no");
}
