/* SPDX-License-Identifier: ISC */
/* The writer, which commits in groups, and the reader, which never waits for a
 * commit. */

#include "bridge/store_private.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "prim/base.h"

/* What one transaction takes at most, so that the first of a long queue does
 * not wait for the last. */
#define BATCH_JOBS   1024
#define BATCH_OCTETS (8U << 20)

#define BATCH_EACH(mail, batch)                             \
	for ((mail) = STAILQ_FIRST(&(batch)->jobs); (mail); \
	     (mail) = STAILQ_NEXT(mail, link))

static struct br_store_job *job_of(struct br_mail *mail)
{
	return PRIM_CONTAINER(mail, struct br_store_job, mail);
}

/* The front of `waiting`, at least one job, as much as the limits allow. */
static struct br_store_batch *batch_cut(struct br_mail_queue *waiting)
{
	struct br_store_batch *batch = prim_new(struct br_store_batch);
	struct br_mail *mail;
	size_t octets = 0, count = 0;

	STAILQ_INIT(&batch->jobs);
	while ((mail = STAILQ_FIRST(waiting)) && count < BATCH_JOBS &&
	    octets < BATCH_OCTETS) {
		STAILQ_REMOVE_HEAD(waiting, link);
		STAILQ_INSERT_TAIL(&batch->jobs, mail, link);
		octets += job_of(mail)->weight;
		count++;
	}
	return batch;
}

/* A job that failed in one file has no business in the next. */
static bool has_part(const struct br_store_job *job, int file)
{
	return job->work->write[file] && job->outcome != BR_STORE_FAILED;
}

/* It may run again: what it made before is void. */
static bool part_run(struct br_store_db *db, int file, struct br_store_job *job)
{
	br_store_rows_free(&job->rows);
	job->remark = NULL;
	db->now_ms = job->now_ms;
	return job->work->write[file](db, job);
}

/* How many jobs ran; -1 when one failed and all must be taken back. */
static int parts_run(struct br_store_db *db, int file,
    struct br_store_batch *batch)
{
	struct br_mail *mail;
	int count = 0;

	BATCH_EACH(mail, batch)
	{
		if (!has_part(job_of(mail), file))
			continue;
		if (!part_run(db, file, job_of(mail)))
			return -1;
		count++;
	}
	return count;
}

/* One transaction for the jobs that need it only. */
static bool part_run_alone(struct br_store_db *db, int file,
    struct br_store_job *job)
{
	if (part_run(db, file, job) && br_store_db_commit(db))
		return true;
	br_store_db_rollback(db);
	return false;
}

static void part_fail(const struct br_store_db *db, struct br_store_job *job)
{
	br_store_rows_free(&job->rows);
	job->outcome = BR_STORE_FAILED;
	job->reason = db->reason;
	job->remark = NULL;
	job->more = false;
}

/* The way out when a transaction failed: whoever can be stored is stored. A
 * database that takes no transaction at all is not asked a thousand times. */
static void parts_run_alone(struct br_store_db *db, int file,
    struct br_store_batch *batch)
{
	struct br_mail *mail;
	bool begins = true;

	BATCH_EACH(mail, batch)
	{
		struct br_store_job *job = job_of(mail);

		if (!has_part(job, file))
			continue;
		begins = begins && br_store_db_begin(db);
		if (!begins || !part_run_alone(db, file, job)) {
			part_fail(db, job);
			continue;
		}
		batch->commits++;
		batch->rows++;
	}
}

static bool batch_touches(const struct br_store_batch *batch, int file)
{
	struct br_mail *mail;

	BATCH_EACH(mail, batch)
	if (has_part(job_of(mail), file))
		return true;
	return false;
}

static void scrub(struct br_store_db *db, int file,
    const struct br_store_batch *batch)
{
	struct br_mail *mail;

	BATCH_EACH(mail, batch)
	if (job_of(mail)->work->scrubs && has_part(job_of(mail), file)) {
		br_store_db_scrub(db);
		return;
	}
}

static void batch_run(struct br_store_db *db, int file,
    struct br_store_batch *batch)
{
	int count = -1;

	if (!batch_touches(batch, file))
		return;
	if (br_store_db_begin(db))
		count = parts_run(db, file, batch);
	if (count >= 0 && br_store_db_commit(db)) {
		batch->commits++;
		batch->rows += (unsigned)count;
		scrub(db, file, batch);
		return;
	}
	batch->reason = db->reason;
	br_store_db_rollback(db);
	parts_run_alone(db, file, batch);
}

static void *writer_run(void *arg)
{
	struct br_store *s = arg;
	struct br_mail_queue waiting;

	(void)prctl(PR_SET_NAME, "store-writer");
	while (br_mailbox_wait(&s->writes, &waiting)) {
		while (!STAILQ_EMPTY(&waiting)) {
			struct br_store_batch *batch = batch_cut(&waiting);

			for (int file = 0; file < BR_STORE_FILES; file++)
				batch_run(&s->write[file], file, batch);
			(void)br_mailbox_put(&s->written, &batch->mail);
		}
	}
	return NULL;
}

static void look(struct br_store *s, struct br_store_job *job)
{
	for (int file = 0; file < BR_STORE_FILES; file++)
		s->read[file].reason = NULL;
	if (!job->work->look(s->read, job)) {
		job->outcome = BR_STORE_FAILED;
		job->more = false;
	}
	for (int file = 0; file < BR_STORE_FILES; file++)
		if (s->read[file].reason)
			job->reason = s->read[file].reason;
}

/* Each goes back at once: the first does not wait for the last. */
static void look_all(struct br_store *s, struct br_mail_queue *waiting)
{
	struct br_mail *mail;

	while ((mail = STAILQ_FIRST(waiting))) {
		STAILQ_REMOVE_HEAD(waiting, link);
		look(s, job_of(mail));
		(void)br_mailbox_put(&s->looked, mail);
	}
}

static void *reader_run(void *arg)
{
	struct br_store *s = arg;
	struct br_mail_queue waiting;

	(void)prctl(PR_SET_NAME, "store-reader");
	while (br_mailbox_wait(&s->looks, &waiting))
		look_all(s, &waiting);
	return NULL;
}

/* Signals are the loop's. */
bool br_store_threads_start(struct br_store *s, struct br_err *err)
{
	sigset_t all, before;
	int fault;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	fault = pthread_create(&s->writer, NULL, writer_run, s);
	if (fault == 0) {
		fault = pthread_create(&s->reader, NULL, reader_run, s);
		if (fault != 0) {
			br_mailbox_close(&s->writes);
			pthread_join(s->writer, NULL);
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fault == 0 ||
	    br_err_set(err, "cannot start a thread: %s", strerror(fault));
}

void br_store_threads_stop(struct br_store *s)
{
	br_mailbox_close(&s->writes);
	br_mailbox_close(&s->looks);
	pthread_join(s->writer, NULL);
	pthread_join(s->reader, NULL);
}
