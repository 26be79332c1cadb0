/* SPDX-License-Identifier: MIT */
/*
 * A range over everything: the characters of a text with the places where they begin, an array, a slice of it, a map,
 * and a channel until it is closed.  Characters take one to four bytes in UTF-8; the first of them says how many.
 */
#include <leat.h>

#include <stdio.h>

/* The character at *at, which goes on to the next one.  The text is valid UTF-8. */
static unsigned next_rune(const char **at)
{
	unsigned first = (unsigned char)*(*at)++;
	int more = (first >= 0xc0) + (first >= 0xe0) + (first >= 0xf0);
	unsigned rune = more ? first & (0x3fU >> more) : first;

	for (; more > 0; more--)
		rune = rune << 6 | (*(*at)++ & 0x3f);
	return rune;
}

static bool print_entry(const void *key, void *value, void *arg)
{
	printf("%s %s: %s\n", (char *)arg, (const char *)key, (char *)value);
	return true;
}

int main(void)
{
	const char *text = "ä€𝄞a";
	const char *const array[] = {"zero", "one", "two", "three"};
	leat_map map = LEAT_MAP_STRINGS;
	scope(s, NULL);
	chan(int) numbers = scope_chan(s, int, 2);

	for (const char *at = text; *at;) {
		long start = at - text;

		printf("byte %ld: U+%04X\n", start, next_rune(&at));
	}
	for (int i = 0; i < 4; i++)
		printf("array %d: %s\n", i, array[i]);
	for (const char *const *slice = array + 1; slice < array + 3; slice++)
		printf("slice: %s\n", *slice);

	leat_map_store(&map, "leaf", "green");
	leat_map_store(&map, "bark", "brown");
	leat_map_range(&map, print_entry, "map");
	leat_map_free(&map);

	chan_send(numbers, 42);
	chan_send(numbers, 43);
	chan_close(numbers);
	chan_range(n, numbers)
		printf("channel: %d\n", n);
}
