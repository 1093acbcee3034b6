/* SPDX-License-Identifier: ISC */
/* The road of a message, from its SEND to its end. */

#include "bridge/transit.h"

#include <assert.h>
#include <string.h>

#include "bridge/conn.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

/* How long an adapter or a listener may keep a stored message without a word
 * before it is handed over again, with the same Delivery-ID. */
#define ROW_WITHIN_MS 60000
/* Without a better rule an offline message is kept a week (reliability 4.7). */
#define OFFLINE_KEEP_MS ((int64_t)7 * 24 * 3600 * 1000)

static struct br_transit *transit_of_send(struct prim_send *send)
{
	return PRIM_CONTAINER(send, struct br_transit, send);
}

struct br_message *br_transit_message(const struct prim_offer *offer)
{
	return transit_of_send(offer->send)->message;
}

static uint64_t digest_hash(const struct prim_digest *d)
{
	return br_dedup_prefix(d); /* a keyed hash already */
}

/* ---- telling the end ---- */

static const char *via(const struct br_transit *t)
{
	return t->dest && t->dest->host ? br_host_name(t->dest->host) : "inbox";
}

static enum br_metric metric_of(unsigned code)
{
	if (code == PRIM_OK)
		return BR_METRIC_MESSAGES_DELIVERED;
	if (code == PRIM_UNKNOWN_DELIVERY)
		return BR_METRIC_MESSAGES_ACCEPTED;
	return prim_status_is_final(code) ? BR_METRIC_MESSAGES_REFUSED
					  : BR_METRIC_MESSAGES_ERROR;
}

/* The one line of a message's end. */
static void log_end(const struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	const struct br_message *m = t->message;
	const struct br_server *s = t->server;

	br_metric_add(metric_of(code), 1);
	if (!br_log_wants(BR_LOG_INFO) || !m)
		return;
	br_info(&s->log,
	    "message end code=%u id=%s from=%s to=%s via=%s delay_ms=%lld%s%s",
	    code, br_quote(m->message_id), br_quote(m->sender),
	    br_quote(m->recipient), via(t),
	    (long long)(br_server_now(s) - m->accepted_ms),
	    why.len ? " why=" : "", why.len ? br_quote(why) : "");
}

/* ---- life and death ---- */

static bool is_in_use(const struct br_transit *t)
{
	return !t->is_answered || t->is_waiting || t->is_committing ||
	    t->is_handed || t->is_holding || prim_send_is_asked(&t->send);
}

static void unhand(struct br_transit *t)
{
	if (t->is_handed) {
		prim_table_drop(&t->server->handed, &t->by_delivery);
		TAILQ_REMOVE(&t->dest->handed, t, of_dest);
		t->is_handed = false;
	}
	if (t->is_holding) {
		TAILQ_REMOVE(&t->dest->holding, t, of_dest);
		t->is_holding = false;
	}
}

static void leave_lane(struct br_transit *t)
{
	struct br_lane *lane = t->lane;

	if (!lane)
		return;
	TAILQ_REMOVE(&lane->live, t, of_lane);
	t->lane = NULL;
	br_lane_release(t->server->outbox, lane);
}

/* Nothing is expected of it any more. */
static void transit_free(struct br_transit *t)
{
	struct br_server *s = t->server;

	assert(!t->row && LIST_EMPTY(&t->joints));
	TAILQ_REMOVE(&s->transits, t, of_server);
	prim_timer_stop(&s->wheel, &t->timer);
	prim_send_fini(&t->send);
	unhand(t);
	leave_lane(t);
	if (t->entity)
		br_entity_unpin(s->entities, t->entity);
	br_message_unref(t->message);
	prim_free(t);
}

static void release(struct br_transit *t)
{
	if (!is_in_use(t) && !t->row) {
		transit_free(t);
		return;
	}
	/* Only a slow listener still owes an answer, to nobody: it holds a few
	 * octets, not the message. */
	if (t->is_answered && !t->row && !t->is_committing && !t->is_handed &&
	    !t->is_waiting)
		t->message = br_message_unref(t->message);
}

/* ---- the sender's answer ---- */

static void join_settle(struct br_transit *t, unsigned code)
{
	struct br_joint *j;

	while ((j = LIST_FIRST(&t->joints))) {
		LIST_REMOVE(j, link);
		br_ticket_settle(&j->ticket, code, PRIM_SLICE_NONE,
		    PRIM_SLICE_NONE);
		prim_free(j->id);
		prim_free(j->echo);
		prim_free(j);
	}
}

/* PRIM-276, PRIM-277, ERR-125: time-outs and bad upstreams by dialect. */
static unsigned code_for(enum prim_family family, unsigned code)
{
	bool is_server = family == PRIM_FAMILY_PRIM;

	if (code == PRIM_GATEWAY_TIMEOUT || code == PRIM_TIMEOUT || code == 0)
		return is_server ? PRIM_GATEWAY_TIMEOUT : PRIM_TIMEOUT;
	if (code == PRIM_BAD_GATEWAY || code == PRIM_VERSION_NOT_SUPPORTED ||
	    code == PRIM_TOO_MANY_SUBSCRIPTIONS)
		return is_server ? PRIM_BAD_GATEWAY : PRIM_INTERNAL_ERROR;
	return code;
}

static void leave_live(struct br_transit *t)
{
	struct br_server *s = t->server;

	prim_table_drop(&s->live, &t->by_key);
	s->parked_octets -= br_message_size(t->message);
	br_metric_set(BR_METRIC_PARKED, (int64_t)s->live.count);
	br_metric_set(BR_METRIC_PARKED_BYTES, (int64_t)s->parked_octets);
}

/* Answers the sender, once. The caller says how the message ended, or that it
 * did not. */
static void answer(struct br_transit *t, unsigned code)
{
	if (t->is_answered)
		return;
	t->is_answered = true;
	prim_timer_stop(&t->server->wheel, &t->timer);
	code = code_for(t->ticket.family, code);
	leave_live(t);
	br_ticket_settle(&t->ticket, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
	join_settle(t, code);
}

/* The end of a message that was never stored. What an adapter still says about
 * it is of no use to anybody. */
static void end_live(struct br_transit *t, unsigned code, struct prim_slice why)
{
	struct br_server *s = t->server;
	struct br_dedup_answer remembered = { .code = code,
		.content_hash = t->message->content_hash };

	unhand(t);
	log_end(t, code, why);
	if (code == PRIM_OK || code == PRIM_UNKNOWN_DELIVERY)
		br_dedup_put(s->dedup, &t->message->key, &remembered,
		    br_server_now(s));
	answer(t, code);
	leave_lane(t);
	release(t);
}

static void end_absent(struct br_transit *t)
{
	bool hide = t->server->config->disclosure_hide;

	end_live(t, hide ? PRIM_INBOX_CLOSED : PRIM_NOT_FOUND,
	    PRIM_SLICE("no such inbox"));
}

/* From now on somebody owes us a word. answer_within is the outermost limit of
 * a sender's patience (DESIGN 4); what waits in the outbox has no sender. */
static void expect_word(struct br_transit *t)
{
	struct br_server *s = t->server;
	int64_t at = br_server_now(s) +
	    (t->row ? ROW_WITHIN_MS : BR_LISTENER_WITHIN_MS);

	if (!t->row && at > t->answer_by_ms)
		at = t->answer_by_ms;
	prim_timer_set(&s->wheel, &t->timer, at);
}

/* ---- stored ---- */

static bool row_is_moving(const struct br_transit *t)
{
	return t->is_waiting || t->is_handed || t->is_holding ||
	    prim_send_is_asked(&t->send);
}

/* A row's end, by what was heard of it. */
static void end_row(struct br_transit *t, unsigned code, struct prim_slice why)
{
	struct br_row *row = t->row;
	struct br_dest *dest = row->lane->dest;
	struct br_outbox *o = t->server->outbox;
	const char *reason = code == PRIM_OK ? "delivered"
	    : code == PRIM_UNKNOWN_DELIVERY  ? "accepted"
					     : "refused";

	unhand(t);
	log_end(t, code, why);
	t->row = NULL;
	dest->is_kicked = true; /* keeps it while its last lane may go */
	br_row_end(o, row, code, reason);
	dest->is_kicked = false;
	br_dest_kick(o, dest);
	release(t);
}

static void row_goes_back(struct br_transit *t, bool now)
{
	struct br_row *row = t->row;
	struct br_lane *lane = row->lane;
	struct br_outbox *o = t->server->outbox;

	unhand(t);
	prim_timer_stop(&t->server->wheel, &t->timer);
	t->row = NULL;
	br_row_back(o, row, now);
	br_dest_kick(o, lane->dest);
	release(t);
}

static bool is_final(unsigned code)
{
	return code != 0 && prim_status_is_final(code);
}

/* What is heard of a message whose row exists. 0: silence. */
static void row_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	if (is_final(code))
		end_row(t, code, why);
	else if (!row_is_moving(t))
		row_goes_back(t, code == 0);
}

static void on_committed(void *arg, const struct br_store_put_result *result);

static void fill_store_message(const struct br_transit *t,
    struct br_store_message *out)
{
	const struct br_message *m = t->message;

	*out = (struct br_store_message){
		.key = m->key,
		.lane = m->lane,
		.content_hash = m->content_hash,
		.destination = prim_slice_of(t->dest->name),
		.origin = m->origin,
		.sender = m->sender,
		.recipient = m->recipient,
		.message_id = m->message_id,
		.return_token = m->return_token,
		.head = m->lines,
		.body = m->body,
		.hops = m->hops,
		.accepted_ms = m->accepted_ms,
		.expires_ms = m->expires_ms,
	};
}

/* Its account was removed while it waited. */
static bool is_orphan(const struct br_transit *t)
{
	return t->entity && t->entity->state == BR_ENTITY_ABSENT;
}

static bool inbox_is_full(const struct br_transit *t)
{
	const struct br_config *config = t->server->config;

	/* What is on its way to the store counts, or a burst would pass. */
	return !t->dest->host &&
	    t->dest->row_count + t->dest->committing >=
	    config->limit_offline_messages;
}

static void commit(struct br_transit *t)
{
	struct br_store_message stored;

	if (t->is_committing || t->is_answered)
		return;
	prim_timer_stop(&t->server->wheel, &t->timer);
	if (is_orphan(t)) {
		end_absent(t);
		return;
	}
	if (!t->dest)
		t->dest = br_outbox_inbox(t->server->outbox,
		    t->message->recipient);
	br_lane_set_dest(t->lane, t->dest);
	if (inbox_is_full(t)) {
		end_live(t, PRIM_INTERNAL_ERROR, PRIM_SLICE("inbox full"));
		return;
	}
	t->is_committing = true;
	t->lane->committing++;
	t->dest->committing++;
	fill_store_message(t, &stored);
	br_store_message_put(t->server->store, &stored, on_committed, t);
}

/* It is durable: the sender may know. */
static void become_row(struct br_transit *t, int64_t seq)
{
	struct br_server *s = t->server;
	struct br_lane *lane = t->lane;
	struct br_row *row;

	br_dedup_note_durable(s->dedup, br_dedup_prefix(&t->message->key));
	br_metric_add(BR_METRIC_MESSAGES_QUEUED, 1);
	row = br_outbox_append(s->outbox, lane, seq, t->message->expires_ms);
	TAILQ_REMOVE(&lane->live, t, of_lane);
	t->lane = NULL;
	t->row = row;
	br_row_set_transit(row, t);
	br_row_set_octets(row, br_message_size(t->message));
	answer(t, PRIM_UNKNOWN_DELIVERY);
	if (is_orphan(t))
		end_row(t, PRIM_NOT_FOUND, PRIM_SLICE("no such inbox"));
	else if (is_final(t->late_code))
		row_outcome(t, t->late_code, PRIM_SLICE_NONE);
	else if (!row_is_moving(t))
		row_goes_back(t, t->late_code == 0);
	else if (!t->is_holding)
		expect_word(t);
}

static void on_committed(void *arg, const struct br_store_put_result *result)
{
	struct br_transit *t = arg;

	t->is_committing = false;
	t->lane->committing--;
	t->dest->committing--;
	switch (result->outcome) {
	case BR_STORE_DONE:
		become_row(t, result->seq);
		return;
	case BR_STORE_DUPLICATE:
		answer(t,
		    result->content_hash == t->message->content_hash
			? result->answer
			: PRIM_BAD_REQUEST);
		unhand(t);
		leave_lane(t);
		release(t);
		return;
	case BR_STORE_EXISTS:
	case BR_STORE_ABSENT:
	case BR_STORE_FAILED:
		/* It may still be told final by who has it already. */
		end_live(t,
		    is_final(t->late_code) ? t->late_code : PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("not stored"));
		return;
	}
}

/* ---- outcomes ---- */

/* A transient outcome: this one and all that is unsettled in its lane go to
 * the outbox, in order (DESIGN 4). */
static void commit_lane(struct br_transit *t)
{
	struct br_outbox *o = t->server->outbox;
	struct br_lane *lane = t->lane;
	struct br_transit *each, *next;

	lane->committing++; /* keeps the lane */
	PRIM_TAILQ_FOREACH_SAFE(each, &lane->live, of_lane, next)
	{
		if (each->is_waiting && each != t)
			continue; /* not known yet to be one we take */
		commit(each);
	}
	lane->committing--;
	br_lane_release(o, lane); /* `t` may have ended: a full inbox */
}

/* What the row has to know once there is one. Something final comes first. */
static void note_late(struct br_transit *t, unsigned code)
{
	if (!t->late_code || (is_final(code) && !is_final(t->late_code)) ||
	    (is_final(code) && prim_status_better(code, t->late_code)))
		t->late_code = code;
}

static void live_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	if (is_final(code)) {
		end_live(t, code, why);
	} else if (t->route->queues) {
		note_late(t, code); /* who refused is not asked again at once */
		commit_lane(t);
	} else {
		/* DESIGN 4: whatever kept it, nobody took it in time. */
		end_live(t, code_for(t->ticket.family, 0), why);
	}
}

static void outcome(struct br_transit *t, unsigned code, struct prim_slice why)
{
	if (t->row)
		row_outcome(t, code, why);
	else if (t->is_committing)
		note_late(t, code);
	else if (!t->is_answered)
		live_outcome(t, code, why);
	else
		release(t);
}

static void inbox_settled(struct prim_send *send, unsigned code)
{
	outcome(transit_of_send(send), code, PRIM_SLICE_NONE);
}

static void inbox_late(struct prim_send *send, unsigned code)
{
	outcome(transit_of_send(send), code, PRIM_SLICE_NONE);
}

static const struct prim_inbox_ops INBOX_OPS = {
	.offer = br_conn_offer,
	.settled = inbox_settled,
	.late = inbox_late,
};

/* ---- to an adapter ---- */

static void hand(struct br_transit *t)
{
	struct br_server *s = t->server;
	unsigned attempt = t->row ? t->row->attempts + 1 : 1;

	t->is_handed = true;
	TAILQ_INSERT_TAIL(&t->dest->handed, t, of_dest);
	prim_table_put(&s->handed, &t->by_delivery,
	    digest_hash(&t->message->delivery));
	expect_word(t);
	br_host_deliver(t->dest->host, t->message, attempt);
}

static void to_adapter(struct br_transit *t)
{
	struct br_host *host = t->dest->host;

	if (!br_host_is_up(host)) {
		outcome(t, 0, PRIM_SLICE("adapter down"));
	} else if (br_host_has_room(host) && TAILQ_EMPTY(&t->dest->holding)) {
		hand(t);
	} else {
		t->is_holding = true;
		TAILQ_INSERT_TAIL(&t->dest->holding, t, of_dest);
		if (!t->row) /* a row has time, as long as the link is up */
			expect_word(t);
	}
}

void br_transit_host_room(struct br_server *s, struct br_dest *dest)
{
	struct br_transit *t;

	while (br_host_has_room(dest->host) &&
	    (t = TAILQ_FIRST(&dest->holding))) {
		unhand(t);
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
		unhand(t);
		outcome(t, 0, PRIM_SLICE("link lost"));
	}
}

static struct br_transit *handed_find(const struct br_server *s,
    const struct br_dest *dest, const struct prim_digest *delivery)
{
	struct prim_table_node *n = prim_table_first(&s->handed,
	    digest_hash(delivery));

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
	unhand(t);
	outcome(t, code, text);
}

/* ---- to an inbox ---- */

/* DESIGN 6: the default rule; documents of the owner come later. */
static bool may_send(const struct br_server *s, const struct br_message *m)
{
	struct prim_slice sender = m->sender, recipient = m->recipient;
	ptrdiff_t at = prim_slice_find_last(sender, '@');
	ptrdiff_t home = prim_slice_find_last(recipient, '@');
	bool is_own_domain = prim_slice_eq(prim_slice_from(sender,
					       (size_t)(at + 1)),
	    prim_slice_from(recipient, (size_t)(home + 1)));
	unsigned rights = is_own_domain ? s->config->acl_own_domain
					: s->config->acl_everyone;

	return prim_slice_eq(sender, recipient) ||
	    (rights & BR_RIGHT_SEND) != 0;
}

static bool is_crowded(const struct br_server *s)
{
	return s->parked_octets > BR_PARKED_TOTAL_MAX;
}

static void offer(struct br_transit *t)
{
	if (prim_send_start(&t->send, &t->entity->inbox, t->row != NULL)) {
		expect_word(t);
	} else if (t->row) {
		/* Whoever listens cannot take it now: not at once again. */
		row_goes_back(t, !prim_inbox_is_open(&t->entity->inbox));
	} else {
		outcome(t, 0, PRIM_SLICE("no listener took it"));
	}
}

/* No more is parked: stored at once, or not taken (DESIGN 4). */
static void to_store(struct br_transit *t)
{
	if (t->route->queues)
		commit(t);
	else
		end_live(t, PRIM_INTERNAL_ERROR, PRIM_SLICE("too much waits"));
}

static void to_inbox(struct br_transit *t)
{
	const struct br_config *config = t->server->config;

	if (!may_send(t->server, t->message))
		end_live(t,
		    config->disclosure_hide ? PRIM_INBOX_CLOSED
					    : PRIM_FORBIDDEN,
		    PRIM_SLICE("not allowed"));
	else if (br_lane_is_closed(t->lane))
		commit(t);
	else if (is_crowded(t->server))
		to_store(t);
	else if (prim_inbox_is_open(&t->entity->inbox))
		offer(t);
	else if (config->offline_store)
		commit(t);
	else
		end_live(t, PRIM_INBOX_CLOSED, PRIM_SLICE_NONE);
}

static void on_recipient(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct br_transit *t = arg;

	t->is_waiting = false;
	t->entity = e;
	if (t->is_answered) { /* time was up before the store knew */
		release(t);
		return;
	}
	switch (known) {
	case BR_ENTITY_IS_PRESENT:
		to_inbox(t);
		return;
	case BR_ENTITY_IS_ABSENT:
		end_absent(t);
		return;
	case BR_ENTITY_UNKNOWN:
		end_live(t, PRIM_INTERNAL_ERROR, PRIM_SLICE("not looked up"));
		return;
	}
}

/* ---- the beginning ---- */

static void proceed(struct br_transit *t)
{
	struct br_server *s = t->server;

	if (t->route->kind == BR_ROUTE_LOCAL) {
		t->is_waiting = true;
		br_entity_with(s->entities, t->message->recipient, on_recipient,
		    t);
	} else if (t->route->queues && br_lane_is_closed(t->lane)) {
		commit(t);
	} else if (is_crowded(s)) {
		to_store(t);
	} else {
		to_adapter(t);
	}
}

static void on_duplicate(void *arg, const struct br_store_duplicate *d,
    bool failed)
{
	struct br_transit *t = arg;

	t->is_waiting = false;
	if (t->is_answered) {
		release(t);
	} else if (failed) {
		end_live(t, PRIM_INTERNAL_ERROR, PRIM_SLICE("not looked up"));
	} else if (!d) {
		proceed(t);
	} else {
		br_metric_add(BR_METRIC_MESSAGES_DUPLICATE, 1);
		answer(t,
		    d->content_hash == t->message->content_hash
			? d->answer
			: PRIM_BAD_REQUEST);
		leave_lane(t);
		release(t);
	}
}

/* Nobody said a word about a stored message. A listener may take its time
 * while there is no other one to ask. */
static void row_is_late(struct br_transit *t)
{
	bool is_alone = prim_send_is_asked(&t->send) &&
	    t->entity->inbox.listener_count < 2;

	if (is_alone && br_server_now(t->server) < t->message->expires_ms) {
		expect_word(t);
		return;
	}
	prim_send_demote(&t->send);
	row_goes_back(t, false);
}

static void on_time(struct prim_timer *timer)
{
	struct br_transit *t = PRIM_CONTAINER(timer, struct br_transit, timer);

	if (t->row) {
		row_is_late(t);
	} else if (t->is_waiting) {
		log_end(t, PRIM_INTERNAL_ERROR, PRIM_SLICE("store is slow"));
		answer(t, PRIM_INTERNAL_ERROR);
		leave_lane(t);
	} else if (prim_send_is_asked(&t->send)) {
		prim_send_expire(&t->send);
	} else {
		if (t->is_holding)
			unhand(t);
		outcome(t, 0, PRIM_SLICE("no answer in time"));
	}
}

static struct br_transit *transit_new(struct br_server *s)
{
	struct br_transit *t = prim_new(struct br_transit);

	t->server = s;
	TAILQ_INSERT_TAIL(&s->transits, t, of_server);
	LIST_INIT(&t->joints);
	prim_send_init(&t->send, &INBOX_OPS);
	prim_timer_init(&t->timer, on_time);
	return t;
}

static void join(struct br_transit *first, const struct br_transit_start *start)
{
	struct br_joint *j = prim_new(struct br_joint);

	br_metric_add(BR_METRIC_MESSAGES_DUPLICATE, 1);
	j->id = prim_slice_copy(start->message->request_id);
	j->echo = prim_slice_copy(start->message->echo);
	LIST_INSERT_HEAD(&first->joints, j, link);
	br_ticket_open(&j->ticket, start->peer, start->family,
	    prim_slice_make(j->id, start->message->request_id.len),
	    prim_slice_make(j->echo, start->message->echo.len));
	br_ticket_charge(&j->ticket,
	    sizeof(*j) + j->ticket.id.len + j->ticket.echo.len);
}

static void answer_now(const struct br_transit_start *start, unsigned code)
{
	struct br_ticket ticket;

	br_ticket_open(&ticket, start->peer, start->family,
	    start->message->request_id, start->message->echo);
	br_ticket_settle(&ticket, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}

static struct br_transit *live_find(const struct br_server *s,
    const struct prim_digest *key)
{
	struct prim_table_node *n = prim_table_first(&s->live,
	    digest_hash(key));

	for (; n; n = prim_table_next(n)) {
		struct br_transit *t = PRIM_CONTAINER(n, struct br_transit,
		    by_key);

		if (prim_digest_eq(&t->message->key, key))
			return t;
	}
	return NULL;
}

/* Is it a message we know, and has it been dealt with? */
static bool is_known(struct br_server *s, const struct br_transit_start *start)
{
	const struct br_message *m = start->message;
	struct br_transit *first = live_find(s, &m->key);
	struct br_dedup_answer known;

	if (first) {
		if (first->message->content_hash == m->content_hash)
			join(first, start);
		else
			answer_now(start, PRIM_BAD_REQUEST);
		return true;
	}
	if (!br_dedup_find(s->dedup, &m->key, br_server_now(s), &known))
		return false;
	br_metric_add(BR_METRIC_MESSAGES_DUPLICATE, 1);
	answer_now(start,
	    known.content_hash == m->content_hash ? known.code
						  : PRIM_BAD_REQUEST);
	return true;
}

static void park(struct br_server *s, struct br_transit *t,
    const struct br_transit_start *start)
{
	struct br_message *m = start->message;

	t->message = m;
	t->route = start->route;
	br_ticket_open(&t->ticket, start->peer, start->family, m->request_id,
	    m->echo);
	br_ticket_charge(&t->ticket, br_message_size(m));
	prim_table_put(&s->live, &t->by_key, digest_hash(&m->key));
	s->parked_octets += br_message_size(m);
	if (start->route->kind == BR_ROUTE_LOCAL)
		m->expires_ms = m->accepted_ms + OFFLINE_KEEP_MS;
	else
		t->dest = br_outbox_adapter(s->outbox, start->route->adapter);
	t->lane = br_outbox_lane(s->outbox, &m->lane);
	TAILQ_INSERT_TAIL(&t->lane->live, t, of_lane);
	t->answer_by_ms = br_server_now(s) + s->config->answer_within_ms;
	prim_timer_set(&s->wheel, &t->timer, t->answer_by_ms);
}

void br_transit_begin(struct br_server *s, const struct br_transit_start *start)
{
	struct br_transit *t;

	if (is_known(s, start)) {
		br_message_unref(start->message);
		return;
	}
	t = transit_new(s);
	park(s, t, start);
	if (br_dedup_may_be_durable(s->dedup, &t->message->key)) {
		t->is_waiting = true;
		br_store_duplicate_find(s->store, &t->message->key,
		    on_duplicate, t);
	} else {
		proceed(t);
	}
}

/* ---- a row's turn ---- */

static void on_row_read(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct br_transit *t = arg;
	struct br_server *s = t->server;

	t->is_waiting = false;
	t->dest->reading--;
	if (failed) {
		row_goes_back(t, false);
		return;
	}
	t->message = m ? br_message_restore(m, &s->keys) : NULL;
	if (t->message) {
		br_row_set_octets(t->row, br_message_size(t->message));
		br_dest_kick(s->outbox, t->dest); /* the next may be read */
	}
	if (!t->message) {
		br_error(&s->log, "stored message damaged seq=%lld to=%s",
		    (long long)t->row->seq, t->dest->name);
		end_row(t, PRIM_INTERNAL_ERROR, PRIM_SLICE("damaged"));
	} else if (t->dest->host) {
		to_adapter(t);
	} else {
		t->entity = br_entity_find(s->entities, t->message->recipient);
		if (!t->entity) {
			row_goes_back(t, true);
			return;
		}
		br_entity_pin(s->entities, t->entity);
		offer(t);
	}
}

void br_transit_redeliver(struct br_server *s, struct br_row *row)
{
	struct br_transit *t = transit_new(s);

	t->is_answered = true; /* with 101, when it was committed */
	t->row = row;
	t->dest = row->lane->dest;
	br_row_set_transit(row, t);
	t->is_waiting = true;
	t->dest->reading++;
	br_store_message_get(s->store, row->seq, on_row_read, t);
}

/* ---- the end of everything ---- */

static void stop_one(struct br_transit *t)
{
	if (t->is_answered || t->is_committing || t->is_waiting)
		return;
	if (t->route->queues)
		commit(t);
	else
		end_live(t, code_for(t->ticket.family, 0),
		    PRIM_SLICE("stopping"));
}

/* In the order of arrival, so that lanes keep theirs. */
void br_transit_stop_all(struct br_server *s)
{
	struct br_transit *t, *next;

	PRIM_TAILQ_FOREACH_SAFE(t, &s->transits, of_server, next)
	stop_one(t);
}

void br_transit_free_all(struct br_server *s)
{
	struct br_transit *t;

	while ((t = TAILQ_FIRST(&s->transits))) {
		if (t->row)
			br_row_set_transit(t->row, NULL);
		t->row = NULL;
		if (t->is_committing) {
			t->lane->committing--;
			t->dest->committing--;
		}
		if (!t->is_answered)
			leave_live(t);
		br_ticket_close(&t->ticket);
		join_settle(t, PRIM_INTERNAL_ERROR);
		transit_free(t);
	}
}
