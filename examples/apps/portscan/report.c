/* SPDX-License-Identifier: MIT */
/* What is known of the ports, in order: a table, or JSON.  After all goroutines have ended. */
#include "portscan.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const char *const words[STATES] = {"not tried", "open", "closed", "filtered", "trouble"};

static bool is_shown(const struct scan *s, int port)
{
	enum state state = s->results[port].state;

	return s->options->wanted[port] && state != NOT_TRIED &&
	       (s->options->all || state == OPEN || state == TROUBLE);
}

static const char *service(int port)
{
	const struct servent *entry = getservbyport(htons((uint16_t)port), "tcp");

	return entry ? entry->s_name : "";
}

static void count(const struct scan *s, size_t n[STATES])
{
	for (int port = 1; port < PORTS; port++)
		if (s->options->wanted[port])
			n[s->results[port].state]++;
}

static void print_table(const struct scan *s)
{
	size_t n[STATES] = {0};
	bool any = false;

	for (int port = 1; port < PORTS; port++) {
		const struct result *r = &s->results[port];
		const char *more = r->error ? leat_error_message(r->error) : r->banner ? r->banner : "";
		char name[32];

		if (!is_shown(s, port))
			continue;
		if (!any)
			printf("PORT   STATE     SERVICE%s\n", s->options->banner ? "          BANNER" : "");
		any = true;
		snprintf(name, sizeof name, "%s", service(port));
		if (*more)
			printf("%-5d  %-8s  %-15s  %s\n", port, words[r->state], name, more);
		else
			printf("%-5d  %s%*s%s\n", port, words[r->state],
			       *name ? (int)(10 - strlen(words[r->state])) : 0, "", name);
	}
	count(s, n);
	printf("%s%s: %zu of %zu ports tried in %.2f s: %zu open, %zu closed, %zu filtered\n",
	       any ? "\n" : "", s->options->host, s->wanted - n[NOT_TRIED], s->wanted, s->seconds,
	       n[OPEN], n[CLOSED], n[FILTERED]);
}

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if (*text >= ' ' && *text <= '~')
			putchar(*text);
		else
			printf("\\u%04x", (unsigned char)*text);
	}
	putchar('"');
}

static void print_json(const struct scan *s)
{
	const char *comma = "";
	size_t n[STATES] = {0};

	count(s, n);
	printf("{\"host\": ");
	print_string(s->options->host);
	printf(", \"ports\": %zu, \"tried\": %zu, \"open\": %zu, \"closed\": %zu, \"filtered\": %zu, "
	       "\"trouble\": %zu, \"seconds\": %.6f, \"stopped\": %s,\n \"results\": [",
	       s->wanted, s->wanted - n[NOT_TRIED], n[OPEN], n[CLOSED], n[FILTERED], n[TROUBLE],
	       s->seconds, s->caught ? "true" : "false");
	for (int port = 1; port < PORTS; port++) {
		const struct result *r = &s->results[port];

		if (!is_shown(s, port))
			continue;
		printf("%s\n  {\"port\": %d, \"state\": \"%s\", \"service\": ", comma, port,
		       words[r->state]);
		print_string(service(port));
		if (r->banner) {
			printf(", \"banner\": ");
			print_string(r->banner);
		}
		if (r->error) {
			printf(", \"error\": ");
			print_string(leat_error_message(r->error));
		}
		putchar('}');
		comma = ",";
	}
	printf("%s]}\n", *comma ? "\n " : "");
}

int report(const struct scan *s)
{
	size_t n[STATES] = {0};

	count(s, n);
	(s->options->json ? print_json : print_table)(s);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "portscan: cannot write: %s\n", strerror(errno));
		return EXIT_TROUBLE;
	}
	if (s->caught) {
		fprintf(stderr, "portscan: %s: stopped after %zu of %zu ports\n", strsignal(s->caught),
		        s->wanted - n[NOT_TRIED], s->wanted);
		return EXIT_SIGNAL + s->caught;
	}
	return n[TROUBLE] ? EXIT_TROUBLE : 0;
}
