/* SPDX-License-Identifier: ISC */
/* The connection under a link. */

#include "adapters/xmpp/wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "prim/base.h"

bool xa_wire_parse(struct prim_slice text, struct prim_slice *out_host,
    uint16_t *out_port)
{
	ptrdiff_t colon = prim_slice_find_last(text, ':');
	struct prim_slice host;
	uint64_t port;

	if (colon <= 0 ||
	    !prim_slice_number(prim_slice_from(text, (size_t)colon + 1),
		UINT16_MAX, &port) ||
	    port == 0)
		return false;
	host = prim_slice_make(text.ptr, (size_t)colon);
	if (prim_slice_starts(host, PRIM_SLICE("[")) &&
	    prim_slice_ends(host, PRIM_SLICE("]")))
		host = prim_slice_make(host.ptr + 1, host.len - 2);
	else if (prim_slice_find(host, ':') >= 0)
		return false;
	if (host.len == 0 || memchr(host.ptr, '\0', host.len))
		return false;
	*out_host = host;
	*out_port = (uint16_t)port;
	return true;
}

static bool is_numeric(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return evutil_inet_pton(AF_INET, host, address) == 1 ||
	    evutil_inet_pton(AF_INET6, host, address) == 1;
}

/*
 * Loop callbacks: what the world tells us.
 */

static void tell_lost(struct xa_wire *w, const char *why)
{
	xa_wire_close(w);
	w->ops->lost(w->ctx, why);
}

static void reading(struct xa_wire *w)
{
	if (!w->bev)
		return;
	if (w->holding || w->choked)
		bufferevent_disable(w->bev, EV_READ);
	else
		bufferevent_enable(w->bev, EV_READ);
}

/* Hands out what has been read, until somebody holds or closes. */
static void pump(struct xa_wire *w)
{
	struct bufferevent *bev = w->bev;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len;

	while (!w->holding && (len = evbuffer_get_contiguous_space(input))) {
		char octets[XA_WIRE_CHUNK_MAX];

		if (len > sizeof(octets))
			len = sizeof(octets);
		evbuffer_remove(input, octets, len);
		w->ops->octets(w->ctx, prim_slice_make(octets, len));
		if (w->bev != bev)
			return;
	}
	reading(w);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	pump(arg);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct xa_wire *w = arg;

	(void)bev;
	w->choked = false;
	reading(w);
}

static void connected(struct xa_wire *w)
{
	int on = 1;

	setsockopt(bufferevent_getfd(w->bev), IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on));
	bufferevent_enable(w->bev, EV_READ | EV_WRITE);
	w->ops->connected(w->ctx);
}

static const char *reason(struct bufferevent *bev, short what)
{
	int dns = bufferevent_socket_get_dns_error(bev);

	if (what & BEV_EVENT_EOF)
		return "the XMPP server closed the connection";
	if (dns)
		return evutil_gai_strerror(dns);
	return evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct xa_wire *w = arg;

	if (what & BEV_EVENT_CONNECTED)
		connected(w);
	else
		tell_lost(w, reason(bev, what));
}

/* From the loop, never from inside xa_wire_connect(): it may fail at once, and
 * whoever asked is not ready to hear that. */
static void on_start(evutil_socket_t fd, short what, void *arg)
{
	struct xa_wire *w = arg;

	(void)fd;
	(void)what;
	w->bev = bufferevent_socket_new(w->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!w->bev) {
		tell_lost(w, "no connection can be made");
		return;
	}
	bufferevent_setcb(w->bev, on_read, on_write, on_event, w);
	bufferevent_setwatermark(w->bev, EV_READ, 0, XA_WIRE_CHUNK_MAX);
	bufferevent_setwatermark(w->bev, EV_WRITE, XA_WIRE_UNSENT_LOW, 0);
	if (bufferevent_socket_connect_hostname(w->bev, w->dns, AF_UNSPEC,
		w->host, w->port) < 0 &&
	    w->bev)
		tell_lost(w,
		    evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

/*
 * What the link wants.
 */

void xa_wire_init(struct xa_wire *w, struct event_base *base,
    const struct xa_wire_ops *ops, void *ctx)
{
	memset(w, 0, sizeof(*w));
	w->base = base;
	w->ops = ops;
	w->ctx = ctx;
	w->starter = evtimer_new(base, on_start, w);
}

void xa_wire_set_server(struct xa_wire *w, struct prim_slice server)
{
	struct prim_slice host = PRIM_SLICE_NONE;

	xa_wire_parse(server, &host, &w->port);
	prim_free(w->host);
	w->host = prim_slice_copy(host);
	if (!is_numeric(w->host) && !w->dns)
		w->dns = evdns_base_new(w->base,
		    EVDNS_BASE_INITIALIZE_NAMESERVERS |
			EVDNS_BASE_DISABLE_WHEN_INACTIVE);
}

void xa_wire_fini(struct xa_wire *w)
{
	xa_wire_close(w);
	if (w->dns)
		evdns_base_free(w->dns, 0);
	w->dns = NULL;
	if (w->starter)
		event_free(w->starter);
	w->starter = NULL;
	w->host = prim_free(w->host);
}

void xa_wire_connect(struct xa_wire *w)
{
	const struct timeval at_once = { 0, 0 };

	xa_wire_close(w);
	w->holding = false;
	w->choked = false;
	evtimer_add(w->starter, &at_once);
}

void xa_wire_close(struct xa_wire *w)
{
	struct bufferevent *bev = w->bev;

	if (w->starter)
		evtimer_del(w->starter);
	if (!bev)
		return;
	w->bev = NULL;
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	if (bufferevent_getfd(bev) >= 0 && !w->choked) {
		struct evbuffer *output = bufferevent_get_output(bev);

		/* The bufferevent guards its output against others. */
		evbuffer_unfreeze(output, 1);
		evbuffer_write(output, bufferevent_getfd(bev));
	}
	bufferevent_free(bev);
}

void xa_wire_write(struct xa_wire *w, struct prim_slice octets)
{
	if (!w->bev)
		return;
	bufferevent_write(w->bev, octets.ptr, octets.len);
	if (evbuffer_get_length(bufferevent_get_output(w->bev)) >
	    XA_WIRE_UNSENT_MAX) {
		w->choked = true;
		reading(w);
	}
}

size_t xa_wire_waiting(const struct xa_wire *w)
{
	return w->bev ? evbuffer_get_length(bufferevent_get_output(w->bev)) : 0;
}

void xa_wire_hold(struct xa_wire *w)
{
	w->holding = true;
	reading(w);
}

void xa_wire_go(struct xa_wire *w)
{
	w->holding = false;
	if (w->bev)
		pump(w);
}
