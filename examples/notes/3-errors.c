/* SPDX-License-Identifier: MIT */
/*
 * An error goes along with the value, to who knows what to do about it.  The goroutine that reads numbers cannot know
 * how many bad ones are too many, so it sends results, either with a value or with an error.  Main decides.
 */
#include <leat.h>

#include <stdio.h>
#include <stdlib.h>

struct result {
	const leat_error *error;
	long value;
};

struct read_numbers {
	leat_scope *scope;
	send_chan(struct result) out;
};

static struct result read_number(const char *word)
{
	char *end;
	struct result r = {.value = strtol(word, &end, 10)};

	if (*end)
		r.error = leat_errorf(NULL, "\"%s\" is no number", word);
	return r;
}

static void read_numbers(struct read_numbers *a)
{
	const char *const words[] = {"1", "two", "3", "four", "five", "6", "seven", NULL};

	for (int i = 0; words[i]; i++) {
		struct result r = read_number(words[i]);

		if (chan_send_ctx(a->out, r, a->scope))
			leat_error_free(r.error);
	}
	chan_close(a->out);
}

int main(void)
{
	int errors = 0;
	scope(s, NULL);
	chan(struct result) results = scope_chan(s, struct result, 0);

	scope_go(s, read_numbers, .scope = s, .out = chan_sender(results));
	chan_range(r, results) {
		if (!r.error) {
			printf("%ld\n", r.value);
			continue;
		}
		printf("error: %s\n", leat_error_message(r.error));
		leat_error_free(r.error);
		if (++errors == 3) {
			printf("too many errors\n");
			break;
		}
	}
}
