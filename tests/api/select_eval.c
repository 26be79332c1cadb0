/* SPDX-License-Identifier: MIT */
/*
 * Goal: what a select evaluates, when, how often and in which order.  Method: every operand is a call
 * that writes itself into a log; the select is then made to end in every possible way.
 */
#include "chan_help.h"

static char log_text[256];
static size_t log_len;

static void note(const char *what)
{
	size_t n = strlen(what);

	CHECK(log_len + n < sizeof log_text);
	memcpy(log_text + log_len, what, n + 1);
	log_len += n;
}

static void log_clear(void)
{
	log_text[log_len = 0] = 0;
}

static chan(int) ch(const char *name, chan(int) c)
{
	note(name);
	return c;
}

static int val(const char *name, int v)
{
	note(name);
	return v;
}

static bool guard(const char *name, bool g)
{
	note(name);
	return g;
}

static int64_t ns(const char *name, int64_t v)
{
	note(name);
	return v;
}

/* Every kind of case; which one runs is the result. */
static int all_cases(chan(int) in, chan(int) out, chan(int) in2, chan(int) out2, int64_t wait)
{
	int chosen = 0;

	log_clear();
	chan_select {
		case_recv(ch("a", in))
			chosen = 1;
		case_send(ch("b", out), val("c", 30))
			chosen = 2;
		case_recv(ch("d", NULL), v)
			chosen = v;
		case_recv(ch("e", in2), v)
			chosen = v;
		case_send(ch("f", NULL), val("g", 1))
			chosen = -1;
		case_recv_if(guard("h", true), ch("i", NULL), v, ok)
			chosen = v + ok;
		case_send_if(guard("j", true), ch("k", out2), val("l", 50))
			chosen = 3;
		case_timeout(ns("m", wait))
			chosen = 4;
	}
	CHECK_STR(log_text, "abcdefghijklm");
	return chosen;
}

TEST(line_57_operands_once_in_order_when_ready)
{
	chan(int) c = chan_make(int, 2), d = chan_make(int, 1), full = chan_make(int, 1);

	chan_send(full, 0);
	/* Each case alone ready. */
	chan_send(d, 5);
	CHECK_EQ(all_cases(d, full, NULL, full, LEAT_HOUR), 1);
	CHECK_EQ(all_cases(d, c, NULL, NULL, LEAT_HOUR), 2);
	CHECK_EQ(chan_recv(c), 30);
	chan_send(d, 8);
	CHECK_EQ(all_cases(NULL, full, d, NULL, LEAT_HOUR), 8);
	CHECK_EQ(all_cases(d, full, NULL, c, LEAT_HOUR), 3);
	CHECK_EQ(chan_recv(c), 50);
	/* None: at once and after a wait. */
	CHECK_EQ(all_cases(d, full, NULL, NULL, 0), 4);
	CHECK_EQ(all_cases(NULL, NULL, NULL, NULL, LEAT_MICROSECOND), 4);
	CHECK_EQ(all_cases(d, full, d, full, LEAT_MILLISECOND), 4);
	/* All at once. */
	for (int i = 0; i < 100; i++) {
		chan(int) any = chan_make(int, 2);

		chan_send(any, 99);
		CHECK(all_cases(any, any, any, any, LEAT_HOUR) != 4);
		chan_free(any);
	}
	CHECK_EQ(chan_len(full), 1);
	CHECK_EQ(chan_len(d), 0);
	chan_free(c);
	chan_free(d);
	chan_free(full);
}

struct serve {
	size_t parked;
	chan(int) c;
	bool send;
};

/* Waits until the select of the main goroutine is parked, then serves it. */
static void serve(struct serve *a)
{
	test_parked(a->parked);
	if (a->send)
		chan_send(a->c, 8);
	else
		CHECK_EQ(chan_recv(a->c), 30);
}

TEST(line_57_operands_once_in_order_when_parked)
{
	chan(int) c = chan_make(int, 0), d = chan_make(int, 0), e = chan_make(int, 0);

	go(serve, 1, c, true);
	CHECK_EQ(all_cases(c, d, e, NULL, LEAT_HOUR), 1);
	test_goroutines(1);
	go(serve, 1, d, false);
	CHECK_EQ(all_cases(c, d, e, NULL, LEAT_HOUR), 2);
	test_goroutines(1);
	go(serve, 1, e, true);
	CHECK_EQ(all_cases(c, d, e, NULL, LEAT_HOUR), 8);
	test_goroutines(1);
	chan_free(c);
	chan_free(d);
	chan_free(e);
}

TEST(line_57_operands_once_with_default)
{
	chan(int) c = chan_make(int, 1);

	for (int ready = 0; ready < 2; ready++) {
		int chosen = 0;

		log_clear();
		chan_select {
			case_recv(ch("a", NULL)) {
			}
			case_default
				chosen = 1;
			case_send(ch("b", ready ? c : NULL), val("c", 7))
				chosen = 2;
			case_recv(ch("d", NULL), v, ok)
				chosen = v + ok;
		}
		CHECK_STR(log_text, "abcd");
		CHECK_EQ(chosen, 1 + ready);
	}
	CHECK_EQ(chan_recv(c), 7);
	chan_free(c);
}

/* A guarded value may only make sense when the guard holds: the head of a queue that may be empty. */
TEST(line_57_operands_of_a_false_guard_are_left_alone)
{
	chan(int) c = chan_make(int, 4);
	const int *head = NULL;
	int chosen = 0, queue = 12;

	chan_send(c, 1);
	for (int i = 0; i < 2; i++) {
		log_clear();
		chosen = 0;
		chan_select {
			case_send_if(guard("a", head), c, *head)
				chosen = 1;
			case_recv_if(guard("b", false), c, v)
				chosen = v + 100;
			case_recv_if(guard("c", !head), c, v, ok)
				chosen = v + 1 + ok;
			case_recv_if(guard("d", false), c)
				chosen = 100;
		}
		CHECK_STR(log_text, "abcd");
		CHECK_EQ(chosen, i ? 1 : 3);
		head = &queue;
	}
	CHECK_EQ(chan_recv(c), 12);
	chan_free(c);
}

/* The value is copied on entry: a later operand that changes the variable does not change it. */
static int bump(int *v)
{
	return *v += 100;
}

TEST(line_57_values_are_taken_on_entry)
{
	chan(int) c = chan_make(int, 1), d = chan_make(int, 0), first = c;
	int v = 1;

	chan_select {
		case_send(first, v) {
			v = 5;
		}
		case_send(d, bump(&v)) {
		}
		case_recv((first = d)) {
		}
	}
	CHECK_EQ(v, 5);
	CHECK_EQ(chan_recv(c), 1);
	CHECK(first == d);
	chan_free(c);
	chan_free(d);
}

static int slots[4], slot_calls;

static int *slot(int i)
{
	slot_calls++;
	return &slots[i];
}

TEST(line_58_the_left_hand_side_belongs_to_the_chosen_case)
{
	chan(int) c = chan_make(int, 1), d = chan_make(int, 1);

	for (int i = 0; i < 50; i++) {
		slot_calls = 0;
		memset(slots, 0, sizeof slots);
		chan_send(i % 2 ? c : d, 6);
		chan_select {
			case_recv(c, v)
				*slot(0) = v;
			case_recv(d, v, ok)
				*slot(1) = v + ok;
			case_recv(NULL ? c : (chan(int))NULL, v)
				*slot(2) = v;
		}
		CHECK_EQ(slot_calls, 1);
		CHECK_EQ(slots[0], i % 2 ? 6 : 0);
		CHECK_EQ(slots[1], i % 2 ? 0 : 7);
		CHECK_EQ(slots[2], 0);
	}
	chan_select {
		case_recv(c, v)
			*slot(0) = v;
		case_default {
		}
	}
	CHECK_EQ(slot_calls, 1);
	chan_free(c);
	chan_free(d);
}

/* The array form writes to the value of the chosen case alone, parked or not. */
struct push {
	size_t parked;
	leat_chan *c;
};

static void push(struct push *a)
{
	int v = 6;

	test_parked(a->parked);
	leat_chan_send(a->c, &v);
}

TEST(line_58_array_form_leaves_other_values_alone)
{
	enum { N = 12 };
	leat_chan *c[N];
	int v[N], sent = 3;

	for (int i = 0; i < N; i++)
		c[i] = leat_chan_make(sizeof(int), 0);
	for (int turn = 0; turn < 4 * N; turn++) {
		leat_case cases[N];
		int want = turn % N;
		bool ok = false;

		for (int i = 0; i < N; i++) {
			v[i] = -i - 1;
			cases[i] =
			    (leat_case){c[i], i % 4 == 3 ? LEAT_SEND : LEAT_RECV, i % 4 == 3 ? &sent : &v[i]};
		}
		cases[want].dir = LEAT_RECV;
		cases[want].value = &v[want];
		go(push, 1, c[want]);
		CHECK_EQ(leat_select(cases, N, LEAT_FOREVER, &ok), want);
		CHECK(ok);
		for (int i = 0; i < N; i++)
			CHECK_EQ(v[i], i == want ? 6 : -i - 1);
		CHECK_EQ(sent, 3);
		test_goroutines(1);
	}
	for (int i = 0; i < N; i++)
		leat_chan_free(c[i]);
}

TEST(line_72_a_null_variable_disables_its_case)
{
	chan(int) a = chan_make(int, 5), b = chan_make(int, 5), in[2] = {a, b};
	int sum = 0, turns = 0;

	for (int i = 1; i <= 5; i++) {
		chan_send(a, i);
		if (i < 3)
			chan_send(b, 100 * i);
	}
	chan_close(a);
	chan_close(b);
	/* Fan-in: each input is switched off when it is closed; the operands are read anew each turn. */
	while (in[0] || in[1]) {
		turns++;
		chan_select {
			case_recv(in[0], v, ok) {
				sum += v;
				if (!ok)
					in[0] = NULL;
			}
			case_recv(in[1], v, ok) {
				sum += v;
				if (!ok)
					in[1] = NULL;
			}
		}
	}
	CHECK_EQ(sum, 15 + 300);
	CHECK_EQ(turns, 7 + 2);
	chan_free(a);
	chan_free(b);
}

/* Tee: each output is served once per value, in either order. */
TEST(line_72_tee)
{
	chan(int) in = chan_make(int, 20), left = chan_make(int, 20), right = chan_make(int, 20);

	for (int i = 0; i < 20; i++)
		chan_send(in, i);
	chan_close(in);
	chan_range(v, in) {
		chan(int) l = left, r = right;

		for (int i = 0; i < 2; i++) {
			chan_select {
				case_send(l, v)
					l = NULL;
				case_send(r, v)
					r = NULL;
			}
		}
		CHECK(!l && !r);
	}
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(chan_recv(left), i);
		CHECK_EQ(chan_recv(right), i);
	}
	chan_free(in);
	chan_free(left);
	chan_free(right);
}

TEST_MAIN
