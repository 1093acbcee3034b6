/* SPDX-License-Identifier: ISC */
/* Who watches our principals: SUBSCRIBE, UNSUBSCRIBE, FETCH. */

#include "bridge/presence_private.h"

#include <string.h>

#include "bridge/log.h"
#include "bridge/metric.h"
#include "prim/base.h"

#define POSTPONE_MS 50

/* ---- one of them ---- */

struct br_subscription *br_subscription_of(struct prim_subscription *s)
{
	return PRIM_CONTAINER(s, struct br_subscription, sub);
}

struct br_entity *br_subscription_presentity(const struct br_subscription *s)
{
	return PRIM_CONTAINER(s->sub.source, struct br_entity,
	    presentity.source);
}

static struct br_presence *presence_of(const struct br_subscription *s)
{
	return PRIM_CONTAINER(s->sub.source->fan, struct br_presence, fan);
}

static struct br_entity *watcher_entity(const struct br_subscription *s)
{
	return PRIM_CONTAINER(s->sub.watcher, struct br_entity, watcher);
}

void br_subscription_names(const struct br_subscription *s,
    struct br_subscription_names *out)
{
	const char *text = s->text;

	out->watcher_address = prim_slice_make(text, s->address_len);
	text += s->address_len;
	out->watcher = prim_slice_make(text, s->key_len);
	text += s->key_len;
	out->id = prim_slice_make(text, s->id_len);
	out->presentity = br_entity_key(br_subscription_presentity(s));
}

static uint64_t hash_of(const struct br_presence *p,
    const struct br_subscription_names *names)
{
	const struct prim_hash_key *seed = &p->server->seed;

	return prim_hash(seed, names->watcher) * 31 +
	    prim_hash(seed, names->presentity) * 17 +
	    prim_hash(seed, names->id);
}

static bool is_same(const struct br_subscription *s,
    const struct br_subscription_names *names)
{
	struct br_subscription_names own;

	br_subscription_names(s, &own);
	return prim_slice_eq(own.watcher, names->watcher) &&
	    prim_slice_eq(own.presentity, names->presentity) &&
	    prim_slice_eq(own.id, names->id);
}

static struct br_subscription *find(struct br_presence *p,
    const struct br_subscription_names *names)
{
	struct prim_table_node *n = prim_table_first(&p->subscriptions,
	    hash_of(p, names));

	for (; n; n = prim_table_next(n)) {
		struct br_subscription *s = br_subscription_of(PRIM_CONTAINER(n,
		    struct prim_subscription, node));

		if (is_same(s, names))
			return s;
	}
	return NULL;
}

static void put(char **to, struct prim_slice from)
{
	if (from.len)
		memcpy(*to, from.ptr, from.len);
	*to += from.len;
}

static struct br_subscription *
subscription_new(const struct br_subscription_names *names)
{
	struct br_subscription *s = prim_alloc(sizeof(*s) +
	    names->watcher_address.len + names->watcher.len + names->id.len);
	char *text = s->text;

	s->address_len = (uint16_t)names->watcher_address.len;
	s->key_len = (uint16_t)names->watcher.len;
	s->id_len = (uint16_t)names->id.len;
	put(&text, names->watcher_address);
	put(&text, names->watcher);
	put(&text, names->id);
	return s;
}

static void on_expiry(struct prim_timer *t)
{
	struct br_subscription *s = br_subscription_of(PRIM_CONTAINER(t,
	    struct prim_subscription, timer));
	const struct br_server *server = presence_of(s)->server;

	if (br_subscription_presentity(s)->subscribing)
		/* It may be just being renewed. */
		prim_subscription_renew(&s->sub,
		    br_server_now(server) + POSTPONE_MS);
	else
		br_subscription_end(s, s->is_foreign, true); /* ERR-86 */
}

/* The way to the watcher: his own connections, or the link to the adapter he is
 * behind. NULL: there is none any more. */
static struct prim_watcher *way_to(struct br_presence *p,
    const struct br_subscription_names *names, bool *out_foreign)
{
	struct br_server *s = p->server;
	const struct br_route *route = br_router_find(s->router,
	    br_key_domain(names->watcher));

	if (!route)
		return NULL;
	*out_foreign = route->kind == BR_ROUTE_ADAPTER;
	return *out_foreign
	    ? &p->hosts[route->adapter].watcher
	    : &br_entity_hold(s->entities, names->watcher)->watcher;
}

static struct br_subscription *start(struct br_presence *p,
    struct br_entity *presentity, const struct br_subscription_names *names,
    int64_t expires_ms)
{
	bool is_foreign = false;
	struct prim_watcher *watcher = way_to(p, names, &is_foreign);
	struct br_subscription *s;

	if (!watcher)
		return NULL;
	s = subscription_new(names);
	s->is_foreign = is_foreign;
	prim_subscription_start(&s->sub, &presentity->presentity.source,
	    watcher, expires_ms, on_expiry);
	prim_table_put(&p->subscriptions, &s->sub.node, hash_of(p, names));
	br_presence_reside(p, presentity);
	br_metric_set(BR_METRIC_SUBSCRIPTIONS, (int64_t)p->subscriptions.count);
	return s;
}

struct br_subscription *br_subscription_restore(struct br_presence *p,
    struct br_entity *presentity, const struct br_store_subscription *row)
{
	const struct br_subscription_names names = {
		.watcher = row->watcher,
		.watcher_address = row->watcher_address,
		.presentity = row->presentity,
		.id = row->id,
	};

	struct br_subscription *s = start(p, presentity, &names,
	    row->expires_ms);

	if (s)
		prim_subscription_show(&s->sub); /* to who came before us */
	return s;
}

static void forget(struct br_presence *p,
    const struct br_subscription_names *names, br_store_done_fn done, void *arg)
{
	const struct br_store_subscription row = {
		.watcher = names->watcher,
		.presentity = names->presentity,
		.watcher_address = names->watcher_address,
		.id = names->id,
	};

	br_store_subscription_drop(p->server->store, &row, done, arg);
}

/* The last word; nothing may follow it, so it comes after the end. */
static void tell_end(const struct br_subscription *s, struct prim_watcher *w,
    const struct br_subscription_names *names, struct br_entity *presentity)
{
	if (s->is_foreign)
		br_presence_host_last(PRIM_CONTAINER(w, struct br_presence_host,
					  watcher),
		    names, br_entity_uri(presentity));
	else
		br_conn_cancel_all(w, br_entity_uri(presentity));
}

void br_subscription_end(struct br_subscription *s, bool tell, bool lasting)
{
	struct br_presence *p = presence_of(s);
	struct br_entity *presentity = br_subscription_presentity(s);
	struct br_entity *held = s->is_foreign ? NULL : watcher_entity(s);
	struct prim_watcher *w = s->sub.watcher;
	struct br_subscription_names names;

	br_entity_pin(p->server->entities, presentity);
	br_subscription_names(s, &names);
	if (lasting)
		forget(p, &names, NULL, NULL);
	prim_table_drop(&p->subscriptions, &s->sub.node);
	prim_subscription_end(&s->sub);
	br_metric_set(BR_METRIC_SUBSCRIPTIONS, (int64_t)p->subscriptions.count);
	if (tell)
		tell_end(s, w, &names, presentity);
	prim_free(s);
	br_presence_reside(p, presentity);
	if (held)
		br_entity_unpin(p->server->entities, held);
	br_entity_unpin(p->server->entities, presentity);
}

/* ---- requests that wait ---- */

struct looking {
	struct br_presence_errand errand;
	struct br_turn turn;
	enum prim_method method;
	int64_t asked_s, granted_s;
	bool is_counted; /* in entity->subscribing */
	char *text;      /* owned: what the names borrow from */
	struct br_subscription_names names;
};

static bool begin(struct br_turn *t, struct br_entity *e);

static void release(struct br_presence_errand *e)
{
	struct looking *l = PRIM_CONTAINER(e, struct looking, errand);

	br_turn_leave(&l->turn);
	if (l->is_counted)
		e->entity->subscribing--;
	prim_free(l->text);
}

static struct prim_slice keep(char **room, struct prim_slice s)
{
	char *at = *room;

	put(room, s);
	return prim_slice_make(at, s.len);
}

static struct looking *looking_new(struct br_presence_request *r)
{
	struct prim_slice watcher = prim_key_slice(&r->watcher);
	struct prim_slice presentity = prim_key_slice(&r->presentity);
	bool has_duration = r->c->method == PRIM_METHOD_SUBSCRIBE;
	struct looking *l = br_presence_errand_new(r, sizeof(*l),
	    has_duration ? br_presence_repeated(r) : BR_ERRAND_AS_ASKED);
	char *room;

	l->errand.release = release;
	l->turn.begin = begin;
	l->method = r->c->method;
	l->asked_s = r->asked_s;
	l->granted_s = r->granted_s;
	l->text = prim_alloc(r->from.text.len + watcher.len + presentity.len +
	    r->id.len + 1);
	room = l->text;
	l->names.watcher_address = keep(&room, r->from.text);
	l->names.watcher = keep(&room, watcher);
	l->names.presentity = keep(&room, presentity);
	l->names.id = keep(&room, r->id);
	return l;
}

static void say(const struct looking *l, unsigned code)
{
	const struct br_errand *e = &l->errand.errand;

	br_debug(&e->server->log,
	    "%s code=%u watcher=%s presentity=%s for=%lld",
	    l->method == PRIM_METHOD_FETCH ? "fetch"
		: l->asked_s               ? "subscribe"
					   : "unsubscribe",
	    code, br_quote(l->names.watcher), br_quote(l->names.presentity),
	    (long long)l->granted_s);
}

static void end(struct looking *l, unsigned code)
{
	say(l, code);
	br_presence_errand_end(&l->errand, code);
}

/* S0 answers without a body and notifies (PRIM-153); clients get it at once
 * (PRIM-152). */
static bool wants_body(const struct looking *l)
{
	return l->names.id.len == 0;
}

static void end_with_view(struct looking *l, unsigned code)
{
	struct br_entity *e = l->errand.entity;

	say(l, code);
	br_presence_answer_view(&l->errand.errand, code,
	    prim_source_view(&e->presentity.source, PRIM_FORM_CLIENT));
	br_presence_errand_free(&l->errand);
}

static struct br_presence_host *host_of(const struct looking *l)
{
	struct br_presence *p = l->errand.presence;
	const struct br_route *route = br_router_find(p->server->router,
	    br_key_domain(l->names.watcher));

	return &p->hosts[route->adapter];
}

/* A single look, also as SUBSCRIBE with Duration 0 (PRIM-158). */
static void look_once(struct looking *l)
{
	struct br_presence_host *h;

	if (wants_body(l)) {
		end_with_view(l, PRIM_OK);
		return;
	}
	h = host_of(l);
	if (!br_presence_host_has_room(h)) {
		end(l, PRIM_INTERNAL_ERROR); /* 200 would promise a NOTIFY */
		return;
	}
	br_errand_answer(&l->errand.errand, PRIM_OK, PRIM_SLICE_NONE,
	    PRIM_SLICE_NONE);
	br_presence_host_once(h, &l->names, l->errand.entity);
	end(l, PRIM_OK);
}

/* ---- SUBSCRIBE ---- */

static unsigned granted_code(const struct looking *l)
{
	return l->asked_s == l->granted_s ? PRIM_OK : PRIM_DURATION_ADJUSTED;
}

static struct br_subscription *take(struct looking *l)
{
	struct br_presence *p = l->errand.presence;
	int64_t expires_ms = br_server_now(p->server) + l->granted_s * 1000;
	struct br_subscription *s = find(p, &l->names);

	if (s)
		prim_subscription_renew(&s->sub, expires_ms);
	else
		s = start(p, l->errand.entity, &l->names, expires_ms);
	return s;
}

static bool allows(const struct looking *l, enum br_right right)
{
	return br_presence_allows(l->errand.presence->server, l->names.watcher,
	    l->names.presentity, right);
}

static void on_subscribed(void *arg, enum br_store_outcome outcome)
{
	struct looking *l = arg;
	bool is_stored = outcome == BR_STORE_DONE;
	struct br_subscription *s = NULL;

	/* The rule or the account may have gone meanwhile. */
	if (is_stored && allows(l, BR_RIGHT_SUBSCRIBE) &&
	    l->errand.entity->state != BR_ENTITY_ABSENT)
		s = take(l);
	if (!s) {
		if (is_stored)
			forget(l->errand.presence, &l->names, NULL, NULL);
		end(l, is_stored ? PRIM_FORBIDDEN : PRIM_INTERNAL_ERROR);
	} else if (wants_body(l)) {
		/* Who has gone is shown it when he comes back, or is back
		 * already. */
		if (br_presence_is_heard(&l->errand.errand))
			prim_subscription_saw(&s->sub);
		else
			prim_subscription_show(&s->sub);
		end_with_view(l, granted_code(l));
	} else {
		/* The answer first, then what it promises (CPIM-023). */
		end(l, granted_code(l));
		prim_subscription_show(&s->sub);
	}
}

static unsigned count_of(struct br_presence *p, const struct looking *l)
{
	struct br_entity *e;

	if (!wants_body(l))
		return host_of(l)->watcher.subscription_count;
	e = br_entity_find(p->server->entities, l->names.watcher);
	return e ? e->watcher.subscription_count : 0;
}

/* PRIM-156. */
static bool is_too_many(struct br_presence *p, const struct looking *l)
{
	const struct br_entity *e = l->errand.entity;
	unsigned most = wants_body(l) ? PRIM_WATCHES_MAX
				      : BR_FOREIGN_WATCHES_MAX;

	return e->presentity.source.subscription_count + e->subscribing >=
	    BR_WATCHERS_MAX ||
	    count_of(p, l) >= most;
}

static void store(struct looking *l)
{
	struct br_presence *p = l->errand.presence;
	struct br_entity *e = l->errand.entity;
	const struct br_store_subscription row = {
		.watcher = l->names.watcher,
		.presentity = l->names.presentity,
		.watcher_address = l->names.watcher_address,
		.presentity_address = br_entity_uri(e),
		.id = l->names.id,
		.expires_ms = br_server_now(p->server) + l->granted_s * 1000,
	};

	e->subscribing++;
	l->is_counted = true;
	br_store_subscription_put(p->server->store, &row, on_subscribed, l);
}

/* ---- UNSUBSCRIBE, and SUBSCRIBE for no time ---- */

static void on_unsubscribed(void *arg, enum br_store_outcome outcome)
{
	struct looking *l = arg;
	struct br_presence *p = l->errand.presence;
	struct br_subscription *s = find(p, &l->names);
	bool is_failed = outcome == BR_STORE_FAILED;

	if (is_failed) {
		end(l, PRIM_INTERNAL_ERROR);
		return;
	}
	if (s)
		br_subscription_end(s, false, false);
	if (l->method == PRIM_METHOD_UNSUBSCRIBE)
		end(l, s ? PRIM_OK : PRIM_SUBSCRIPTION_NOT_FOUND);
	else if (s || allows(l, BR_RIGHT_FETCH))
		look_once(l);
	else
		end(l, PRIM_FORBIDDEN); /* what was under way was another's */
}

static void drop(struct looking *l)
{
	forget(l->errand.presence, &l->names, on_unsubscribed, l);
}

/* What the pair has, the one with this id, or any without one. */
static bool is_known(struct looking *l)
{
	struct br_entity *e = l->errand.entity;

	if (find(l->errand.presence, &l->names))
		return true;
	/* It may be under way: the store keeps the order. */
	return e->subscribing > 0;
}

/* ---- when the presentity is known ---- */

static void subscribe(struct looking *l)
{
	struct br_presence *p = l->errand.presence;

	if (l->asked_s == 0) {
		if (is_known(l))
			drop(l); /* PRIM-160: leaving needs no right */
		else if (!allows(l, BR_RIGHT_FETCH))
			end(l, PRIM_FORBIDDEN);
		else
			look_once(l);
	} else if (!allows(l, BR_RIGHT_SUBSCRIBE)) {
		end(l, PRIM_FORBIDDEN);
	} else if (!find(p, &l->names) && is_too_many(p, l)) {
		end(l, PRIM_TOO_MANY_SUBSCRIPTIONS);
	} else {
		store(l);
	}
}

static void unsubscribe(struct looking *l)
{
	if (is_known(l))
		drop(l);
	else
		end(l, PRIM_SUBSCRIPTION_NOT_FOUND);
}

static void fetch(struct looking *l)
{
	if (allows(l, BR_RIGHT_FETCH))
		end_with_view(l, PRIM_OK);
	else
		end(l, PRIM_FORBIDDEN);
}

static unsigned absent_code(const struct looking *l)
{
	if (l->method == PRIM_METHOD_UNSUBSCRIBE)
		return PRIM_SUBSCRIPTION_NOT_FOUND; /* PRIM-170 */
	return br_presence_absent_code(l->errand.presence->server,
	    l->names.watcher, l->names.presentity,
	    l->method == PRIM_METHOD_FETCH || l->asked_s == 0
		? BR_RIGHT_FETCH
		: BR_RIGHT_SUBSCRIBE);
}

/* Behind what is being published. */
static bool begin(struct br_turn *t, struct br_entity *e)
{
	struct looking *l = PRIM_CONTAINER(t, struct looking, turn);

	(void)e;
	if (!br_errand_is_open(&l->errand.errand))
		br_presence_errand_free(&l->errand); /* nobody asks any more */
	else if (l->method == PRIM_METHOD_SUBSCRIBE)
		subscribe(l);
	else if (l->method == PRIM_METHOD_UNSUBSCRIBE)
		unsubscribe(l);
	else
		fetch(l);
	return true;
}

static void on_presentity(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct looking *l = arg;

	if (known == BR_ENTITY_UNKNOWN) {
		end(l, PRIM_INTERNAL_ERROR);
		return;
	}
	if (known == BR_ENTITY_IS_ABSENT) {
		end(l, absent_code(l));
		return;
	}
	br_presence_errand_keep(&l->errand, e);
	if (!br_turn_take(l->errand.presence, e, &l->turn))
		end(l, PRIM_INTERNAL_ERROR);
}

void br_presence_subscribe(struct br_presence_request *r)
{
	br_entity_with(r->server->entities, prim_key_slice(&r->presentity),
	    on_presentity, looking_new(r));
}
