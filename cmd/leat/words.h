/* SPDX-License-Identifier: MIT */
/* Lists of words, as programs take them. */
#ifndef LEAT_CMD_WORDS_H
#define LEAT_CMD_WORDS_H

#include <stddef.h>

/* Zero-initialised it is empty.  at[count] is NULL as soon as there has been a word.  Owns its words. */
struct words {
	char **at;
	size_t count, room;
};

/* Add a copy.  Out of memory ends leat, here and below. */
void words_add(struct words *words, const char *word);
void words_addf(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Add the words of text, which blanks separate.  Quotes and backslashes mean what they mean to a
 * shell; nothing is expanded.  0, or -EINVAL when a quote does not end: some words may be added then.
 */
int words_split(struct words *words, const char *text);

/* The words with a blank between them.  To be freed. */
char *words_join(const struct words *words);

/* Write the words on one line of stderr so that a shell would read the same ones. */
void words_show(const struct words *words);

void words_done(struct words *words);

#endif
