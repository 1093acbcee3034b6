/* SPDX-License-Identifier: ISC */
/* PUBLISH and REMOVE: one after the other for each presentity, stored, then
 * made so, then answered (DESIGN 3). */

#include "bridge/presence_private.h"

#include <stdlib.h>

#include "bridge/log.h"
#include "bridge/metric.h"
#include "prim/base.h"

#define POSTPONE_MS 50 /* a lease that ends while it is being renewed */

struct br_publication {
	struct br_presence_errand errand;
	struct br_turn turn;
	enum prim_publication_kind kind;
	struct prim_document *content; /* owned ref: the body, its name is the
	                                  Tuple-ID */
	int64_t duration_ms;
	struct prim_change change; /* while it is being stored */
};

static struct br_publication *publication_of(struct br_presence_errand *e)
{
	return PRIM_CONTAINER(e, struct br_publication, errand);
}

static void release(struct br_presence_errand *e)
{
	struct br_publication *pub = publication_of(e);

	br_turn_leave(&pub->turn);
	prim_document_unref(pub->content);
	prim_change_fini(&pub->change);
}

/* ---- the road ----
 *
 * One after the other, but for renewals: those change nothing that the next
 * renewal's plan would look at, so a run of them is stored together. */

static void settle(struct br_publication *pub, unsigned code)
{
	struct br_presence *p = pub->errand.presence;
	struct br_entity *e = pub->errand.entity;

	br_entity_pin(p->server->entities, e);
	br_presence_errand_end(&pub->errand, code);
	br_turn_done(p, e);
	br_entity_unpin(p->server->entities, e);
}

static unsigned code_of(enum br_store_outcome outcome)
{
	switch (outcome) {
	case BR_STORE_DONE:
		return PRIM_OK;
	case BR_STORE_ABSENT:
		return PRIM_NOT_FOUND; /* the account has just gone */
	case BR_STORE_DUPLICATE:
	case BR_STORE_EXISTS:
	case BR_STORE_FAILED:
		break;
	}
	return PRIM_INTERNAL_ERROR;
}

static void on_stored(void *arg, enum br_store_outcome outcome)
{
	struct br_publication *pub = arg;

	if (outcome == BR_STORE_DONE)
		prim_presentity_apply(&pub->errand.entity->presentity,
		    &pub->change);
	settle(pub, code_of(outcome));
}

static void on_value_stored(void *arg, enum br_store_outcome outcome,
    int64_t row)
{
	struct br_publication *pub = arg;

	pub->change.lease_row = row;
	on_stored(pub, outcome);
}

/* Dropping what is not there any more is as good. */
static void on_dropped(void *arg, enum br_store_outcome outcome)
{
	on_stored(arg, outcome == BR_STORE_ABSENT ? BR_STORE_DONE : outcome);
}

static void store_value(struct br_publication *pub)
{
	const struct prim_change *c = &pub->change;
	const struct br_store_value value = {
		.presentity = br_entity_key(pub->errand.entity),
		.tuple_id = prim_slice_of(c->tuple_id),
		.type = c->content->type,
		.body = c->content->body,
		.is_lease = c->kind == PRIM_CHANGE_LEASE,
		.at_ms = c->at_ms,
		.expires_ms = c->expires_ms,
	};

	br_store_value_put(pub->errand.presence->server->store, &value,
	    on_value_stored, pub);
}

static void store(struct br_publication *pub)
{
	struct br_store *s = pub->errand.presence->server->store;
	struct prim_slice key = br_entity_key(pub->errand.entity);
	const struct prim_change *c = &pub->change;

	switch (c->kind) {
	case PRIM_CHANGE_PERMANENT:
	case PRIM_CHANGE_LEASE:
		store_value(pub);
		break;
	case PRIM_CHANGE_EXPIRY:
		br_store_lease_renew(s, c->lease_row, c->expires_ms, on_stored,
		    pub);
		break;
	case PRIM_CHANGE_DROP_LEASE:
	case PRIM_CHANGE_DROP_TUPLE:
		br_store_value_drop(s, key, prim_slice_of(c->tuple_id),
		    c->kind == PRIM_CHANGE_DROP_LEASE, on_dropped, pub);
		break;
	case PRIM_CHANGE_NONE:
		abort(); /* begin() has seen to it */
		break;
	}
}

static unsigned plan(struct br_publication *pub, struct br_entity *e)
{
	const struct prim_publication what = {
		.kind = pub->kind,
		.tuple_id = pub->content->name,
		.content = {.type = pub->content->type,
			    .name = pub->content->name,
			    .body = pub->content->body},
		.duration_ms = pub->duration_ms,
	};

	return prim_presentity_plan(&e->presentity, &what,
	    br_server_now(pub->errand.presence->server), &pub->change);
}

static bool begin(struct br_turn *t, struct br_entity *e)
{
	struct br_publication *pub = PRIM_CONTAINER(t, struct br_publication,
	    turn);
	unsigned code = plan(pub, e);
	bool is_renewal = pub->change.kind == PRIM_CHANGE_EXPIRY;

	if (code == PRIM_OK && e->storing > 0 && !is_renewal) {
		prim_change_fini(&pub->change);
		return false;
	}
	if (code != PRIM_OK || pub->change.kind == PRIM_CHANGE_NONE) {
		br_presence_errand_end(&pub->errand, code);
		return true;
	}
	br_turn_hold(e, is_renewal);
	store(pub);
	return true;
}

static void on_entity(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct br_publication *pub = arg;

	if (known != BR_ENTITY_IS_PRESENT) {
		br_presence_errand_end(&pub->errand,
		    known == BR_ENTITY_IS_ABSENT ? PRIM_NOT_FOUND
						 : PRIM_INTERNAL_ERROR);
		return;
	}
	br_presence_errand_keep(&pub->errand, e);
	if (!br_turn_take(pub->errand.presence, e, &pub->turn))
		br_presence_errand_end(&pub->errand, PRIM_INTERNAL_ERROR);
}

/* ---- checks ---- */

struct publishing {
	struct br_presence_request r;
	struct br_conn *conn;
	enum prim_publication_kind kind;
	struct prim_document_parts content;
};

static bool kind_parse(const struct prim_command *c,
    enum prim_publication_kind *out)
{
	static const struct {
		struct prim_slice name;
		enum prim_publication_kind kind;
	} KINDS[] = {
		{{ "leased", 6 },     PRIM_PUBLISH_LEASED   },
		{ { "permanent", 9 }, PRIM_PUBLISH_PERMANENT},
		{ { "renew", 5 },     PRIM_PUBLISH_RENEW    },
		{ { "revert", 6 },    PRIM_PUBLISH_REVERT   },
	};
	struct prim_slice name = prim_command_get(c, PRIM_HEADER_PI_TYPE);

	*out = PRIM_PUBLISH_REMOVE;
	if (c->method == PRIM_METHOD_REMOVE)
		return true;
	for (size_t i = 0; i < PRIM_COUNT(KINDS); i++) {
		if (!prim_slice_eq(name, KINDS[i].name))
			continue;
		*out = KINDS[i].kind;
		return true;
	}
	return false;
}

static bool is_leased(enum prim_publication_kind kind)
{
	return kind == PRIM_PUBLISH_LEASED || kind == PRIM_PUBLISH_RENEW;
}

static bool has_value(enum prim_publication_kind kind)
{
	return is_leased(kind) || kind == PRIM_PUBLISH_PERMANENT;
}

/* ERR-95: only leases have a Duration that counts. */
static bool duration_ok(struct publishing *p)
{
	if (!is_leased(p->kind))
		return true;
	if (!br_presence_duration(p->r.c, BR_LEASE_DEFAULT_S, &p->r.asked_s))
		return false;
	p->r.granted_s = br_presence_grant(p->r.asked_s);
	return p->r.granted_s > 0;
}

/* ERR-42: any visible ASCII. */
static bool tuple_id_ok(struct prim_slice id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (id.ptr[i] <= ' ' || id.ptr[i] > '~')
			return false;
	}
	return id.len > 0 && id.len <= PRIM_TUPLE_ID_MAX;
}

static unsigned check_syntax(struct publishing *p)
{
	const struct prim_command *c = p->r.c;

	if (!br_presence_name(c, PRIM_HEADER_FROM, &p->r.from,
		&p->r.presentity) ||
	    !kind_parse(c, &p->kind))
		return PRIM_BAD_REQUEST;
	p->content.name = prim_command_get(c, PRIM_HEADER_TUPLE_ID);
	if (!tuple_id_ok(p->content.name) || !duration_ok(p))
		return PRIM_BAD_REQUEST;
	return 0;
}

static unsigned check_content(struct publishing *p)
{
	const struct prim_command *c = p->r.c;
	const struct br_server *s = p->r.server;

	if (!has_value(p->kind))
		return 0; /* ERR-96, ERR-98: a body means nothing */
	if (c->body.len > s->config->limit_presence)
		return PRIM_BAD_REQUEST;
	p->content.body = c->body;
	p->content.type = prim_command_has(c, PRIM_HEADER_CONTENT_TYPE)
	    ? prim_command_get(c, PRIM_HEADER_CONTENT_TYPE)
	    : PRIM_SLICE("application/presence"); /* PRIM-018 */
	if (c->body.len == 0)
		return p->kind == PRIM_PUBLISH_RENEW ? 0 : PRIM_BAD_REQUEST;
	return prim_compose_check(p->r.from.text, &p->content, NULL)
	    ? 0
	    : PRIM_BAD_REQUEST;
}

static unsigned check_room(const struct publishing *p)
{
	return p->r.server->stopping ||
		p->r.peer->ticket_count >= BR_PARKED_MAX ||
		p->r.peer->ticket_octets + p->r.c->body_len >
		    BR_PARKED_OCTETS_MAX
	    ? PRIM_INTERNAL_ERROR
	    : 0;
}

/* ---- somebody else's ---- */

static enum br_right right_for(enum prim_publication_kind kind)
{
	return kind == PRIM_PUBLISH_REMOVE ? BR_RIGHT_REMOVE : BR_RIGHT_PUBLISH;
}

/* PRIM-212, PRIM-221: his own always, those of others by right. */
static bool is_allowed(const struct publishing *p)
{
	return br_presence_allows(p->r.server,
	    prim_session_who(&p->conn->session),
	    prim_key_slice(&p->r.presentity), right_for(p->kind));
}

/* Who has no right may know whether there is anybody, or not (DESIGN 6). */
static void on_other(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct br_presence_errand *errand = arg;
	const struct br_server *s = errand->presence->server;

	if (known == BR_ENTITY_IS_PRESENT)
		br_presence_errand_keep(errand, e);
	if (known == BR_ENTITY_UNKNOWN)
		br_presence_errand_end(errand, PRIM_INTERNAL_ERROR);
	else
		br_presence_errand_end(errand,
		    known == BR_ENTITY_IS_ABSENT && !s->config->disclosure_hide
			? PRIM_NOT_FOUND
			: PRIM_FORBIDDEN);
}

static void refuse_other(struct publishing *p)
{
	br_entity_with(p->r.server->entities, prim_key_slice(&p->r.presentity),
	    on_other,
	    br_presence_errand_new(&p->r, sizeof(struct br_presence_errand),
		BR_ERRAND_AS_ASKED));
}

static void accept(struct publishing *p)
{
	struct br_server *s = p->r.server;
	struct br_publication *pub = br_presence_errand_new(&p->r, sizeof(*pub),
	    is_leased(p->kind) ? br_presence_repeated(&p->r)
			       : BR_ERRAND_AS_ASKED);

	pub->errand.release = release;
	pub->turn.begin = begin;
	pub->turn.goes_with_renewals = p->kind == PRIM_PUBLISH_RENEW;
	pub->kind = p->kind;
	pub->content = prim_document_new(&p->content);
	pub->duration_ms = p->r.granted_s * 1000;
	br_ticket_charge(&pub->errand.errand.ticket, p->r.c->body_len);
	br_metric_add(BR_METRIC_PUBLICATIONS, 1);
	br_entity_with(s->entities, prim_key_slice(&p->r.presentity), on_entity,
	    pub);
}

void br_presence_publish(struct br_conn *conn, const struct prim_command *c)
{
	static struct publishing p; /* large; the loop's only */
	unsigned code;

	p = (struct publishing){
		.r = {.server = conn->server, .peer = &conn->peer, .c = c},
		.conn = conn,
	};
	code = check_syntax(&p);
	if (!code)
		code = check_room(&p);
	if (!code &&
	    !br_config_serves(conn->server->config,
		prim_key_domain(&p.r.presentity)))
		code = PRIM_NOT_FOUND;
	if (!code && !is_allowed(&p)) {
		refuse_other(&p);
		return;
	}
	if (!code)
		code = check_content(&p);
	if (code)
		br_errand_refuse(&conn->peer, c, code);
	else
		accept(&p);
}

/* ---- leases that end ---- */

static void lease_due(struct prim_presentity *presentity, struct prim_tuple *t)
{
	struct br_entity *e = PRIM_CONTAINER(presentity, struct br_entity,
	    presentity);
	struct br_presence *p = PRIM_CONTAINER(presentity->source.fan,
	    struct br_presence, fan);

	if (e->storing > 0) {
		/* It may be just being renewed. */
		prim_tuple_wait(t, br_server_now(p->server) + POSTPONE_MS);
		return;
	}
	br_debug(&p->server->log, "lease over presentity=%s tuple=%s",
	    br_quote(br_entity_uri(e)), br_quote(prim_tuple_id(t)));
	br_store_value_drop(p->server->store, br_entity_key(e),
	    prim_tuple_id(t), true, NULL, NULL);
	prim_tuple_expire(t);
	br_presence_reside(p, e); /* may free `e` */
}

const struct prim_presentity_ops br_presence_presentity_ops = {
	.lease_due = lease_due,
};
