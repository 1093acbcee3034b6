/* SPDX-License-Identifier: ISC */
/* A locked queue with a doorbell. */

#include "bridge/mailbox.h"

#include <assert.h>
#include <event2/event.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "prim/base.h"

/* The owner's callback, behind the event's argument. */
struct bell {
	struct br_mailbox *box;
	br_mailbox_fn on_mail;
	void *arg;
};

static void on_bell(evutil_socket_t fd, short what, void *arg)
{
	struct bell *bell = arg;
	uint64_t rings;

	(void)what;
	if (read(fd, &rings, sizeof(rings)) < 0)
		return;
	bell->on_mail(bell->arg);
}

void br_mailbox_init(struct br_mailbox *box)
{
	memset(box, 0, sizeof(*box));
	pthread_mutex_init(&box->lock, NULL);
	pthread_cond_init(&box->filled, NULL);
	STAILQ_INIT(&box->queue);
	box->bell_fd = -1;
}

void br_mailbox_init_loop(struct br_mailbox *box, struct event_base *base,
    br_mailbox_fn on_mail, void *arg)
{
	struct bell *bell = prim_new(struct bell);

	br_mailbox_init(box);
	bell->box = box;
	bell->on_mail = on_mail;
	bell->arg = arg;
	box->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert(box->bell_fd >= 0);
	box->bell = event_new(base, box->bell_fd, EV_READ | EV_PERSIST, on_bell,
	    bell);
	event_add(box->bell, NULL);
}

void br_mailbox_fini(struct br_mailbox *box)
{
	assert(STAILQ_EMPTY(&box->queue));
	if (box->bell) {
		prim_free(event_get_callback_arg(box->bell));
		event_free(box->bell);
		close(box->bell_fd);
	}
	pthread_cond_destroy(&box->filled);
	pthread_mutex_destroy(&box->lock);
}

static void ring(const struct br_mailbox *box)
{
	const uint64_t one = 1;
	ssize_t written = write(box->bell_fd, &one, sizeof(one));

	/* EAGAIN means the counter is full, and then the bell rings anyway. */
	(void)written;
}

bool br_mailbox_put(struct br_mailbox *box, struct br_mail *mail)
{
	bool was_empty, closed;

	pthread_mutex_lock(&box->lock);
	closed = box->closed;
	was_empty = STAILQ_EMPTY(&box->queue);
	if (!closed) {
		STAILQ_INSERT_TAIL(&box->queue, mail, link);
		box->count++;
		if (!box->bell && was_empty)
			pthread_cond_signal(&box->filled);
	}
	pthread_mutex_unlock(&box->lock);
	if (!closed && was_empty && box->bell)
		ring(box);
	return !closed;
}

static void take_locked(struct br_mailbox *box, struct br_mail_queue *out)
{
	STAILQ_INIT(out);
	STAILQ_CONCAT(out, &box->queue);
	box->count = 0;
}

void br_mailbox_take(struct br_mailbox *box, struct br_mail_queue *out)
{
	pthread_mutex_lock(&box->lock);
	take_locked(box, out);
	pthread_mutex_unlock(&box->lock);
}

bool br_mailbox_wait(struct br_mailbox *box, struct br_mail_queue *out)
{
	pthread_mutex_lock(&box->lock);
	while (STAILQ_EMPTY(&box->queue) && !box->closed)
		pthread_cond_wait(&box->filled, &box->lock);
	take_locked(box, out);
	pthread_mutex_unlock(&box->lock);
	return !STAILQ_EMPTY(out);
}

void br_mailbox_close(struct br_mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	box->closed = true;
	pthread_cond_broadcast(&box->filled);
	pthread_mutex_unlock(&box->lock);
}
