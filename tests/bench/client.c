/* SPDX-License-Identifier: ISC */
/* A client: connecting, logging in, octets in and out. */

#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "prim/session.h"
#include "tests/bench/accounts.h"

#define EVENTS         256
#define ROOM           32768 /* octets read at once */
#define SECOND_NS      1000000000U
#define LOGINS_AT_ONCE 16
#define PATIENCE_MS    20000 /* nothing happens for so long: something is wrong */

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void bench_crowd_init(struct bench_crowd *crowd, uint16_t port,
    const char *domain, bool with_tls)
{
	*crowd = (struct bench_crowd){ .domain = domain, .tick = -1 };
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (crowd->epoll < 0)
		err(1, "epoll");
	crowd->server.sin_family = AF_INET;
	crowd->server.sin_port = htons(port);
	crowd->server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!with_tls)
		return;
	/* The certificate is self-made and the server on this machine. */
	crowd->tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(crowd->tls,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

void bench_client_init(struct bench_client *c, struct bench_crowd *crowd,
    unsigned number)
{
	char name[sizeof(c->address) - sizeof("pres:")];

	*c = (struct bench_client){ .crowd = crowd, .fd = -1 };
	bench_account_name(name, sizeof(name), number, crowd->domain);
	snprintf(c->address, sizeof(c->address), "%s:%s",
	    crowd->is_presence ? "pres" : "im", name);
}

enum prim_family bench_client_family(const struct bench_client *c)
{
	return c->crowd->is_presence ? PRIM_FAMILY_PRIM_PR
				     : PRIM_FAMILY_PRIM_IM;
}

/* ---- octets ---- */

static void lost(const struct bench_client *c)
{
	errx(1, "%s: the server closed the connection", c->address);
}

static void tls_failed(const struct bench_client *c, int result)
{
	if (SSL_get_error(c->tls, result) == SSL_ERROR_WANT_READ ||
	    SSL_get_error(c->tls, result) == SSL_ERROR_WANT_WRITE)
		return;
	lost(c);
}

/* 0: not now. */
static size_t take_octets(struct bench_client *c, char *to, size_t room)
{
	ssize_t n;

	if (c->tls) {
		n = SSL_read(c->tls, to, (int)room);
		if (n <= 0)
			tls_failed(c, (int)n);
		return n > 0 ? (size_t)n : 0;
	}
	n = read(c->fd, to, room);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		lost(c);
	return n > 0 ? (size_t)n : 0;
}

static size_t give_octets(struct bench_client *c)
{
	ssize_t n;

	if (c->tls) {
		n = SSL_write(c->tls, c->out.ptr, (int)c->out.len);
		if (n <= 0)
			tls_failed(c, (int)n);
		return n > 0 ? (size_t)n : 0;
	}
	n = write(c->fd, c->out.ptr, c->out.len);
	if (n < 0 && errno != EAGAIN)
		lost(c);
	return n > 0 ? (size_t)n : 0;
}

static void watch(struct bench_client *c, int how, bool with_output)
{
	struct epoll_event event = { .data.ptr = c };

	event.events = with_output ? EPOLLIN | EPOLLOUT : EPOLLIN;
	if (epoll_ctl(c->crowd->epoll, how, c->fd, &event) < 0)
		err(1, "epoll");
}

void bench_client_flush(struct bench_client *c)
{
	bool is_blocked;

	if (c->out.len > 0) {
		size_t n = give_octets(c);

		c->out.len -= n;
		memmove(c->out.ptr, c->out.ptr + n, c->out.len);
	}
	is_blocked = c->out.len > 0;
	if (is_blocked != c->is_blocked)
		watch(c, EPOLL_CTL_MOD, is_blocked);
	c->is_blocked = is_blocked;
}

/* ---- the way in ---- */

static void put_from(struct bench_client *c)
{
	prim_command_put_header(&c->out, PRIM_HEADER_FROM,
	    prim_slice_of(c->address));
}

static void put_login(struct bench_client *c)
{
	const char *user = strchr(c->address, ':') + 1;
	size_t len = strlen(user) + strlen("\r\n" BENCH_PASSWORD);

	prim_command_put_request(&c->out, PRIM_METHOD_LOGIN,
	    bench_client_family(c), PRIM_SLICE("login"), len);
	put_from(c);
	prim_command_put_header(&c->out, PRIM_HEADER_AUTH_STATE,
	    PRIM_SLICE("init"));
	prim_command_put_header(&c->out, PRIM_HEADER_SASL_MECH,
	    PRIM_SLICE("PLAIN"));
	prim_command_put_header(&c->out, PRIM_HEADER_CONTENT_TYPE,
	    PRIM_SLICE("application/octet-stream"));
	prim_command_end(&c->out);
	prim_buf_puts(&c->out, user);
	prim_buf_puts(&c->out, "\r\n" BENCH_PASSWORD);
	c->state = BENCH_CLIENT_LOGIN;
}

static void put_listen(struct bench_client *c)
{
	prim_command_put_request(&c->out, PRIM_METHOD_LISTEN,
	    PRIM_FAMILY_PRIM_IM, PRIM_SLICE("listen"), 0);
	put_from(c);
	prim_command_end(&c->out);
	c->state = BENCH_CLIENT_LISTEN;
}

static void put_starttls(struct bench_client *c)
{
	prim_command_put_request(&c->out, PRIM_METHOD_STARTTLS,
	    bench_client_family(c), PRIM_SLICE("tls"), 0);
	prim_command_end(&c->out);
	c->state = BENCH_CLIENT_STARTTLS;
}

static void handshake(struct bench_client *c)
{
	int result = SSL_do_handshake(c->tls);

	if (result == 1)
		put_login(c);
	else
		tls_failed(c, result);
}

static void begin_tls(struct bench_client *c)
{
	c->tls = SSL_new(c->crowd->tls);
	if (!c->tls || SSL_set_fd(c->tls, c->fd) != 1)
		errx(1, "no TLS");
	SSL_set_connect_state(c->tls);
	c->state = BENCH_CLIENT_HANDSHAKE;
	handshake(c);
}

static void become_ready(struct bench_client *c)
{
	c->state = BENCH_CLIENT_READY;
	c->crowd->ready++;
}

/* An answer on the way in. */
static void come_in(struct bench_client *c, const struct prim_command *m)
{
	if (m->code != PRIM_OK)
		errx(1, "%s: refused: %u %.*s", c->address, m->code,
		    PRIM_SLICE_ARG(m->phrase));
	switch (c->state) {
	case BENCH_CLIENT_STARTTLS:
		begin_tls(c);
		break;
	case BENCH_CLIENT_LOGIN:
		if (c->crowd->is_presence)
			become_ready(c);
		else
			put_listen(c);
		break;
	case BENCH_CLIENT_LISTEN:
		become_ready(c);
		break;
	case BENCH_CLIENT_NEW:
	case BENCH_CLIENT_HANDSHAKE:
	case BENCH_CLIENT_READY:
		errx(1, "%s: an answer to nothing", c->address);
	}
}

void bench_client_begin(struct bench_client *c)
{
	const struct sockaddr *server =
	    (const struct sockaddr *)(const void *)&c->crowd->server;
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* To this machine, so connecting does not wait. */
	if (c->fd < 0 || connect(c->fd, server, sizeof(c->crowd->server)) < 0)
		err(1, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	watch(c, EPOLL_CTL_ADD, false);
	c->crowd->begun++;
	if (c->crowd->tls)
		put_starttls(c);
	else
		put_login(c);
	bench_client_flush(c);
}

/* ---- commands ---- */

static bool is_for_role(enum prim_method method)
{
	return method == PRIM_METHOD_SEND || method == PRIM_METHOD_NOTIFY;
}

static void take_command(struct bench_client *c, const struct prim_command *m)
{
	if (m->is_response && c->state != BENCH_CLIENT_READY)
		come_in(c, m);
	else if (m->is_response && c->role)
		c->role->response(c, m);
	else if (!m->is_response && is_for_role(m->method) && c->role)
		c->role->request(c, m);
}

/* Takes a command off the front of `in`. */
static bool next_command(struct bench_client *c, struct prim_slice *in,
    struct prim_command *out)
{
	size_t len;

	switch (prim_command_head(*in, &c->scanned, out)) {
	case PRIM_COMMAND_MORE:
		return false;
	case PRIM_COMMAND_BROKEN:
		errx(1, "%s: the server's stream is broken", c->address);
	case PRIM_COMMAND_HEAD:
		break;
	}
	c->scanned = 0;
	len = out->head.len + (size_t)out->body_len;
	if (in->len < len)
		return false;
	out->body = prim_slice_make(in->ptr + out->head.len,
	    (size_t)out->body_len);
	*in = prim_slice_from(*in, len);
	return true;
}

static void take_commands(struct bench_client *c)
{
	static struct prim_command command; /* large */
	struct prim_slice in = prim_buf_slice(&c->in);

	while (next_command(c, &in, &command))
		take_command(c, &command);
	if (in.len > 0)
		memmove(c->in.ptr, in.ptr, in.len);
	c->in.len = in.len;
}

/* One read a turn is enough without TLS, which has octets of its own. */
static void fill(struct bench_client *c)
{
	size_t n;

	do {
		n = take_octets(c, prim_buf_room(&c->in, ROOM), ROOM);
		prim_buf_grow(&c->in, n);
	} while (c->tls && n > 0);
}

static void client_turn(struct bench_client *c, bool has_input)
{
	if (c->state == BENCH_CLIENT_HANDSHAKE) {
		handshake(c);
	} else if (has_input) {
		fill(c);
		take_commands(c);
	}
	bench_client_flush(c);
	/* Of thousands who are just there, none needs a buffer. */
	if (!c->role && c->in.len == 0)
		prim_buf_fini(&c->in);
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / SECOND_NS),
		.tv_nsec = (long)(ns % SECOND_NS) };
}

void bench_crowd_tick(struct bench_crowd *crowd, uint64_t first_ns,
    uint64_t every_ns)
{
	const struct itimerspec when = { timespec_of(every_ns),
		timespec_of(first_ns) };
	struct epoll_event event = { .events = EPOLLIN }; /* of no client */

	crowd->tick = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	if (crowd->tick < 0 ||
	    timerfd_settime(crowd->tick, TFD_TIMER_ABSTIME, &when, NULL) < 0 ||
	    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, crowd->tick, &event) < 0)
		err(1, "timer");
}

static void take_tick(const struct bench_crowd *crowd)
{
	uint64_t ticks;

	if (read(crowd->tick, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		err(1, "timer");
}

bool bench_crowd_turn(struct bench_crowd *crowd, int wait_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(crowd->epoll, events, EVENTS, wait_ms);

	if (count < 0 && errno != EINTR)
		err(1, "epoll");
	for (int i = 0; i < count; i++) {
		if (!events[i].data.ptr)
			take_tick(crowd);
		else
			client_turn(events[i].data.ptr,
			    (events[i].events & ~(uint32_t)EPOLLOUT) != 0);
	}
	return count > 0;
}

void bench_crowd_wait_ready(struct bench_crowd *crowd, unsigned left)
{
	while (crowd->begun - crowd->ready > left) {
		if (!bench_crowd_turn(crowd, PATIENCE_MS))
			errx(1, "%u clients cannot log in",
			    crowd->begun - crowd->ready);
	}
}

void bench_clients_gather(struct bench_client *first, unsigned count,
    size_t size)
{
	struct bench_crowd *crowd = first->crowd;
	char *at = (char *)first;

	for (unsigned i = 0; i < count; i++) {
		bench_client_begin((struct bench_client *)(void *)at);
		bench_crowd_wait_ready(crowd, LOGINS_AT_ONCE);
		at += size;
	}
	bench_crowd_wait_ready(crowd, 0);
}

void bench_client_accept(struct bench_client *c,
    const struct prim_command *request)
{
	prim_command_put_response(&c->out, request->family, request->id,
	    PRIM_OK, 0);
	prim_session_put_echo(&c->out, request);
	prim_command_end(&c->out);
}
