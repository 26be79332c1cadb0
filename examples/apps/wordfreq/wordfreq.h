/* SPDX-License-Identifier: MIT */
/* wordfreq: what its parts know of each other; wordfreq.c says what it does. */
#ifndef WORDFREQ_H
#define WORDFREQ_H

#include <leat.h>

#include <stdatomic.h>

/* --- table.c: words and how often they were seen.  One goroutine's at a time */

struct word {
	const char *bytes; /* not ended by a NUL */
	uint32_t length, hash;
	uint64_t count;
};

struct table {
	struct word *slots; /* a power of two of them; those of count 0 are free */
	size_t room, used;
	struct chunk *chunks; /* where the words' bytes are */
	size_t chunk_left;
};

/* Count a word so many times more, or all words of the text; false: out of memory.  fold: A as a. */
bool table_add(struct table *t, const char *bytes, size_t length, uint32_t hash, uint64_t count);
bool table_add_text(struct table *t, char *text, size_t length, bool fold);

/* Count all that from has. */
bool table_add_all(struct table *t, const struct table *from);

/* The words of t in a row, which it is no table after: the most frequent first, those as frequent in the order of
   their bytes. */
struct word *table_sorted(struct table *t);

void table_done(struct table *t);

/* A character that words are made of: a letter, or part of one that is not ASCII's. */
bool in_word(unsigned char c);

/* --- blocks.c: the text of all files, in blocks that end where a word does */

struct block {
	size_t length, room;
	char *bytes;
};

struct blocks {
	leat_scope *scope;
	char **operands; /* those to come, ended by NULL */
	recv_chan(struct block *) spare;
	const char *name; /* of the open file */
	int fd;           /* -1: none is open */
	char *rest;       /* the beginning of a word, whose end comes in the next block */
	size_t rest_length;
	_Atomic uint64_t bytes; /* read so far */
	bool trouble;           /* something could not be read, and was complained of */
};

/* The next block: false when there are no more, and when the scope is done, which out of memory makes it. */
struct next_block {
	struct blocks *all;
};
bool next_block(struct block **out, struct next_block *a);

#endif
