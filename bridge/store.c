/* SPDX-License-Identifier: ISC */
/* The loop's side of the store: opening and closing, handing jobs out. */

#include "bridge/store_salvage.h"
#include "bridge/stored.h"

#include <assert.h>
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

/* What the other store files use. */

void br_store_job_free(struct br_store_job *job)
{
	br_store_rows_free(&job->rows);
	if (job->work->release)
		job->work->release(job);
	prim_free(job);
}

struct br_mailbox *br_store_box(struct br_store *s,
    const struct br_store_job *job)
{
	return job->work->look ? &s->looks : &s->writes;
}

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
	if (!br_mailbox_put(br_store_box(s, job), &job->mail)) {
		s->pending--;
		br_store_job_free(job);
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
	br_store_deliver_init(s);
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

struct br_store *br_store_close(struct br_store *s)
{
	if (!s)
		return NULL;
	assert(!s->in_callback);
	br_store_renewals_flush(s);
	br_store_threads_stop(s);
	br_store_deliver_drop(s);
	return store_free(s);
}

size_t br_store_pending(const struct br_store *s)
{
	return s->pending;
}

void br_store_secret(const struct br_store *s, uint8_t out_secret[32])
{
	memcpy(out_secret, s->secret, sizeof(s->secret));
}
