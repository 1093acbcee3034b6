/* SPDX-License-Identifier: ISC */
/* A server in this process and the far ends of its connections. */

#include "tests/talk/world.h"

#include <event2/event.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/conn.h"
#include "bridge/reload.h"
#include "bridge/store_private.h"
#include "bridge/worker.h"
#include "prim/base.h"
#include "tests/talk/adapter.h"

#define STILL_TURNS 4   /* in a row without an octet: nothing will come */
#define PIECES      512 /* at most, of what a client says by octets */

static const char *const PEOPLE[] = { "alice", "bob", "carol" };

/* ---- the server ---- */

static int64_t auth_now(void *arg)
{
	return br_server_now(arg);
}

bool talk_world_open(struct talk_world *w, struct prim_slice config,
    struct br_err *err)
{
	struct br_server_options options = {
		.data_dir = ":memory:",
		.by_hand_ms = TALK_START_MS,
	};

	for (unsigned i = 0; i < TALK_ENDS; i++)
		w->conns[i].fd = -1;
	w->base = event_base_new();
	w->config = br_config_parse("config", config, NULL, err);
	if (!w->config)
		return false;
	options.base = w->base;
	options.config = w->config;
	w->server = br_server_new(&options, err);
	if (!w->server)
		return false;
	br_auth_set_clock(w->server->auth, auth_now, w->server);
	for (size_t i = 0; i < PRIM_COUNT(PEOPLE); i++) {
		if (!talk_world_account(w, prim_slice_of(PEOPLE[i]),
			PRIM_SLICE_NONE))
			return br_err_set(err, "no account %s", PEOPLE[i]);
	}
	return true;
}

bool talk_world_reload(struct talk_world *w, struct prim_slice config,
    struct br_err *err)
{
	struct br_config *fresh = br_config_parse("config", config, NULL, err);

	if (!fresh)
		return false;
	br_reload_adopt(w->config, fresh, &w->server->log);
	br_server_adopted(w->server);
	br_config_free(fresh);
	talk_world_turn(w);
	return true;
}

static void sweep(const char *dir)
{
	static const char *const FILES[] = { "self-signed.pem",
		"self-signed.key" };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < PRIM_COUNT(FILES); i++)
		(void)unlinkat(fd, FILES[i], 0);
	if (fd >= 0)
		close(fd);
	(void)rmdir(dir);
}

void talk_world_close(struct talk_world *w)
{
	if (w->server)
		w->server = br_server_free(w->server);
	for (unsigned i = 0; i < TALK_ENDS; i++) {
		struct talk_conn *c = &w->conns[i];

		SSL_free(c->ssl);
		if (c->fd >= 0)
			close(c->fd);
		prim_buf_fini(&c->in);
		prim_buf_fini(&c->out);
	}
	SSL_CTX_free(w->ssl_context);
	if (w->dir[0])
		sweep(w->dir);
	prim_free(w->challenge);
	w->config = br_config_free(w->config);
	if (w->base)
		event_base_free(w->base);
	memset(w, 0, sizeof(*w));
}

bool talk_world_certify(struct talk_world *w, struct br_err *err)
{
	struct br_server *s = w->server;
	const char *parent = getenv("TMPDIR");

	(void)snprintf(w->dir, sizeof(w->dir), "%s/talk-XXXXXX",
	    parent ? parent : P_tmpdir);
	if (!mkdtemp(w->dir))
		return br_err_set(err, "cannot make a folder");
	s->tls = br_tls_open(&(struct br_tls_files){ .data_dir = w->dir,
				 .domains = w->config->domains,
				 .domain_count = w->config->domain_count },
	    err);
	s->policy.has_tls = s->tls != NULL;
	w->ssl_context = SSL_CTX_new(TLS_client_method());
	return s->tls != NULL;
}

/* ---- octets ---- */

static ssize_t conn_write(struct talk_conn *c)
{
	size_t size;

	if (!c->ssl)
		return send(c->fd, c->out.ptr, c->out.len, MSG_NOSIGNAL);
	return SSL_write_ex(c->ssl, c->out.ptr, c->out.len, &size)
	    ? (ssize_t)size
	    : -1;
}

static void conn_flush(struct talk_conn *c)
{
	ssize_t len;

	if (c->host)
		talk_adapter_flush(c);
	while (c->fd >= 0 && c->out.len > 0 && (len = conn_write(c)) > 0) {
		c->out.len -= (size_t)len;
		memmove(c->out.ptr, c->out.ptr + len, c->out.len);
	}
}

static ssize_t conn_read(struct talk_conn *c, char *room, size_t size)
{
	size_t len;

	if (!c->ssl)
		return recv(c->fd, room, size, 0);
	if (SSL_read_ex(c->ssl, room, size, &len))
		return (ssize_t)len;
	switch (SSL_get_error(c->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	default:
		return 0;
	}
}

/* Did anything come? */
static bool conn_fill(struct talk_conn *c)
{
	char room[16384];
	bool came = c->host && talk_adapter_fill(c);
	ssize_t len;

	while (c->fd >= 0 && !c->is_ended && !c->is_deaf) {
		len = conn_read(c, room, sizeof(room));
		if (len > 0)
			prim_buf_put(&c->in,
			    prim_slice_make(room, (size_t)len));
		else if (len < 0 && errno == EAGAIN)
			break;
		else
			c->is_ended = true;
		came = true;
	}
	return came;
}

/* ---- turning ---- */

/* What the server has not read yet of what we said. */
static size_t conn_waiting(const struct talk_conn *c)
{
	int queued = 0;

	if (c->fd >= 0)
		(void)ioctl(c->fd, SIOCOUTQ, &queued);
	return c->out.len + (size_t)queued;
}

/* Did anything move in either direction? */
static bool conn_turn(struct talk_conn *c)
{
	size_t waiting;
	bool came;

	conn_flush(c);
	came = conn_fill(c);
	waiting = conn_waiting(c);
	if (waiting == c->waiting)
		return came;
	c->waiting = waiting;
	return true;
}

static bool turn_ends(struct talk_world *w)
{
	bool came = false;

	for (unsigned i = 0; i < TALK_ENDS; i++) {
		if (conn_turn(&w->conns[i]))
			came = true;
	}
	return came;
}

/* A turn of the loop in which the store says nothing: what it says, and when,
 * would hang on how fast its threads are. */
static void turn_loop(struct talk_world *w, bool waits)
{
	struct br_store *store = w->server->store;

	event_del(store->written.bell);
	event_del(store->looked.bell);
	event_base_loop(w->base, waits ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
	br_server_turn(w->server);
	event_add(store->written.bell, NULL);
	event_add(store->looked.bell, NULL);
}

static bool turn_once(struct talk_world *w)
{
	struct br_server *s = w->server;
	bool is_computing = br_worker_pending(br_auth_worker(s->auth)) > 0;

	turn_loop(w, is_computing); /* a worker rings when it is done */
	br_store_settle(s->store);  /* as late as it can be */
	return turn_ends(w) || is_computing;
}

void talk_world_nudge(struct talk_world *w)
{
	turn_loop(w, false);
	turn_ends(w);
}

void talk_world_turn(struct talk_world *w)
{
	unsigned still = 0;

	while (still < STILL_TURNS)
		still = turn_once(w) ? 0 : still + 1;
}

void talk_world_advance(struct talk_world *w, int64_t ms)
{
	struct br_server *s = w->server;
	int64_t until = br_server_now(s) + ms, step;

	while (br_server_now(s) < until) {
		step = prim_wheel_next(&s->wheel) - br_server_now(s);
		if (step < 1)
			step = 1;
		if (step > until - br_server_now(s))
			step = until - br_server_now(s);
		br_clock_turn(&s->clock, step);
		talk_world_turn(w);
	}
}

/* ---- connections ---- */

void talk_conn_open(struct talk_world *w, struct talk_conn *c,
    const char *address)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) < 0)
		abort();
	c->fd = fds[0];
	c->was_opened = true;
	c->is_ended = false;
	br_conn_accept(w->server, fds[1], address, false);
	talk_world_turn(w);
}

void talk_conn_close(struct talk_world *w, struct talk_conn *c, bool half)
{
	if (c->host) {
		talk_adapter_close(c);
	} else if (half) {
		(void)shutdown(c->fd, SHUT_WR);
	} else {
		SSL_free(c->ssl);
		c->ssl = NULL;
		close(c->fd);
		c->fd = -1;
		c->was_opened = false;
	}
	talk_world_turn(w);
}

bool talk_conn_secure(struct talk_world *w, struct talk_conn *c)
{
	int done;

	c->ssl = SSL_new(w->ssl_context);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_connect_state(c->ssl);
	for (unsigned i = 0; i < 16; i++) {
		done = SSL_do_handshake(c->ssl);
		if (done == 1)
			break;
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		br_server_turn(w->server);
	}
	talk_world_turn(w);
	return done == 1;
}

void talk_conn_put(struct talk_conn *c, struct prim_slice octets)
{
	prim_buf_put(&c->out, octets);
	conn_flush(c);
}

void talk_conn_say(struct talk_world *w, struct talk_conn *c,
    struct prim_slice octets)
{
	size_t piece = w->by_octets ? octets.len / PIECES + 1 : octets.len;
	struct prim_slice rest;

	for (; octets.len > 0; octets = rest) {
		rest = prim_slice_from(octets, piece);
		octets.len -= rest.len;
		talk_conn_put(c, octets);
		if (rest.len > 0) {
			event_base_loop(w->base, EVLOOP_NONBLOCK);
			br_server_turn(w->server);
		}
	}
	talk_world_turn(w);
}

struct prim_slice talk_conn_unread(const struct talk_conn *c)
{
	return prim_slice_from(prim_buf_slice(&c->in), c->taken);
}
