/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_TLS_WORLD_H
#define TESTS_BRIDGE_TLS_WORLD_H

/* A TLS server on a loop and a client of OpenSSL's own at the other end. */

#include "tests/lib/t.h"

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/tls.h"
#include "prim/base.h"

#define PATH_LEN 512
#define TURNS    200

struct world {
	struct event_base *base;
	struct br_tls *tls;
	char dir[256];
	struct bufferevent *server;
	SSL_CTX *client_context;
	SSL *client;
	int client_fd;
	short events; /* all that the server's bufferevent told */
	bool inside;  /* a call on the bufferevent is going on */
	bool reentered;
};

static char DOMAIN_1[] = "localhost", DOMAIN_2[] = "prim.example";
static char *const DOMAINS[] = { DOMAIN_1, DOMAIN_2 };

static inline const char *path(const struct world *w, const char *name)
{
	static char paths[8][PATH_LEN];
	static unsigned turn;
	char *text = paths[turn++ % 8];

	(void)snprintf(text, PATH_LEN, "%s/%s", w->dir, name);
	return text;
}

static inline void sweep(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	(void)rmdir(folder);
}

/* With a pair of its own making in `folder`. */
static inline struct br_tls *open_own(const char *folder, struct br_err *err)
{
	const struct br_tls_files files = { .data_dir = folder,
		.domains = DOMAINS,
		.domain_count = 2 };

	return br_tls_open(&files, err);
}

static inline int set_up(void **state)
{
	static struct world w;
	const char *parent = getenv("TMPDIR");
	struct br_err err = { "" };

	memset(&w, 0, sizeof(w));
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(w.dir, sizeof(w.dir), "%s/tls-XXXXXX",
	    parent ? parent : P_tmpdir);
	assert_non_null(mkdtemp(w.dir));
	assert_int_equal(mkdir(path(&w, "other"), 0700), 0);
	w.base = event_base_new();
	w.tls = open_own(w.dir, &err);
	assert_string_equal(err.text, "");
	assert_non_null(w.tls);
	w.client_context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(w.client_context, 0);
	w.client_fd = -1;
	*state = &w;
	return 0;
}

static inline void hang_up(struct world *w)
{
	SSL_free(w->client);
	w->client = NULL;
	if (w->client_fd >= 0)
		close(w->client_fd);
	w->client_fd = -1;
	if (w->server)
		bufferevent_free(w->server);
	w->server = NULL;
	w->events = 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	hang_up(w);
	SSL_CTX_free(w->client_context);
	w->tls = br_tls_close(w->tls);
	event_base_free(w->base);
	sweep(path(w, "other"));
	sweep(w->dir);
	return 0;
}

static inline void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct world *w = arg;

	(void)bev;
	w->events |= what;
	w->reentered |= w->inside;
}

static inline void on_some(struct bufferevent *bev, void *arg)
{
	struct world *w = arg;

	(void)bev;
	w->reentered |= w->inside;
}

static inline void turn(struct world *w)
{
	event_base_loop(w->base, EVLOOP_NONBLOCK);
}

/* Turns until the server has heard one of `events`. */
static inline void turn_until(struct world *w, short events)
{
	for (unsigned i = 0; i < TURNS && !(w->events & events); i++)
		turn(w);
	assert_true(w->events & events);
}

static inline void call(struct world *w, int max_version)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     ends),
	    0);
	w->server = br_tls_accept(w->tls, w->base, ends[0]);
	assert_non_null(w->server);
	bufferevent_setcb(w->server, on_some, on_some, on_event, w);
	bufferevent_enable(w->server, EV_READ | EV_WRITE);
	w->client_fd = ends[1];
	w->client = SSL_new(w->client_context);
	SSL_set_max_proto_version(w->client, max_version);
	SSL_set_fd(w->client, w->client_fd);
}

/* True when the handshake is done on both sides. */
static inline bool shake_hands(struct world *w)
{
	for (unsigned i = 0; i < TURNS; i++) {
		const int result = SSL_connect(w->client);

		turn(w);
		if (result == 1 && (w->events & BEV_EVENT_CONNECTED))
			return true;
		if (result != 1 &&
		    SSL_get_error(w->client, result) != SSL_ERROR_WANT_READ)
			return false;
	}
	return false;
}

static inline void connect_with(struct world *w, int max_version)
{
	call(w, max_version);
	assert_true(shake_hands(w));
}

static inline void echo_some(struct world *w)
{
	char text[8] = "";
	int n = -1;

	assert_int_equal(SSL_write(w->client, "hello", 5), 5);
	for (unsigned i = 0; i < TURNS &&
	     evbuffer_get_length(bufferevent_get_input(w->server)) < 5;
	     i++)
		turn(w);
	bufferevent_write_buffer(w->server, bufferevent_get_input(w->server));
	for (unsigned i = 0; i < TURNS && n < 0; i++) {
		turn(w);
		n = SSL_read(w->client, text, sizeof(text));
	}
	assert_int_equal(n, 5);
	assert_memory_equal(text, "hello", 5);
}

#endif
