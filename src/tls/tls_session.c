/* SPDX-License-Identifier: MIT */
/* Sessions that a client keeps, the last one of each server, those used last; as Go's LRU cache a list that is walked. */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include <stdlib.h>
#include <string.h>

struct leat__tls_session {
	struct leat__tls_session *next;
	SSL_SESSION *session;
	char server_name[];
};

/* Where the one of that server hangs; or the end of the list.  Locked. */
static struct leat__tls_session **place_of(leat_tls_config *config, const char *server_name)
{
	struct leat__tls_session **place = &config->sessions;

	while (*place && strcmp((*place)->server_name, server_name) != 0)
		place = &(*place)->next;
	return place;
}

static struct leat__tls_session *take_off(leat_tls_config *config, struct leat__tls_session **place)
{
	struct leat__tls_session *s = *place;

	if (s) {
		*place = s->next;
		config->n_sessions--;
	}
	return s;
}

static void put_first(leat_tls_config *config, struct leat__tls_session *s)
{
	s->next = config->sessions;
	config->sessions = s;
	config->n_sessions++;
}

static void free_session(struct leat__tls_session *s)
{
	if (!s)
		return;
	leat__san_blind_begin();
	ossl->SSL_SESSION_free(s->session);
	leat__san_blind_end();
	free(s);
}

/* What proved who the server is must hold still, for a resumed session proves nothing. */
static bool is_good(SSL_SESSION *session)
{
	X509 *cert = ossl->SSL_SESSION_get0_peer(session);

	return ossl->SSL_SESSION_is_resumable(session) &&
	       (!cert || ossl->X509_cmp_current_time(ossl->X509_get0_notAfter(cert)) > 0);
}

SSL_SESSION *leat__tls_session_find(leat_tls_config *config, const char *server_name)
{
	struct leat__tls_session *s, *old = NULL;
	SSL_SESSION *session = NULL;

	if (!server_name)
		return NULL;
	leat_mutex_lock(&config->sessions_lock);
	s = take_off(config, place_of(config, server_name));
	if (s && is_good(s->session) && ossl->SSL_SESSION_up_ref(s->session)) {
		session = s->session;
		put_first(config, s);
	} else {
		old = s;
	}
	leat_mutex_unlock(&config->sessions_lock);
	free_session(old);
	return session;
}

void leat__tls_session_keep(leat_tls_config *config, const char *server_name, SSL_SESSION *session)
{
	size_t bytes = server_name ? strlen(server_name) + 1 : 0;
	struct leat__tls_session *s = bytes ? malloc(sizeof *s + bytes) : NULL, *old, **place;

	if (!s) { /* it is only a cache */
		ossl->SSL_SESSION_free(session);
		return;
	}
	memcpy(s->server_name, server_name, bytes);
	s->session = session;
	leat_mutex_lock(&config->sessions_lock);
	old = take_off(config, place_of(config, server_name));
	if (!old && config->n_sessions >= config->max_sessions) {
		for (place = &config->sessions; (*place)->next; place = &(*place)->next)
			;
		old = take_off(config, place);
	}
	put_first(config, s);
	leat_mutex_unlock(&config->sessions_lock);
	free_session(old);
}

void leat__tls_sessions_free(leat_tls_config *config)
{
	while (config->sessions)
		free_session(take_off(config, &config->sessions));
}

#endif
