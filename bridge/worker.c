/* SPDX-License-Identifier: ISC */
/* Threads for pure computing. */

#include "bridge/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "prim/base.h"

/* Each has a mailbox of its own: a waiting thread takes all there is, so one
 * box for all would leave the others without work. */
struct thread {
	pthread_t id;
	struct br_mailbox inbox;
	struct br_mailbox *results; /* borrowed: the worker's */
	size_t pending;             /* only the loop counts */
};

struct br_worker {
	struct br_mailbox results;
	struct thread *threads; /* owned */
	size_t thread_count;
	size_t pending;
	size_t jobs_max;
	bool closing;
};

static void run_all(struct thread *t, struct br_mail_queue *queue)
{
	struct br_mail *mail;

	while ((mail = STAILQ_FIRST(queue))) {
		struct br_worker_job *job = PRIM_CONTAINER(mail,
		    struct br_worker_job, mail);

		STAILQ_REMOVE_HEAD(queue, link);
		job->run(job->arg);
		br_mailbox_put(t->results, mail);
	}
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct br_mail_queue queue;

	while (br_mailbox_wait(&t->inbox, &queue))
		run_all(t, &queue);
	return NULL;
}

static void on_results(void *arg)
{
	struct br_worker *w = arg;
	struct br_mail_queue queue;

	br_mailbox_take(&w->results, &queue);
	while (!STAILQ_EMPTY(&queue)) {
		struct br_worker_job *job = PRIM_CONTAINER(STAILQ_FIRST(&queue),
		    struct br_worker_job, mail);

		STAILQ_REMOVE_HEAD(&queue, link);
		w->threads[job->thread].pending--;
		w->pending--;
		job->done(job->arg);
	}
}

static void start_thread(struct br_worker *w, struct thread *t)
{
	sigset_t all, before;

	t->results = &w->results;
	br_mailbox_init(&t->inbox);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&t->id, NULL, thread_main, t) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct br_worker *br_worker_open(struct event_base *base, unsigned threads,
    size_t jobs)
{
	struct br_worker *w = prim_new(struct br_worker);

	w->jobs_max = jobs;
	w->thread_count = threads;
	w->threads = prim_alloc(threads * sizeof(*w->threads));
	br_mailbox_init_loop(&w->results, base, on_results, w);
	for (size_t i = 0; i < w->thread_count; i++)
		start_thread(w, &w->threads[i]);
	return w;
}

static size_t least_busy(const struct br_worker *w)
{
	size_t best = 0;

	for (size_t i = 1; i < w->thread_count; i++)
		if (w->threads[i].pending < w->threads[best].pending)
			best = i;
	return best;
}

bool br_worker_submit(struct br_worker *w, struct br_worker_job *job)
{
	if (w->closing || w->pending >= w->jobs_max)
		return false;
	job->thread = least_busy(w);
	w->threads[job->thread].pending++;
	w->pending++;
	br_mailbox_put(&w->threads[job->thread].inbox, &job->mail);
	return true;
}

size_t br_worker_pending(const struct br_worker *w)
{
	return w->pending;
}

struct br_worker *br_worker_close(struct br_worker *w)
{
	if (!w)
		return NULL;
	w->closing = true;
	for (size_t i = 0; i < w->thread_count; i++)
		br_mailbox_close(&w->threads[i].inbox);
	for (size_t i = 0; i < w->thread_count; i++) {
		pthread_join(w->threads[i].id, NULL);
		br_mailbox_fini(&w->threads[i].inbox);
	}
	on_results(w);
	br_mailbox_fini(&w->results);
	prim_free(w->threads);
	return prim_free(w);
}
