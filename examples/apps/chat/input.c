/* SPDX-License-Identifier: MIT */
#include "chat.h"

#include <ctype.h>
#include <string.h>

/* --- text */

/* How many bytes the character at s takes, by its first; 0: none begins so. */
static int bytes_of(unsigned char first)
{
	return first < 0x80   ? 1
	       : first < 0xC2 ? 0
	       : first < 0xE0 ? 2
	       : first < 0xF0 ? 3
	       : first < 0xF5 ? 4
	                      : 0;
}

/* The character at s and where the next one is, or NULL: it is not UTF-8 (RFC 3629).  s ends with a NUL. */
static const char *next_character(const char *s, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	int n = bytes_of((unsigned char)*s);

	if (!n)
		return NULL;
	*c = (unsigned char)*s & (n == 1 ? 0x7F : 0xFF >> (n + 1));
	for (int i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xC0) != 0x80)
			return NULL;
		*c = *c << 6 | ((unsigned char)s[i] & 0x3F);
	}
	return *c < least[n] || *c > 0x10FFFF || (*c >= 0xD800 && *c < 0xE000) ? NULL : s + n;
}

/* UTF-8, and nothing that a terminal would obey. */
static bool is_text(const char *s, size_t n)
{
	const char *end = s + n;
	uint32_t c;

	while (s && s < end) {
		s = next_character(s, &c);
		if (s && ((c < ' ' && c != '\t') || (c >= 0x7F && c < 0xA0)))
			return false;
	}
	return s == end;
}

bool is_name(const char *text)
{
	size_t n = strlen(text);

	for (const char *s = text; *s; s++)
		if ((unsigned char)*s < 0x80 && !isalnum((unsigned char)*s) && *s != '-' && *s != '_')
			return false;
	return n > 0 && n <= NAME_BYTES;
}

/* --- lines */

/* The line of n bytes at the beginning of what was read. */
static void take(struct reader *r, size_t n, struct input *to)
{
	const char *text = r->bytes + r->begin;

	if (n && text[n - 1] == '\r')
		n--;
	to->kind = INPUT_TOO_LONG;
	if (n > TEXT_BYTES)
		return;
	memcpy(to->text, text, n);
	to->text[n] = '\0';
	to->kind = is_text(to->text, n) ? INPUT_TEXT : INPUT_NOT_TEXT;
}

/* Read more behind what is there: > 0, 0 at the end, or a negative errno code. */
static ssize_t more(struct reader *r, leat_any_ctx ctx)
{
	ssize_t n;

	memmove(r->bytes, r->bytes + r->begin, r->end - r->begin);
	r->end -= r->begin;
	r->begin = 0;
	n = leat_conn_read_ctx(r->conn, r->bytes + r->end, sizeof r->bytes - r->end, ctx);
	if (n > 0)
		r->end += (size_t)n;
	r->ended = n == 0;
	return n;
}

/* The rest of a line that is too long. */
static ssize_t pass_over(struct reader *r, leat_any_ctx ctx)
{
	const char *end;
	ssize_t n = 1;

	while (!(end = memchr(r->bytes + r->begin, '\n', r->end - r->begin)) && n > 0) {
		r->begin = r->end;
		n = more(r, ctx);
	}
	r->begin = end ? (size_t)(end - r->bytes) + 1 : r->end;
	return end ? 1 : n;
}

int read_line(struct reader *r, struct input *to, leat_any_ctx ctx)
{
	for (;;) {
		const char *end = memchr(r->bytes + r->begin, '\n', r->end - r->begin);
		size_t n = end ? (size_t)(end - r->bytes) - r->begin : r->end - r->begin;
		ssize_t got;

		if (end || (r->ended && n)) {
			take(r, n, to);
			r->begin += n + (end != NULL);
			return 1;
		}
		if (r->ended)
			return 0;
		if (n > TEXT_BYTES + 1) {
			to->kind = INPUT_TOO_LONG;
			got = pass_over(r, ctx);
			return got < 0 ? (int)got : 1;
		}
		got = more(r, ctx);
		if (got < 0)
			return (int)got;
	}
}
