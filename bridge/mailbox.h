/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_MAILBOX_H
#define BRIDGE_MAILBOX_H

/*
 * The only way between threads: a locked queue of jobs with a doorbell. A job
 * is handed over whole; nothing else is shared.
 */

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

struct event_base;
struct event;

struct br_mail {
	STAILQ_ENTRY(br_mail) link;
};

STAILQ_HEAD(br_mail_queue, br_mail);

struct br_mailbox {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct br_mail_queue queue; /* borrowed until taken */
	size_t count;
	bool closed;
	struct event *bell; /* owned; NULL for a box that a thread waits on */
	int bell_fd;
};

/* A box whose owner is a thread that waits. */
void br_mailbox_init(struct br_mailbox *box);
/* A box whose owner is the loop: `on_mail` runs there after a put. */
typedef void (*br_mailbox_fn)(void *arg);
void br_mailbox_init_loop(struct br_mailbox *box, struct event_base *base,
    br_mailbox_fn on_mail, void *arg);
void br_mailbox_fini(struct br_mailbox *box);

/* Any thread. The mail is the box owner's now. False when it is closed: the
 * mail is still the caller's. */
bool br_mailbox_put(struct br_mailbox *box, struct br_mail *mail);
/* All that is there, in order, into `out` (which is initialised); never waits. */
void br_mailbox_take(struct br_mailbox *box, struct br_mail_queue *out);
/* The same, but waits until there is some. False: closed and empty. */
bool br_mailbox_wait(struct br_mailbox *box, struct br_mail_queue *out);
void br_mailbox_close(struct br_mailbox *box);

#endif
