/* SPDX-License-Identifier: MIT */
/*
 * Goal: what is remembered of offers is right to the number: all of them where there is room, and otherwise as if they
 * had come evenly within each group.
 * Method: workers that offer at instants which are known, here.
 */
#include "pipe/waits.h"

#include "test.h"

struct worker {
	struct leat__meter meter;
	struct leat__outlet *outlet;
};

static struct worker worker_of(size_t workers, size_t most)
{
	struct worker w = {0};

	leat__waits_size(&w.meter, workers, most);
	w.outlet = calloc(1, sizeof *w.outlet + (sizeof(uint64_t) << w.meter.recent_width));
	CHECK(w.outlet);
	return w;
}

static void offer(struct worker *w, uint64_t at)
{
	uint64_t group = w->outlet->offers++ >> w->meter.recent_shift;

	w->outlet->recent[group & ((1U << w->meter.recent_width) - 1)] = at;
}

static uint64_t youngest(const struct worker *w, uint64_t n)
{
	struct leat__waits waits = {0};
	uint64_t sum;

	CHECK(leat__waits_add_outlet(&waits, &w->meter, w->outlet));
	sum = leat__waits_youngest(&waits, n);
	leat__waits_free(&waits);
	return sum;
}

TEST(room_is_for_all_unless_that_is_much)
{
	for (size_t workers = 1; workers <= 100000; workers *= 10)
		for (size_t most = 0; most <= 1000000; most = 2 * most + 1) {
			struct worker w = worker_of(workers, most);
			size_t groups = (size_t)1 << w.meter.recent_width;

			CHECK(groups << w.meter.recent_shift >= most + 2);
			CHECK(w.meter.recent_shift == 0 || groups * workers >= 4096 || groups == 64);
			CHECK(groups <= 64);
			free(w.outlet);
		}
	free(worker_of(1, SIZE_MAX).outlet);
}

TEST(each_is_remembered)
{
	struct worker w = worker_of(1, 60);
	uint64_t sum = 0;

	CHECK_EQ(w.meter.recent_shift, 0);
	CHECK_EQ(youngest(&w, 0), 0);
	for (uint64_t i = 0; i < 200; i++)
		offer(&w, 1000 + i * i);
	for (uint64_t n = 1; n <= 60; n++) {
		uint64_t number = 200 - n;

		sum += 1000 + number * number;
		CHECK_EQ(youngest(&w, n), sum);
		CHECK_EQ(leat__waits_offered_at(&w.meter, w.outlet, number), 1000 + number * number);
	}
	/* Older than what is remembered. */
	CHECK_EQ(leat__waits_offered_at(&w.meter, w.outlet, 3), 1000 + 136 * 136);
	free(w.outlet);
}

TEST(groups_are_even)
{
	enum { MOST = 1000 };
	struct worker w = worker_of(1, MOST);

	CHECK(w.meter.recent_shift > 0);
	for (uint64_t last = 0; last < 3000; last++) {
		uint64_t sum = 0, oldest = last > MOST ? last - MOST : 0;

		offer(&w, 16000 + 16 * last);
		for (uint64_t number = last;; number--) {
			uint64_t at = 16000 + 16 * number, n = last + 1 - number;
			uint64_t seen = leat__waits_offered_at(&w.meter, w.outlet, number);
			bool first = number >> w.meter.recent_shift == 0; /* nothing is before that group */

			sum += at;
			if (number < oldest)
				break;
			CHECK(first ? seen >= at : seen == at);
			if (n % 50 == 0 && !first) {
				uint64_t is = youngest(&w, n);

				CHECK(is >= sum - n && is <= sum + n);
			}
			if (number == 0)
				break;
		}
	}
	free(w.outlet);
}

TEST(workers_offers_are_merged)
{
	struct worker a = worker_of(3, 10), b = worker_of(3, 10), none = worker_of(3, 10);
	uint64_t sum = 0;

	for (uint64_t i = 0; i < 40; i++)
		offer(i % 3 ? &a : &b, 10 * i);
	for (uint64_t n = 1; n <= 12; n++) {
		struct leat__waits waits = {0};

		sum += 10 * (40 - n);
		CHECK(leat__waits_add(&waits, (struct leat__offered){5, 7, 7}));
		CHECK(leat__waits_add_outlet(&waits, &a.meter, a.outlet));
		CHECK(leat__waits_add_outlet(&waits, &none.meter, none.outlet));
		CHECK(leat__waits_add_outlet(&waits, &b.meter, b.outlet));
		CHECK_EQ(leat__waits_youngest(&waits, n), sum);
		leat__waits_free(&waits);
	}
	free(a.outlet);
	free(b.outlet);
	free(none.outlet);
}

TEST_MAIN
