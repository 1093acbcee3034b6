/* SPDX-License-Identifier: ISC */
/* What is remembered of messages: duplicate keys and history. */

#include "bridge/stored.h"

#include <string.h>

#include "prim/base.h"
#include "prim/status.h"

#define EVENT_MAX 1000 /* lines that one look-up gives */

struct duplicate_look {
	struct br_store_job job;
	struct br_store_message m; /* its key and Message-ID */
	br_store_duplicate_fn found;
	void *arg; /* borrowed */
	struct br_store_put_result known;
	bool is_there;
	char octets[];
};

struct event_look {
	struct br_store_job job;
	br_store_event_fn each;
	void *arg; /* borrowed */
	struct prim_slice message_id;
	char octets[];
};

struct event_row {
	struct br_store_row row;
	struct br_store_event event;
	char octets[];
};

/* Keyed, so that nobody can choose Message-IDs that fall on one entry. */
static int64_t id_hash(const struct br_store_db *db, struct prim_slice id)
{
	return (int64_t)prim_hash(&db->keys->id, id);
}

/* ---- by what a message is recognised ---- */

static void put_name(struct br_store_query *q, struct prim_slice message_id,
    const struct prim_digest *key)
{
	br_store_put_number(q, id_hash(q->db, message_id));
	br_store_put_octets(q, key->octets, PRIM_DIGEST_LEN);
}

bool br_store_known_put(struct br_store_db *db,
    const struct br_store_message *m, int64_t seq, bool *out_new)
{
	struct br_store_query q = br_store_query(db, BR_SQL_KNOWN_PUT);

	put_name(&q, m->message_id, &m->key);
	br_store_put_number(&q, seq);
	br_store_put_number(&q, (int64_t)m->content_hash);
	if (!br_store_query_run(&q))
		return false;
	*out_new = br_store_query_changes(&q) > 0;
	return true;
}

/* False: failed. `*out_there` tells whether `result` is filled. */
static bool known_find(struct br_store_db *db, const struct br_store_message *m,
    struct br_store_put_result *result, bool *out_there)
{
	struct br_store_query q = br_store_query(db, BR_SQL_KNOWN_FIND);
	int code;

	put_name(&q, m->message_id, &m->key);
	br_store_put_number(&q, BR_STORE_KEPT);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_there = code == SQLITE_ROW;
	if (*out_there) {
		result->content_hash = (uint64_t)br_store_take_number(&q);
		if (result->content_hash == BR_STORE_ANY_CONTENT &&
		    m->content_hash)
			result->content_hash = m->content_hash;
		result->answer = (unsigned)br_store_take_number(&q);
	}
	br_store_query_end(&q);
	return true;
}

bool br_store_known_read(struct br_store_db *db,
    const struct br_store_message *m, struct br_store_put_result *result)
{
	bool is_there;

	return known_find(db, m, result, &is_there);
}

bool br_store_known_drop(struct br_store_db *db, struct prim_slice message_id,
    const struct prim_digest *key)
{
	struct br_store_query q = br_store_query(db, BR_SQL_KNOWN_DROP);

	put_name(&q, message_id, key);
	return br_store_query_run(&q);
}

static bool duplicate_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct duplicate_look *l = (struct duplicate_look *)job;

	return known_find(&dbs[BR_STORE_QUEUE], &l->m, &l->known, &l->is_there);
}

static void duplicate_finish(struct br_store *s, struct br_store_job *job)
{
	const struct duplicate_look *l = (const struct duplicate_look *)job;
	const struct br_store_duplicate d = { .answer = l->known.answer,
		.content_hash = l->known.content_hash };

	(void)s;
	l->found(l->arg, l->is_there ? &d : NULL,
	    job->outcome == BR_STORE_FAILED);
}

static const struct br_store_work DUPLICATE = {
	.look = duplicate_look,
	.finish = duplicate_finish,
};

void br_store_duplicate_find(struct br_store *s, const struct prim_digest *key,
    struct prim_slice message_id, br_store_duplicate_fn found, void *arg)
{
	struct duplicate_look *l = prim_alloc(sizeof(*l) + message_id.len);
	char *room = l->octets;

	l->m.key = *key;
	l->m.message_id = message_id;
	br_store_keep(&room, &l->m.message_id);
	l->found = found;
	l->arg = arg;
	br_store_take_look(s, &l->job, &DUPLICATE);
}

struct keys {
	br_store_key_fn each;
	void *arg; /* borrowed */
};

static bool key_tell(struct br_store_query *q, void *arg)
{
	const struct keys *k = arg;
	struct prim_digest key;
	uint64_t prefix;

	if (!br_store_take_octets(q, key.octets, PRIM_DIGEST_LEN))
		return false;
	memcpy(&prefix, key.octets, sizeof(prefix));
	k->each(k->arg, prefix);
	return true;
}

bool br_store_duplicate_each(struct br_store *s, br_store_key_fn each,
    void *arg, struct br_err *err)
{
	struct keys k = { each, arg };
	const struct br_store_scan scan = {
		.file = BR_STORE_QUEUE,
		.statement = BR_SQL_KNOWN_EACH,
		.row = key_tell,
		.arg = &k,
		.one = "the key of a duplicate",
		.all = "the duplicates",
	};

	return br_store_scan(s, &scan, err);
}

/* ---- what happened ---- */

/* A message that was delivered after all is answered 200 from now on; every
 * other keeps its 101, for it has had its end (DESIGN 5). */
bool br_store_trace_put(struct br_store_db *db, const struct br_stored *st,
    const struct br_store_end *end)
{
	const struct br_store_message *m = &st->m;
	struct br_store_query q = br_store_query(db, BR_SQL_TRACE_PUT);

	br_store_put_number(&q, m->seq);
	br_store_put_octets(&q, m->key.octets, PRIM_DIGEST_LEN);
	br_store_put_text(&q, m->message_id);
	br_store_put_text(&q, m->sender);
	br_store_put_text(&q, m->recipient);
	br_store_put_text(&q, st->via.len ? st->via : m->destination);
	br_store_put_number(&q, m->accepted_ms);
	br_store_put_number(&q, db->now_ms);
	br_store_put_number(&q, end->code);
	br_store_put_text(&q, br_stored_cut(end->reason));
	br_store_put_number(&q, end->code == PRIM_OK ? PRIM_OK : BR_STORE_KEPT);
	br_store_put_number(&q, end->forget_ms);
	return br_store_query_run(&q);
}

bool br_store_event_put(struct br_store_db *db, int64_t seq, int64_t from,
    struct prim_slice text)
{
	struct br_store_query q = br_store_query(db, BR_SQL_EVENT_PUT);

	br_store_put_number(&q, seq);
	br_store_put_number(&q, db->now_ms);
	br_store_put_text(&q, text);
	br_store_put_number(&q, from);
	return br_store_query_run(&q);
}

static void row_add(struct br_store_job *job,
    const struct br_store_event *event)
{
	struct event_row *row = prim_alloc(sizeof(*row) + event->text.len);
	char *room = row->octets;

	row->event = *event;
	br_store_keep(&room, &row->event.text);
	STAILQ_INSERT_TAIL(&job->rows, &row->row, link);
}

static bool event_look(struct br_store_db *dbs, struct br_store_job *job)
{
	const struct event_look *l = (const struct event_look *)job;
	struct br_store_db *db = &dbs[BR_STORE_QUEUE];
	struct br_store_query q = br_store_query(db, BR_SQL_EVENT_FIND);
	struct br_store_event event;
	int code;

	br_store_put_number(&q, id_hash(db, l->message_id));
	br_store_put_text(&q, l->message_id);
	br_store_put_number(&q, EVENT_MAX);
	br_store_put_number(&q, BR_STORED_END);
	while ((code = br_store_query_step(&q)) == SQLITE_ROW) {
		event.at_ms = br_store_take_number(&q);
		event.text = br_store_take_slice(&q);
		row_add(job, &event);
	}
	if (code != SQLITE_DONE)
		return false;
	br_store_query_end(&q);
	return true;
}

static void event_finish(struct br_store *s, struct br_store_job *job)
{
	const struct event_look *l = (const struct event_look *)job;
	struct br_store_row *row;

	(void)s;
	STAILQ_FOREACH(row, &job->rows, link)
	l->each(l->arg, &((const struct event_row *)row)->event);
	l->each(l->arg, NULL);
}

static const struct br_store_work EVENTS = {
	.look = event_look,
	.finish = event_finish,
};

void br_store_history_find(struct br_store *s, struct prim_slice message_id,
    br_store_event_fn each, void *arg)
{
	struct event_look *l = prim_alloc(sizeof(*l) + message_id.len);
	char *room = l->octets;

	l->each = each;
	l->arg = arg;
	l->message_id = message_id;
	br_store_keep(&room, &l->message_id);
	br_store_take_look(s, &l->job, &EVENTS);
}
