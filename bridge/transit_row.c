/* SPDX-License-Identifier: ISC */
/* A stored message: its turns, and what is heard of it. */

#include "bridge/transit_private.h"

#include "bridge/server.h"

bool br_transit_row_is_moving(const struct br_transit *t)
{
	return t->is_waiting || t->is_handed || t->is_holding ||
	    prim_send_is_asked(&t->send);
}

/* A row's end, by what was heard of it. */
void br_transit_row_end(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	struct br_row *row = t->row;
	struct br_dest *dest = row->lane->dest;
	struct br_outbox *o = t->server->outbox;
	const char *reason = code == PRIM_OK ? "delivered"
	    : code == PRIM_UNKNOWN_DELIVERY  ? "accepted"
					     : "refused";

	br_transit_unhand(t);
	br_transit_log_end(t, code, why);
	t->row = NULL;
	dest->is_kicked = true; /* keeps it while its last lane may go */
	br_row_end(o, row, code, reason);
	dest->is_kicked = false;
	br_dest_kick(o, dest);
	br_transit_release(t);
}

void br_transit_row_back(struct br_transit *t, bool now)
{
	struct br_row *row = t->row;
	struct br_lane *lane = row->lane;
	struct br_outbox *o = t->server->outbox;

	br_transit_unhand(t);
	prim_timer_stop(&t->server->wheel, &t->timer);
	t->row = NULL;
	br_row_back(o, row, now);
	br_dest_kick(o, lane->dest);
	br_transit_release(t);
}

/* What is heard of a message whose row exists. 0: silence. */
void br_transit_row_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	if (br_transit_is_final(code))
		br_transit_row_end(t, code, why);
	else if (!br_transit_row_is_moving(t))
		br_transit_row_back(t, code == 0);
}

/* Nobody said a word about a stored message. A listener may take its time
 * while there is no other one to ask. */
void br_transit_row_is_late(struct br_transit *t)
{
	bool is_alone = prim_send_is_asked(&t->send) &&
	    t->entity->inbox.listener_count < 2;

	if (is_alone && br_server_now(t->server) < t->message->expires_ms) {
		br_transit_expect_word(t);
		return;
	}
	prim_send_demote(&t->send);
	br_transit_row_back(t, false);
}

/* ---- a row's turn ---- */

static void on_row_read(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct br_transit *t = arg;
	struct br_server *s = t->server;

	t->is_waiting = false;
	t->message = m && !failed ? br_message_restore(m, &s->keys) : NULL;
	br_row_read_done(t->row, t->message ? br_message_size(t->message) : 0);
	if (failed) {
		br_transit_row_back(t, false);
		return;
	}
	if (t->message)
		br_dest_kick(s->outbox, t->dest); /* the next may be read */
	if (!t->message) {
		br_error(&s->log, "stored message damaged seq=%lld to=%s",
		    (long long)t->row->seq, t->dest->name);
		br_transit_row_end(t, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("damaged"));
	} else if (t->dest->host) {
		br_transit_to_adapter(t);
	} else {
		t->entity = br_entity_find(s->entities, t->message->recipient);
		if (!t->entity) {
			br_transit_row_back(t, true);
			return;
		}
		br_entity_pin(s->entities, t->entity);
		br_transit_offer(t);
	}
}

void br_transit_redeliver(struct br_server *s, struct br_row *row)
{
	struct br_transit *t = br_transit_new(s);

	t->is_answered = true; /* with 101, when it was committed */
	t->row = row;
	t->dest = row->lane->dest;
	br_row_set_transit(row, t);
	t->is_waiting = true;
	br_row_read_begin(row);
	br_store_message_get(s->store, row->seq, on_row_read, t);
}
