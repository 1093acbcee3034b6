/* SPDX-License-Identifier: ISC */
#ifndef TESTS_ADAPTERS_XMPP_FAKE_SERVER_H
#define TESTS_ADAPTERS_XMPP_FAKE_SERVER_H

/*
 * An XMPP server that greets components and then says what the test makes it
 * say. On a loopback port the kernel picks, on the loop of the test. To be
 * included by one file of a test program.
 */

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "prim/base.h"
#include "prim/buf.h"

#define SERVER_LINKS 8
#define SERVER_HEADER                                      \
	"<?xml version='1.0'?><stream:stream "             \
	"xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='1'>"

struct server_link {
	struct bufferevent *bev; /* owned; NULL once closed */
	struct prim_buf heard;
	bool greeted;
	bool proved;
	bool gone; /* the other side closed */
};

struct server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct server_link links[SERVER_LINKS];
	unsigned link_count;
	bool mute; /* greet nobody */
	bool echo; /* send pings back, as a server does */
	char address[32];
};

static const char *server_heard(struct server_link *l)
{
	prim_buf_putc(&l->heard, '\0');
	l->heard.len--;
	return l->heard.ptr;
}

static void server_say(struct server_link *l, const char *xml)
{
	bufferevent_write(l->bev, xml, strlen(xml));
}

static void server_echo(struct server_link *l, size_t from)
{
	const char *iq = strstr(server_heard(l) + from,
	    "<iq type='get' id='ping-");
	const char *end = iq ? strstr(iq, "</iq>") : NULL;

	while (end) {
		bufferevent_write(l->bev, iq, (size_t)(end + 5 - iq));
		iq = strstr(end, "<iq type='get' id='ping-");
		end = iq ? strstr(iq, "</iq>") : NULL;
	}
}

static void server_on_read(struct bufferevent *bev, void *arg)
{
	struct server *s = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct server_link *l = s->links;
	size_t from;

	while (l->bev != bev)
		l++;
	from = l->heard.len;
	prim_buf_put(&l->heard,
	    prim_slice_make((char *)evbuffer_pullup(in, -1),
		evbuffer_get_length(in)));
	evbuffer_drain(in, evbuffer_get_length(in));
	if (!l->greeted && !s->mute &&
	    strstr(server_heard(l), "<stream:stream")) {
		server_say(l, SERVER_HEADER);
		l->greeted = true;
	}
	if (!l->proved && strstr(server_heard(l), "</handshake>")) {
		server_say(l, "<handshake/>");
		l->proved = true;
	}
	if (s->echo)
		server_echo(l, from);
}

static void server_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct server *s = arg;

	(void)what;
	for (unsigned i = 0; i < s->link_count; i++) {
		if (s->links[i].bev == bev)
			s->links[i].gone = true;
	}
}

static void server_on_accept(struct evconnlistener *listener,
    evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	struct server *s = arg;
	struct server_link *l = &s->links[s->link_count++];

	(void)listener;
	(void)from;
	(void)len;
	l->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(l->bev, server_on_read, NULL, server_on_event, s);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
}

static void server_open(struct server *s, struct event_base *base)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->base = base;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = evconnlistener_new_bind(base, server_on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 8, (struct sockaddr *)&a,
	    sizeof(a));
	getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&a,
	    &len);
	snprintf(s->address, sizeof(s->address), "127.0.0.1:%u",
	    ntohs(a.sin_port));
}

static void server_cut(struct server_link *l)
{
	if (l->bev)
		bufferevent_free(l->bev);
	l->bev = NULL;
}

static void server_close(struct server *s)
{
	for (unsigned i = 0; i < s->link_count; i++) {
		server_cut(&s->links[i]);
		prim_buf_fini(&s->links[i].heard);
	}
	evconnlistener_free(s->listener);
}

#endif
