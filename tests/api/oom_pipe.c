/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nosan nomigrate */
/*
 * Goal: where memory is out, making a stage panics, and nothing of it is left; a stage that runs goes on.
 * Method: each allocation of making and leaving a pipeline fails in turn (oom.h); where errors are made, memory stays
 * out.
 */
#include "test.h"

#include "oom.h"

typedef recv_chan(int) ints;

static void same(const int *in, int *out)
{
	*out = *in;
}

static void add(const int *a, const int *b, int *out)
{
	*out = *a + *b;
}

static int compare(const int *a, const int *b)
{
	return (*a > *b) - (*a < *b);
}

struct parsed {
	int value;
	const leat_error *error;
};

static const leat_error *parse(const int *in, int *value)
{
	*value = *in;
	return NULL;
}

static void ignore(const leat_error *e)
{
	(void)e;
}

enum { FAN_OUT, FAN_IN, ORDERED, TEE, BRIDGE, ZIP, MERGE, OR, OR_DONE, TRY_MAP, VALUES, ALL };

static void make(leat_scope *s, ints in, int which)
{
	ints three[] = {in, in, in};

	switch (which) {
	case FAN_OUT:
		(void)pipe_fan_out0(s, in, 3, int, same);
		break;
	case FAN_IN:
		(void)pipe_fan_in(s, three, 3);
		break;
	case ORDERED:
		(void)pipe_map_ordered0(pipe_at(s, .workers = 3, .ahead = 500), in, int, same);
		break;
	case TEE:
		(void)pipe_tee(s, in, 40);
		break;
	case BRIDGE:
		(void)pipe_bridge(s, (recv_chan(ints))NULL);
		break;
	case ZIP:
		(void)pipe_zip0(s, in, in, int, add);
		break;
	case MERGE:
		(void)pipe_merge0(s, three, 3, compare);
		break;
	case OR:
		CHECK(pipe_or(s, in, in) != NULL);
		break;
	case OR_DONE:
		(void)pipe_or_done(s, in);
		break;
	case TRY_MAP:
		(void)pipe_try_map0(s, in, struct parsed, parse);
		break;
	default:
		(void)pipe_values0(s, (recv_chan(struct parsed))NULL, 1, ignore);
	}
}

struct making {
	ints in;
	int which;
};

static int make_and_leave(void *arg)
{
	struct making *m = arg;
	scope(s, NULL);

	make(s, m->in, m->which);
	return 0;
}

TEST(making_each_stage)
{
	chan(int) silent = chan_make(int, 0);

	oom_skip();
	for (int which = 0; which < ALL; which++) {
		struct making m = {chan_receiver(silent), which};

		CHECK(make_and_leave(&m) == 0);
		CHECK(oom_each(make_and_leave, &m) > 0);
	}
	chan_free(silent);
}

/* --- errors without memory */

LEAT_ERROR(broken, -EIO, "broken");

static const leat_error *fail(const int *in, int *value)
{
	oom_begin(0);
	*value = *in;
	return &broken;
}

/* Without memory for the name in front the error is the function's own; the stage goes on. */
TEST(a_result_without_memory)
{
	oom_skip();
	for (int round = 0; round < 3; round++) {
		scope(s, NULL);
		int n = 0;

		chan_range(r,
		           pipe_try_map0(s, pipe_take(s, pipe_repeat(s, int, 1), 5), struct parsed, fail)) {
			oom_end();
			CHECK(r.error != NULL);
			CHECK(leat_error_is(r.error, &broken) || r.error == &leat_out_of_memory);
			n++;
		}
		CHECK_EQ(n, 5);
	}
}

static const leat_error *fail_once_there_is_no_table(const int *in, int *value)
{
	const leat_error *e = leat_errorf(NULL, "%d", *in);

	*value = 0;
	if (*in == 3)
		oom_begin(1); /* the name in front, but no place in the account */
	return e;
}

/* Without memory for the account: the error is "out of memory", and the other is not lost. */
TEST(an_error_without_a_place)
{
	static const int numbers[] = {3, 3, 3};
	int out_of_memory = 0, n = 0;
	scope(s, NULL);

	oom_skip();
	chan_range(r, pipe_try_map0(s, pipe_from_array(s, numbers, 3), struct parsed,
	                            fail_once_there_is_no_table)) {
		oom_end();
		out_of_memory += r.error == &leat_out_of_memory;
		n++;
	}
	CHECK_EQ(n, 3);
	CHECK(out_of_memory > 0);
}

TEST_MAIN
