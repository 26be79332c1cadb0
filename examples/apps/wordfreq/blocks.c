/* SPDX-License-Identifier: MIT */
/*
 * Reads the operands, one after another, into blocks.  What is behind the last whole word of a block goes to the front
 * of the next; a word that is longer than a block makes that larger.
 */
#include "wordfreq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void complain(struct blocks *all, int error)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr); /* over the progress */
	fprintf(stderr, "wordfreq: %s: %s\n", all->name, strerror(error));
	all->trouble = true;
}

/* Open the next operand that can be opened; false after the last. */
static bool open_next(struct blocks *all)
{
	while (*all->operands) {
		const char *operand = *all->operands++;

		all->name = operand;
		if (strcmp(operand, "-") == 0) {
			all->name = "standard input";
			all->fd = STDIN_FILENO;
			return true;
		}
		all->fd = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (all->fd >= 0)
			return true;
		complain(all, errno);
	}
	return false;
}

static void close_this(struct blocks *all)
{
	if (all->fd != STDIN_FILENO)
		close(all->fd);
	all->fd = -1;
}

/* Read once into b, which has room for more than a byte; where the file is at its end a blank ends its last word. */
static void read_some(struct blocks *all, struct block *b)
{
	ssize_t n;

	do
		n = read(all->fd, b->bytes + b->length, b->room - b->length - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		complain(all, errno);
	if (n <= 0) {
		close_this(all);
		b->bytes[b->length++] = ' ';
		return;
	}
	b->length += (size_t)n;
	all->bytes += (uint64_t)n;
}

static bool make_room(struct block *b, size_t room)
{
	char *bytes = realloc(b->bytes, room);

	if (!bytes)
		return false;
	b->bytes = bytes;
	b->room = room;
	return true;
}

/* Keep for the next block what follows the last whole word of b. */
static bool cut(struct blocks *all, struct block *b)
{
	size_t whole = b->length;

	while (whole && in_word((unsigned char)b->bytes[whole - 1]))
		whole--;
	all->rest_length = b->length - whole;
	if (all->rest_length) {
		char *rest = realloc(all->rest, all->rest_length);

		if (!rest)
			return false;
		all->rest = memcpy(rest, b->bytes + whole, all->rest_length);
	}
	b->length = whole;
	return true;
}

/* Fill b; false: out of memory. */
static bool fill(struct blocks *all, struct block *b)
{
	if (all->rest_length + 2 > b->room && !make_room(b, all->rest_length * 2))
		return false;
	if (all->rest_length)
		memcpy(b->bytes, all->rest, all->rest_length);
	b->length = all->rest_length;
	all->rest_length = 0;
	for (;;) {
		while (b->length + 1 < b->room) {
			if (all->fd < 0 && !open_next(all))
				return true;
			read_some(all, b);
		}
		if (!cut(all, b))
			return false;
		if (b->length)
			return true;
		/* One word fills it. */
		if (!make_room(b, b->room * 2))
			return false;
		b->length = all->rest_length;
		all->rest_length = 0;
	}
}

bool next_block(struct block **out, struct next_block *a)
{
	struct blocks *all = a->all;
	struct block *b;

	if (chan_recv_ctx(all->spare, &b, all->scope) != 0)
		return false;
	if (!fill(all, b)) {
		scope_fail(all->scope, -ENOMEM);
		return false;
	}
	*out = b;
	return b->length > 0;
}
