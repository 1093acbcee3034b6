/* SPDX-License-Identifier: ISC */
/* Messages: how one is stored and read back. */

#include "bridge/store_private.h"

#include <string.h>

#include "prim/base.h"

struct put {
	struct br_store_job job;
	struct br_store_message m; /* its slices are borrowed until done */
	br_store_put_fn done;
	void *arg; /* borrowed */
	struct br_store_put_result result;
};

struct get {
	struct br_store_job job;
	int64_t seq;
	br_store_message_fn found;
	void *arg; /* borrowed */
};

struct message_row {
	struct br_store_row row;
	struct br_store_message m;
	char octets[];
};

static void feed_number(struct prim_hasher *h, int64_t value)
{
	prim_hasher_feed(h,
	    prim_slice_make((const char *)&value, sizeof(value)));
}

static void feed_digest(struct prim_hasher *h, const struct prim_digest *d)
{
	prim_hasher_feed(h,
	    prim_slice_make((const char *)d->octets, sizeof(d->octets)));
}

/* Over all that must not change while it is here: a damaged row must neither
 * deliver a wrong body nor the right one to somebody else. */
static int64_t checksum(const struct br_store_db *db,
    const struct br_store_message *m)
{
	struct prim_hasher h;
	struct prim_digest digest;
	int64_t sum;

	prim_hasher_init(&h, &db->keys->checksum);
	feed_digest(&h, &m->key);
	feed_digest(&h, &m->lane);
	feed_number(&h, (int64_t)m->content_hash);
	prim_hasher_feed_field(&h, m->destination);
	prim_hasher_feed_field(&h, m->origin);
	prim_hasher_feed_field(&h, m->sender);
	prim_hasher_feed_field(&h, m->recipient);
	prim_hasher_feed_field(&h, m->message_id);
	prim_hasher_feed_field(&h, m->return_token);
	prim_hasher_feed_field(&h, m->head);
	prim_hasher_feed_field(&h, m->body);
	feed_number(&h, m->hops);
	feed_number(&h, m->accepted_ms);
	feed_number(&h, m->expires_ms);
	digest = prim_hasher_digest(&h);
	memcpy(&sum, digest.octets, sizeof(sum));
	return sum;
}

/* ---- put ---- */

/* False: failed. `*out_new`: the key was not there. */
static bool key_put(struct br_store_db *db, const struct br_store_message *m,
    bool *out_new)
{
	struct br_store_query q = br_store_query(db, BR_SQL_DUPLICATE_PUT);

	br_store_put_octets(&q, m->key.octets, PRIM_DIGEST_LEN);
	br_store_put_number(&q, (int64_t)m->content_hash);
	br_store_put_number(&q, BR_STORE_KEPT);
	if (!br_store_query_run(&q))
		return false;
	*out_new = br_store_query_changes(&q) > 0;
	return true;
}

static bool key_read(struct br_store_db *db, const struct br_store_message *m,
    struct br_store_put_result *result)
{
	struct br_store_query q = br_store_query(db, BR_SQL_DUPLICATE_FIND);

	br_store_put_octets(&q, m->key.octets, PRIM_DIGEST_LEN);
	if (br_store_query_step(&q) != SQLITE_ROW)
		return false;
	result->content_hash = (uint64_t)br_store_take_number(&q);
	result->answer = (unsigned)br_store_take_number(&q);
	br_store_query_end(&q);
	return true;
}

static bool row_put(struct br_store_db *db, const struct br_store_message *m)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_PUT);

	br_store_put_octets(&q, m->key.octets, PRIM_DIGEST_LEN);
	br_store_put_octets(&q, m->lane.octets, PRIM_DIGEST_LEN);
	br_store_put_number(&q, (int64_t)m->content_hash);
	br_store_put_text(&q, m->destination);
	br_store_put_text(&q, m->origin);
	br_store_put_text(&q, m->sender);
	br_store_put_text(&q, m->recipient);
	br_store_put_text(&q, m->message_id);
	br_store_put_blob(&q, m->return_token);
	br_store_put_number(&q, m->hops);
	br_store_put_number(&q, m->accepted_ms);
	br_store_put_number(&q, m->expires_ms);
	br_store_put_number(&q, m->attempts);
	br_store_put_number(&q, m->next_try_ms);
	return br_store_query_run(&q);
}

static bool content_put(struct br_store_db *db,
    const struct br_store_message *m, int64_t seq)
{
	struct br_store_query q = br_store_query(db, BR_SQL_CONTENT_PUT);

	br_store_put_number(&q, seq);
	br_store_put_number(&q, checksum(db, m));
	br_store_put_blob(&q, m->head);
	br_store_put_blob(&q, m->body);
	return br_store_query_run(&q);
}

static bool trace_put(struct br_store_db *db, const struct br_store_message *m,
    int64_t seq)
{
	struct br_store_query q = br_store_query(db, BR_SQL_TRACE_PUT);

	br_store_put_number(&q, seq);
	br_store_put_octets(&q, m->key.octets, PRIM_DIGEST_LEN);
	br_store_put_number(&q, br_store_id_hash(db, m->message_id));
	br_store_put_text(&q, m->message_id);
	if (!br_store_query_run(&q))
		return false;
	prim_buf_reset(&db->scratch);
	prim_buf_puts(&db->scratch, "accepted from=");
	prim_buf_put(&db->scratch, m->sender);
	prim_buf_puts(&db->scratch, " to=");
	prim_buf_put(&db->scratch, m->recipient);
	prim_buf_puts(&db->scratch, " via=");
	prim_buf_put(&db->scratch, m->destination);
	return br_store_event_put(db, seq, prim_buf_slice(&db->scratch));
}

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	struct put *p = (struct put *)job;
	const struct br_store_message *m = &p->m;
	bool is_new = false;

	if (!key_put(db, m, &is_new))
		return false;
	job->outcome = is_new ? BR_STORE_DONE : BR_STORE_DUPLICATE;
	if (!is_new)
		return key_read(db, m, &p->result);
	if (!row_put(db, m))
		return false;
	p->result.seq = sqlite3_last_insert_rowid(db->sql);
	p->result.answer = BR_STORE_KEPT;
	p->result.content_hash = m->content_hash;
	return content_put(db, m, p->result.seq) &&
	    trace_put(db, m, p->result.seq);
}

static void put_finish(struct br_store *s, struct br_store_job *job)
{
	struct put *p = (struct put *)job;

	(void)s;
	p->result.outcome = job->outcome;
	if (job->outcome != BR_STORE_DONE)
		p->result.seq = 0;
	p->done(p->arg, &p->result);
}

static const struct br_store_work PUT = {
	.write = { [BR_STORE_QUEUE] = put_write },
	.finish = put_finish,
};

void br_store_message_put(struct br_store *s, const struct br_store_message *m,
    br_store_put_fn done, void *arg)
{
	struct put *p = prim_new(struct put);

	p->m = *m;
	p->done = done;
	p->arg = arg;
	p->job.weight = m->head.len + m->body.len;
	br_store_take_write(s, &p->job, &PUT);
}

/* ---- get ---- */

/* Without head and body. False: not what we stored. */
static bool message_take(struct br_store_query *q, struct br_store_message *m)
{
	memset(m, 0, sizeof(*m));
	m->seq = br_store_take_number(q);
	if (!br_store_take_octets(q, m->key.octets, PRIM_DIGEST_LEN) ||
	    !br_store_take_octets(q, m->lane.octets, PRIM_DIGEST_LEN))
		return false;
	m->content_hash = (uint64_t)br_store_take_number(q);
	m->destination = br_store_take_slice(q);
	m->origin = br_store_take_slice(q);
	m->sender = br_store_take_slice(q);
	m->recipient = br_store_take_slice(q);
	m->message_id = br_store_take_slice(q);
	m->return_token = br_store_take_slice(q);
	m->hops = (unsigned)br_store_take_number(q);
	m->accepted_ms = br_store_take_number(q);
	m->expires_ms = br_store_take_number(q);
	m->attempts = (unsigned)br_store_take_number(q);
	m->next_try_ms = br_store_take_number(q);
	return true;
}

static bool whole_take(struct br_store_query *q, struct br_store_message *m)
{
	int64_t sum;

	if (!message_take(q, m))
		return false;
	sum = br_store_take_number(q);
	m->head = br_store_take_slice(q);
	m->body = br_store_take_slice(q);
	return sum == checksum(q->db, m);
}

static size_t message_size(const struct br_store_message *m)
{
	return m->destination.len + m->origin.len + m->sender.len +
	    m->recipient.len + m->message_id.len + m->return_token.len +
	    m->head.len + m->body.len;
}

static void row_add(struct br_store_job *job, const struct br_store_message *m)
{
	struct message_row *row = prim_alloc(sizeof(*row) + message_size(m));
	char *room = row->octets;

	row->m = *m;
	br_store_keep(&room, &row->m.destination);
	br_store_keep(&room, &row->m.origin);
	br_store_keep(&room, &row->m.sender);
	br_store_keep(&room, &row->m.recipient);
	br_store_keep(&room, &row->m.message_id);
	br_store_keep(&room, &row->m.return_token);
	br_store_keep(&room, &row->m.head);
	br_store_keep(&room, &row->m.body);
	STAILQ_INSERT_TAIL(&job->rows, &row->row, link);
}

/* A page that SQLite itself finds damaged will not get better by asking again:
 * that message is lost, like one whose checksum is wrong. */
static bool get_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct br_store_db *db = &dbs[BR_STORE_QUEUE];
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_GET);
	struct br_store_message m;
	int code;

	br_store_put_number(&q, ((struct get *)job)->seq);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return (code & 0xff) == SQLITE_CORRUPT;
	if (code == SQLITE_ROW && whole_take(&q, &m))
		row_add(job, &m);
	else if (code == SQLITE_ROW)
		db->reason = "a stored message is damaged";
	br_store_query_end(&q);
	return true;
}

static void get_finish(struct br_store *s, struct br_store_job *job)
{
	const struct get *g = (const struct get *)job;
	const struct message_row *row =
	    (const struct message_row *)STAILQ_FIRST(&job->rows);

	(void)s;
	g->found(g->arg, row ? &row->m : NULL, job->outcome == BR_STORE_FAILED);
}

static const struct br_store_work GET = {
	.look = get_look,
	.finish = get_finish,
};

void br_store_message_get(struct br_store *s, int64_t seq,
    br_store_message_fn found, void *arg)
{
	struct get *g = prim_new(struct get);

	g->seq = seq;
	g->found = found;
	g->arg = arg;
	br_store_take_look(s, &g->job, &GET);
}

/* ---- all, at start ---- */

struct messages {
	br_store_message_fn each;
	void *arg; /* borrowed */
};

static bool message_tell(struct br_store_query *q, void *arg)
{
	const struct messages *all = arg;
	struct br_store_message m;

	if (!message_take(q, &m))
		return false;
	all->each(all->arg, &m, false);
	return true;
}

bool br_store_message_each(struct br_store *s, br_store_message_fn each,
    void *arg, struct br_err *err)
{
	struct messages all = { each, arg };
	const struct br_store_scan scan = {
		.file = BR_STORE_QUEUE,
		.statement = BR_SQL_MESSAGE_EACH,
		.row = message_tell,
		.arg = &all,
		.one = "a stored message",
		.all = "the stored messages",
	};

	return br_store_scan(s, &scan, err);
}
