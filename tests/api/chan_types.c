/* SPDX-License-Identifier: MIT */
/*
 * Goal: the typed macros carry every kind of C type, copy what they carry, and keep directions apart.
 * Method: one function per type, generated where the types differ in nothing but size.
 */
#include "chan_help.h"

struct bytes0 {
};
#define BYTES(n)                                                                                   \
	struct bytes##n {                                                                              \
		unsigned char b[n];                                                                        \
	}
BYTES(1);
BYTES(2);
BYTES(3);
BYTES(4);
BYTES(7);
BYTES(8);
BYTES(16);
BYTES(24);
BYTES(100);
BYTES(4096);

/*
 * An echo goroutine ranges over `in` and sends on by a plain send and by a select in turn, so that
 * every typed macro is used with the type.
 */
#define TYPE_TEST(T)                                                                               \
	struct echo_##T {                                                                              \
		recv_chan(struct T) in;                                                                    \
		send_chan(struct T) out;                                                                   \
	};                                                                                             \
	static void echo_##T(struct echo_##T *a)                                                       \
	{                                                                                              \
		int turn = 0;                                                                              \
		chan_range(v, a->in) {                                                                     \
			if (turn++ % 2)                                                                        \
				chan_send(a->out, v);                                                              \
			else                                                                                   \
				chan_select {                                                                      \
					case_send(a->out, v) {                                                         \
					}                                                                              \
				}                                                                                  \
		}                                                                                          \
		chan_close(a->out);                                                                        \
	}                                                                                              \
	TEST(line_54_echo_of_##T)                                                                      \
	{                                                                                              \
		for (int cap = 0; cap < 3; cap++) {                                                        \
			chan(struct T) in = chan_make(struct T, cap);                                          \
			chan(struct T) out = chan_make(struct T, cap);                                         \
			go(echo_##T, chan_receiver(in), chan_sender(out));                                     \
			for (int i = 1; i <= 6; i++) {                                                         \
				struct T v, w;                                                                     \
				bool ok = i % 3 != 2, taken = false;                                               \
				memset((void *)&v, i * 17, sizeof v);                                              \
				memset((void *)&w, 0xee, sizeof w);                                                \
				chan_send(in, v);                                                                  \
				if (i % 3 == 0)                                                                    \
					w = chan_recv(out);                                                            \
				else if (i % 3 == 1)                                                               \
					ok = chan_recv_ok(out, &w);                                                    \
				else                                                                               \
					chan_select {                                                                  \
						case_recv(out, x, is) {                                                    \
							w = x;                                                                 \
							ok = is;                                                               \
							taken = true;                                                          \
						}                                                                          \
					}                                                                              \
				CHECK(ok &&taken == (i % 3 == 2));                                                 \
				CHECK(memcmp((void *)&v, (void *)&w, sizeof v) == 0);                              \
			}                                                                                      \
			chan_close(in);                                                                        \
			struct T z, zero;                                                                      \
			memset((void *)&zero, 0, sizeof zero);                                                 \
			memset((void *)&z, 0xee, sizeof z);                                                    \
			CHECK(!chan_recv_ok(out, &z));                                                         \
			CHECK(memcmp((void *)&z, (void *)&zero, sizeof z) == 0);                               \
			z = chan_recv(out);                                                                    \
			CHECK(memcmp((void *)&z, (void *)&zero, sizeof z) == 0);                               \
			chan_free(in);                                                                         \
			chan_free(out);                                                                        \
		}                                                                                          \
	}

TYPE_TEST(bytes0)
TYPE_TEST(bytes1)
TYPE_TEST(bytes2)
TYPE_TEST(bytes3)
TYPE_TEST(bytes4)
TYPE_TEST(bytes7)
TYPE_TEST(bytes8)
TYPE_TEST(bytes16)
TYPE_TEST(bytes24)
TYPE_TEST(bytes100)
TYPE_TEST(bytes4096)

TEST(line_36_send_copies_at_send_time)
{
	chan(int) c = chan_make(int, 3);
	int v = 1, w = 0;

	chan_send(c, v);
	v = 2;
	CHECK(chan_try_send(c, v));
	v = 3;
	chan_select {
		case_send(c, v) {
			v = 4;
		}
	}
	v = 5;
	CHECK(chan_recv_ok(c, &w));
	CHECK_EQ(w, 1);
	w = 100;
	CHECK_EQ(chan_recv(c), 2);
	CHECK_EQ(w, 100);
	CHECK_EQ(chan_recv(c), 3);
	CHECK_EQ(v, 5);
	chan_free(c);
}

struct hand {
	chan(int) c;
	int n;
	leat_waitgroup *wg;
};

/* Spoils its variable as soon as the send is over; freed memory would show under ASan. */
static void spoil_sent(void *p)
{
	struct hand *h = p;

	for (int i = 0; i < h->n; i++) {
		int *v = malloc(sizeof *v);

		CHECK(v);
		*v = i;
		leat_chan_send((leat_chan *)(void *)h->c, v);
		*v = -1;
		free(v);
	}
	leat_waitgroup_done(h->wg);
}

TEST(line_36_nothing_points_at_the_variables_afterwards)
{
	int n = test_count(20000);
	leat_waitgroup wg = {0};

	for (int cap = 0; cap < 3; cap++) {
		for (int k = 0; k < KINDS; k++) {
			chan(int) c = chan_make(int, cap);
			struct hand h = {c, n, &wg};

			leat_waitgroup_add(&wg, 1);
			start(k, spoil_sent, &h);
			for (int i = 0; i < n; i++) {
				int *v = malloc(sizeof *v);

				CHECK(v);
				*v = -2;
				CHECK(leat_chan_recv((leat_chan *)(void *)c, v));
				CHECK_EQ(*v, i);
				free(v);
			}
			leat_waitgroup_wait(&wg);
			chan_free(c);
		}
	}
}

TEST(line_37_elements_of_size_zero)
{
	for (int cap = 1; cap <= 200; cap += cap < 10 ? 1 : 38) {
		chan(leat_empty) c = chan_make(leat_empty, cap);
		leat_empty e;

		for (int round = 0; round < 3; round++) {
			for (int i = 0; i < cap; i++) {
				CHECK_EQ(chan_len(c), i);
				chan_send(c, (leat_empty){});
			}
			CHECK_EQ(chan_len(c), cap);
			CHECK_EQ(chan_cap(c), cap);
			CHECK(!chan_try_send(c, (leat_empty){}));
			for (int i = cap; i > 0; i--) {
				bool ok = false;

				CHECK_EQ(chan_len(c), i);
				if (i % 2) {
					CHECK(chan_recv_ok(c, &e));
				} else {
					CHECK(chan_try_recv(c, &e, &ok));
					CHECK(ok);
				}
			}
			CHECK(!chan_try_recv(c, &e, NULL));
		}
		chan_send(c, e);
		chan_close(c);
		CHECK(chan_recv_ok(c, &e));
		CHECK(!chan_recv_ok(c, &e));
		chan_free(c);
	}
}

TEST(line_37_size_zero_needs_no_buffer)
{
	ptrdiff_t cap = (ptrdiff_t)1 << 30;
	chan(leat_empty) c = chan_make(leat_empty, cap);

	CHECK_EQ(chan_cap(c), cap);
	for (int i = 0; i < 1000; i++)
		chan_send(c, (leat_empty){});
	CHECK_EQ(chan_len(c), 1000);
	for (int i = 0; i < 1000; i++)
		chan_recv(c);
	CHECK(!chan_try_recv(c, NULL, NULL));
	chan_free(c);
}

struct events {
	recv_chan(leat_empty) c;
	_Atomic int *seen;
};

static void events(struct events *a)
{
	chan_range(e, a->c) {
		(void)e;
		atomic_fetch_add(a->seen, 1);
	}
	atomic_fetch_add(a->seen, 1000);
}

TEST(line_37_size_zero_blocks_like_any_other)
{
	for (int cap = 0; cap < 3; cap++) {
		chan(leat_empty) c = chan_make(leat_empty, cap);
		_Atomic int seen = 0;
		size_t base = leat_num_parked();

		go(events, chan_receiver(c), &seen);
		for (int i = 1; i <= 10; i++) {
			test_parked(base + 1);
			CHECK_EQ(atomic_load(&seen), i - 1);
			chan_send(c, (leat_empty){});
			test_until(atomic_load(&seen) == i);
		}
		chan_close(c);
		test_until(atomic_load(&seen) == 1010);
		chan_free(c);
	}
}

#define SAME_TYPE(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

TEST(line_52_directions_are_types)
{
	chan(int) c = chan_make(int, 2);
	send_chan(int) s = chan_sender(c);
	recv_chan(int) r = chan_receiver(c);
	int v = 0;
	bool ok = false;

	_Static_assert(!SAME_TYPE(chan(int), send_chan(int)), "a view is a type of its own");
	_Static_assert(!SAME_TYPE(chan(int), recv_chan(int)), "a view is a type of its own");
	_Static_assert(!SAME_TYPE(send_chan(int), recv_chan(int)), "views differ");
	_Static_assert(!SAME_TYPE(chan(int), chan(unsigned)), "element types differ");
	_Static_assert(!SAME_TYPE(chan(int), chan(long)), "element types differ");
	_Static_assert(SAME_TYPE(chan(int), chan(int)), "the same words mean the same type");
	_Static_assert(SAME_TYPE(chan_sender(c), s), "a sender");
	_Static_assert(SAME_TYPE(chan_receiver(c), r), "a receiver");
	_Static_assert(SAME_TYPE(chan_sender(s), s), "narrowing twice is narrowing once");
	_Static_assert(SAME_TYPE(chan_receiver(r), r), "narrowing twice is narrowing once");
	CHECK((void *)chan_sender(c) == (void *)c && (void *)chan_receiver(c) == (void *)c);

	chan_send(s, 1);
	CHECK(chan_try_send(s, 2));
	CHECK(!chan_try_send(s, 3));
	CHECK_EQ(chan_recv(r), 1);
	chan_select {
		case_send(s, 4) {
		}
	}
	CHECK(chan_recv_ok(r, &v));
	CHECK_EQ(v, 2);
	chan_close(s);
	chan_select {
		case_recv(r, w, is) {
			CHECK(is);
			CHECK_EQ(w, 4);
		}
	}
	CHECK(chan_try_recv(r, &v, &ok));
	CHECK(!ok);
	chan_range(w, r)
		CHECK(w != w);
	CHECK_EQ(chan_cap(s) + chan_cap(r), 4);
	chan_free(r);
}

#define TEXT(...)     #__VA_ARGS__
#define EXPANDED(...) TEXT(__VA_ARGS__)

/* Loops whose channels are made by macros nest in one another. */
TEST(range_has_its_channel_once)
{
	static const char loop[] = EXPANDED(chan_range(v, the_channel));
	const char *first = strstr(loop, "the_channel");

	CHECK(first);
	CHECK(!strstr(first + 1, "the_channel"));
}

TEST(range_evaluates_its_channel_once)
{
	chan(int) c = chan_make(int, 3);
	int evaluated = 0, sum = 0;

	for (int i = 0; i < 3; i++)
		chan_send(c, i);
	chan_range(v, (evaluated++, c)) {
		if (v == 0)
			continue;
		sum += v;
		if (v == 2)
			break;
	}
	CHECK_EQ(evaluated, 1);
	CHECK_EQ(sum, 3);
	chan_close(c);
	if (chan_len(c) == 0)
		chan_range(v, c)
			CHECK(v != v);
	else
		CHECK(false);
	chan_free(c);
}

typedef int (*binary_fn)(int, int);

static int add(int a, int b)
{
	return a + b;
}

static int sub(int a, int b)
{
	return a - b;
}

TEST(line_54_functions)
{
	chan(binary_fn) c = chan_make(binary_fn, 2);
	chan(int (*)(int, int)) same = c;

	chan_send(c, add);
	chan_send(same, sub);
	CHECK_EQ(chan_recv(c)(5, 3), 8);
	chan_select {
		case_recv(c, f)
			CHECK_EQ(f(5, 3), 2);
	}
	chan_close(c);
	CHECK(chan_recv(same) == NULL);
	chan_free(c);
}

TEST(line_54_pointers)
{
	chan(int *) p = chan_make(int *, 1);
	chan(const char *) s = chan_make(const char *, 1);
	chan(void *) v = chan_make(void *, 1);
	int x = 6;

	chan_send(p, &x);
	*chan_recv(p) += 1;
	CHECK_EQ(x, 7);
	chan_send(s, "leat");
	CHECK_STR(chan_recv(s), "leat");
	chan_send(v, &v);
	CHECK(chan_recv(v) == &v);
	chan_send(v, NULL);
	CHECK(chan_recv(v) == NULL);
	chan_free(p);
	chan_free(s);
	chan_free(v);
}

struct req {
	int n;
	chan(struct req) reply;
};

struct serve {
	recv_chan(struct req) in;
};

static void serve(struct serve *a)
{
	chan_range(r, a->in)
		chan_send(r.reply, {.n = r.n * r.n, .reply = r.reply});
}

TEST(line_54_requests_carry_their_reply_channel)
{
	chan(struct req) server = chan_make(struct req, 0);
	chan(struct req) mine = chan_make(struct req, 0);

	go(serve, chan_receiver(server));
	for (int i = 0; i < 100; i++) {
		chan_send(server, {.n = i, .reply = mine});
		struct req r = chan_recv(mine);
		CHECK_EQ(r.n, i * i);
		CHECK(r.reply == mine);
	}
	/* The channel can be sent through itself. */
	chan(struct req) self = chan_make(struct req, 1);
	chan_send(self, {1, self});
	CHECK(chan_recv(self).reply == self);
	chan_close(server);
	test_goroutines(1);
	chan_free(server);
	chan_free(mine);
	chan_free(self);
}

struct pass {
	chan(chan(int)) in;
};

static void pass(struct pass *a)
{
	chan_range(c, a->in) {
		chan_send(c, 42);
		chan_close(c);
	}
}

TEST(line_54_channels_of_channels)
{
	chan(chan(int)) cc = chan_make(chan(int), 0);
	chan(recv_chan(int)) views = chan_make(recv_chan(int), 1);
	chan(chan(chan(int))) ccc = chan_make(chan(chan(int)), 1);

	chan(int) made[10];

	chan_send(ccc, cc);
	go(pass, chan_recv(ccc));
	for (int i = 0; i < 10; i++) {
		chan(int) c = made[i] = chan_make(int, i % 2);
		int sum = 0;

		chan_send(cc, c);
		chan_send(views, chan_receiver(c));
		chan_range(x, chan_recv(views))
			sum += x;
		CHECK_EQ(sum, 42);
	}
	chan_close(cc);
	test_goroutines(1);
	for (int i = 0; i < 10; i++)
		chan_free(made[i]);
	chan_free(cc);
	chan_free(views);
	chan_free(ccc);
}

struct odd {
	_Alignas(64) unsigned char first;
	int matrix[3][5];
	unsigned bits : 5;
	union {
		double d;
		char text[9];
	} u;
};

enum colour { RED, GREEN = 1000 };

TEST(line_54_other_types)
{
	chan(struct odd) o = chan_make(struct odd, 3);
	chan(long double) l = chan_make(long double, 1);
	chan(_Bool) b = chan_make(_Bool, 1);
	chan(enum colour) e = chan_make(enum colour, 1);
	chan(double _Complex) z = chan_make(double _Complex, 1);
	chan(unsigned __int128) w = chan_make(unsigned __int128, 1);

	for (int i = 0; i < 3; i++)
		chan_send(
		    o, {.first = (unsigned char)i, .matrix[2][4] = -i, .bits = 21, .u.text = "eighteen"});
	for (int i = 0; i < 3; i++) {
		chan_select {
			case_recv(o, v) {
				CHECK_EQ((uintptr_t)&v % 64, 0);
				CHECK_EQ(v.first, i);
				CHECK_EQ(v.matrix[2][4], -i);
				CHECK_EQ(v.bits, 21);
				CHECK_STR(v.u.text, "eighteen");
			}
		}
	}
	chan_send(l, 0.1L);
	CHECK(chan_recv(l) == 0.1L);
	chan_send(b, 2);
	CHECK_EQ(chan_recv(b), 1);
	chan_send(e, GREEN);
	CHECK_EQ(chan_recv(e), GREEN);
	chan_send(z, 1.5);
	CHECK(chan_recv(z) == 1.5);
	chan_send(w, (unsigned __int128)1 << 100);
	CHECK(chan_recv(w) == (unsigned __int128)1 << 100);
	chan_free(o);
	chan_free(l);
	chan_free(b);
	chan_free(e);
	chan_free(z);
	chan_free(w);
}

/* The value converts as in an assignment to T. */
TEST(line_54_values_convert_to_the_element_type)
{
	chan(short) s = chan_make(short, 1);
	chan(double) d = chan_make(double, 1);
	chan(const void *) p = chan_make(const void *, 1);
	static const char text[] = "x";
	long wide = 70000;

	chan_send(s, wide);
	CHECK_EQ(chan_recv(s), 70000 - 65536);
	chan_send(d, 3);
	CHECK(chan_recv(d) == 3.0);
	chan_send(p, text);
	CHECK(chan_recv(p) == text);
	chan_free(s);
	chan_free(d);
	chan_free(p);
}

TEST_MAIN
