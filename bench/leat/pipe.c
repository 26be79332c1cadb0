/* SPDX-License-Identifier: MIT */
/*
 * pipe: ten million integers through a pipeline of five stages that can be cancelled at any time: a source, two that
 * compute, a filter that lets all pass, and one that takes so many; the figure is the time per integer.
 * pipe_batch: the same for integers in arrays of 64, each of which goes through the stages as one value.
 */
#include "../bench.h"

#include <leat.h>

enum { BATCH = 64 };

struct batch {
	int32_t v[BATCH];
};

struct count {
	int32_t next;
};

static void count(int32_t *out, struct count *a)
{
	*out = a->next++;
}

static void twice(const int32_t *in, int32_t *out)
{
	*out = *in * 2;
}

static void plus_one(const int32_t *in, int32_t *out)
{
	*out = *in + 1;
}

static bool odd(const int32_t *in)
{
	return *in & 1;
}

struct count_batch {
	int32_t next;
};

static void count_batch(struct batch *out, struct count_batch *a)
{
	for (int i = 0; i < BATCH; i++)
		out->v[i] = a->next++;
}

static void twice_batch(const struct batch *in, struct batch *out)
{
	for (int i = 0; i < BATCH; i++)
		out->v[i] = in->v[i] * 2;
}

static void plus_one_batch(const struct batch *in, struct batch *out)
{
	for (int i = 0; i < BATCH; i++)
		out->v[i] = in->v[i] + 1;
}

static bool odd_batch(const struct batch *in)
{
	int32_t all = 1;

	for (int i = 0; i < BATCH; i++)
		all &= in->v[i];
	return all;
}

static uint64_t stream(int64_t n)
{
	uint64_t sum = 0;
	scope(s, NULL);
	recv_chan(int32_t) ints = pipe_repeat_fn(s, int32_t, count, 0);
	recv_chan(int32_t) sums = pipe_map0(s, pipe_map0(s, ints, int32_t, twice), int32_t, plus_one);

	chan_range(v, pipe_take(s, pipe_filter0(s, sums, odd), n))
		sum += (uint32_t)v;
	return sum;
}

static uint64_t batched(int64_t n)
{
	uint64_t sum = 0;
	scope(s, NULL);
	recv_chan(struct batch) ints = pipe_repeat_fn(s, struct batch, count_batch, 0);
	recv_chan(struct batch) sums =
	    pipe_map0(s, pipe_map0(s, ints, struct batch, twice_batch), struct batch, plus_one_batch);

	chan_range(b, pipe_take(s, pipe_filter0(s, sums, odd_batch), n / BATCH))
		for (int i = 0; i < BATCH; i++)
			sum += (uint32_t)b.v[i];
	return sum;
}

int main(void)
{
	int64_t n = bench_count(2000000, 10000000) / BATCH * BATCH;
	int64_t start;

	leat_procs(bench_procs());
	start = bench_now();
	bench_check(stream(n) == (uint64_t)(n * n), 1, "the sum being right");
	bench_result("pipe", (double)(bench_now() - start) / (double)n, "ns");
	start = bench_now();
	bench_check(batched(n) == (uint64_t)(n * n), 1, "the sum of the batches being right");
	bench_result("pipe_batch", (double)(bench_now() - start) / (double)n, "ns");
	bench_work((int)n, "integers");
	return 0;
}
