/* SPDX-License-Identifier: MIT */
/*
 * curl_multi: fetch many URLs at once, on few threads, through libcurl's multi interface.
 *
 *	curl_multi [-j N] [-t SECONDS] [-a SECONDS] URL...
 *
 * Each URL has a goroutine, in straight-line code, and all transfers have one driver: driver_perform is curl_easy_perform
 * that parks.  (apps/fetchmany makes the blocking call instead: simpler, and a thread for each transfer.)  A transfer
 * that takes too long is ended by its context; all of them, by that of the scope.
 *
 * This file is how it is used; curl_multi/driver.[ch] are for whoever wants to take them along.
 */
#include "curl_multi/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
	long at_once;
	double seconds, seconds_in_all; /* 0: for ever */
};

struct outcome {
	const char *url;
	CURLcode code;
	long status;
	uint64_t bytes;
};

struct fetch {
	leat_scope *scope;
	struct driver *driver;
	double seconds;
	const char *url;
	send_chan(struct outcome) out;
};

static size_t count(char *bytes, size_t size, size_t n, void *sum)
{
	(void)bytes;
	*(uint64_t *)sum += size * n;
	return size * n;
}

static void fetch(struct fetch *a)
{
	struct outcome o = {.url = a->url, .code = CURLE_OUT_OF_MEMORY};
	CURL *easy = curl_easy_init();
	leat_ctx *ctx = NULL;

	if (a->seconds > 0)
		ctx = leat_ctx_with_timeout(a->scope, (int64_t)(a->seconds * 1e9));
	if (easy) {
		curl_easy_setopt(easy, CURLOPT_URL, a->url);
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
		curl_easy_setopt(easy, CURLOPT_WRITEDATA, &o.bytes);
		o.code =
		    ctx ? driver_perform(a->driver, easy, ctx) : driver_perform(a->driver, easy, a->scope);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &o.status);
		curl_easy_cleanup(easy);
	}
	leat_ctx_free(ctx);
	chan_send(a->out, o);
}

/* True when it was fetched. */
static bool report(const struct outcome *o)
{
	if (o->code != CURLE_OK)
		fprintf(stderr, "curl_multi: %s: %s\n", o->url, curl_easy_strerror(o->code));
	else
		printf("%ld %llu %s\n", o->status, (unsigned long long)o->bytes, o->url);
	return o->code == CURLE_OK;
}

/* Starts a goroutine for each URL, but no more than so many at a time. */
struct begin {
	leat_scope *fetches, *all;
	struct driver *driver;
	char **urls;
	int n;
	double seconds;
	send_chan(struct outcome) out;
};

static void begin(struct begin *a)
{
	for (int i = 0; i < a->n; i++)
		scope_go(a->fetches, fetch, a->all, a->driver, a->seconds, a->urls[i], a->out);
}

static int fetch_all(char **urls, int n, const struct options *o)
{
	int failed = 0;

	scope(all, NULL);
	chan(struct outcome) out = scope_chan(all, struct outcome, 0);
	struct driver *driver = driver_start(all);

	if (!driver) {
		fprintf(stderr, "curl_multi: libcurl has no memory\n");
		return 1;
	}
	if (o->seconds_in_all > 0)
		scope_timeout(all, (int64_t)(o->seconds_in_all * 1e9));
	scope(fetches, NULL); /* joined first: the driver serves them to their end */
	scope_limit(fetches, o->at_once);
	scope_go(all, begin, fetches, all, driver, urls, n, o->seconds, chan_sender(out));
	for (int i = 0; i < n; i++) {
		struct outcome outcome = chan_recv(out);

		failed += !report(&outcome);
	}
	return failed || fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}

static double number(const char *text, char option, double least, double most)
{
	char *end;
	double x = strtod(text, &end);

	if (!*text || *end || !(x >= least && x <= most)) {
		fprintf(stderr, "curl_multi: -%c takes a number from %g to %g\n", option, least, most);
		exit(2);
	}
	return x;
}

int main(int argc, char **argv)
{
	struct options o = {.at_once = 500};
	int status;

	for (int option; (option = getopt(argc, argv, "a:j:t:")) >= 0;) {
		switch (option) {
		case 'a':
			o.seconds_in_all = number(optarg, 'a', 0.001, 1e6);
			break;
		case 'j':
			o.at_once = (long)number(optarg, 'j', 1, 1e5);
			break;
		case 't':
			o.seconds = number(optarg, 't', 0.001, 1e6);
			break;
		default:
			fprintf(stderr, "Usage: curl_multi [-j N] [-t SECONDS] [-a SECONDS] URL...\n");
			return 2;
		}
	}
	if (optind == argc) {
		fprintf(stderr, "curl_multi: nothing to fetch\n");
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	status = fetch_all(argv + optind, argc - optind, &o);
	curl_global_cleanup();
	return status;
}
