/* SPDX-License-Identifier: MIT */
/*
 * Names of ports: /etc/services, and the few that everybody knows, for where there is none (as Go has it).  Not through the
 * C library, which would ask whatever the name service switch is set to, and may wait for that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "name/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH   "/etc/services"
#define BLANKS " \t\r\n"

static const struct {
	const char *name;
	int port;
	const char *protocol;
} known[] = {
    {"domain", 53, "tcp"}, {"domain", 53, "udp"}, {"ftp", 21, "tcp"},    {"ftps", 990, "tcp"},
    {"http", 80, "tcp"},   {"https", 443, "tcp"}, {"https", 443, "udp"}, {"imap2", 143, "tcp"},
    {"imaps", 993, "tcp"}, {"ntp", 123, "udp"},   {"pop3", 110, "tcp"},  {"pop3s", 995, "tcp"},
    {"smtp", 25, "tcp"},   {"ssh", 22, "tcp"},    {"telnet", 23, "tcp"}, {"submission", 587, "tcp"},
};

/* "" is any. */
static bool fits(const char *protocol, const char *wanted)
{
	return !*wanted || strcmp(protocol, wanted) == 0;
}

/* "http  80/tcp  www  # comment": the port, 0 where it is another's. */
static int port_in(char *line, const char *protocol, const char *service)
{
	char *rest, *name, *port, *slash;
	bool found;

	line[strcspn(line, "#")] = '\0';
	name = strtok_r(line, BLANKS, &rest);
	port = name ? strtok_r(NULL, BLANKS, &rest) : NULL;
	slash = port ? strchr(port, '/') : NULL;
	if (!slash || !fits(slash + 1, protocol))
		return 0;
	*slash = '\0';
	found = strcasecmp(name, service) == 0;
	while (!found && (name = strtok_r(NULL, BLANKS, &rest)) != NULL)
		found = strcasecmp(name, service) == 0;
	return found && strspn(port, "0123456789") == strlen(port) ? atoi(port) : 0;
}

static int port_of_file(FILE *file, const char *protocol, const char *service)
{
	char *line = NULL;
	size_t room = 0;
	int port = 0;

	while (!port && getline(&line, &room, file) >= 0)
		port = port_in(line, protocol, service);
	free(line);
	return port > 0 && port <= 65535 ? port : -ENOENT;
}

int leat__service_port(const leat_resolver *r, const char *protocol, const char *service)
{
	const char *path = r && r->services ? r->services : PATH;
	int port = -ENOENT;
	FILE *file;

	if (*service && strspn(service, "0123456789") == strlen(service))
		return strlen(service) <= 5 && atoi(service) <= 65535 ? atoi(service) : -ERANGE;
	file = fopen(path, "re");
	if (file) {
		port = port_of_file(file, protocol, service);
		fclose(file);
	}
	for (size_t i = 0; port < 0 && i < ARRAY_LEN(known); i++)
		if (fits(known[i].protocol, protocol) && strcasecmp(known[i].name, service) == 0)
			port = known[i].port;
	return port;
}
