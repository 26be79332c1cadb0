/* SPDX-License-Identifier: MIT */
/*
 * A library that uses leat, for tests/traps/libraries.sh: PART is the prefix of what it exports.  It joins
 * its goroutines, since it may be unloaded: when a scope has ended, they have left their functions.
 */
#include <leat.h>

#define NAME_(a, b) a##b
#define NAME(a, b)  NAME_(a, b)
#define EXPORT      __attribute__((visibility("default")))

struct square {
	recv_chan(long) in;
	send_chan(long) out;
};

static void square(struct square *a)
{
	chan_range(v, a->in) {
		leat_yield();
		chan_send(a->out, v * v);
	}
	chan_close(a->out);
}

/* 1 + 4 + 9 + ... + n * n, by goroutines; -1 if something is wrong. */
EXPORT long NAME(PART, _squares)(long n)
{
	chan(long) in = chan_make(long, 2), out = chan_make(long, 0);
	long sum = 0, sent = 0, got = 0;

	scope(s, NULL);
	scope_go(s, square, chan_receiver(in), chan_sender(out));
	while (got < n) {
		chan_select {
			case_send_if(sent < n, in, sent + 1)
				sent++;
			case_recv(out, v) {
				sum += v;
				got++;
			}
			case_timeout(30 * LEAT_SECOND)
				return -1;
		}
	}
	chan_close(in);
	leat_sleep(1000);
	if (chan_recv_ok(out, &(long){0}) || scope_wait(s) != 0)
		return -1;
	chan_free(in);
	chan_free(out);
	return sum;
}

/* Call fn(n) in a goroutine of this library's. */
struct call {
	long (*fn)(long n);
	long n;
	send_chan(long) out;
};

static void call(struct call *a)
{
	leat_yield();
	chan_send(a->out, a->fn(a->n));
}

EXPORT long NAME(PART, _calls)(long (*fn)(long n), long n)
{
	chan(long) out = chan_make(long, 0);
	long result = 0;

	{
		scope(s, NULL);
		for (int i = 0; i < 4; i++)
			scope_go(s, call, fn, n, chan_sender(out));
		for (int i = 0; i < 4; i++)
			result += chan_recv(out);
	}
	chan_free(out);
	return result;
}

EXPORT unsigned long NAME(PART, _goid)(void)
{
	return leat_goid();
}

static long deep(volatile char *above)
{
	volatile char here[4096];

	here[0] = 1;
	return deep(here) + above[0] + here[0];
}

static long overflow(long n)
{
	char c = (char)n;

	return deep(&c);
}

EXPORT void NAME(PART, _overflows)(void)
{
	NAME(PART, _calls)(overflow, 1);
}
