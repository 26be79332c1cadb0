/* SPDX-License-Identifier: MIT */
/*
 * Confinement: data that only one goroutine can reach needs no lock.  Each of these writes in a page of its own, which
 * nobody else can see before it is sent (lexical), and reads its own part of the text, which is a convention that only
 * main keeps (ad hoc).
 */
#include <leat.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PARTS = 3, LETTERS = 4 };

struct page {
	int part;
	char text[LETTERS + 1];
};

struct capitals {
	const char *letters;
	int part;
	send_chan(struct page) out;
};

static void capitals(struct capitals *a)
{
	struct page p = {.part = a->part};

	for (int i = 0; i < LETTERS; i++)
		p.text[i] = (char)toupper(a->letters[i]);
	chan_send(a->out, p);
}

int main(void)
{
	const char *text = "nobodyisnear";
	char merged[PARTS][LETTERS + 1];
	scope(s, NULL);
	chan(struct page) pages = scope_chan(s, struct page, 0);

	for (int i = 0; i < PARTS; i++)
		scope_go(s, capitals, text + i * LETTERS, i, chan_sender(pages));
	for (int i = 0; i < PARTS; i++) {
		struct page p = chan_recv(pages);

		memcpy(merged[p.part], p.text, sizeof p.text);
	}
	for (int i = 0; i < PARTS; i++)
		printf("%s\n", merged[i]);
}
