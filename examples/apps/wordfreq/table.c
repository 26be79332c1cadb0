/* SPDX-License-Identifier: MIT */
/*
 * A hash table of words: open addressing, at most two thirds full.  The bytes of the words lie one behind another in
 * chunks that never move.
 */
#include "wordfreq.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 * 1024)
#define FIRST_ROOM  ((size_t)1024)

struct chunk {
	struct chunk *next;
	char bytes[];
};

bool in_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static const char *keep(struct table *t, const char *bytes, size_t length)
{
	size_t room = length > CHUNK_BYTES ? length : CHUNK_BYTES;
	struct chunk *chunk;

	if (t->chunk_left < length) {
		chunk = malloc(sizeof *chunk + room);
		if (!chunk)
			return NULL;
		chunk->next = t->chunks;
		t->chunks = chunk;
		t->chunk_left = room;
	}
	/* Downwards: one number says where. */
	t->chunk_left -= length;
	return memcpy(t->chunks->bytes + t->chunk_left, bytes, length);
}

static struct word *find(const struct table *t, const char *bytes, size_t length, uint32_t hash)
{
	size_t i = hash & (t->room - 1);

	while (t->slots[i].count && (t->slots[i].hash != hash || t->slots[i].length != length ||
	                             memcmp(t->slots[i].bytes, bytes, length) != 0))
		i = (i + 1) & (t->room - 1);
	return &t->slots[i];
}

static bool grow(struct table *t)
{
	struct table larger = *t;

	larger.room = t->room ? t->room * 2 : FIRST_ROOM;
	larger.slots = calloc(larger.room, sizeof *larger.slots);
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < t->room; i++) {
		const struct word *w = &t->slots[i];

		if (w->count)
			*find(&larger, w->bytes, w->length, w->hash) = *w;
	}
	free(t->slots);
	*t = larger;
	return true;
}

bool table_add(struct table *t, const char *bytes, size_t length, uint32_t hash, uint64_t count)
{
	struct word *w;

	if (t->used >= t->room / 3 * 2 && !grow(t))
		return false;
	w = find(t, bytes, length, hash);
	if (!w->count) {
		const char *kept = length <= UINT32_MAX ? keep(t, bytes, length) : NULL;

		if (!kept)
			return false;
		*w = (struct word){.bytes = kept, .length = (uint32_t)length, .hash = hash};
		t->used++;
	}
	w->count += count;
	return true;
}

bool table_add_text(struct table *t, char *text, size_t length, bool fold)
{
	const char *end = text + length;

	for (char *at = text, *word; at < end;) {
		uint32_t hash = 2166136261; /* FNV-1a */

		if (!in_word((unsigned char)*at)) {
			at++;
			continue;
		}
		for (word = at; at < end && in_word((unsigned char)*at); at++) {
			if (fold && *at >= 'A' && *at <= 'Z')
				*at = (char)(*at | 0x20);
			hash = (hash ^ (unsigned char)*at) * 16777619;
		}
		if (!table_add(t, word, (size_t)(at - word), hash ^ hash >> 15, 1))
			return false;
	}
	return true;
}

bool table_add_all(struct table *t, const struct table *from)
{
	for (size_t i = 0; i < from->room; i++) {
		const struct word *w = &from->slots[i];

		if (w->count && !table_add(t, w->bytes, w->length, w->hash, w->count))
			return false;
	}
	return true;
}

static int compare(const void *pa, const void *pb)
{
	const struct word *a = pa, *b = pb;
	size_t shorter = a->length < b->length ? a->length : b->length;
	int order;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	order = memcmp(a->bytes, b->bytes, shorter);
	return order ? order : (a->length > b->length) - (a->length < b->length);
}

struct word *table_sorted(struct table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i].count)
			t->slots[n++] = t->slots[i];
	if (n)
		qsort(t->slots, n, sizeof *t->slots, compare);
	return t->slots;
}

void table_done(struct table *t)
{
	struct chunk *chunk;

	while ((chunk = t->chunks)) {
		t->chunks = chunk->next;
		free(chunk);
	}
	free(t->slots);
	*t = (struct table){0};
}
