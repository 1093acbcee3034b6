/* SPDX-License-Identifier: ISC */
/* One connection, with deadlines. */

#include "contrib/client/link.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "contrib/client/connect.h"
#include "contrib/client/trust.h"

#define READ_OCTETS 16384

int64_t cl_link_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The same for one or two descriptors. */
static enum cl_link_outcome wait_for(struct pollfd *fds, nfds_t count,
    int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - cl_link_now_ms();
		int n;

		if (left < 0)
			left = 0;
		if (left > INT32_MAX)
			left = INT32_MAX;
		n = poll(fds, count, (int)left);
		if (n > 0)
			return CL_LINK_READY;
		if (n == 0)
			return CL_LINK_TIMEOUT;
		if (errno != EINTR)
			return CL_LINK_CLOSED;
	}
}

static enum cl_link_outcome wait_one(int fd, short events, int64_t deadline_ms)
{
	struct pollfd one = { .fd = fd, .events = events };

	return wait_for(&one, 1, deadline_ms);
}

bool cl_link_open(struct cl_link *l, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err)
{
	*l = (struct cl_link){ .fd = -1 };
	l->fd = cl_connect_open(options->host, options->port, deadline_ms,
	    &l->is_loopback, err);
	return l->fd >= 0;
}

/* What `ssl` waits for after `result`; 0: it is broken. */
static short wanted(SSL *ssl, int result)
{
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

static bool handshake(struct cl_link *l, int64_t deadline_ms,
    struct cl_err *err)
{
	for (;;) {
		int result;
		short events;

		ERR_clear_error();
		result = SSL_connect(l->ssl);
		if (result == 1)
			return true;
		events = wanted(l->ssl, result);
		if (!events)
			return cl_err_set(err, "no TLS with the server: %s",
			    cl_trust_reason());
		if (wait_one(l->fd, events, deadline_ms) != CL_LINK_READY)
			return cl_err_set(err,
			    "no TLS with the server: it stopped answering");
	}
}

bool cl_link_secure(struct cl_link *l, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err)
{
	l->ctx = cl_trust_open(options, err);
	if (!l->ctx)
		return false;
	l->ssl = SSL_new(l->ctx);
	if (!l->ssl || !SSL_set_fd(l->ssl, l->fd))
		return cl_err_set(err, "no TLS: %s", cl_trust_reason());
	cl_trust_name(l->ssl, options);
	if (!handshake(l, deadline_ms, err))
		return false;
	return cl_trust_check(l->ssl, options, l->is_loopback, &l->is_verified,
	    err);
}

bool cl_link_binding(const struct cl_link *l,
    uint8_t out_binding[CL_LINK_BINDING])
{
	static const char LABEL[] = "EXPORTER-Channel-Binding";

	if (!l->ssl ||
	    (SSL_version(l->ssl) < TLS1_3_VERSION &&
		SSL_get_extms_support(l->ssl) != 1))
		return false;
	return SSL_export_keying_material(l->ssl, out_binding, CL_LINK_BINDING,
		   LABEL, sizeof(LABEL) - 1, (const unsigned char *)"", 0,
		   1) == 1;
}

enum cl_link_outcome cl_link_wait(struct cl_link *l, int other,
    int64_t deadline_ms)
{
	struct pollfd fds[2] = {
		{.fd = l->fd,  .events = POLLIN},
		{ .fd = other, .events = POLLIN},
	};
	enum cl_link_outcome outcome;

	if (l->ssl && SSL_has_pending(l->ssl))
		return CL_LINK_READY;
	outcome = wait_for(fds, 2, deadline_ms);
	if (outcome == CL_LINK_READY && !fds[0].revents)
		return CL_LINK_OTHER;
	return outcome;
}

static enum cl_link_outcome read_tls(struct cl_link *l, struct prim_buf *b)
{
	char *room = prim_buf_room(b, READ_OCTETS);
	int n;

	ERR_clear_error();
	n = SSL_read(l->ssl, room, READ_OCTETS);
	if (n <= 0)
		return wanted(l->ssl, n) ? CL_LINK_READY : CL_LINK_CLOSED;
	prim_buf_grow(b, (size_t)n);
	return CL_LINK_READY;
}

enum cl_link_outcome cl_link_read(struct cl_link *l, struct prim_buf *b)
{
	ssize_t n;

	if (l->fd < 0)
		return CL_LINK_CLOSED;
	if (l->ssl)
		return read_tls(l, b);
	n = recv(l->fd, prim_buf_room(b, READ_OCTETS), READ_OCTETS, 0);
	if (n > 0)
		prim_buf_grow(b, (size_t)n);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return CL_LINK_READY;
	return CL_LINK_CLOSED;
}

/* Writes some of `s`: its length, 0 and what to wait for, or -1. */
static ssize_t write_some(struct cl_link *l, struct prim_slice s,
    short *out_events)
{
	int len = s.len > READ_OCTETS ? READ_OCTETS : (int)s.len;
	ssize_t n;

	*out_events = POLLOUT;
	if (l->ssl) {
		ERR_clear_error();
		n = SSL_write(l->ssl, s.ptr, len);
		if (n > 0)
			return n;
		*out_events = wanted(l->ssl, (int)n);
		return *out_events ? 0 : -1;
	}
	n = send(l->fd, s.ptr, (size_t)len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

bool cl_link_write(struct cl_link *l, struct prim_slice s, int64_t deadline_ms)
{
	while (s.len > 0 && l->fd >= 0) {
		short events;
		ssize_t n = write_some(l, s, &events);

		if (n < 0)
			return false;
		s = prim_slice_from(s, (size_t)n);
		if (n == 0 &&
		    wait_one(l->fd, events, deadline_ms) != CL_LINK_READY)
			return false;
	}
	return s.len == 0;
}

void cl_link_close(struct cl_link *l)
{
	if (l->ssl) {
		ERR_clear_error();
		SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
	}
	SSL_CTX_free(l->ctx);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct cl_link){ .fd = -1 };
}
