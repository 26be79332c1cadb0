/* SPDX-License-Identifier: MIT */
/* Lists of words: see words.h. */
#define _GNU_SOURCE
#include "words.h"

#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
	if (!memory) {
		complain("out of memory");
		exit(EXIT_CANNOT);
	}
	return memory;
}

/* Takes over the word. */
static void take(struct words *words, char *word)
{
	if (words->count + 2 > words->room) {
		words->room = words->room ? 2 * words->room : 16;
		words->at = or_die(realloc(words->at, words->room * sizeof *words->at));
	}
	words->at[words->count++] = word;
	words->at[words->count] = NULL;
}

void words_add(struct words *words, const char *word)
{
	take(words, or_die(strdup(word)));
}

void words_addf(struct words *words, const char *format, ...)
{
	va_list args;
	char *word;

	va_start(args, format);
	if (vasprintf(&word, format, args) < 0)
		word = NULL;
	va_end(args);
	take(words, or_die(word));
}

int words_split(struct words *words, const char *text)
{
	char *word = or_die(malloc(strlen(text) + 1));
	size_t length = 0;
	char quote = '\0';
	bool inside = false; /* a word, which '' makes an empty one */

	for (; *text; text++) {
		if (!quote && strchr(" \t\n", *text)) {
			word[length] = '\0';
			if (inside)
				words_add(words, word);
			inside = false;
			length = 0;
			continue;
		}
		inside = true;
		if (*text == quote)
			quote = '\0';
		else if (!quote && (*text == '\'' || *text == '"'))
			quote = *text;
		else if (*text == '\\' && text[1] &&
		         (!quote || (quote == '"' && strchr("\\\"$`", text[1]))))
			word[length++] = *++text;
		else
			word[length++] = *text;
	}
	word[length] = '\0';
	if (inside && !quote)
		words_add(words, word);
	free(word);
	return quote ? -EINVAL : 0;
}

static bool plain(const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                               "%+,-./:=@_";

	return *word && !word[strspn(word, harmless)];
}

char *words_join(const struct words *words)
{
	size_t length = 1;
	char *joined, *end;

	for (size_t i = 0; i < words->count; i++)
		length += strlen(words->at[i]) + 1;
	end = joined = or_die(calloc(length, 1));
	for (size_t i = 0; i < words->count; i++)
		end = stpcpy(i ? stpcpy(end, " ") : end, words->at[i]);
	return joined;
}

void words_show(const struct words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->at[i];

		if (i)
			fputc(' ', stderr);
		if (plain(word)) {
			fputs(word, stderr);
			continue;
		}
		fputc('\'', stderr);
		for (; *word; word++) {
			if (*word == '\'')
				fputs("'\\''", stderr);
			else
				fputc(*word, stderr);
		}
		fputc('\'', stderr);
	}
	fputc('\n', stderr);
}

void words_done(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->at[i]);
	free(words->at);
	*words = (struct words){0};
}
