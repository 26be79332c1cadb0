/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "field.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum known known;
} known_names[] = {
    {"Host", FIELD_HOST},
    {"Connection", FIELD_CONNECTION},
    {"Content-Length", FIELD_CONTENT_LENGTH},
    {"Transfer-Encoding", FIELD_TRANSFER_ENCODING},
    {"Expect", FIELD_EXPECT},
    {"Range", FIELD_RANGE},
    {"If-Range", FIELD_IF_RANGE},
    {"If-Match", FIELD_IF_MATCH},
    {"If-None-Match", FIELD_IF_NONE_MATCH},
    {"If-Modified-Since", FIELD_IF_MODIFIED_SINCE},
    {"If-Unmodified-Since", FIELD_IF_UNMODIFIED_SINCE},
};

enum known field_known(const char *name)
{
	if (!strchr("HhCcTtEeRrIi", *name))
		return FIELD_OTHER;
	for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++)
		if (strcasecmp(name, known_names[i].name) == 0)
			return known_names[i].known;
	return FIELD_OTHER;
}
