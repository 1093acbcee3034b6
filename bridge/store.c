/* SPDX-License-Identifier: ISC */
/* The loop's side of the store: opening, handing jobs out, calling back. */

#include "bridge/store_salvage.h"
#include "bridge/stored.h"

#include <assert.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bridge/clock.h"
#include "bridge/metric.h"
#include "prim/base.h"

/* Stores in memory must not meet each other. */
static atomic_uint memory_count;

void br_store_rows_free(struct br_store_rows *rows)
{
	struct br_store_row *row;

	while ((row = STAILQ_FIRST(rows))) {
		STAILQ_REMOVE_HEAD(rows, link);
		prim_free(row);
	}
}

static void job_free(struct br_store_job *job)
{
	br_store_rows_free(&job->rows);
	if (job->work->release)
		job->work->release(job);
	prim_free(job);
}

static struct br_mailbox *box_of(struct br_store *s,
    const struct br_store_job *job)
{
	return job->work->look ? &s->looks : &s->writes;
}

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
	if (!more || !br_mailbox_put(box_of(s, job), &job->mail))
		job_free(job);
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

static void batch_deliver(struct br_store *s, struct br_store_batch *batch)
{
	struct br_store_job *job;

	br_metric_add(BR_METRIC_COMMITS, batch->commits);
	br_metric_add(BR_METRIC_COMMIT_ROWS, batch->rows);
	if (batch->reason)
		note_failure(s, &s->write_fails, batch->reason);
	else if (batch->commits > 0)
		note_success(s);
	while ((job = job_next(&batch->jobs)))
		job_deliver(s, job);
	prim_free(batch);
}

/* Loop callbacks: what the threads hand back. */

static void on_written(void *arg)
{
	struct br_store *s = arg;
	struct br_store_batch *batch;
	struct br_mail_queue queue;

	br_mailbox_take(&s->written, &queue);
	while ((batch = batch_next(&queue)))
		batch_deliver(s, batch);
}

static void on_looked(void *arg)
{
	struct br_store *s = arg;
	struct br_store_job *job;
	struct br_mail_queue queue;

	br_mailbox_take(&s->looked, &queue);
	while ((job = job_next(&queue)))
		job_deliver(s, job);
}

/* What the other store files use. */

void br_store_note_damage(struct br_store *s, const char *what)
{
	br_metric_add(BR_METRIC_STORE_ERRORS, 1);
	br_error(&s->log, "%s is damaged and passed over", what);
}

static bool scan_rows(struct br_store *s, struct br_store_db *db,
    const struct br_store_scan *scan)
{
	struct br_store_query q = br_store_query(db, scan->statement);
	int code;

	while ((code = br_store_query_step(&q)) == SQLITE_ROW) {
		if (!scan->row(&q, scan->arg))
			br_store_note_damage(s, scan->one);
	}
	if (code == SQLITE_DONE)
		br_store_query_end(&q);
	return code == SQLITE_DONE;
}

bool br_store_scan(struct br_store *s, const struct br_store_scan *scan,
    struct br_err *err)
{
	struct br_store_db db = { .keys = &s->keys };
	bool fine;

	if (!br_store_db_open(&db, &s->place, scan->file, false, err))
		return false;
	fine = scan_rows(s, &db, scan);
	if (!fine)
		br_err_set(err, "cannot read %s: %s", scan->all, db.reason);
	br_store_db_close(&db);
	return fine;
}

void br_store_set_clock(struct br_store *s, const int64_t *now_ms)
{
	s->clock = now_ms;
}

static int64_t now(const struct br_store *s)
{
	return s->clock ? *s->clock : br_clock_wall_ms();
}

static void job_take(struct br_store *s, struct br_store_job *job,
    const struct br_store_work *work)
{
	job->work = work;
	STAILQ_INIT(&job->rows);
	s->pending++;
	if (!br_mailbox_put(box_of(s, job), &job->mail)) {
		s->pending--;
		job_free(job);
	}
}

void br_store_take_write(struct br_store *s, struct br_store_job *job,
    const struct br_store_work *work)
{
	assert(!work->look);
	job->now_ms = now(s);
	br_store_renewals_flush(s);
	job_take(s, job, work);
}

void br_store_take_look(struct br_store *s, struct br_store_job *job,
    const struct br_store_work *work)
{
	assert(work->look);
	job_take(s, job, work);
}

void br_store_write_finish(struct br_store *s, struct br_store_job *job)
{
	const struct br_store_write *w = (const struct br_store_write *)job;

	(void)s;
	if (w->done)
		w->done(w->arg, job->outcome);
}

void br_store_keep(char **room, struct prim_slice *slice)
{
	*slice = prim_slice_keep(room, *slice);
}

bool br_store_changed(const struct br_store_query *q, struct br_store_job *job)
{
	job->outcome = br_store_query_changes(q) ? BR_STORE_DONE
						 : BR_STORE_ABSENT;
	return true;
}

/* Open and close. */

static bool writer_open(struct br_store *s, enum br_store_file file,
    struct br_err *err)
{
	return file == BR_STORE_QUEUE
	    ? br_store_queue_open(s, err)
	    : br_store_db_open(&s->write[file], &s->place, file, true, err);
}

static bool databases_open(struct br_store *s, struct br_err *err)
{
	for (int file = 0; file < BR_STORE_FILES; file++) {
		s->write[file].keys = &s->keys;
		s->read[file].keys = &s->keys;
		if (!writer_open(s, (enum br_store_file)file, err) ||
		    !br_store_db_open(&s->read[file], &s->place,
			(enum br_store_file)file, false, err))
			return false;
	}
	return br_store_secret_load(s, err) && br_store_upgrade(s, err) &&
	    br_store_removals_resume(s, err);
}

/* The readers go first: the last writer to go empties the write-ahead log,
 * and a reader could not. */
static void databases_close(struct br_store *s)
{
	for (int file = 0; file < BR_STORE_FILES; file++) {
		br_store_db_close(&s->read[file]);
		br_store_db_close(&s->write[file]);
	}
}

/* On the way something was found that only a salvage can heal. */
static bool databases_reopen(struct br_store *s, struct br_err *err)
{
	databases_close(s);
	if (!br_store_queue_is_suspect(s))
		return false;
	if (err)
		err->text[0] = '\0';
	return databases_open(s, err);
}

static void boxes_init(struct br_store *s)
{
	br_mailbox_init(&s->writes);
	br_mailbox_init(&s->looks);
	br_mailbox_init_loop(&s->written, s->base, on_written, s);
	br_mailbox_init_loop(&s->looked, s->base, on_looked, s);
}

static void boxes_fini(struct br_store *s)
{
	br_mailbox_fini(&s->writes);
	br_mailbox_fini(&s->looks);
	br_mailbox_fini(&s->written);
	br_mailbox_fini(&s->looked);
}

static struct br_store *store_free(struct br_store *s)
{
	databases_close(s);
	boxes_fini(s);
	br_store_renewals_close(s);
	explicit_bzero(s->secret, sizeof(s->secret));
	return prim_free(s);
}

struct br_store *br_store_open(struct event_base *base, const char *dir,
    struct br_err *err)
{
	struct br_store *s = prim_new(struct br_store);
	int len;

	s->base = base;
	br_log_init(&s->log, NULL, "store");
	if (strcmp(dir, ":memory:") == 0)
		s->place.memory = atomic_fetch_add(&memory_count, 1) + 1;
	len = snprintf(s->place.dir, sizeof(s->place.dir), "%s", dir);
	boxes_init(s);
	br_store_renewals_open(s);
	if (len < 0 || (size_t)len >= sizeof(s->place.dir)) {
		br_err_set(err, "the name of the data folder is too long");
		return store_free(s);
	}
	if (!databases_open(s, err) && !databases_reopen(s, err))
		return store_free(s);
	br_store_salvage_tell(s);
	return br_store_threads_start(s, err) ? s : store_free(s);
}

/* Frees without calling back. */
static void drop_deliveries(struct br_store *s)
{
	struct br_store_batch *batch;
	struct br_store_job *job;
	struct br_mail_queue queue;

	br_mailbox_take(&s->written, &queue);
	while ((batch = batch_next(&queue))) {
		while ((job = job_next(&batch->jobs)))
			job_free(job);
		prim_free(batch);
	}
	br_mailbox_take(&s->looked, &queue);
	while ((job = job_next(&queue)))
		job_free(job);
}

struct br_store *br_store_close(struct br_store *s)
{
	if (!s)
		return NULL;
	assert(!s->in_callback);
	br_store_renewals_flush(s);
	br_store_threads_stop(s);
	drop_deliveries(s);
	return store_free(s);
}

size_t br_store_pending(const struct br_store *s)
{
	return s->pending;
}

void br_store_settle(struct br_store *s)
{
	while (s->pending > 0)
		if (event_base_loop(s->base, EVLOOP_ONCE) != 0)
			return;
}

void br_store_secret(const struct br_store *s, uint8_t out_secret[32])
{
	memcpy(out_secret, s->secret, sizeof(s->secret));
}
