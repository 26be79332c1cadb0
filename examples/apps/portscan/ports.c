/* SPDX-License-Identifier: MIT */
#include "portscan.h"

#include <ctype.h>

/* A port, and *text moved behind it; 0: there is none. */
static int port(const char **text)
{
	int n = 0;

	for (; isdigit((unsigned char)**text) && n < PORTS; ++*text)
		n = n * 10 + (**text - '0');
	return n < PORTS ? n : 0;
}

bool ports_parse(bool wanted[PORTS], const char *text, const char **why)
{
	do {
		int from = port(&text), to = from;

		if (*text == '-') {
			text++;
			to = port(&text);
		}
		if (!from || !to || (*text && *text != ',')) {
			*why = "ports are from 1 to 65535, as in 22,80,8000-8100";
			return false;
		}
		if (to < from) {
			*why = "a range ends before it begins";
			return false;
		}
		for (; from <= to; from++)
			wanted[from] = true;
	} while (*text++ == ',');
	return true;
}
