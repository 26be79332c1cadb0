/* SPDX-License-Identifier: MIT */
/*
 * Stages that every pipeline can use: repeat says some values over and over, repeat_fn what a function returns, and take
 * lets the first few pass.  They are for values of any type; a stage at the end gives them their type again, and panics
 * where one is of another.  take asks for no value more than it passes on.
 */
#include <leat.h>

#include <stdio.h>

struct repeat {
	leat_scope *scope;
	leat_any (*fn)(int turn);
	send_chan(leat_any) out;
};

static void repeat(struct repeat *a)
{
	int turn = 0;

	while (!chan_send_ctx(a->out, a->fn(turn), a->scope))
		turn++;
}

struct take {
	leat_scope *scope;
	recv_chan(leat_any) in;
	int count;
	send_chan(leat_any) out;
};

static void take(struct take *a)
{
	for (int i = 0; i < a->count; i++) {
		leat_any value;

		if (chan_recv_ctx(a->in, &value, a->scope) || chan_send_ctx(a->out, value, a->scope))
			break;
	}
	chan_close(a->out);
}

static recv_chan(leat_any) take_repeated(leat_scope *s, int count, leat_any (*fn)(int turn))
{
	chan(leat_any) all = scope_chan(s, leat_any, 0);
	chan(leat_any) some = scope_chan(s, leat_any, 0);

	scope_go(s, repeat, s, fn, chan_sender(all));
	scope_go(s, take, s, chan_receiver(all), count, chan_sender(some));
	return chan_receiver(some);
}

struct to_text {
	leat_scope *scope;
	recv_chan(leat_any) in;
	send_chan(const char *) out;
};

static void to_text(struct to_text *a)
{
	leat_any value;

	while (!chan_recv_ctx(a->in, &value, a->scope)) {
		if (chan_send_ctx(a->out, any_must(const char *, value), a->scope))
			return;
	}
	chan_close(a->out);
}

static leat_any words(int turn)
{
	const char *const values[] = {"to", "and", "fro"};

	return any_of(values[turn % 3]);
}

static leat_any square(int turn)
{
	return any_of(turn * turn);
}

int main(void)
{
	scope(s, NULL);
	chan(const char *) texts = scope_chan(s, const char *, 0);

	scope_go(s, to_text, s, take_repeated(s, 5, words), chan_sender(texts));
	chan_range(text, texts)
		printf("%s\n", text);
	chan_range(number, take_repeated(s, 4, square))
		printf("%d\n", any_must(int, number));
}
