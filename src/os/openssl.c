/* SPDX-License-Identifier: MIT */
/* The contract of openssl.h, by dlopen. */
#include "os/openssl.h"

#if LEAT__OPENSSL

#include "os/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

struct leat__openssl leat__openssl;

static const struct entry {
	const char *name;
	size_t at; /* in the table */
} ssl_entries[] =
    {
#define ENTRY(name) {#name, offsetof(struct leat__openssl, name)},
        LEAT__LIBSSL(ENTRY)},
  crypto_entries[] = {LEAT__LIBCRYPTO(ENTRY)};

static bool look_up(void *library, const struct entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		void *fn = library ? dlsym(library, entries[i].name) : NULL;

		if (!fn)
			return false;
		*(void **)((char *)&leat__openssl + entries[i].at) = fn;
	}
	return true;
}

int leat__openssl_load(void)
{
	static int result = 1;
	void *ssl, *crypto;

	if (result <= 0)
		return result;
	result = -ENOSYS;
	if (!leat__unwind_can_load())
		return result;
	/* libssl brings the libcrypto that it is for. */
	ssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
	crypto = ssl ? dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!look_up(ssl, ssl_entries, sizeof ssl_entries / sizeof *ssl_entries) ||
	    !look_up(crypto, crypto_entries, sizeof crypto_entries / sizeof *crypto_entries))
		return result;
	/* When main returns, goroutines run on until the process is gone: nothing may be taken down under them by then. */
	if (leat__openssl.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL))
		result = 0;
	return result;
}

#endif
