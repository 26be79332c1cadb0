/* SPDX-License-Identifier: MIT */
/*
 * A pipeline: stages that take values in, do something, and pass them on.  In batches each stage goes over all of them
 * before the next begins; as a stream each stage is a goroutine, and values go through one by one.  Then nothing waits
 * for the end of the input, and a consumer may leave after the first of a million.
 */
#include <leat.h>

#include <stdio.h>

static int multiply(int value, int by)
{
	return value * by;
}

static int add(int value, int summand)
{
	return value + summand;
}

static void batch(int *values, int count, int (*op)(int, int), int operand)
{
	for (int i = 0; i < count; i++)
		values[i] = op(values[i], operand);
}

struct generate {
	leat_scope *scope;
	int count;
	send_chan(int) out;
};

static void generate(struct generate *a)
{
	for (int i = 1; i <= a->count; i++) {
		if (chan_send_ctx(a->out, i, a->scope))
			return;
	}
	chan_close(a->out);
}

struct run_stage {
	leat_scope *scope;
	recv_chan(int) in;
	int (*op)(int, int);
	int operand;
	send_chan(int) out;
};

static void run_stage(struct run_stage *a)
{
	int value;

	while (!chan_recv_ctx(a->in, &value, a->scope)) {
		if (chan_send_ctx(a->out, a->op(value, a->operand), a->scope))
			return;
	}
	chan_close(a->out);
}

static recv_chan(int) numbers(leat_scope *s, int count)
{
	chan(int) out = scope_chan(s, int, 0);

	scope_go(s, generate, s, count, chan_sender(out));
	return chan_receiver(out);
}

static recv_chan(int) stage(leat_scope *s, recv_chan(int) in, int (*op)(int, int), int operand)
{
	chan(int) out = scope_chan(s, int, 0);

	scope_go(s, run_stage, s, in, op, operand, chan_sender(out));
	return chan_receiver(out);
}

int main(void)
{
	int values[] = {1, 2, 3, 4};
	scope(s, NULL);

	batch(values, 4, multiply, 2);
	batch(values, 4, add, 1);
	batch(values, 4, multiply, 2);
	for (int i = 0; i < 4; i++)
		printf("in a batch: %d\n", values[i]);

	recv_chan(int) doubled = stage(s, numbers(s, 4), multiply, 2);
	chan_range(value, stage(s, stage(s, doubled, add, 1), multiply, 2))
		printf("in a stream: %d\n", value);

	recv_chan(int) endless = stage(s, numbers(s, 1000000), add, 1);
	printf("one of a million: %d\n", chan_recv(endless));
}
