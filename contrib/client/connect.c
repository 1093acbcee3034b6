/* SPDX-License-Identifier: ISC */
/* Connecting, address by address. */

#include "contrib/client/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "contrib/client/link.h"

static bool is_loopback(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof(v6));
	if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return v6.sin6_addr.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

/* 0, or what went wrong. */
static int finish(int fd, int64_t deadline_ms)
{
	struct pollfd one = { .fd = fd, .events = POLLOUT };
	int64_t left = deadline_ms - cl_link_now_ms();
	int error = 0;
	socklen_t len = sizeof(error);

	if (left <= 0 ||
	    poll(&one, 1, left > INT32_MAX ? INT32_MAX : (int)left) <= 0)
		return ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* A connected socket, or -1 and errno. */
static int try_one(const struct addrinfo *a, int64_t deadline_ms)
{
	int on = 1;
	int error = 0;
	int fd = socket(a->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, a->ai_addr, a->ai_addrlen) != 0)
		error = errno == EINPROGRESS ? finish(fd, deadline_ms) : errno;
	if (error) {
		close(fd);
		errno = error;
		return -1;
	}
	/* Small commands that somebody waits for. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static const char *advice(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "nobody listens there; is the server running, is the "
		       "port right?";
	case ETIMEDOUT:
		return "it does not answer; is the address right, is there a "
		       "firewall between?";
	default:
		return strerror(error);
	}
}

int cl_connect_open(const char *host, const char *port, int64_t deadline_ms,
    bool *out_is_loopback, struct cl_err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int result = getaddrinfo(host, port, &hints, &list);
	int fd = -1;

	if (result != 0) {
		cl_err_set(err, "cannot find the server %s: %s", host,
		    gai_strerror(result));
		return -1;
	}
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = try_one(a, deadline_ms);
		if (fd >= 0)
			*out_is_loopback = is_loopback(a->ai_addr);
	}
	if (fd < 0)
		cl_err_set(err, "cannot connect to %s port %s: %s", host, port,
		    advice(errno));
	freeaddrinfo(list);
	return fd;
}
