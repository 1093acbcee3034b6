/* SPDX-License-Identifier: ISC */
/* What follows when an account changes, and when a notice was stored. */

#include "bridge/server_private.h"

#include "bridge/conn.h"
#include "bridge/metric.h"
#include "bridge/notice.h"
#include "bridge/outbox.h"
#include "prim/base.h"

/* ---- accounts ---- */

/* An account that is gone: nobody is it any more, nothing waits for it. */
struct removal {
	struct br_server *server; /* borrowed */
	char *key;                /* owned */
	int64_t created_ms;       /* of the account we knew; 0: of none */
};

/* While it was looked up again nothing was handed over. */
static void wake_inbox(struct br_server *s, struct prim_slice key)
{
	struct br_dest *dest = br_outbox_inbox_find(s->outbox, key);

	if (dest)
		br_dest_wake(s->outbox, dest);
}

static void close_all_of(struct br_server *s, struct prim_slice key)
{
	struct br_conn *c, *next;

	PRIM_TAILQ_FOREACH_SAFE(c, &s->conns, link, next)
	{
		if (prim_slice_eq(prim_session_who(&c->session), key))
			br_conn_close(c, "account removed");
	}
}

static void drop_all_of(struct br_server *s, struct prim_slice key)
{
	br_identities_forget(s->identities, key);
	br_outbox_drop_inbox(s->outbox, key);
}

static void on_looked_again(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct removal *r = arg;
	struct br_server *s = r->server;
	struct prim_slice key = prim_slice_of(r->key);
	bool is_another = e && r->created_ms && e->created_ms != r->created_ms;

	if (known == BR_ENTITY_IS_ABSENT || is_another)
		close_all_of(s, key);
	if (known == BR_ENTITY_IS_PRESENT)
		wake_inbox(s, key);
	else if (known == BR_ENTITY_IS_ABSENT)
		drop_all_of(s, key);
	if (e)
		br_entity_unpin(s->entities, e);
	prim_free(r->key);
	prim_free(r);
}

void br_server_account_changed(struct br_server *s, struct prim_slice key)
{
	struct removal *r = prim_new(struct removal);
	const struct br_entity *e = br_entity_find(s->entities, key);

	r->server = s;
	r->created_ms = e ? e->created_ms : 0;
	r->key = prim_slice_copy(key);
	br_entity_forget(s->entities, key);
	br_entity_with(s->entities, key, on_looked_again, r);
}

/* ---- notices ---- */

static void count_notice(struct br_server *s, const struct br_store_message *m)
{
	static const enum br_metric METRICS[] = {
		[BR_NOTICE_FAILED] = BR_METRIC_NOTICES_FAILED,
		[BR_NOTICE_DELAYED] = BR_METRIC_NOTICES_DELAYED,
		[BR_NOTICE_DELIVERED] = BR_METRIC_NOTICES_DELIVERED,
	};
	const enum br_notice_kind kind = m->notice_kind;
	const struct br_history_line line = { .event = BR_HISTORY_NOTICE,
		.delivery = &m->delivery,
		.about = &m->about,
		.id = m->message_id,
		.from = m->sender,
		.to = m->recipient,
		.seq = m->seq,
		.kind = prim_slice_of(br_notice_kind_name(kind)) };

	br_metric_add(METRICS[kind], 1);
	br_history_put(s->history, br_server_now(s), &line);
	br_info(&s->log, "notice kind=%s id=%s to=%s",
	    br_notice_kind_name(kind), br_quote(m->message_id),
	    br_quote(m->recipient));
}

/* A notice for an inbox, until it is known whose that is. */
struct told {
	struct br_server *server; /* borrowed */
	int64_t seq;
	int64_t about_accepted_ms;
};

static void on_notice_read(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct br_server *s = arg;

	(void)failed; /* then it comes with the next start */
	if (m && !br_outbox_find(s->outbox, m->seq))
		br_outbox_take(s->outbox, m);
}

/* Whoever got the name of an account that was removed does not hear to whom the
 * former one wrote. */
static void on_notice_reader(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct told *told = arg;
	struct br_server *s = told->server;
	const struct br_store_end gone = { .code = PRIM_NOT_FOUND,
		.reason = PRIM_SLICE("account removed"),
		.forget_ms = br_server_now(s) + BR_REMEMBER_MS };

	if (known == BR_ENTITY_IS_ABSENT ||
	    (e && e->created_ms > told->about_accepted_ms))
		br_store_message_end(s->store, told->seq, &gone, NULL, NULL);
	else
		br_store_message_get(s->store, told->seq, on_notice_read, s);
	if (e)
		br_entity_unpin(s->entities, e);
	prim_free(told);
}

static void take_notice(struct br_server *s, const struct br_store_message *m)
{
	struct told *told;

	if (!prim_slice_starts(m->destination, PRIM_SLICE("inbox:"))) {
		br_outbox_take(s->outbox, m);
		return;
	}
	told = prim_new(struct told);
	*told = (struct told){ .server = s,
		.seq = m->seq,
		.about_accepted_ms = m->about_accepted_ms };
	br_entity_with(s->entities, m->recipient, on_notice_reader, told);
}

void br_server_notice(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_server *s = arg;

	(void)failed;
	br_server_wake(s);
	count_notice(s, m);
	take_notice(s, m);
}
