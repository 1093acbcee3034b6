/* SPDX-License-Identifier: ISC */
/* A message at an adapter. */

#include "bridge/transit_private.h"

#include "bridge/server.h"
#include "prim/base.h"

static void hand(struct br_transit *t)
{
	struct br_server *s = t->server;
	unsigned attempt = t->row ? t->row->attempts + 1 : 1;

	t->is_handed = true;
	TAILQ_INSERT_TAIL(&t->dest->handed, t, of_dest);
	prim_table_put(&s->handed, &t->by_delivery,
	    br_transit_hash(&t->message->delivery));
	br_transit_expect_word(t);
	br_host_deliver(t->dest->host, t->message,
	    &(struct br_host_handover){ .attempt = attempt });
}

void br_transit_to_adapter(struct br_transit *t)
{
	struct br_host *host = t->dest->host;

	if (!br_host_is_up(host)) {
		br_transit_outcome(t, 0, PRIM_SLICE("adapter down"));
	} else if (br_host_has_room(host) && TAILQ_EMPTY(&t->dest->holding)) {
		hand(t);
	} else {
		t->is_holding = true;
		TAILQ_INSERT_TAIL(&t->dest->holding, t, of_dest);
		if (!t->row) /* a row has time, as long as the link is up */
			br_transit_expect_word(t);
	}
}

void br_transit_host_room(struct br_server *s, struct br_dest *dest)
{
	struct br_transit *t;

	while (br_host_has_room(dest->host) &&
	    (t = TAILQ_FIRST(&dest->holding))) {
		br_transit_unhand(t);
		hand(t);
	}
	br_dest_kick(s->outbox, dest);
}

void br_transit_host_down(struct br_server *s, struct br_dest *dest)
{
	struct br_transit *t;

	(void)s;
	while ((t = TAILQ_FIRST(&dest->handed)) ||
	    (t = TAILQ_FIRST(&dest->holding))) {
		br_transit_unhand(t);
		br_transit_outcome(t, 0, PRIM_SLICE("link lost"));
	}
}

static struct br_transit *handed_find(const struct br_server *s,
    const struct br_dest *dest, const struct prim_digest *delivery)
{
	struct prim_table_node *n = prim_table_first(&s->handed,
	    br_transit_hash(delivery));

	for (; n; n = prim_table_next(n)) {
		struct br_transit *t = PRIM_CONTAINER(n, struct br_transit,
		    by_delivery);

		if (t->dest == dest &&
		    prim_digest_eq(&t->message->delivery, delivery))
			return t;
	}
	return NULL;
}

void br_transit_report(struct br_server *s, struct br_dest *dest,
    const struct prim_digest *delivery, unsigned code, struct prim_slice text)
{
	struct br_transit *t = handed_find(s, dest, delivery);

	if (!t)
		return; /* not its any more, or never was */
	br_transit_unhand(t);
	br_transit_outcome(t, code, text);
}
