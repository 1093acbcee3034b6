/* SPDX-License-Identifier: ISC */
/* Who watches our principals: SUBSCRIBE, UNSUBSCRIBE, FETCH. */

#include "bridge/subscription.h"

#include <string.h>

#include "bridge/log.h"
#include "prim/base.h"

/* ---- requests that wait ---- */

struct looking {
	struct br_presence_errand errand;
	struct br_turn turn;
	enum prim_method method;
	int64_t asked_s, granted_s;
	bool is_counted;           /* in entity->subscribing */
	struct br_entity *watcher; /* pinned while it is stored; or NULL */
	int64_t watcher_ms;        /* since when there is its account */
	char *text;                /* owned: what the names borrow from */
	struct br_subscription_names names;
};

static bool begin(struct br_turn *t, struct br_entity *e);

static void release(struct br_presence_errand *e)
{
	struct looking *l = PRIM_CONTAINER(e, struct looking, errand);

	br_turn_leave(&l->turn);
	if (l->is_counted)
		e->entity->subscribing--;
	if (l->watcher)
		br_entity_unpin(e->presence->server->entities, l->watcher);
	prim_free(l->text);
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
	l->names.watcher_address = prim_slice_keep(&room, r->from.text);
	l->names.watcher = prim_slice_keep(&room, watcher);
	l->names.presentity = prim_slice_keep(&room, presentity);
	l->names.id = prim_slice_keep(&room, r->id);
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

static struct prim_document *view_of(const struct looking *l)
{
	return prim_source_view(&l->errand.entity->presentity.source,
	    PRIM_FORM_CLIENT);
}

static void end_with_view(struct looking *l, unsigned code)
{
	say(l, code);
	br_presence_answer_view(&l->errand.errand, code, view_of(l));
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
	struct br_subscription *s = br_subscription_find(p, &l->names);

	if (s)
		prim_subscription_renew(&s->sub, expires_ms);
	else
		s = br_subscription_start(p, l->errand.entity, &l->names,
		    expires_ms);
	return s;
}

static bool allows(const struct looking *l, enum br_right right)
{
	return br_presence_allows(l->errand.presence->server, l->names.watcher,
	    l->names.presentity, right);
}

static unsigned count_of(struct br_presence *p, const struct looking *l)
{
	struct br_entity *e;

	if (!wants_body(l))
		return host_of(l)->watcher.subscription_count;
	e = br_entity_find(p->server->entities, l->names.watcher);
	return e ? e->watcher.subscription_count : 0;
}

static unsigned most_of(const struct looking *l)
{
	return wants_body(l) ? PRIM_WATCHES_MAX : BR_FOREIGN_WATCHES_MAX;
}

/* PRIM-156. */
static bool is_too_many(struct br_presence *p, const struct looking *l)
{
	const struct br_entity *e = l->errand.entity;

	return e->presentity.source.subscription_count + e->subscribing >=
	    BR_WATCHERS_MAX ||
	    count_of(p, l) >= most_of(l);
}

/* A new one, and there are as many as may be; it is among those being stored. */
static bool is_over(const struct looking *l)
{
	struct br_presence *p = l->errand.presence;

	return !br_subscription_find(p, &l->names) &&
	    count_of(p, l) >= most_of(l);
}

/* Has an account gone meanwhile, though another may have its name? */
static bool has_lost_account(const struct looking *l)
{
	const struct br_entity *w = l->watcher;

	return l->errand.entity->state == BR_ENTITY_ABSENT ||
	    (w &&
		(w->state == BR_ENTITY_ABSENT ||
		    (l->watcher_ms && w->created_ms != l->watcher_ms)));
}

static void on_subscribed(void *arg, enum br_store_outcome outcome)
{
	struct looking *l = arg;
	bool is_stored = outcome == BR_STORE_DONE;
	struct br_subscription *s = NULL;

	/* Others may have been faster. */
	if (is_stored && is_over(l)) {
		br_subscription_forget(l->errand.presence, &l->names, NULL,
		    NULL);
		end(l, PRIM_TOO_MANY_SUBSCRIPTIONS);
		return;
	}
	/* The rule or the account may have gone meanwhile. */
	if (is_stored && allows(l, BR_RIGHT_SUBSCRIBE) && !has_lost_account(l))
		s = take(l);
	if (!s) {
		if (is_stored)
			br_subscription_forget(l->errand.presence, &l->names,
			    NULL, NULL);
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

	if (wants_body(l)) {
		l->watcher = br_entity_hold(p->server->entities,
		    l->names.watcher);
		l->watcher_ms = l->watcher->created_ms;
	}
	e->subscribing++;
	l->is_counted = true;
	br_store_subscription_put(p->server->store, &row, on_subscribed, l);
}

/* ---- UNSUBSCRIBE, and SUBSCRIBE for no time ---- */

static void on_unsubscribed(void *arg, enum br_store_outcome outcome)
{
	struct looking *l = arg;
	struct br_presence *p = l->errand.presence;
	struct br_subscription *s = br_subscription_find(p, &l->names);
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
	br_subscription_forget(l->errand.presence, &l->names, on_unsubscribed,
	    l);
}

/* What the pair has, the one with this id, or any without one. */
static bool is_known(struct looking *l)
{
	struct br_entity *e = l->errand.entity;

	if (br_subscription_find(l->errand.presence, &l->names))
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
	} else if (!br_subscription_find(p, &l->names) && is_too_many(p, l)) {
		end(l, PRIM_TOO_MANY_SUBSCRIPTIONS);
	} else if (wants_body(l) &&
	    !br_presence_fits(&l->errand.errand, view_of(l))) {
		end(l, PRIM_INTERNAL_ERROR); /* it could not be told */
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
