/* SPDX-License-Identifier: ISC */
/* Listening sockets. */

#include "bridge/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/conn.h"
#include "bridge/server.h"
#include "prim/base.h"

#define BACKLOG 1024
/* Out of descriptors: this long nothing is accepted. */
#define PAUSE_MS 100

struct br_listener {
	struct br_server *server;        /* borrowed: outlives us */
	struct evconnlistener *listener; /* owned */
	struct prim_timer pause;
	char address[BR_CONN_ADDRESS_MAX + 10];
	bool is_tls;
	bool is_warned; /* about descriptors, once a shortage */
};

/* The numeric address, without its port. */
static void format_address(const struct sockaddr *addr,
    char out[BR_CONN_ADDRESS_MAX])
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)(const void *)addr;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)(const void *)addr;

	out[0] = '\0';
	if (addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, BR_CONN_ADDRESS_MAX);
	else if (addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, out, BR_CONN_ADDRESS_MAX);
}

static socklen_t make_address(const struct br_endpoint *e,
    struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, e->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, e->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(e->port);
		return sizeof(*v6);
	}
	return 0;
}

static int bind_failed(const struct br_endpoint *e, int fd, struct br_err *err)
{
	int why = errno;
	const char *what = why == EADDRINUSE
	    ? "; another program listens there: stop it, or choose another port"
	    : why == EACCES
	    ? "; ports below 1024 need root or CAP_NET_BIND_SERVICE"
	    : why == EADDRNOTAVAIL ? "; this machine has no such address"
				   : "";

	if (fd >= 0)
		close(fd);
	br_err_set(err, "cannot listen on %s port %u: %s%s", e->host,
	    (unsigned)e->port, strerror(why), what);
	return -1;
}

int br_listener_bind(const struct br_endpoint *endpoint, struct br_err *err)
{
	struct sockaddr_storage address;
	socklen_t len = make_address(endpoint, &address);
	int one = 1;
	int fd;

	if (!len) {
		br_err_set(err, "cannot listen on %s: not a numeric address",
		    endpoint->host);
		return -1;
	}
	fd = socket(address.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return bind_failed(endpoint, fd, err);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return bind_failed(endpoint, fd, err);
	return fd;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *addr, int len, void *arg)
{
	struct br_listener *l = arg;
	char address[BR_CONN_ADDRESS_MAX];

	(void)listener;
	(void)len;
	br_server_wake(l->server);
	l->is_warned = false;
	format_address(addr, address);
	br_conn_accept(l->server, (int)fd, address, l->is_tls);
}

static void on_pause_over(struct prim_timer *t)
{
	struct br_listener *l = PRIM_CONTAINER(t, struct br_listener, pause);

	evconnlistener_enable(l->listener);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct br_listener *l = arg;

	/* Without the pause a full table of descriptors would spin. */
	if (!l->is_warned)
		br_error(&l->server->log,
		    "cannot accept: %s; raise the limit of open files "
		    "or lower limits.connections",
		    strerror(errno));
	l->is_warned = true;
	evconnlistener_disable(listener);
	prim_timer_set(&l->server->wheel, &l->pause,
	    br_server_now(l->server) + PAUSE_MS);
}

static void name_address(struct br_listener *l, int fd)
{
	struct sockaddr_storage address;
	struct sockaddr *any = (struct sockaddr *)&address;
	bool is_v6;
	socklen_t len = sizeof(address);
	char host[BR_CONN_ADDRESS_MAX];
	unsigned port;

	if (getsockname(fd, any, &len) < 0)
		return;
	is_v6 = address.ss_family == AF_INET6;
	format_address(any, host);
	port = ntohs(is_v6 ? ((struct sockaddr_in6 *)(void *)any)->sin6_port
			   : ((struct sockaddr_in *)(void *)any)->sin_port);
	snprintf(l->address, sizeof(l->address), "%s%s%s:%u", is_v6 ? "[" : "",
	    host, is_v6 ? "]" : "", port);
}

const char *br_listener_address(const struct br_listener *l)
{
	return l ? l->address : "closed";
}

struct br_listener *br_listener_start(struct br_server *s, int fd, bool is_tls)
{
	struct br_listener *l = prim_new(struct br_listener);

	l->server = s;
	l->is_tls = is_tls;
	prim_timer_init(&l->pause, on_pause_over);
	l->listener = evconnlistener_new(s->base, on_accept, l,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	evconnlistener_set_error_cb(l->listener, on_accept_error);
	name_address(l, fd);
	br_info(&s->log, "listening address=%s tls=%s", l->address,
	    is_tls ? "yes" : "no");
	return l;
}

struct br_listener *br_listener_stop(struct br_listener *l)
{
	if (!l)
		return NULL;
	prim_timer_stop(&l->server->wheel, &l->pause);
	evconnlistener_free(l->listener);
	return prim_free(l);
}
