/* SPDX-License-Identifier: ISC */
/* Presence: its life, who is resident for it, what watchers are shown. */

#include "bridge/conn_private.h"
#include "bridge/subscription.h"

#include "bridge/log.h"
#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/pidf.h"

#define FEEDS_A_TURN 512

/* ---- errands ---- */

void *br_presence_errand_new(struct br_presence_request *r, size_t size,
    int64_t granted_s)
{
	struct br_presence_errand *e = br_errand_new(r->server, r->peer, r->c,
	    size, granted_s);

	e->presence = r->server->presence;
	LIST_INSERT_HEAD(&e->presence->errands, e, link);
	return e;
}

void br_presence_errand_keep(struct br_presence_errand *e,
    struct br_entity *entity)
{
	e->entity = entity;
}

void br_presence_errand_free(struct br_presence_errand *e)
{
	LIST_REMOVE(e, link);
	if (e->release)
		e->release(e);
	if (e->entity)
		br_entity_unpin(e->presence->server->entities, e->entity);
	br_errand_free(&e->errand);
}

void br_presence_errand_end(struct br_presence_errand *e, unsigned code)
{
	br_errand_answer(&e->errand, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
	br_presence_errand_free(e);
}

/* ---- residence ---- */

void br_presence_reside(struct br_presence *p, struct br_entity *e)
{
	bool wanted = e->presentity.lease_count > 0 ||
	    e->presentity.source.subscription_count > 0;

	if (wanted == e->is_held)
		return;
	e->is_held = wanted;
	if (wanted) {
		TAILQ_INSERT_TAIL(&p->held, e, of_held);
		br_entity_pin(p->server->entities, e);
	} else {
		TAILQ_REMOVE(&p->held, e, of_held);
		br_entity_unpin(p->server->entities, e);
	}
}

int64_t br_presence_end(const struct br_server *s, int64_t at_ms,
    int64_t expires_ms)
{
	int64_t now = br_server_now(s);
	int64_t last = now + BR_LEASE_MAX_S * 1000LL;

	if (at_ms > now)
		expires_ms -= at_ms - now;
	return expires_ms < last ? expires_ms : last;
}

static void apply_value(struct br_presence *p, struct br_entity *e,
    const struct br_store_value *v)
{
	const struct prim_document_parts parts = {
		.type = v->type,
		.name = v->tuple_id,
		.body = v->body,
	};
	struct prim_change change = {
		.kind = v->is_lease ? PRIM_CHANGE_LEASE : PRIM_CHANGE_PERMANENT,
		.expires_ms = br_presence_end(p->server, v->at_ms,
		    v->expires_ms),
		.at_ms = v->at_ms,
		.lease_row = v->row,
	};

	if (v->is_lease && v->expires_ms <= br_server_now(p->server)) {
		br_store_value_drop(p->server->store, br_entity_key(e),
		    v->tuple_id, true, NULL, NULL);
		return;
	}
	change.content = prim_document_new(&parts);
	change.tuple_id = prim_slice_copy(v->tuple_id);
	prim_presentity_apply(&e->presentity, &change);
	prim_change_fini(&change);
}

/* What became of the stored watchers of a principal. */
struct restoring {
	unsigned aside;     /* no way leads to them now */
	unsigned forbidden; /* default_acl has changed */
};

static void restore(struct br_presence *p, struct br_entity *e,
    const struct br_store_subscription *row, struct restoring *r)
{
	const struct br_server *s = p->server;

	if (row->expires_ms <= br_server_now(s)) {
		br_store_subscription_drop(s->store, row, NULL, NULL);
	} else if (!br_presence_allows(s, row->watcher, row->presentity,
		       BR_RIGHT_SUBSCRIBE)) {
		br_store_subscription_drop(s->store, row, NULL, NULL);
		r->forbidden++;
	} else if (!br_subscription_restore(p, e, row)) {
		r->aside++; /* the row stays until its time is over */
	}
}

static void restore_all(struct br_presence *p, struct br_entity *e,
    const struct br_store_principal *principal)
{
	struct restoring r = { 0 };

	for (size_t i = 0; i < principal->subscription_count; i++)
		restore(p, e, &principal->subscriptions[i], &r);
	if (r.aside)
		br_warn(&p->server->log,
		    "watchers left aside presentity=%s count=%u "
		    "reason=\"no route leads to them\"",
		    br_quote(br_entity_key(e)), r.aside);
	if (r.forbidden)
		br_warn(&p->server->log,
		    "watchers dropped presentity=%s count=%u "
		    "reason=\"default_acl\"",
		    br_quote(br_entity_key(e)), r.forbidden);
}

static void end_one(struct prim_subscription *s, bool tell)
{
	if (br_remote_is(s))
		br_remote_end_of(s, true);
	else
		br_subscription_end(br_subscription_of(s), tell, true);
}

static void drop_tuples(struct prim_presentity *presentity)
{
	struct prim_tuple *t;

	while ((t = TAILQ_FIRST(&presentity->tuples))) {
		struct prim_change change = {
			.kind = PRIM_CHANGE_DROP_TUPLE,
			.tuple_id = prim_slice_copy(prim_tuple_id(t)),
		};

		prim_presentity_apply(presentity, &change);
		prim_change_fini(&change);
	}
}

/* The account went, and took its rows along; all but those that were just being
 * stored, so that each is dropped again. */
static void entity_absent(void *ctx, struct br_entity *e)
{
	struct br_presence *p = ctx;
	struct prim_subscription *s;

	if (e->has_presence)
		br_remote_end_all(p, e); /* also what waits to begin */
	e->has_presence = false;
	while ((s = LIST_FIRST(&e->presentity.source.subscriptions)))
		end_one(s, true);
	while ((s = LIST_FIRST(&e->watcher.subscriptions)))
		end_one(s, false);
	drop_tuples(&e->presentity);
	br_presence_reside(p, e);
}

static void entity_loaded(void *ctx, struct br_entity *e,
    const struct br_store_principal *principal)
{
	struct br_presence *p = ctx;

	if (e->has_presence && e->created_ms == principal->account->created_ms)
		return; /* what is in memory is newer */
	if (e->has_presence)
		entity_absent(ctx, e); /* it went, and came as another */
	e->created_ms = principal->account->created_ms;
	e->has_presence = true;
	for (size_t i = 0; i < principal->value_count; i++)
		apply_value(p, e, &principal->values[i]);
	restore_all(p, e, principal);
	br_presence_reside(p, e);
}

const struct br_entity_ops br_presence_entity_ops = {
	.loaded = entity_loaded,
	.absent = entity_absent,
};

/* ---- the way out ---- */

struct prim_fan *br_presence_fan(struct br_presence *p)
{
	return &p->fan;
}

bool br_presence_turn(struct br_presence *p)
{
	return prim_fan_run(&p->fan, FEEDS_A_TURN);
}

void br_presence_put_view(struct prim_buf *b, enum prim_family family,
    const struct prim_document *view)
{
	if (view->name.len > 0)
		prim_command_put_header(b, PRIM_HEADER_TUPLE_ID, view->name);
	if (view->type.len > 0)
		prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE,
		    view->type);
	/* D1 wants it (ERR-92). */
	if (family == PRIM_FAMILY_PP &&
	    prim_presence_type_of(view->type) == PRIM_PRESENCE_MIXED)
		prim_buf_puts(b, "MIME-Version: 1.0\r\n");
}

static uint64_t body_max_of(const struct br_peer *peer)
{
	if (!peer || peer->kind != BR_PEER_CLIENT)
		return UINT64_MAX;
	return PRIM_CONTAINER(peer, const struct br_conn, peer)
	    ->session.max_content;
}

bool br_presence_is_heard(const struct br_errand *e)
{
	const struct br_peer *peer = e->ticket.peer;

	return peer &&
	    (peer->kind != BR_PEER_CLIENT ||
		!PRIM_CONTAINER(peer, const struct br_conn, peer)
		     ->is_finishing);
}

bool br_presence_fits(const struct br_errand *e,
    const struct prim_document *view)
{
	return view->body.len <= body_max_of(e->ticket.peer);
}

void br_presence_answer_view(struct br_errand *e, unsigned code,
    const struct prim_document *view)
{
	static struct prim_buf lines; /* the loop's only */

	if (!br_presence_fits(e, view)) {
		br_errand_answer(e, PRIM_INTERNAL_ERROR, PRIM_SLICE_NONE,
		    PRIM_SLICE_NONE);
		return;
	}
	prim_buf_reset(&lines);
	br_presence_put_view(&lines, e->family, view);
	br_errand_answer(e, code, prim_buf_slice(&lines), view->body);
}

void br_presence_login(struct br_conn *conn)
{
	struct br_server *s = conn->server;
	struct br_entity *e;

	/* The account is there, it has just proved it; what is known of its
	 * presence may still be on the way. */
	if (!conn->entity)
		conn->entity = br_entity_hold(s->entities,
		    prim_session_who(&conn->session));
	e = conn->entity;
	if (prim_outlet_is_open(&conn->outlet))
		return;
	if (e->watcher.outlet_count >= PRIM_OUTLETS_MAX) {
		br_conn_doom(conn, "too many connections of one watcher");
		return;
	}
	prim_outlet_open(&conn->outlet, &e->watcher);
	prim_outlet_go(&conn->outlet);
}

/* ---- rules that change ---- */

struct cancelling {
	struct br_presence *presence;
	struct br_subscription **all; /* owned */
	size_t count;
};

static void visit_forbidden(struct prim_table_node *n, void *arg)
{
	struct cancelling *c = arg;
	struct prim_subscription *sub = PRIM_CONTAINER(n,
	    struct prim_subscription, node);
	struct br_subscription *s = br_subscription_of(sub);
	struct br_subscription_names names;

	br_subscription_names(s, &names);
	if (!br_presence_allows(c->presence->server, names.watcher,
		names.presentity, BR_RIGHT_SUBSCRIBE))
		c->all[c->count++] = s;
}

void br_presence_acl_changed(struct br_presence *p)
{
	struct cancelling c = { .presence = p };

	c.all = prim_alloc((p->subscriptions.count + 1) *
	    sizeof(struct br_subscription *));
	prim_table_each(&p->subscriptions, visit_forbidden, &c);
	for (size_t i = 0; i < c.count; i++)
		br_subscription_end(c.all[i], true, true);
	if (c.count)
		br_info(&p->server->log,
		    "subscriptions cancelled count=%zu "
		    "reason=\"default_acl\"",
		    c.count);
	prim_free(c.all);
}

/* ---- life ---- */

struct br_presence *br_presence_new(struct br_server *s)
{
	struct br_presence *p = prim_new(struct br_presence);

	p->server = s;
	LIST_INIT(&p->errands);
	TAILQ_INIT(&p->held);
	prim_fan_init(&p->fan, &s->wheel);
	p->hosts = prim_alloc((s->config->adapter_count + 1) *
	    sizeof(*p->hosts));
	for (unsigned i = 0; i < s->config->adapter_count; i++) {
		struct br_presence_host *h = &p->hosts[i];

		h->presence = p;
		h->adapter = i;
		br_presence_host_init(h);
	}
	return p;
}

static void on_resident(void *arg, struct prim_slice key)
{
	struct br_server *s = arg;

	/* It comes when it is loaded, and stays for what it has. */
	br_entity_unpin(s->entities, br_entity_hold(s->entities, key));
}

static void on_outgoing(void *arg, const struct br_store_subscription *row)
{
	struct br_server *s = arg;

	if (!br_remote_restore(s->presence, row))
		s->presence->aside++;
}

bool br_presence_load(struct br_presence *p, struct br_err *err)
{
	const struct br_store_resident each = {
		.principal = on_resident,
		.outgoing = on_outgoing,
		.arg = p->server,
	};

	if (!br_store_resident_each(p->server->store, &each, err))
		return false;
	if (p->aside)
		br_warn(&p->server->log,
		    "subscriptions left aside count=%u "
		    "reason=\"no route leads to those they watch\"",
		    p->aside);
	return true;
}

static void visit_end(struct prim_table_node *n, void *arg)
{
	struct prim_subscription *sub = PRIM_CONTAINER(n,
	    struct prim_subscription, node);

	(void)arg;
	br_subscription_end(br_subscription_of(sub), false, false);
}

void br_presence_cancel(struct br_presence *p)
{
	struct br_presence_errand *errand;
	struct br_entity *e;

	while ((errand = LIST_FIRST(&p->errands)))
		br_presence_errand_free(errand);
	for (unsigned i = 0; i < p->server->config->adapter_count; i++)
		br_presence_host_fini(&p->hosts[i]);
	br_remote_free_all(p);
	prim_table_each(&p->subscriptions, visit_end, p);
	while ((e = TAILQ_FIRST(&p->held))) {
		drop_tuples(&e->presentity);
		br_presence_reside(p, e);
	}
}

struct br_presence *br_presence_free(struct br_presence *p)
{
	if (!p)
		return NULL;
	prim_fan_fini(&p->fan);
	prim_table_fini(&p->subscriptions);
	prim_table_fini(&p->remotes);
	prim_table_fini(&p->remote_ids);
	prim_free(p->hosts);
	return prim_free(p);
}
