/* SPDX-License-Identifier: ISC */
/* Publications, one after the other for each presentity: stored, then made so,
 * then answered (DESIGN 3); and leases, until they end. */

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

void br_publication_start(struct br_presence_request *r,
    enum prim_publication_kind kind, const struct prim_document_parts *content)
{
	/* Only a lease has a Duration to repeat (ERR-95). */
	struct br_publication *pub = br_presence_errand_new(r, sizeof(*pub),
	    r->granted_s > 0 ? br_presence_repeated(r) : BR_ERRAND_AS_ASKED);

	pub->errand.release = release;
	pub->turn.begin = begin;
	pub->turn.goes_with_renewals = kind == PRIM_PUBLISH_RENEW;
	pub->kind = kind;
	pub->content = prim_document_new(content);
	pub->duration_ms = r->granted_s * 1000;
	br_ticket_charge(&pub->errand.errand.ticket, r->c->body_len);
	br_metric_add(BR_METRIC_PUBLICATIONS, 1);
	br_entity_with(r->server->entities, prim_key_slice(&r->presentity),
	    on_entity, pub);
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
