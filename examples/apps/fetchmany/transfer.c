/* SPDX-License-Identifier: MIT */
/*
 * A transfer is one blocking call of libcurl.  It holds up the goroutine that makes it and nobody else: leat gives that one's
 * processor to others meanwhile.  Handles are kept in a pool, and their connections with them.
 */
#include "transfer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *make_handle(void *arg)
{
	(void)arg;
	return curl_easy_init();
}

static void drop_handle(void *handle, void *arg)
{
	(void)arg;
	curl_easy_cleanup(handle);
}

static leat_pool handles = {.make = make_handle, .drop = drop_handle};

void transfers_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void transfers_end(void)
{
	leat_pool_trim(&handles);
	curl_global_cleanup();
}

/* Called some times a second, and whenever something comes. */
static int look_at_scope(void *scope, curl_off_t total, curl_off_t now, curl_off_t up,
                         curl_off_t sent)
{
	(void)total;
	(void)now;
	(void)up;
	(void)sent;
	return scope_err((leat_scope *)scope) != 0;
}

static size_t drop(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

static void prepare(CURL *curl, const char *url, double seconds, leat_scope *scope, FILE *to)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000));
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_scope);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, scope);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, to ? NULL : drop);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, to);
}

static bool may_go_better(CURLcode code, long status)
{
	switch (code) {
	case CURLE_HTTP_RETURNED_ERROR:
		return status >= 500 || status == 429 || status == 408;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return true;
	default:
		return false;
	}
}

static const leat_error *failure(CURL *curl, CURLcode code, leat_scope *scope)
{
	leat_error *e;
	long status = 0;

	if (scope_err(scope))
		return leat_error_errno(scope_err(scope));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		e = leat_errorf(NULL, "the server says %ld", status);
	else
		e = leat_errorf(NULL, "%s", curl_easy_strerror(code));
	leat_error_set_code(e, may_go_better(code, status) ? TRANSFER_MAY_GO_BETTER : -EIO);
	return e;
}

static const leat_error *perform(CURL *curl, struct transfer *t, leat_scope *scope)
{
	CURLcode code = curl_easy_perform(curl);
	curl_off_t bytes = 0, us = 0;

	if (code != CURLE_OK)
		return failure(curl, code, scope);
	curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &us);
	t->bytes = (uint64_t)bytes;
	t->seconds = (double)us / 1e6;
	return NULL;
}

/* "FOLDER/17-name": the URL's last piece, as far as it is harmless in a file's name. */
static bool name_file(char *file, size_t room, const char *folder, unsigned number, const char *url)
{
	const char *path = strstr(url, "://"), *end, *begin;
	size_t n;

	path = path ? path + 3 : url;
	end = path + strcspn(path, "?#");
	while (end > path && end[-1] == '/')
		end--;
	for (begin = end; begin > path && begin[-1] != '/';)
		begin--;
	n = (size_t)snprintf(file, room, "%s/%u-%.*s", folder, number, (int)(end - begin), begin);
	if (n >= room)
		return false;
	for (char *c = file + strlen(folder) + 1; *c; c++)
		if ((unsigned char)*c <= ' ' || strchr("\\\"'*<>|&;$`", *c))
			*c = '_';
	return true;
}

static const leat_error *system_error(const char *what, const char *file)
{
	const leat_error *why = leat_error_errno(-errno);

	return leat_errorf(why, "cannot %s %s", what, file);
}

/* Under another name until it is whole. */
static const leat_error *keep(CURL *curl, struct transfer *t, const char *url, unsigned number,
                              const char *folder, double seconds, leat_scope *scope)
{
	char part[sizeof t->file];
	const leat_error *e;
	FILE *f;
	int fd;

	if (!name_file(t->file, sizeof t->file, folder, number, url) ||
	    (size_t)snprintf(part, sizeof part, "%s/.fetch-XXXXXX", folder) >= sizeof part)
		return leat_errorf(NULL, "the name of its file would be too long");
	fd = mkstemp(part);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		e = system_error("make a file in", folder);
		if (fd >= 0) {
			close(fd);
			unlink(part);
		}
		return e;
	}
	prepare(curl, url, seconds, scope, f);
	e = perform(curl, t, scope);
	if (fclose(f) != 0 && !e)
		e = system_error("write", t->file);
	if (!e && rename(part, t->file) != 0)
		e = system_error("write", t->file);
	if (e)
		unlink(part);
	return e;
}

const leat_error *transfer(struct transfer *t, const char *url, unsigned number, const char *folder,
                           double seconds, leat_scope *scope)
{
	CURL *curl = leat_pool_get(&handles);
	const leat_error *e;

	*t = (struct transfer){0};
	if (!curl)
		return &leat_out_of_memory;
	if (folder) {
		e = keep(curl, t, url, number, folder, seconds, scope);
	} else {
		prepare(curl, url, seconds, scope, NULL);
		e = perform(curl, t, scope);
	}
	leat_pool_put(&handles, curl);
	if (e)
		*t = (struct transfer){0};
	return e;
}
