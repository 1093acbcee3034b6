/* SPDX-License-Identifier: ISC */
/* Watching over the connections of an evhttp. */

#include "bridge/guard.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "prim/base.h"
#include "prim/slice.h"

#define SWEEP_S 1

/* A connection. evhttp owns it and does not tell when it ends, so we hold a
 * reference of our own and look every now and then whether evhttp has let go.
 * The descriptor closes with the last reference: were it closed before, it could
 * be somebody else's while this bufferevent still listens to it. */
struct watched {
	TAILQ_ENTRY(watched) entry;
	struct bufferevent *bev;          /* owned: one reference */
	struct evbuffer_cb_entry *reader; /* owned */
	struct event *deadline;           /* owned */
	char last;                        /* octet before; '\n' at the begin */
	bool line_empty;                  /* nothing on this line yet */
	bool head_over;                   /* the empty line has been seen */
	bool bad;                         /* it was not strict */
};

struct br_guard {
	TAILQ_HEAD(watched_list, watched) all;
	unsigned count, max;
	struct timeval total;
	struct event *sweeper; /* owned; runs while there are connections */
};

/* Every live connection of evhttp has an error callback; letting go of it
 * clears them all. */
static bool is_over(const struct watched *w)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(w->bev, NULL, NULL, &on_event, NULL);
	return !on_event;
}

static void watched_free(struct br_guard *guard, struct watched *w)
{
	TAILQ_REMOVE(&guard->all, w, entry);
	guard->count--;
	event_free(w->deadline);
	evbuffer_remove_cb_entry(bufferevent_get_input(w->bev), w->reader);
	bufferevent_decref(w->bev);
	prim_free(w);
}

static void sweep(struct br_guard *guard)
{
	struct watched *w, *next;

	PRIM_TAILQ_FOREACH_SAFE(w, &guard->all, entry, next)
		if (is_over(w))
			watched_free(guard, w);
}

static void set_sweeper(struct br_guard *guard)
{
	const struct timeval soon = { .tv_sec = SWEEP_S };

	if (guard->count > 0 && !evtimer_pending(guard->sweeper, NULL))
		evtimer_add(guard->sweeper, &soon);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct br_guard *guard = arg;

	(void)fd;
	(void)what;
	sweep(guard);
	set_sweeper(guard);
}

/* evhttp sees its peer gone and ends the connection. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct watched *w = arg;

	(void)fd;
	(void)what;
	if (!is_over(w))
		shutdown(bufferevent_getfd(w->bev), SHUT_RDWR);
}

/* RFC 9112: lines end in CR LF, nothing folds, and no other control but HTAB
 * is in the head. */
static bool octet_ok(const struct watched *w, char c)
{
	if (w->last == '\r' || c == '\n')
		return w->last == '\r' && c == '\n';
	if (w->line_empty && (c == ' ' || c == '\t'))
		return false;
	return (c >= ' ' && c != 0x7f) || c == '\r' || c == '\t' ||
	    (unsigned char)c >= 0x80;
}

static void read_octet(struct watched *w, char c)
{
	if (w->head_over)
		return;
	if (!octet_ok(w, c))
		w->bad = true;
	if (c == '\n') {
		w->head_over = w->line_empty;
		w->line_empty = true;
	} else if (c != '\r') {
		w->line_empty = false;
	}
	w->last = c;
}

/* New octets, before evhttp sees them. */
static void on_input(struct evbuffer *input,
    const struct evbuffer_cb_info *info, void *arg)
{
	struct watched *w = arg;
	struct evbuffer_iovec part;
	struct evbuffer_ptr at;
	size_t left = info->n_added;

	if (left == 0 || w->head_over)
		return;
	evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - left,
	    EVBUFFER_PTR_SET);
	while (left > 0 &&
	    evbuffer_peek(input, (ev_ssize_t)left, &at, &part, 1) > 0) {
		const char *octets = part.iov_base;
		const size_t len = part.iov_len < left ? part.iov_len : left;

		for (size_t i = 0; i < len; i++)
			read_octet(w, octets[i]);
		left -= len;
		evbuffer_ptr_set(input, &at, len, EVBUFFER_PTR_ADD);
	}
}

/* Makes the bufferevent of a connection evhttp has just accepted. There is no
 * way to refuse one here, so one too many gets no time at all. */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	const struct timeval none = { 0 };
	struct br_guard *guard = arg;
	struct watched *w = prim_new(struct watched);

	sweep(guard);
	w->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_incref(w->bev);
	w->reader = evbuffer_add_cb(bufferevent_get_input(w->bev), on_input, w);
	w->last = '\n';
	w->line_empty = true;
	w->deadline = evtimer_new(base, on_deadline, w);
	evtimer_add(w->deadline,
	    guard->count < guard->max ? &guard->total : &none);
	TAILQ_INSERT_TAIL(&guard->all, w, entry);
	guard->count++;
	if (!guard->sweeper)
		guard->sweeper = evtimer_new(base, on_sweep, guard);
	set_sweeper(guard);
	return w->bev;
}

struct br_guard *br_guard_new(struct evhttp *http, unsigned connections_max,
    unsigned total_ms)
{
	struct br_guard *guard = prim_new(struct br_guard);

	TAILQ_INIT(&guard->all);
	guard->max = connections_max;
	guard->total.tv_sec = total_ms / 1000;
	guard->total.tv_usec = (suseconds_t)(total_ms % 1000) * 1000;
	evhttp_set_bevcb(http, on_accept, guard);
	return guard;
}

struct br_guard *br_guard_free(struct br_guard *guard)
{
	struct watched *w;

	if (!guard)
		return NULL;
	while ((w = TAILQ_FIRST(&guard->all)))
		watched_free(guard, w);
	if (guard->sweeper)
		event_free(guard->sweeper);
	prim_free(guard);
	return NULL;
}

static bool name_ok(struct prim_slice name)
{
	static const char MARKS[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < name.len; i++) {
		const char c = name.ptr[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && !strchr(MARKS, c))
			return false;
	}
	return name.len > 0;
}

/* How often the headers that frame a request were there. */
struct framing {
	unsigned lengths, codings, hosts;
};

static bool header_ok(const struct evkeyval *header, struct framing *seen)
{
	const struct prim_slice value = prim_slice_of(header->value);
	uint64_t length;

	if (!name_ok(prim_slice_of(header->key)))
		return false;
	if (strcasecmp(header->key, "Content-Length") == 0) {
		seen->lengths++;
		return prim_slice_number(value, INT64_MAX, &length);
	}
	if (strcasecmp(header->key, "Transfer-Encoding") == 0) {
		seen->codings++;
		return prim_slice_eq_nocase(value, PRIM_SLICE("chunked"));
	}
	if (strcasecmp(header->key, "Host") == 0)
		seen->hosts++;
	return true;
}

static bool headers_ok(struct evhttp_request *request)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(request);
	const struct evkeyval *header;
	struct framing seen = { 0 };

	TAILQ_FOREACH(header, headers, next)
		if (!header_ok(header, &seen))
			return false;
	/* HTTP/1.0 did not know Host. */
	if (seen.hosts == 0 && request->major == 1 && request->minor == 0)
		seen.hosts = 1;
	return seen.hosts == 1 && seen.lengths + seen.codings <= 1;
}

bool br_guard_ok(const struct br_guard *guard, struct evhttp_request *request)
{
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(request);
	const struct watched *w;

	TAILQ_FOREACH(w, &guard->all, entry)
		if (w->bev == evhttp_connection_get_bufferevent(connection))
			return !w->bad && headers_ok(request);
	return false;
}
