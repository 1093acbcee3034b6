/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_WORKER_H
#define BRIDGE_WORKER_H

/*
 * A few threads for pure computing (key derivation), so that the loop never
 * waits for it. Bounded: whoever is refused says "too busy" instead of letting
 * everybody wait.
 *
 * Everything here is called on the loop; only `run` is called elsewhere. A job
 * that was taken is run once and done once, whatever happens.
 */

#include <stdbool.h>
#include <stddef.h>

#include "bridge/mailbox.h"

struct event_base;
struct br_worker;

#define BR_WORKER_THREADS 2   /* as DESIGN 2 has it */
#define BR_WORKER_JOBS    256 /* under way at once */

typedef void (*br_worker_fn)(void *arg);

/* Lives inside its owner's object, which must stay until `done`. */
struct br_worker_job {
	struct br_mail mail;
	size_t thread;     /* which one has it */
	br_worker_fn run;  /* on a worker: touches nothing but `arg` */
	br_worker_fn done; /* on the loop, afterwards; may free `arg` */
	void *arg;         /* borrowed until done */
};

/* `jobs`: how many may be under way at once. Ends the process when no thread
 * can be had, as being out of memory does. */
struct br_worker *br_worker_open(struct event_base *base, unsigned threads,
    size_t jobs);

/* False when too many jobs are under way, or closing; nothing happened then.
 * `run`, `done` and `arg` are set. Never calls `done` from inside. */
bool br_worker_submit(struct br_worker *w, struct br_worker_job *job);

/* Jobs taken and not done. */
size_t br_worker_pending(const struct br_worker *w);

/* Finishes what was taken, with every `done` called from inside this call, and
 * joins the threads. Not from inside a `done`. NULL is fine; returns NULL. */
struct br_worker *br_worker_close(struct br_worker *w);

#endif
