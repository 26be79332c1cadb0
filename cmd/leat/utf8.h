/* SPDX-License-Identifier: MIT */
/* Characters in what may be any bytes, such as names of files. */
#ifndef LEAT_CMD_UTF8_H
#define LEAT_CMD_UTF8_H

#include <stddef.h>

/* The bytes of the well-formed character that text, which ends with '\0', begins with; 0: none. */
static inline size_t utf8_length(const unsigned char *text)
{
	size_t length = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;

	/* Overlong forms, surrogates, and what lies above the last character. */
	if (*text > 0xf4 || (*text == 0xe0 && text[1] < 0xa0) || (*text == 0xed && text[1] > 0x9f) ||
	    (*text == 0xf0 && text[1] < 0x90) || (*text == 0xf4 && text[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

#endif
