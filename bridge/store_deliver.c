/* SPDX-License-Identifier: ISC */
/* What the threads of the store hand back: told on the loop, one by one, so that
 * nobody else waits for all of it. */

#include "bridge/stored.h"

#include <event2/event.h>

#include "bridge/metric.h"
#include "prim/base.h"

/* Told when it begins and when it is over: a full disk fails every message,
 * and a line for each would fill the disk that has the log. */
static void note_failure(struct br_store *s, bool *fails, const char *reason)
{
	br_metric_add(BR_METRIC_STORE_ERRORS, 1);
	if (!*fails)
		br_error(&s->log, "%s fails reason=%s",
		    fails == &s->write_fails ? "writing" : "reading",
		    br_quote(prim_slice_of(reason)));
	*fails = true;
}

static void note_success(struct br_store *s)
{
	if (s->write_fails)
		br_info(&s->log, "writing works again");
	s->write_fails = false;
}

static void note_job(struct br_store *s, const struct br_store_job *job)
{
	if (!job->reason && job->work->look)
		s->read_fails = false;
	else if (job->reason)
		note_failure(s,
		    job->work->look ? &s->read_fails : &s->write_fails,
		    job->reason);
	if (job->remark)
		br_error(&s->log, "%s", job->remark);
}

static void row_tell(struct br_store *s, const struct br_stored_row *row)
{
	if (row->is_end && s->on_end)
		s->on_end(s->on_end_arg, &row->m, false);
	else if (!row->is_end && s->on_notice)
		s->on_notice(s->on_notice_arg, &row->m, false);
}

/* Before the callback of what caused them. */
static void rows_tell(struct br_store *s, const struct br_store_job *job)
{
	struct br_store_row *row;

	if (job->work->look)
		return;
	STAILQ_FOREACH(row, &job->rows, link)
	row_tell(s, (const struct br_stored_row *)row);
}

/* A job that is not at its end goes back to its thread behind what waits
 * there, so that a long list or a long clean-up stops nobody. */
static void job_deliver(struct br_store *s, struct br_store_job *job)
{
	bool more = job->more;

	note_job(s, job);
	if (!more)
		s->pending--;
	s->in_callback = true;
	rows_tell(s, job);
	if (job->work->finish)
		job->work->finish(s, job);
	s->in_callback = false;
	br_store_rows_free(&job->rows);
	job->more = false;
	job->reason = NULL;
	job->remark = NULL;
	if (!more || !br_mailbox_put(br_store_box(s, job), &job->mail))
		br_store_job_free(job);
}

static struct br_store_job *job_next(struct br_mail_queue *queue)
{
	struct br_mail *mail = STAILQ_FIRST(queue);

	if (!mail)
		return NULL;
	STAILQ_REMOVE_HEAD(queue, link);
	return PRIM_CONTAINER(mail, struct br_store_job, mail);
}

static struct br_store_batch *batch_next(struct br_mail_queue *queue)
{
	struct br_mail *mail = STAILQ_FIRST(queue);

	if (!mail)
		return NULL;
	STAILQ_REMOVE_HEAD(queue, link);
	return PRIM_CONTAINER(mail, struct br_store_batch, mail);
}

/* Takes `batch`: its jobs are handed back one by one. */
static void batch_open(struct br_store *s, struct br_store_batch *batch)
{
	br_metric_add(BR_METRIC_COMMITS, batch->commits);
	br_metric_add(BR_METRIC_COMMIT_ROWS, batch->rows);
	if (batch->reason)
		note_failure(s, &s->write_fails, batch->reason);
	else if (batch->commits > 0)
		note_success(s);
	STAILQ_CONCAT(&s->done, &batch->jobs);
	prim_free(batch);
}

/* Chores: one job at a time. */

static bool deliver_one(struct br_store *s, struct br_mail_queue *queue)
{
	struct br_store_job *job = job_next(queue);

	if (job)
		job_deliver(s, job);
	return !STAILQ_EMPTY(queue);
}

static bool tell_done(void *arg)
{
	struct br_store *s = arg;

	return deliver_one(s, &s->done);
}

static bool tell_found(void *arg)
{
	struct br_store *s = arg;

	return deliver_one(s, &s->found);
}

/* Loop callbacks. */

static void on_written(void *arg)
{
	struct br_store *s = arg;
	struct br_store_batch *batch;
	struct br_mail_queue queue;

	br_mailbox_take(&s->written, &queue);
	while ((batch = batch_next(&queue)))
		batch_open(s, batch);
	br_chore_due(&s->tell_done);
}

static void on_looked(void *arg)
{
	struct br_store *s = arg;
	struct br_mail_queue queue;

	br_mailbox_take(&s->looked, &queue);
	STAILQ_CONCAT(&s->found, &queue);
	br_chore_due(&s->tell_found);
}

void br_store_set_chores(struct br_store *s, struct br_chores *chores)
{
	br_chore_init(&s->tell_done, chores, tell_done, s);
	br_chore_init(&s->tell_found, chores, tell_found, s);
}

void br_store_deliver_init(struct br_store *s)
{
	STAILQ_INIT(&s->done);
	STAILQ_INIT(&s->found);
	br_store_set_chores(s, NULL);
	br_mailbox_init_loop(&s->written, s->base, on_written, s);
	br_mailbox_init_loop(&s->looked, s->base, on_looked, s);
}

void br_store_deliver_drop(struct br_store *s)
{
	struct br_store_batch *batch;
	struct br_store_job *job;
	struct br_mail_queue queue, looked;

	br_chore_stop(&s->tell_done);
	br_chore_stop(&s->tell_found);
	br_mailbox_take(&s->written, &queue);
	while ((batch = batch_next(&queue))) {
		STAILQ_CONCAT(&s->done, &batch->jobs);
		prim_free(batch);
	}
	br_mailbox_take(&s->looked, &looked);
	STAILQ_CONCAT(&s->found, &looked);
	while ((job = job_next(&s->done)) || (job = job_next(&s->found)))
		br_store_job_free(job);
}

void br_store_settle(struct br_store *s)
{
	for (;;) {
		br_chore_finish(&s->tell_done);
		br_chore_finish(&s->tell_found);
		if (s->pending == 0 ||
		    event_base_loop(s->base, EVLOOP_ONCE) != 0)
			return;
	}
}
