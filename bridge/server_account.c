/* SPDX-License-Identifier: ISC */
/* What follows when an account changes. */

#include "bridge/server_private.h"

#include "bridge/conn.h"
#include "bridge/outbox.h"
#include "prim/base.h"

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

	PRIM_TAILQ_FOREACH_SAFE(c, &s->conns, link, next) {
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
