/* SPDX-License-Identifier: ISC */
/* The socket under an adapter link. */

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/link.h"
#include "prim/base.h"

#define READ_MAX 65536
/* As much is read at once where others wait: some ten reports. */
#define READ_LITTLE 2048
#define PIECES      16

static void fail(struct br_link *l, const char *why)
{
	br_link_close(l);
	l->ops->gone(l->ctx, why);
}

/* At most `max` octets. False when there is nothing more for now. */
static bool take_some(struct br_link *l, size_t max)
{
	char octets[READ_MAX];
	ssize_t n;

	if (l->overfull) {
		fail(l, "it does not read");
		return false;
	}
	n = recv(l->fd, octets, max, MSG_DONTWAIT);
	if (n > 0) {
		br_link_feed(l, prim_slice_make(octets, (size_t)n));
		return !l->closed && (size_t)n == max;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* A peer that died with something unread resets. */
	fail(l, NULL);
	return false;
}

void br_link_drain(struct br_link *l)
{
	while (!l->closed && l->fd >= 0 && take_some(l, READ_MAX))
		;
}

/* The rest of a long command comes in one piece: nothing is done with it before
 * it is there. */
static bool read_little(void *arg)
{
	struct br_link *l = arg;
	size_t rest = l->wanted > l->in.len ? l->wanted - l->in.len : 0;

	if (l->closed || l->fd < 0)
		return false;
	if (rest < READ_LITTLE)
		rest = READ_LITTLE;
	return take_some(l, rest < READ_MAX ? rest : READ_MAX);
}

/* False when the socket takes no more. */
static bool send_some(struct br_link *l)
{
	struct evbuffer_iovec pieces[PIECES];
	struct msghdr message = { .msg_iov = (struct iovec *)pieces };
	int count = evbuffer_peek(l->out, -1, NULL, pieces, PIECES);
	ssize_t n;

	message.msg_iovlen = (size_t)(count < PIECES ? count : PIECES);
	n = sendmsg(l->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		evbuffer_drain(l->out, (size_t)n);
	/* Any other error is also the end of what we read, and told there,
	 * after the last words of the other end. */
	return n > 0 || errno == EINTR;
}

static void send_waiting(struct br_link *l)
{
	while (br_link_waiting(l) > 0 && send_some(l))
		;
}

/* Loop callbacks: what the world tells us. */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct br_link *l = arg;

	(void)fd;
	(void)what;
	if (l->chores)
		br_chore_due(&l->reading);
	else
		take_some(l, READ_MAX);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct br_link *l = arg;

	(void)fd;
	(void)what;
	send_waiting(l);
	if (br_link_waiting(l) > 0)
		event_add(l->writable, NULL);
}

void br_link_open(struct br_link *l, struct event_base *base, int fd)
{
	l->fd = fd;
	br_chore_init(&l->reading, l->chores, read_little, l);
	l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, l);
	l->writable = event_new(base, fd, EV_WRITE, on_writable, l);
	event_add(l->readable, NULL);
}

static struct event *event_end(struct event *ev)
{
	if (ev)
		event_free(ev);
	return NULL;
}

void br_link_close(struct br_link *l)
{
	l->closed = true;
	br_chore_stop(&l->reading);
	l->readable = event_end(l->readable);
	l->writable = event_end(l->writable);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void br_link_send(struct br_link *l, struct prim_slice octets)
{
	if (l->closed)
		return;
	if (br_link_waiting(l) + octets.len > l->backlog_max)
		l->overfull = true;
	if (l->overfull) {
		/* Whoever sends is in the midst of something. */
		if (l->readable)
			event_active(l->readable, EV_READ, 0);
		return;
	}
	if (l->writable && br_link_waiting(l) == 0)
		event_active(l->writable, EV_WRITE, 0);
	evbuffer_add(l->out, octets.ptr, octets.len);
}

void br_link_flush(struct br_link *l, int ms)
{
	const int64_t end = br_clock_steady_ms() + ms;
	struct pollfd poller = { .fd = l->fd, .events = POLLOUT };
	int64_t left = ms;

	while (l->fd >= 0 && br_link_waiting(l) > 0 && left > 0) {
		if (poll(&poller, 1, (int)left) < 0 && errno != EINTR)
			return;
		if (poller.revents & (POLLERR | POLLHUP))
			return;
		send_waiting(l);
		left = end - br_clock_steady_ms();
	}
}
