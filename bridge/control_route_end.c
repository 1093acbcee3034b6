/* SPDX-License-Identifier: ISC */
/* route test: what waits at the end of the road. */

#include <string.h>

#include "bridge/control_route.h"
#include "bridge/service.h"
#include "prim/base.h"
#include "prim/status.h"

/* What the running server says of a way; without one an empty object. */
static json_t *way_json(const struct br_control_route *t,
    const struct br_config_adapter *adapter)
{
	const struct br_control *c = &t->job->c;
	const struct br_control_way way = { .adapter = adapter,
		.from = prim_key_slice(&t->from),
		.to = prim_key_slice(&t->to) };
	json_t *known = json_object();

	if (c->ops && c->ops->route_state)
		c->ops->route_state(c->ctx, &way, known);
	return known;
}

static long long number_of(const json_t *known, const char *name)
{
	return (long long)json_integer_value(json_object_get(known, name));
}

/* ---- room in the outbox ---- */

static bool is_over(const json_t *known, const char *have, const char *most)
{
	return json_object_get(known, most) &&
	    number_of(known, have) >= number_of(known, most);
}

/* False: one more would be refused, and that is told. */
static bool tell_room(struct br_control_route *t, const json_t *known)
{
	bool fits = !is_over(known, "queued", "queued_max") &&
	    !is_over(known, "total", "total_max");

	if (json_object_get(known, "queued_max"))
		br_control_route_step(t, "quota",
		    "of this sender %lld of at most %lld messages wait, %lld "
		    "of %lld in all",
		    number_of(known, "queued"), number_of(known, "queued_max"),
		    number_of(known, "total"), number_of(known, "total_max"));
	else
		br_control_route_step(t, "quota",
		    "how much waits is not known without a running primd");
	return fits;
}

/* It is stored, or there is no room. */
static void answer_stored(struct br_control_route *t, bool fits,
    const char *why)
{
	if (fits)
		br_control_route_answer(t, PRIM_UNKNOWN_DELIVERY,
		    "%s: it is stored, and delivered later or its sender told",
		    why);
	else
		br_control_route_answer(t, PRIM_INTERNAL_ERROR,
		    "%s, and there is no room to store it", why);
}

/* ---- an adapter ---- */

static void tell_adapter(struct br_control_route *t, const json_t *known,
    const char *name)
{
	const char *state = json_string_value(json_object_get(known, "state"));

	if (!state) {
		br_control_route_step(t, "adapter",
		    "whether %s is up is not known without a running primd",
		    name);
		return;
	}
	br_control_route_step(t, "adapter", "%s is %s", name,
	    br_control_state_words(state));
	if (number_of(known, "waiting") > 0)
		br_control_route_step(t, "lane",
		    "%lld messages wait for it; behind those of the same "
		    "sender, recipient and conversation this one would wait",
		    number_of(known, "waiting"));
	else
		br_control_route_step(t, "lane", "nothing waits for it");
}

/* No answer in time, and nowhere to keep it. */
static void answer_no_queue(struct br_control_route *t)
{
	br_control_route_answer(t,
	    t->peer == BR_RULE_CLIENT ? PRIM_TIMEOUT : PRIM_GATEWAY_TIMEOUT,
	    "for it cannot be delivered now, and the route does not queue");
}

static void answer_adapter(struct br_control_route *t,
    const struct br_route *route, const json_t *known, bool fits)
{
	const char *later = route->queues
	    ? fits ? "101 if there is none in time, for it is stored then"
		   : "500 if there is none in time, for nothing more is stored"
	    : "407 or 504 if there is none in time, for the route does not "
	      "queue";

	if (!json_object_get(known, "up"))
		br_control_route_answer(t, 0, "if it is up, its word; %s",
		    later);
	else if (json_is_true(json_object_get(known, "up")))
		br_control_route_answer(t, 0,
		    "it would be handed over now; its word is the answer; %s",
		    later);
	else if (route->queues)
		answer_stored(t, fits, "the adapter is not up");
	else
		answer_no_queue(t);
}

void br_control_route_end_adapter(struct br_control_route *t,
    const struct br_route *route)
{
	const struct br_config_adapter *adapter =
	    &t->job->c.config->adapters[route->adapter];
	json_t *known = way_json(t, adapter);
	bool fits = true;

	tell_adapter(t, known, adapter->name);
	br_control_route_step(t, "queue", "%s",
	    route->queues ? "what cannot be delivered now is stored"
			  : "nothing is stored for this route ('queue: no')");
	if (route->queues)
		fits = tell_room(t, known);
	answer_adapter(t, route, known, fits);
	json_decref(known);
}

/* ---- an inbox ---- */

/* The places where its owner is looked for, one after the other. */
struct search {
	struct br_control_route *t;
	const json_t *known; /* of the inbox */
	unsigned count;      /* places that come into question */
	bool is_listened;    /* somebody listens */
	bool is_followed;    /* a link is the first place */
	bool is_cut_off;     /* ... and its adapter is not up */
};

static void tell_listeners(struct search *s)
{
	const json_t *listeners = json_object_get(s->known, "listeners");
	const char *nth = s->count > 0 ? "if that refuses it: " : "";

	if (!listeners)
		br_control_route_step(s->t, "inbox",
		    "%swhether somebody listens is not known without a running "
		    "primd",
		    nth);
	else
		br_control_route_step(s->t, "inbox", "%s%lld %s", nth,
		    (long long)json_integer_value(listeners),
		    s->is_listened ? "listen: they get it"
				   : "listen: nobody is there");
}

/* ", which is up" */
static void tell_follow(struct search *s, const struct br_identity *link,
    const struct br_route *way)
{
	const struct br_config *config = s->t->job->c.config;
	json_t *known = way_json(s->t, &config->adapters[way->adapter]);
	const char *state = json_string_value(json_object_get(known, "state"));

	br_control_route_step(s->t, "follow", "%sto %.*s, by adapter %.*s%s%s",
	    s->count > 0 ? "if that refuses it: " : "",
	    PRIM_SLICE_ARG(link->address), PRIM_SLICE_ARG(link->network),
	    state ? ", which is " : "",
	    state ? br_control_state_words(state) : "");
	if (s->count++ == 0) {
		s->is_followed = true;
		s->is_cut_off = json_is_false(json_object_get(known, "up"));
	}
	json_decref(known);
}

static bool tell_place(void *arg, const struct br_identity *link)
{
	struct search *s = arg;
	const struct br_route *way;

	if (!link) {
		tell_listeners(s);
		s->count += s->is_listened;
		return !s->is_listened;
	}
	way = br_router_via(s->t->job->c.router, link->network);
	if (!way)
		br_control_route_step(s->t, "follow",
		    "not to %.*s: there is no adapter %.*s any more",
		    PRIM_SLICE_ARG(link->address),
		    PRIM_SLICE_ARG(link->network));
	else if (prim_slice_eq(link->address, prim_key_slice(&s->t->from)))
		br_control_route_step(s->t, "follow",
		    "not to %.*s: it comes from there",
		    PRIM_SLICE_ARG(link->address));
	else
		tell_follow(s, link, way);
	return true;
}

static void tell_places(struct search *s)
{
	s->is_listened = number_of(s->known, "listeners") > 0;
	br_identities_order(s->t->job->c.identities, prim_key_slice(&s->t->to),
	    tell_place, s);
}

/* False: it is not kept where nobody listens. */
static bool tell_store(struct br_control_route *t)
{
	const struct br_config *config = t->job->c.config;
	bool is_kept = br_rule_is_kept(config, prim_key_slice(&t->principal),
	    prim_key_slice(&t->to));

	br_control_route_step(t, "store", "%s",
	    is_kept ? "where nobody listens it is kept for a week"
		: config->offline_store
		? "where nobody listens nothing is kept of strangers "
		  "('disclosure: hide')"
		: "where nobody listens nothing is kept ('offline_store: no')");
	return is_kept;
}

static bool tell_inbox_room(struct br_control_route *t, const json_t *known)
{
	unsigned most = t->job->c.config->limit_offline_messages;
	long long waiting = number_of(known, "waiting");

	if (json_object_get(known, "waiting"))
		br_control_route_step(t, "waiting",
		    "%lld of at most %u messages wait there", waiting, most);
	return waiting < most;
}

/* It goes along a link. */
static void answer_followed(struct br_control_route *t, const struct search *s,
    bool fits)
{
	bool queues = t->job->c.config->offline_store;

	if (s->is_cut_off && queues)
		answer_stored(t, fits, "the adapter it follows to is not up");
	else if (s->is_cut_off)
		answer_no_queue(t);
	else
		br_control_route_answer(t, 0,
		    "the word of the adapter it follows to; %s",
		    queues ? "101 if there is none in time, for it is stored "
			     "then"
			   : "407 or 504 if there is none in time");
}

/* Room in the outbox, and in the inbox. */
struct room {
	bool outbox, inbox;
};

static void answer_inbox(struct br_control_route *t, const struct search *s,
    bool is_kept, const struct room *room)
{
	bool fits = room->outbox && room->inbox;
	const char *later = !is_kept ? "408 if nobody does"
	    : fits ? "101 if nobody does, for it is stored then"
		   : "500 if nobody does, for there is no room";

	if (s->is_listened && !s->is_followed)
		br_control_route_answer(t, 0,
		    "the word of who listens, the best of several");
	else if (!json_object_get(s->known, "listeners"))
		br_control_route_answer(t, 0, "the word of who listens; %s",
		    s->is_followed ? "if nobody does, that of the adapter it "
				     "follows to"
				   : later);
	else if (s->is_followed)
		answer_followed(t, s, room->outbox);
	else if (is_kept)
		answer_stored(t, fits, "nobody is there");
	else
		br_control_route_answer(t, PRIM_INBOX_CLOSED,
		    "for nobody is there, and nothing is kept");
}

static void follow_inbox(struct br_control_route *t)
{
	json_t *known = way_json(t, NULL);
	struct search s = { .t = t, .known = known };
	struct room room;
	bool is_kept;

	tell_places(&s);
	is_kept = tell_store(t);
	room.inbox = tell_inbox_room(t, known);
	room.outbox = tell_room(t, known);
	answer_inbox(t, &s, is_kept, &room);
	json_decref(known);
}

/* The default rights; of a linked sender both must have them. */
static bool tell_rights(struct br_control_route *t)
{
	const struct br_config *config = t->job->c.config;
	struct prim_slice to = prim_key_slice(&t->to);
	bool may = br_rule_may_send(config, prim_key_slice(&t->from), to) &&
	    br_rule_may_send(config, prim_key_slice(&t->principal), to);

	br_control_route_step(t, "rights", "%s",
	    may ? "default_acl lets the sender send"
		: "default_acl does not let the sender send");
	if (!may)
		br_control_route_answer(t,
		    config->disclosure_hide ? PRIM_INBOX_CLOSED
					    : PRIM_FORBIDDEN,
		    "for the recipient does not take it from there");
	return may;
}

void br_control_route_end_inbox(struct br_control_route *t)
{
	const struct br_config *config = t->job->c.config;

	if (prim_slice_eq(prim_key_local(&t->to), PRIM_SLICE(BR_SERVICE))) {
		br_control_route_step(t, "inbox", "the bridge itself reads it");
		br_control_route_answer(t, PRIM_OK,
		    "and what the bridge says to it comes as a message");
	} else if (!t->recipient_exists) {
		br_control_route_step(t, "inbox", "there is no such account");
		br_control_route_answer(t,
		    config->disclosure_hide ? PRIM_INBOX_CLOSED
					    : PRIM_NOT_FOUND,
		    "for there is no such inbox");
	} else if (tell_rights(t)) {
		follow_inbox(t);
	}
}
