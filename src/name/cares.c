/* SPDX-License-Identifier: MIT */
/*
 * Lookups by c-ares, in the goroutine that wants them.
 *
 * A channel of c-ares is made for each lookup.  One that all share would save 35 us (reading the system's files), but it can
 * only be cancelled as a whole, is not safe for threads before 1.23, and would have to find out when the files change.
 *
 * The channel's sockets, seldom more than two, are in a set (os/fdset.h), which c-ares keeps up to date through a callback; the
 * goroutine parks for the set, until c-ares wants to try again or the context ends.  Nothing parks inside of c-ares.
 *
 * c-ares is loaded when the first name is looked up.  What it knows of the process, it keeps for ever: the library is never
 * unloaded.
 */
#include "name/cares.h"

#if defined LEAT_HAVE_CARES && LEAT_HAVE_CARES

#include "io/sock.h"
#include "os/fdset.h"
#include "os/unwind.h"

#include <leat/fd.h>
#include <leat/once.h>
#include <leat/select.h>
#include <leat/time.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIBRARY "libcares.so.2"

#define ATTEMPTS_DEFAULT                                                                           \
	2 /* as Go and the C library have it; c-ares before 1.20 has 4, the last of which takes 40 s */
#define READS_ATTEMPTS  0x11400 /* from this version on it takes them from resolv.conf */
#define TIMEOUT_DEFAULT (5 * LEAT_SECOND)

/* --- the library */

struct leat__cares leat__cares;
static leat_once loading;
static bool here; /* set within `loading` */
static int version;

static void leat__cares_load(void *arg)
{
	struct leat__cares c;
	void *lib = leat__unwind_can_load() ? dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) : NULL, *at;
	bool all = lib != NULL;

	(void)arg;
#define FIND(name)                                                                                 \
	at = all ? dlsym(lib, "ares_" #name) : NULL;                                                   \
	memcpy(&c.name, &at, sizeof at);                                                               \
	all = all && at;
	LEAT__CARES_FUNCTIONS(FIND)
#undef FIND
	if (!all || c.library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return;
	c.version(&version);
	leat__cares = c;
	here = true;
}

bool leat__cares_here(void)
{
	leat_once_do(&loading, leat__cares_load, NULL);
	return here;
}

int leat__cares_err(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
	case ARES_EBADNAME:
	case ARES_EBADQUERY:
		return -ENOENT;
	case ARES_ESERVFAIL:
		return -EAGAIN;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	case ARES_ECONNREFUSED:
		return -ECONNREFUSED;
	case ARES_ENOMEM:
		return -ENOMEM;
	case ARES_ECANCELLED:
	case ARES_EDESTRUCTION:
		return -ECANCELED;
	}
	return -EREMOTEIO;
}

/* --- one lookup */

struct asking {
	struct leat__answer *a;
	ares_channel channel;
	struct leat__sock set;
	int err;      /* how it came out, where done; why its sockets cannot be waited for */
	int short_of; /* what the system had no more of, or 0 */
	bool done;
	bool takes_any_reply; /* that a server fails is a reply, otherwise another is tried */
};

static void finish(struct asking *q, int err)
{
	if (!q->err)
		q->err = err;
	q->done = true;
}

/* Of c-ares: what it wants of a socket has changed. */
static void socket_changed(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct asking *q = arg;
	int err = leat__os_fdset_want(q->set.fd, fd, readable, writable);

	if (err && (readable || writable))
		finish(q, err);
}

/* --- its sockets, which c-ares would make itself, but not closed on exec from the first moment */

static int result(int value)
{
	if (value >= 0)
		return value;
	errno = -value;
	return -1;
}

static ares_socket_t open_socket(int family, int type, int protocol, void *arg)
{
	struct asking *q = arg;
	int fd = leat__os_socket(family, type, protocol);

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM)
		q->short_of = fd;
	return result(fd);
}

static int close_socket(ares_socket_t fd, void *arg)
{
	(void)arg;
	return result(leat__os_fd_close(fd));
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t bytes,
                          void *arg)
{
	(void)arg;
	return result(leat__os_connect(fd, to, bytes));
}

static ares_ssize_t receive(ares_socket_t fd, void *to, size_t bytes, int flags,
                            struct sockaddr *from, ares_socklen_t *from_bytes, void *arg)
{
	struct iovec part = {to, bytes};
	struct msghdr msg = {.msg_name = from,
	                     .msg_namelen = from_bytes ? *from_bytes : 0,
	                     .msg_iov = &part,
	                     .msg_iovlen = 1};
	ssize_t n = leat__os_recvmsg(fd, &msg, flags);

	(void)arg;
	if (n >= 0 && from_bytes)
		*from_bytes = msg.msg_namelen;
	return result((int)n);
}

/* An error that a send tells is that of an earlier datagram, whose question would be waited for in vain: this one has its own,
   and who reads hears of that, for all. */
static ares_ssize_t send_parts(ares_socket_t fd, const struct iovec *parts, int n, void *arg)
{
	const struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)parts,
	                           .msg_iovlen = (size_t)n};
	ssize_t sent = leat__os_sendmsg(fd, &msg);

	(void)arg;
	if (sent == -ECONNREFUSED)
		sent = leat__os_sendmsg(fd, &msg);
	return result((int)sent);
}

static const struct ares_socket_functions socket_functions = {open_socket, close_socket,
                                                              connect_socket, receive, send_parts};

/* Until c-ares wants to look at the time; what it does then may be the end. */
static int leat__pause(struct asking *q, leat_ctx *ctx)
{
	struct timeval left, *t = leat__cares.timeout(q->channel, NULL, &left);
	int64_t until = LEAT_FOREVER;
	int err;

	if (t)
		until = leat_now() + t->tv_sec * LEAT_SECOND + (t->tv_usec + 1) * LEAT_MICROSECOND;
	err = leat__sock_set_deadline(&q->set, LEAT__POLL_READ, until);
	if (!err)
		err = leat__sock_wait(&q->set, LEAT__POLL_READ, ctx);
	if (err != -ETIMEDOUT || leat_ctx_err((leat_any_ctx)ctx))
		return err;
	leat__cares.process_fd(q->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return 0;
}

static int leat__drive(struct asking *q, leat_ctx *ctx)
{
	struct leat__os_event events[4];
	int err = leat__sock_begin(&q->set, LEAT__POLL_READ, ctx), n;

	if (err)
		return err;
	while (!err && !q->done) {
		n = leat__os_fdset_ready(q->set.fd, events, ARRAY_LEN(events));
		if (n <= 0)
			err = n < 0 ? n : leat__pause(q, ctx);
		for (int i = 0; i < n; i++) {
			ares_socket_t fd = (ares_socket_t)events[i].token;

			leat__cares.process_fd(q->channel,
			                       events[i].ready & LEAT__OS_READ ? fd : ARES_SOCKET_BAD,
			                       events[i].ready & LEAT__OS_WRITE ? fd : ARES_SOCKET_BAD);
		}
	}
	leat__sock_end(&q->set, LEAT__POLL_READ);
	return err;
}

/* --- its channel */

/* c-ares takes them without blanks. */
static int set_servers(struct asking *q, const char *servers)
{
	char *bare = malloc(strlen(servers) + 1), *to = bare;
	int status;

	if (!bare)
		return -ENOMEM;
	for (const char *s = servers; *s; s++)
		if (*s != ' ' && *s != '\t')
			*to++ = *s;
	*to = '\0';
	status = *bare ? leat__cares.set_servers_ports_csv(q->channel, bare) : ARES_EBADSTR;
	free(bare);
	return status == ARES_ENOMEM ? -ENOMEM : status == ARES_SUCCESS ? 0 : -EINVAL;
}

/* Say whom it asks: the first, and how many more there are. */
static void tell_servers(struct asking *q)
{
	struct ares_addr_port_node *all = NULL;
	char host[INET6_ADDRSTRLEN], text[LEAT__SERVER_TEXT];
	int more = -1, used;

	if (leat__cares.get_servers_ports(q->channel, &all) != ARES_SUCCESS || !all)
		return;
	for (const struct ares_addr_port_node *i = all; i; i = i->next)
		more++;
	inet_ntop(all->family, &all->addr, host, sizeof host);
	used = snprintf(text, sizeof text, all->family == AF_INET6 ? "[%s]:%d" : "%s:%d", host,
	                all->udp_port ? all->udp_port : 53);
	if (more > 0)
		snprintf(text + used, sizeof text - (size_t)used, " and %d more", more);
	leat__cares.free_data(all);
	leat__flight_asks(q->a, text);
}

static bool can_read(const char *path)
{
	FILE *file = fopen(path, "re");

	if (file)
		fclose(file);
	return file != NULL;
}

static int open_channel(struct asking *q, const leat_resolver *r, bool hosts)
{
	char dns_only[] = "b", path[4096];
	int64_t timeout = r->timeout_ns > 0 ? r->timeout_ns : TIMEOUT_DEFAULT;
	struct ares_options o = {.sock_state_cb = socket_changed,
	                         .sock_state_cb_data = q,
	                         .tries = r->attempts > 0 ? r->attempts : ATTEMPTS_DEFAULT};
	int mask = ARES_OPT_SOCK_STATE_CB, status;

	if (r->timeout_ns > 0 || version < READS_ATTEMPTS)
		mask |= ARES_OPT_TIMEOUTMS;
	timeout = (timeout + LEAT_MILLISECOND - 1) / LEAT_MILLISECOND;
	o.timeout = timeout < INT32_MAX / 1024 ? (int)timeout : INT32_MAX / 1024; /* it doubles */
	if (r->attempts > 0 || version < READS_ATTEMPTS)
		mask |= ARES_OPT_TRIES;
	if (q->takes_any_reply) {
		o.flags = ARES_FLAG_NOCHECKRESP;
		mask |= ARES_OPT_FLAGS;
	}
	if (!hosts) {
		o.lookups = dns_only;
		mask |= ARES_OPT_LOOKUPS;
	}
	if (r->resolv_conf) {
		if (strlen(r->resolv_conf) >= sizeof path || !can_read(r->resolv_conf))
			return -EINVAL;
		o.resolvconf_path = strcpy(path, r->resolv_conf);
		mask |= ARES_OPT_RESOLVCONF;
	}
	status = leat__cares.init_options(&q->channel, &o, mask);
	if (status != ARES_SUCCESS)
		return leat__cares_err(status);
	leat__cares.set_socket_functions(q->channel, &socket_functions, q);
	return r->servers ? set_servers(q, r->servers) : 0;
}

static int open_asking(struct asking *q, const leat_resolver *r, bool hosts)
{
	int fd = leat__os_fdset_open(), err;

	if (fd < 0)
		return fd;
	err = leat__sock_open(&q->set, fd, "set");
	if (err) {
		leat_close_fd(fd);
		return err;
	}
	err = open_channel(q, r, hosts);
	if (err && q->channel)
		leat__cares.destroy(q->channel);
	if (err)
		leat__sock_close(&q->set);
	return err;
}

/* --- what is asked */

static size_t count(const struct ares_addrinfo_node *i)
{
	size_t n = 0;

	for (; i; i = i->ai_next)
		n += i->ai_addrlen <= sizeof(struct sockaddr_storage);
	return n;
}

static int take_addresses(struct leat__answer *a, const struct ares_addrinfo_node *i)
{
	leat_addr *to;
	size_t n = count(i);

	if (!n)
		return -ENOENT;
	if (!leat__answer_room(a, n, sizeof *to, 0))
		return -ENOMEM;
	for (to = a->block; i; i = i->ai_next) {
		if (i->ai_addrlen <= sizeof to->leat__room) {
			to->bytes = (socklen_t)i->ai_addrlen;
			memcpy(&to->any, i->ai_addr, to->bytes);
			to++;
		}
	}
	return 0;
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strlen(a), k = strlen(b);

	n -= n && a[n - 1] == '.';
	k -= k && b[k - 1] == '.';
	return n == k && strncasecmp(a, b, n) == 0;
}

/* What name is an alias of, or NULL. */
static const char *alias_of(const struct ares_addrinfo_cname *i, const char *name)
{
	while (i && !(i->alias && i->name && same_name(i->alias, name)))
		i = i->next;
	return i ? i->name : NULL;
}

/* Servers need not tell the aliases in order.  In a ring of them there is no end, so as many steps as there are, at most. */
static int take_canonical(struct leat__answer *a, const struct ares_addrinfo *found)
{
	const struct ares_addrinfo_cname *i = found->cnames;
	const char *name = found->name, *next;

	if (!count(found->nodes))
		return -ENOENT;
	if (!name && i)
		name = i->name;
	for (; name && i && (next = alias_of(found->cnames, name)); i = i->next)
		name = next;
	return leat__answer_strings(a, &name, name != NULL);
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct asking *q = arg;
	int err = leat__cares_err(status);

	(void)timeouts;
	if (!err)
		err = q->a->kind == LEAT__LOOKUP_CNAME ? take_canonical(q->a, found)
		                                       : take_addresses(q->a, found->nodes);
	if (found)
		leat__cares.freeaddrinfo(found);
	finish(q, err);
}

static void on_names(void *arg, int status, int timeouts, struct hostent *found)
{
	struct asking *q = arg;
	const char *texts[64];
	size_t n = 1;
	int err = leat__cares_err(status);

	(void)timeouts;
	if (!err) {
		texts[0] = found->h_name;
		for (char **i = found->h_aliases; i && *i && n < ARRAY_LEN(texts); i++)
			texts[n++] = *i;
		/* Of a server's it is the last once more. */
		if (n > 1 && strcmp(texts[0], texts[n - 1]) == 0)
			texts[0] = texts[1];
		err = leat__answer_strings(q->a, texts, n);
	}
	finish(q, err);
}

static void on_records(void *arg, int status, int timeouts, unsigned char *reply, int bytes)
{
	struct asking *q = arg;
	int err = leat__cares_err(status);

	(void)timeouts;
	finish(q, err ? err : leat__records_take(q->a, reply, bytes));
}

static void ask_addr(struct asking *q, const char *name)
{
	leat_addr addr;
	const void *any = &addr.any;
	const struct sockaddr_in *in4 = any;
	const struct sockaddr_in6 *in6 = any;

	if (!leat__ip_literal(name, &addr))
		finish(q, -EINVAL);
	else if (addr.any.sa_family == AF_INET)
		leat__cares.gethostbyaddr(q->channel, &in4->sin_addr, sizeof in4->sin_addr, AF_INET,
		                          on_names, q);
	else
		leat__cares.gethostbyaddr(q->channel, &in6->sin6_addr, sizeof in6->sin6_addr, AF_INET6,
		                          on_names, q);
}

static void ask(struct asking *q, const char *name)
{
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	switch (q->a->kind) {
	case LEAT__LOOKUP_IP4:
		hints.ai_family = AF_INET;
		break;
	case LEAT__LOOKUP_IP6:
		hints.ai_family = AF_INET6;
		break;
	case LEAT__LOOKUP_CNAME:
		hints.ai_flags = ARES_AI_CANONNAME;
		break;
	case LEAT__LOOKUP_ADDR:
		ask_addr(q, name);
		return;
	case LEAT__LOOKUP_IP:
		break;
	default:
		leat__cares.search(q->channel, name, 1 /* the internet's class */,
		                   leat__record_type(q->a->kind), on_records, q);
		return;
	}
	leat__cares.getaddrinfo(q->channel, name, NULL, &hints, on_addresses, q);
}

static int leat__ask_once(const leat_resolver *r, const char *name, bool hosts, bool first,
                          leat_ctx *ctx, struct leat__answer *a)
{
	struct asking q = {.a = a, .takes_any_reply = !first};
	int err = open_asking(&q, r, hosts);

	if (err)
		return err;
	tell_servers(&q);
	ask(&q, name);
	err = leat__drive(&q, ctx);
	if (!err)
		err = q.err == -ECONNREFUSED && q.short_of ? q.short_of : q.err;
	q.err = err; /* what comes now is the end of those that are under way */
	leat__cares.destroy(q.channel);
	leat__sock_close(&q.set);
	return err;
}

/*
 * Before 1.20 c-ares says that servers refuse connections also where all of them answered that they fail.  So they are asked
 * once more, and the first reply is taken.
 */
int leat__cares_resolve(const leat_resolver *r, const char *name, bool hosts, leat_ctx *ctx,
                        struct leat__answer *a)
{
	int err = leat__ask_once(r, name, hosts, true, ctx, a);

	return err == -ECONNREFUSED ? leat__ask_once(r, name, hosts, false, ctx, a) : err;
}

#else

bool leat__cares_here(void)
{
	return false;
}

int leat__cares_resolve(const leat_resolver *r, const char *name, bool hosts, leat_ctx *ctx,
                        struct leat__answer *a)
{
	(void)r, (void)name, (void)hosts, (void)ctx, (void)a;
	return -ENOSYS;
}

#endif
