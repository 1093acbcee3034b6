/* SPDX-License-Identifier: ISC */
/* The control socket inside primd: one line in, one line out. */

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/control_place.h"
#include "bridge/log.h"
#include "prim/base.h"

#define CONNECTIONS_MAX 16
#define IDLE_SECONDS    10

struct conn {
	LIST_ENTRY(conn) link;
	struct br_control_server *server; /* borrowed; NULL once it closed */
	struct bufferevent *bev;          /* owned; NULL once closed */
	bool is_running;                  /* its command has not ended */
};

LIST_HEAD(conn_list, conn);

struct br_control_server {
	struct br_control c;
	struct br_control_place place;
	struct br_log log;
	struct event_base *base;         /* borrowed */
	struct evconnlistener *listener; /* owned */
	struct conn_list conns;          /* owned; those with a bev */
	unsigned conn_count;
};

/* Ends the connection; a command under way keeps `conn` until it ends. */
static void conn_close(struct conn *conn)
{
	if (conn->bev) {
		LIST_REMOVE(conn, link);
		conn->server->conn_count--;
		bufferevent_free(conn->bev);
	}
	conn->bev = NULL;
	conn->server = NULL;
	if (!conn->is_running)
		prim_free(conn);
}

static void conn_write(struct conn *conn, const json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);

	if (text)
		bufferevent_write(conn->bev, text, strlen(text));
	bufferevent_write(conn->bev, "\n", 1);
	free(text);
}

static void on_answer(void *arg, const json_t *answer)
{
	struct conn *conn = arg;

	conn->is_running = false;
	if (conn->bev)
		conn_write(conn, answer);
	else
		conn_close(conn);
}

static void conn_refuse(struct conn *conn, const char *why)
{
	json_t *answer = json_pack("{s:b, s:s}", "ok", 0, "error", why);

	conn_write(conn, answer);
	json_decref(answer);
}

/* The line has come: nothing else is read. */
static void conn_run(struct conn *conn, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	bufferevent_disable(conn->bev, EV_READ);
	if (request) {
		conn->is_running = true;
		br_control_run(&conn->server->c, request, on_answer, conn);
	} else {
		conn_refuse(conn, "the request is not a line of JSON");
	}
	json_decref(request);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct conn *conn = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = 0;
	char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);

	if (line && len < BR_CONTROL_REQUEST_MAX) {
		conn_run(conn, line, len);
	} else if (line ||
	    evbuffer_get_length(input) >= BR_CONTROL_REQUEST_MAX) {
		bufferevent_disable(bev, EV_READ);
		conn_refuse(conn, "the request is too long");
	}
	if (line)
		explicit_bzero(line, len); /* it may hold a password */
	free(line);
}

/* Everything is written. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct conn *conn = arg;

	if (!conn->is_running && !(bufferevent_get_enabled(bev) & EV_READ))
		conn_close(conn);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	conn_close(arg);
}

/* What SO_PEERCRED gives: Linux's struct ucred, which glibc hides here. */
struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

static bool may_talk(int fd)
{
	struct peer peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    (peer.uid == geteuid() || peer.uid == 0);
}

static void conn_open(struct br_control_server *s, int fd)
{
	struct timeval idle = { .tv_sec = IDLE_SECONDS };
	struct conn *conn = prim_new(struct conn);

	conn->server = s;
	conn->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!conn->bev) {
		prim_free(conn);
		close(fd);
		return;
	}
	LIST_INSERT_HEAD(&s->conns, conn, link);
	s->conn_count++;
	bufferevent_setcb(conn->bev, on_read, on_written, on_event, conn);
	bufferevent_setwatermark(conn->bev, EV_READ, 0, BR_CONTROL_REQUEST_MAX);
	bufferevent_set_timeouts(conn->bev, &idle, &idle);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct br_control_server *s = arg;

	(void)listener;
	(void)address;
	(void)len;
	if (s->conn_count < CONNECTIONS_MAX && may_talk(fd)) {
		conn_open(s, fd);
		return;
	}
	br_warn(&s->log, "connection refused connections=%u", s->conn_count);
	close(fd);
}

/* We hold the lock, so a socket that is there is nobody's. */
static bool remove_stale(const struct br_control_place *place, const char *dir,
    struct br_err *err)
{
	struct stat st;

	if (fstatat(place->dir_fd, BR_CONTROL_NAME, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ||
		    br_err_set(err, "%s/%s: %s", dir, BR_CONTROL_NAME,
			strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return br_err_set(err,
		    "%s/%s is not a socket; remove it, primd needs the name",
		    dir, BR_CONTROL_NAME);
	if (unlinkat(place->dir_fd, BR_CONTROL_NAME, 0))
		return br_err_set(err, "cannot remove %s/%s: %s", dir,
		    BR_CONTROL_NAME, strerror(errno));
	return true;
}

static int bind_socket(const struct br_control_place *place)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Linux gives the path the mode that the socket has before bind(), so
	 * that nobody else can connect in between. */
	if (fchmod(fd, 0600) == 0 &&
	    bind(fd, (const struct sockaddr *)&place->address,
		sizeof(place->address)) == 0 &&
	    listen(fd, CONNECTIONS_MAX) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool server_listen(struct br_control_server *s, struct br_err *err)
{
	const char *dir = s->c.config->data_dir;
	int fd;

	if (!br_control_place_open(dir, &s->place, err) ||
	    !remove_stale(&s->place, dir, err))
		return false;
	fd = bind_socket(&s->place);
	if (fd < 0)
		return br_err_set(err, "cannot listen on %s/%s: %s", dir,
		    BR_CONTROL_NAME, strerror(errno));
	s->listener = evconnlistener_new(s->base, on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (s->listener)
		return true;
	close(fd);
	return br_err_set(err, "cannot watch the control socket");
}

struct br_control_server *br_control_open(struct event_base *base,
    const struct br_control *c, const struct br_log *log, struct br_err *err)
{
	struct br_control_server *s = prim_new(struct br_control_server);

	s->c = *c;
	s->base = base;
	s->place.dir_fd = -1;
	br_log_init(&s->log, log, "control");
	LIST_INIT(&s->conns);
	return server_listen(s, err) ? s : br_control_close(s);
}

struct br_control_server *br_control_close(struct br_control_server *s)
{
	struct conn *conn;

	if (!s)
		return NULL;
	while ((conn = LIST_FIRST(&s->conns)))
		conn_close(conn);
	if (s->listener) {
		evconnlistener_free(s->listener);
		unlinkat(s->place.dir_fd, BR_CONTROL_NAME, 0);
	}
	br_control_place_close(&s->place);
	return prim_free(s);
}
