/* SPDX-License-Identifier: MIT */
/*
 * Goal: chan_select behaves as a statement: ways out of a body, nesting, if and else around it, cases
 * with and without braces.  Method: each test is a small program whose course is fully determined.
 */
#include "chan_help.h"

static chan(int) holding(int v)
{
	chan(int) c = chan_make(int, 4);

	chan_send(c, v);
	return c;
}

TEST(line_71_break_leaves_the_select_only)
{
	chan(int) c = holding(1);
	int turns = 0, after = 0;

	for (int i = 0; i < 5; i++) {
		turns++;
		chan_select {
			case_recv(c, v) {
				chan_send(c, v);
				if (v == 1)
					break;
				after += 100;
			}
			case_timeout(LEAT_HOUR)
				after += 1000;
		}
		after++;
	}
	CHECK_EQ(turns, 5);
	CHECK_EQ(after, 5);
	CHECK_EQ(chan_len(c), 1);
	chan_free(c);
}

/* In each form of case: of one, two and three arguments, send, default, timeout. */
TEST(line_71_break_from_every_form_of_case)
{
	chan(int) c = chan_make(int, 1);
	int after = 0;

	for (int form = 0; form < 6; form++) {
		if (form < 3)
			chan_send(c, 1);
		chan_select {
			case_recv_if(form == 0, c) {
				if (form == 0)
					break;
				after += 100;
			}
			case_recv_if(form == 1, c, v) {
				if (v == 1)
					break;
				after += 100;
			}
			case_recv_if(form == 2, c, v, ok) {
				if (v == 1 && ok)
					break;
				after += 100;
			}
			case_send_if(form == 3, c, 5) {
				if (form == 3)
					break;
				after += 100;
			}
			case_timeout(form == 4 ? 1 : LEAT_HOUR) {
				if (form == 4)
					break;
				after += 100;
			}
			case_send_if(form == 5, c, 6) {
				if (form == 5)
					break;
				after += 100;
			}
		}
		after++;
		if (form == 3 || form == 5)
			CHECK_EQ(chan_recv(c), form + 2 - (form == 5));
		CHECK_EQ(chan_len(c), 0);
	}
	chan_select {
		case_recv(c)
			after += 100;
		case_default {
			if (after == 6)
				break;
			after += 100;
		}
	}
	CHECK_EQ(after, 6);
	chan_free(c);
}

TEST(line_71_continue_leaves_the_select_only)
{
	chan(int) c = chan_make(int, 10);
	int after = 0, odd = 0;

	for (int i = 0; i < 10; i++)
		chan_send(c, i);
	for (int i = 0; i < 10; i++) {
		chan_select {
			case_recv(c, v) {
				if (v % 2 == 0)
					continue;
				odd++;
			}
		}
		after++;
	}
	CHECK_EQ(odd, 5);
	CHECK_EQ(after, 10);
	chan_free(c);
}

static int first_ready(chan(int) a, chan(int) b)
{
	for (;;) {
		chan_select {
			case_recv(a, v)
				return v;
			case_recv(b, v, ok) {
				if (!ok)
					return -1;
				for (;;)
					return v * 1000;
			}
			case_default
				return -2;
		}
	}
}

TEST(line_71_return_leaves_the_function)
{
	chan(int) a = holding(3), b = holding(4);
	int sum = first_ready(a, b) + first_ready(a, b);

	CHECK_EQ(sum, 4003);
	CHECK_EQ(first_ready(a, b), -2);
	chan_close(b);
	CHECK_EQ(first_ready(a, b), -1);
	chan_free(a);
	chan_free(b);
}

TEST(line_71_goto_leaves_the_select)
{
	chan(int) c = holding(1);
	int back = 0;

again:
	chan_select {
		case_recv(c, v) {
			if (v < 5) {
				chan_send(c, v + 1);
				back++;
				goto again;
			}
			chan_select {
				case_default
					goto out;
			}
		}
	}
	CHECK(back < 0);
out:
	CHECK_EQ(back, 4);
	CHECK_EQ(chan_len(c), 0);
	chan_free(c);
}

/* Inside the body, loops and switches keep their own break. */
TEST(line_71_break_of_inner_statements)
{
	chan(int) c = holding(2);
	int n = 0;

	chan_select {
		case_recv(c, v) {
			for (int i = 0; i < 10; i++) {
				if (i == v)
					break;
				n++;
			}
			switch (v) {
			case 2:
				n += 10;
				break;
			default:
				n += 100;
			}
			n += 1000;
		}
	}
	CHECK_EQ(n, 1012);
	chan_free(c);
}

TEST(if_and_else_around_a_select)
{
	chan(int) c = holding(1);
	int taken = 0;

	for (int i = 0; i < 4; i++) {
		if (i % 2)
			chan_select {
				case_recv(c, v) {
					chan_send(c, v);
					taken += v;
				}
			}
		else
			taken += 100;
		if (i % 2 == 0)
			taken += 1000;
		else
			chan_select {
				case_default
					taken += 20000;
				case_recv_if(i < 0, c)
					taken = -1;
			}
	}
	CHECK_EQ(taken, 2 + 200 + 2000 + 40000);
	while (taken > 0)
		chan_select {
			case_recv(c, v) {
				chan_send(c, v);
				taken = taken > 1 ? 1 : 0;
			}
		}
	CHECK_EQ(taken, 0);
	chan_free(c);
}

/* The else of a body without braces belongs to its own if. */
TEST(if_and_else_inside_a_case)
{
	chan(int) c = chan_make(int, 3);
	int small = 0, large = 0, none = 0;

	for (int i = 0; i < 3; i++)
		chan_send(c, i * 10);
	for (int i = 0; i < 4; i++)
		chan_select {
			case_recv(c, v)
				if (v < 10)
					small++;
				else
					large++;
			case_default
				if (i == 3)
					none++;
				else
					none = 100;
		}
	CHECK_EQ(small, 1);
	CHECK_EQ(large, 2);
	CHECK_EQ(none, 1);
	chan_free(c);
}

TEST(every_form_of_receive)
{
	chan(int) c = chan_make(int, 4);
	int n = 0;

	for (int i = 1; i <= 3; i++)
		chan_send(c, i);
	chan_select {
		case_recv(c)
			n++;
	}
	chan_select {
		case_recv(c, v)
			n += 10 * v;
	}
	chan_select {
		case_recv(c, v, ok)
			n += 100 * v + 1000 * ok;
	}
	CHECK_EQ(n, 1 + 20 + 300 + 1000);
	chan_close(c);
	n = 0;
	chan_select {
		case_recv(c)
			n++;
	}
	chan_select {
		case_recv(c, v) {
			CHECK_EQ(v, 0);
			n++;
		}
	}
	chan_select {
		case_recv(c, v, ok) {
			CHECK_EQ(v, 0);
			CHECK(!ok);
			n++;
		}
	}
	CHECK_EQ(n, 3);
	chan_free(c);
}

TEST(guards_choose_the_cases)
{
	chan(int) c = chan_make(int, 8), d = chan_make(int, 8);

	chan_send(c, 1);
	chan_send(d, 2);
	for (unsigned mask = 0; mask < 16; mask++) {
		unsigned chosen = 0;

		for (int i = 0; i < 20; i++) {
			chan_select {
				case_recv_if(mask & 1, c, v) {
					chosen |= 1;
					chan_send(c, v);
				}
				case_send_if(mask & 2, c, 1) {
					chosen |= 2;
					chan_recv(c);
				}
				case_recv_if(mask & 4, d, v, ok) {
					CHECK(ok);
					chosen |= 4;
					chan_send(d, v);
				}
				case_send_if(mask & 8, d, 2) {
					chosen |= 8;
					chan_recv(d);
				}
				case_timeout(0)
					chosen |= 16;
			}
		}
		/* Only allowed ones, and some. */
		CHECK_EQ(chosen & ~(mask ? mask : 16), 0);
		CHECK(chosen);
	}
	CHECK_EQ(chan_len(c), 1);
	CHECK_EQ(chan_len(d), 1);
	chan_free(c);
	chan_free(d);
}

static int depth_sum(chan(int) c, int depth)
{
	int sum = 0;

	chan_select {
		case_recv(c, v) {
			sum = v;
			if (depth > 0)
				sum += depth_sum(c, depth - 1);
			chan_select {
				case_recv(c, w) {
					chan_select {
						case_send(c, v + w)
							sum += chan_recv(c);
						case_timeout(LEAT_HOUR)
							sum = -1000000;
					}
				}
				case_default
					sum += 1;
			}
		}
	}
	return sum;
}

TEST(nested_selects)
{
	chan(int) c = chan_make(int, 16);

	for (int i = 1; i <= 10; i++)
		chan_send(c, i);
	/*
	 * 1 to 5 on the way down; on the way up each level takes one, puts its sum at the end and takes
	 * the next: 6 and 7, 8 and 9, 10 and 5 + 6, and so on.
	 */
	CHECK_EQ(depth_sum(c, 4), (1 + 2 + 3 + 4 + 5) + (7 + 9 + 11 + 13 + 15));
	CHECK_EQ(chan_len(c), 0);
	chan_send(c, 3);
	CHECK_EQ(depth_sum(c, 0), 4);
	chan_free(c);
}

/* An operand may itself select, with more bytes than fit in the select object. */
struct large {
	char text[300];
	int n;
};

static struct large from_select(chan(struct large) c)
{
	struct large got = {"", -1};

	chan_select {
		case_recv(c, v, ok) {
			CHECK(ok);
			got = v;
		}
		case_send((chan(struct large))NULL, {"never", 0}) {
		}
	}
	return got;
}

TEST(selects_inside_operands)
{
	chan(struct large) in = chan_make(struct large, 3), out = chan_make(struct large, 3);
	int turn = 0;

	for (int i = 0; i < 3; i++)
		chan_send(in, {"value", i});
	for (; turn < 3; turn++) {
		chan_select {
			case_send((chan(struct large))NULL, {"another", 1}) {
			}
			case_send(out, from_select(in)) {
			}
			case_recv((chan(struct large))NULL, v)
				CHECK(v.n < 0);
		}
	}
	for (int i = 0; i < 3; i++) {
		struct large v = chan_recv(out);

		CHECK_EQ(v.n, i);
		CHECK_STR(v.text, "value");
	}
	chan_free(in);
	chan_free(out);
}

/* Two selects on one line, and in one loop header's body, keep their names apart. */
TEST(selects_side_by_side)
{
	chan(int) c = chan_make(int, 2);
	int n = 0;

	/* clang-format off */
	chan_select { case_send(c, 1) n++; } chan_select { case_send(c, 2) n++; }
	chan_select { case_recv(c, a) chan_select { case_recv(c, b) n += a * 10 + b * 100; } }
	/* clang-format on */
	CHECK_EQ(n, 212);
	chan_free(c);
}

TEST_MAIN
