/* SPDX-License-Identifier: ISC */
/* The operator's HTTP port. */

#include "bridge/admin.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/guard.h"
#include "bridge/listener.h"
#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/buf.h"

#define CONNECTIONS_MAX 32
#define TOTAL_MS        10000
#define HEAD_MAX        8192
#define BODY_MAX        4096 /* read only to answer 405 properly */

#define ALL_METHODS                                                            \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | \
	    EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |        \
	    EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

struct br_admin {
	const struct br_admin_ops *ops; /* borrowed */
	void *arg;                      /* borrowed */
	struct evhttp *http;            /* owned; NULL: no address */
	struct br_guard *guard;         /* owned */
	uint16_t port;
};

static void reply(struct evhttp_request *request, int code, const char *type,
    struct prim_slice body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *buffer = evbuffer_new();
	char length[24];

	snprintf(length, sizeof(length), "%zu", body.len);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Content-Length", length);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Connection", "close");
	if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
		evbuffer_add(buffer, body.ptr, body.len);
	evhttp_send_reply(request, code, NULL, buffer);
	evbuffer_free(buffer);
}

static void reply_text(struct evhttp_request *request, int code,
    const char *text)
{
	reply(request, code, "text/plain; charset=utf-8", prim_slice_of(text));
}

static void serve_page(struct br_admin *admin, struct evhttp_request *request)
{
	(void)admin;
	reply_text(request, HTTP_OK,
	    "Primbridge " PRIMBRIDGE_VERSION "\n\n"
	    "/healthz  \"ok\", or what is wrong (503)\n"
	    "/metrics  numbers for Prometheus\n");
}

static void serve_health(struct br_admin *admin, struct evhttp_request *request)
{
	const char *wrong = admin->ops->health(admin->arg);

	if (wrong)
		reply_text(request, HTTP_SERVUNAVAIL, wrong);
	else
		reply_text(request, HTTP_OK, "ok\n");
}

static void serve_metrics(struct br_admin *admin,
    struct evhttp_request *request)
{
	struct prim_buf text = { 0 };

	if (admin->ops->before_metrics)
		admin->ops->before_metrics(admin->arg);
	br_metric_put_all(&text);
	reply(request, HTTP_OK, "text/plain; version=0.0.4",
	    prim_buf_slice(&text));
	prim_buf_fini(&text);
}

static const struct {
	const char *path;
	void (*serve)(struct br_admin *admin, struct evhttp_request *request);
} PAGES[] = {
	{"/",         serve_page   },
	{ "/healthz", serve_health },
	{ "/metrics", serve_metrics},
};

static bool is_reading(struct evhttp_request *request)
{
	const enum evhttp_cmd_type method = evhttp_request_get_command(request);

	return method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD;
}

/* RFC 9110 9.3.1: a body means nothing here, and some would take it for the
 * next request. */
static bool has_body(struct evhttp_request *request)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(request);
	const char *length = evhttp_find_header(headers, "Content-Length");

	return evhttp_find_header(headers, "Transfer-Encoding") ||
	    (length && strspn(length, "0") != strlen(length));
}

static void serve(struct br_admin *admin, struct evhttp_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

	for (size_t i = 0; path && i < PRIM_COUNT(PAGES); i++) {
		if (strcmp(PAGES[i].path, path) == 0) {
			PAGES[i].serve(admin, request);
			return;
		}
	}
	reply_text(request, HTTP_NOTFOUND, "there is no such page\n");
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct br_admin *admin = arg;

	if (!br_guard_ok(admin->guard, request) ||
	    (is_reading(request) && has_body(request))) {
		reply_text(request, HTTP_BADREQUEST, "bad request\n");
	} else if (!is_reading(request)) {
		evhttp_add_header(evhttp_request_get_output_headers(request),
		    "Allow", "GET, HEAD");
		reply_text(request, HTTP_BADMETHOD, "only GET and HEAD\n");
	} else {
		serve(admin, request);
	}
}

static uint16_t find_port(evutil_socket_t fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static struct evconnlistener *listen_on(struct event_base *base,
    const struct br_endpoint *endpoint, struct br_err *err)
{
	struct evconnlistener *listener;
	struct br_err why;
	int fd = br_listener_bind(endpoint, &why);

	if (fd < 0) {
		br_err_set(err, "admin.listen: %s", why.text);
		return NULL;
	}
	listener = evconnlistener_new(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener) {
		close(fd);
		br_err_set(err, "cannot watch the socket of admin.listen");
	}
	return listener;
}

static bool start(struct br_admin *admin, struct event_base *base,
    const struct br_endpoint *endpoint, struct br_err *err)
{
	struct evconnlistener *listener = listen_on(base, endpoint, err);

	if (!listener)
		return false;
	admin->port = find_port(evconnlistener_get_fd(listener));
	admin->http = evhttp_new(base);
	admin->guard = br_guard_new(admin->http, CONNECTIONS_MAX, TOTAL_MS);
	evhttp_set_allowed_methods(admin->http, ALL_METHODS);
	evhttp_set_max_headers_size(admin->http, HEAD_MAX);
	evhttp_set_max_body_size(admin->http, BODY_MAX);
	evhttp_set_timeout(admin->http, TOTAL_MS / 1000);
	evhttp_set_gencb(admin->http, on_request, admin);
	evhttp_bind_listener(admin->http, listener);
	return true;
}

struct br_admin *br_admin_open(struct event_base *base,
    const struct br_config *config, const struct br_admin_ops *ops, void *arg,
    struct br_err *err)
{
	struct br_admin *admin = prim_new(struct br_admin);

	admin->ops = ops;
	admin->arg = arg;
	if (config->admin.host && !start(admin, base, &config->admin, err))
		return br_admin_close(admin);
	return admin;
}

struct br_admin *br_admin_close(struct br_admin *admin)
{
	if (!admin)
		return NULL;
	if (admin->http)
		evhttp_free(admin->http);
	admin->guard = br_guard_free(admin->guard);
	prim_free(admin);
	return NULL;
}

uint16_t br_admin_port(const struct br_admin *admin)
{
	return admin->port;
}
