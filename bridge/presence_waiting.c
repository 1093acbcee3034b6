/* SPDX-License-Identifier: ISC */
/* Clients that ask about presence elsewhere, and wait for the answer. */

#include "bridge/presence_remote.h"

#include "prim/base.h"

#define STORING_MS 100 /* until we look again whether it is stored */

/* PRIM-276. */
static unsigned code_for_client(unsigned code)
{
	if (code == PRIM_BAD_GATEWAY || code == PRIM_SUBSCRIPTION_NOT_FOUND)
		return PRIM_INTERNAL_ERROR;
	return code == PRIM_GATEWAY_TIMEOUT ? PRIM_TIMEOUT : code;
}

static void leave(struct br_remote_waiting *w)
{
	if (w->remote)
		TAILQ_REMOVE(&w->remote->waitings, w, of_remote);
	w->remote = NULL;
}

static void release(struct br_presence_errand *e)
{
	struct br_remote_waiting *w = PRIM_CONTAINER(e,
	    struct br_remote_waiting, errand);

	prim_timer_stop(&e->presence->server->wheel, &w->timer);
	leave(w);
}

/* It asked for the end, which is being stored: nothing refuses that. */
static bool is_parting(const struct br_remote_waiting *w)
{
	return w->is_storing && w->granted_s == 0;
}

/* A refusal. The store may still have to say something. */
static void refuse(struct br_remote_waiting *w, unsigned code)
{
	if (is_parting(w)) {
		leave(w);
		return;
	}
	if (!w->is_storing) {
		br_presence_errand_end(&w->errand, code);
		return;
	}
	br_errand_answer(&w->errand.errand, code, PRIM_SLICE_NONE,
	    PRIM_SLICE_NONE);
	prim_timer_stop(&w->errand.presence->server->wheel, &w->timer);
	leave(w);
}

static unsigned granted_code(const struct br_remote_waiting *w)
{
	return w->method == PRIM_METHOD_FETCH || w->asked_s == w->granted_s
	    ? PRIM_OK
	    : PRIM_DURATION_ADJUSTED;
}

/* What is known is told; what was asked for holds. */
static void grant(struct br_remote_waiting *w)
{
	struct br_remote *r = w->remote;

	if (!r->is_fetch)
		br_remote_start(r, w->expires_ms);
	/* Who has gone is shown it when he comes back, or is back already. */
	if (r->is_started && r->known &&
	    !br_presence_is_heard(&w->errand.errand)) {
		r->sub.seen = 0;
		prim_subscription_show(&r->sub);
	}
	br_presence_answer_view(&w->errand.errand, granted_code(w),
	    prim_source_view(&r->source, PRIM_FORM_CLIENT));
	br_presence_errand_free(&w->errand);
}

/* It was never accepted, or only a single look, and nobody waits. */
static void maybe_free(struct br_remote *r)
{
	if (!TAILQ_EMPTY(&r->waitings) || r->is_stored)
		return;
	if (r->is_fetch || r->is_asking)
		br_remote_free(r);
	else
		br_remote_leave(r); /* the adapter may have accepted it */
}

/* The account has gone while somebody waited. True: so has `r`. */
static bool end_if_absent(struct br_remote *r)
{
	if (r->is_fetch || r->watcher->state != BR_ENTITY_ABSENT)
		return false;
	br_remote_end_of(&r->sub, true);
	return true;
}

/* ---- for presence_remote.c ---- */

int64_t br_remote_wanted_s(const struct br_remote *r)
{
	const struct br_remote_waiting *w;
	int64_t most = 1;

	if (r->is_fetch)
		return 0;
	if (r->is_started)
		most = (r->sub.expires_ms - br_server_now(br_remote_server(r)) +
			   999) /
		    1000;
	TAILQ_FOREACH(w, &r->waitings, of_remote)
		most = w->granted_s > most ? w->granted_s : most;
	return most > 1 ? most : 1;
}

int64_t br_remote_stored_ms(const struct br_remote *r)
{
	const struct br_remote_waiting *w;
	int64_t end_ms = r->is_started ? r->sub.expires_ms : 0;

	TAILQ_FOREACH(w, &r->waitings, of_remote) {
		if (w->granted_s > 0 && (w->is_storing || w->is_committed))
			end_ms = w->expires_ms;
	}
	return end_ms;
}

void br_remote_refuse_all(struct br_remote *r, unsigned code)
{
	struct br_remote_waiting *w;

	while ((w = TAILQ_FIRST(&r->waitings)))
		refuse(w, code_for_client(code));
}

void br_remote_answer_all(struct br_remote *r)
{
	struct br_remote_waiting *w, *next;

	if (end_if_absent(r))
		return;
	for (w = TAILQ_FIRST(&r->waitings); w; w = next) {
		next = TAILQ_NEXT(w, of_remote);
		if (r->is_fetch || w->is_committed)
			grant(w);
	}
	maybe_free(r);
}

/* ---- the store ---- */

static void on_stored(void *arg, enum br_store_outcome outcome)
{
	struct br_remote_waiting *w = arg;
	struct br_remote *r = w->remote;

	w->is_storing = false;
	if (!r) { /* it was refused, and is forgotten */
		br_presence_errand_free(&w->errand);
	} else if (outcome != BR_STORE_DONE) {
		br_presence_errand_end(&w->errand, PRIM_INTERNAL_ERROR);
		r->is_stored = r->is_started;
		maybe_free(r);
	} else {
		w->is_committed = true;
		if (!end_if_absent(r) && r->known)
			grant(w);
	}
}

static void store(struct br_remote *r, struct br_remote_waiting *w)
{
	struct br_store_subscription row;

	br_remote_row(r, &row);
	w->expires_ms = br_server_now(br_remote_server(r)) +
	    w->granted_s * 1000;
	row.expires_ms = w->expires_ms;
	w->is_storing = true;
	r->is_stored = true;
	br_store_subscription_put(br_remote_server(r)->store, &row, on_stored,
	    w);
}

void br_remote_store_all(struct br_remote *r)
{
	struct br_remote_waiting *w;

	TAILQ_FOREACH(w, &r->waitings, of_remote) {
		if (w->granted_s > 0)
			store(r, w);
	}
}

/* ---- requests ---- */

/* Nothing came in time: what is granted is granted, and its NOTIFY follows when
 * it comes (ERR-83). */
static void on_timeout(struct prim_timer *t)
{
	struct br_remote_waiting *w = PRIM_CONTAINER(t,
	    struct br_remote_waiting, timer);
	struct br_server *s = w->errand.presence->server;
	struct br_remote *r = w->remote;

	if (w->is_committed) {
		if (!end_if_absent(r))
			grant(w);
	} else if (w->is_storing) {
		prim_timer_set(&s->wheel, t, br_server_now(s) + STORING_MS);
	} else {
		br_presence_errand_end(&w->errand, PRIM_TIMEOUT);
		maybe_free(r);
	}
}

static struct br_remote_waiting *
waiting_new(struct br_presence_request *request, struct br_remote *r)
{
	bool has_duration = request->c->method == PRIM_METHOD_SUBSCRIBE;
	struct br_remote_waiting *w = br_presence_errand_new(request,
	    sizeof(*w),
	    has_duration ? br_presence_repeated(request) : BR_ERRAND_AS_ASKED);

	w->errand.release = release;
	w->method = request->c->method;
	w->asked_s = request->asked_s;
	w->granted_s = has_duration ? request->granted_s : 0;
	w->remote = r;
	TAILQ_INSERT_TAIL(&r->waitings, w, of_remote);
	prim_timer_init(&w->timer, on_timeout);
	return w;
}

static void set_timeout(struct br_remote_waiting *w)
{
	struct br_server *s = w->errand.presence->server;

	prim_timer_set(&s->wheel, &w->timer,
	    br_server_now(s) + (int64_t)s->config->answer_within_ms);
}

static struct br_remote *make(struct br_presence_request *request,
    bool is_fetch)
{
	struct br_server *s = request->server;
	const struct br_remote_making m = {
		.host = &s->presence->hosts[request->route->adapter],
		.watcher = br_entity_hold(s->entities,
		    prim_key_slice(&request->watcher)),
		.presentity = prim_key_slice(&request->presentity),
		.address = request->to.text,
		.is_fetch = is_fetch,
	};

	return br_remote_new(&m);
}

static void look(struct br_presence_request *request)
{
	struct br_remote *r = make(request, true);

	r->strength = br_peer_strength(request->peer, request->c);
	set_timeout(waiting_new(request, r));
	br_remote_want(r);
}

static bool is_too_many(const struct br_presence_request *request)
{
	const struct br_entity *e = br_entity_find(request->server->entities,
	    prim_key_slice(&request->watcher));

	return e && e->watcher.subscription_count >= PRIM_WATCHES_MAX;
}

static void subscribe(struct br_presence_request *request, struct br_remote *r)
{
	struct br_remote_waiting *w;

	if (!r && is_too_many(request)) {
		br_errand_refuse(request->peer, request->c,
		    PRIM_TOO_MANY_SUBSCRIPTIONS);
		return;
	}
	if (!r)
		r = make(request, false);
	w = waiting_new(request, r);
	set_timeout(w);
	r->strength = br_peer_strength(request->peer, request->c);
	if (r->is_granted)
		store(r, w);
	else
		br_remote_want(r);
}

/* Who asked after `w` wants it again; who asked before has his answer by now,
 * or waits for somebody who will not be watched. */
static bool is_wanted_again(const struct br_remote_waiting *w)
{
	const struct br_remote_waiting *newer = TAILQ_NEXT(w, of_remote);

	while (newer && newer->granted_s == 0)
		newer = TAILQ_NEXT(newer, of_remote);
	return newer != NULL;
}

static void refuse_older(struct br_remote_waiting *w, unsigned code)
{
	struct br_remote_waiting *older, *next;

	for (older = TAILQ_FIRST(&w->remote->waitings); older != w;
	     older = next) {
		next = TAILQ_NEXT(older, of_remote);
		if (older->is_committed)
			grant(older); /* it held, for a moment */
		else
			refuse(older, code);
	}
}

/* ERR-81: who subscribed for no time sees once more what there is. */
static void answer_parting(struct br_remote_waiting *w)
{
	if (w->method == PRIM_METHOD_SUBSCRIBE && w->remote)
		br_presence_answer_view(&w->errand.errand, PRIM_OK,
		    prim_source_view(&w->remote->source, PRIM_FORM_CLIENT));
	br_presence_errand_end(&w->errand, PRIM_OK);
}

static void on_dropped(void *arg, enum br_store_outcome outcome)
{
	struct br_remote_waiting *w = arg;
	struct br_remote *r = w->remote;
	bool stays;

	w->is_storing = false;
	if (!r) { /* it ended meanwhile */
		answer_parting(w);
		return;
	}
	if (outcome == BR_STORE_FAILED) {
		br_presence_errand_end(&w->errand, PRIM_INTERNAL_ERROR);
		return;
	}
	stays = is_wanted_again(w);
	refuse_older(w, PRIM_INTERNAL_ERROR);
	answer_parting(w);
	if (!stays) {
		br_remote_refuse_all(r, PRIM_INTERNAL_ERROR);
		/* Also what was being stored when this was. */
		if (r->is_stored)
			br_remote_forget(r, NULL, NULL);
		br_remote_leave(r);
	}
}

static void unsubscribe(struct br_presence_request *request,
    struct br_remote *r)
{
	struct br_remote_waiting *w = waiting_new(request, r);

	w->is_storing = true;
	br_remote_forget(r, on_dropped, w);
}

void br_remote_subscribe(struct br_presence_request *request)
{
	struct br_remote *r = br_remote_find(request->server->presence,
	    prim_key_slice(&request->watcher),
	    prim_key_slice(&request->presentity));
	bool wants_more = request->c->method == PRIM_METHOD_SUBSCRIBE;

	if (request->c->method == PRIM_METHOD_FETCH)
		look(request);
	else if (wants_more && request->asked_s > 0)
		subscribe(request, r);
	else if (r)
		unsubscribe(request, r);
	else if (wants_more)
		look(request); /* ERR-81 */
	else
		br_errand_refuse(request->peer, request->c,
		    PRIM_SUBSCRIPTION_NOT_FOUND);
}
