/* SPDX-License-Identifier: ISC */
/* link add, remove, verify, list and order. */

#include <string.h>

#include "bridge/control_job.h"
#include "bridge/identity.h"
#include "bridge/store.h"
#include "prim/base.h"

#define LIST_MAX 100000 /* links in one answer */
#define USUAL    "usual"

/* A change to a link, or to an order. */
struct linking {
	struct br_control_job *job; /* owned until it ends */
	struct prim_key principal, address;
	char *code;                     /* owned; or NULL */
	void (*run)(struct linking *l); /* once `address` is known */
	void (*add_result)(const struct linking *l, json_t *into);
};

static struct linking *linking_new(struct br_control_job *job,
    const json_t *request)
{
	struct linking *l = prim_new(struct linking);

	l->job = job;
	if (br_control_job_key(job, request, "address", &l->principal))
		return l;
	prim_free(l);
	return NULL;
}

static void linking_free(struct linking *l)
{
	l->code = prim_free(l->code);
	prim_free(l);
}

/* ---- their ends ---- */

static void on_done(void *arg, const char *why)
{
	struct linking *l = arg;
	json_t *result;

	if (why) {
		br_control_job_fail(l->job, "%s", why);
	} else {
		result = json_pack("{s:o}", "address",
		    br_control_text_json(prim_key_slice(&l->principal)));
		l->add_result(l, result);
		br_control_job_take_result(l->job, result);
	}
	linking_free(l);
}

static void add_foreign(const struct linking *l, json_t *into)
{
	json_object_set_new(into, "foreign",
	    br_control_text_json(prim_key_slice(&l->address)));
}

static bool each_place(void *arg, const struct br_identity *link)
{
	json_array_append_new(arg,
	    link ? br_control_text_json(link->address) : json_string("prim"));
	return true;
}

static json_t *order_json(const struct br_control *c,
    struct prim_slice principal)
{
	json_t *places = json_array();

	br_identities_order(c->identities, principal, each_place, places);
	return places;
}

/* With a link that is verified now: whether anything goes there. */
static void add_linked(const struct linking *l, json_t *into)
{
	json_t *places = order_json(&l->job->c, prim_key_slice(&l->principal));
	json_t *foreign = br_control_text_json(prim_key_slice(&l->address));
	bool is_named = false;
	json_t *place;
	size_t i;

	json_array_foreach(places, i, place)
	    is_named = is_named || json_equal(place, foreign);
	json_object_set_new(into, "in_order", json_boolean(is_named));
	json_object_set_new(into, "foreign", foreign);
	json_decref(places);
}

static void add_order(const struct linking *l, json_t *into)
{
	json_object_set_new(into, "order",
	    order_json(&l->job->c, prim_key_slice(&l->principal)));
}

/* ---- the foreign address, as its network spells it ---- */

struct search {
	struct prim_slice address;
	bool is_found;
};

static void each_sought(void *arg, const struct br_identity *link)
{
	struct search *search = arg;

	if (prim_slice_eq(link->address, search->address))
		search->is_found = true;
}

/* Is there such a link, asked or verified? */
static bool is_known(const struct linking *l)
{
	struct search search = { .address = prim_key_slice(&l->address) };

	br_identities_each(l->job->c.identities, prim_key_slice(&l->principal),
	    each_sought, &search);
	return search.is_found;
}

/* Is the adapter that could not say it away, and may come back? */
static bool is_away(const struct linking *l)
{
	const struct br_control *c = &l->job->c;
	const struct br_route *route = br_router_find(c->router,
	    prim_key_domain(&l->address));
	const struct br_control_way way = {
		.adapter = route ? &c->config->adapters[route->adapter] : NULL,
		.from = prim_key_slice(&l->principal),
		.to = prim_key_slice(&l->address),
	};
	json_t *known = json_object();
	bool is_it;

	if (c->ops->route_state)
		c->ops->route_state(c->ctx, &way, known);
	is_it = json_is_false(json_object_get(known, "up"));
	json_decref(known);
	return is_it;
}

static void on_canonical(void *arg, const struct prim_key *key, const char *why)
{
	struct linking *l = arg;

	if (key) {
		l->address = *key;
		l->run(l);
	} else {
		br_control_job_fail(l->job, "%s; nothing was changed%s", why,
		    is_away(l) ? "; try again when 'primctl status' shows it "
				 "up"
			       : "");
		linking_free(l);
	}
}

/* The adapter that has the domain of the address; NULL: none. */
static const char *network_of(const struct linking *l)
{
	const struct br_control *c = &l->job->c;
	const struct br_route *route = br_router_find(c->router,
	    prim_key_domain(&l->address));

	return route && route->kind == BR_ROUTE_ADAPTER
	    ? c->config->adapters[route->adapter].name
	    : NULL;
}

/* Where nobody can say how the network spells it, it is taken as it is. */
static void canonicalize(struct linking *l)
{
	const struct br_control *c = &l->job->c;
	const char *network = network_of(l);
	struct prim_buf uri = { 0 };

	/* Without an escape every network spells it as its key does. */
	if (network && !c->ops &&
	    prim_slice_find(prim_key_slice(&l->address), '%') >= 0) {
		on_done(l,
		    "only its adapter knows how the network spells such an "
		    "address, and without a running primd it cannot be asked; "
		    "start primd and try again");
		return;
	}
	if (!network || !c->ops || !c->ops->canonical) {
		l->run(l);
		return;
	}
	prim_buf_puts(&uri, "im:");
	prim_buf_put(&uri, prim_key_slice(&l->address));
	c->ops->canonical(c->ctx, network, prim_buf_slice(&uri), on_canonical,
	    l);
	prim_buf_fini(&uri);
}

static struct linking *foreign_new(struct br_control_job *job,
    const json_t *request)
{
	struct linking *l = linking_new(job, request);

	if (!l)
		return NULL;
	l->add_result = add_foreign;
	if (br_control_job_key(job, request, "foreign", &l->address))
		return l;
	linking_free(l);
	return NULL;
}

/* ---- add, remove, verify ---- */

static void add_run(struct linking *l)
{
	const struct br_identity_wish wish = {
		.principal = prim_key_slice(&l->principal),
		.address = prim_key_slice(&l->address),
		.side = BR_SIDE_OPERATOR,
	};

	br_identity_ask(l->job->c.identities, &wish, NULL, on_done, l);
}

void br_control_link_add(struct br_control_job *job, const json_t *request)
{
	struct linking *l = foreign_new(job, request);

	if (!l)
		return;
	l->run = add_run;
	l->add_result = add_linked;
	canonicalize(l);
}

static void remove_run(struct linking *l)
{
	br_identity_remove(l->job->c.identities, prim_key_slice(&l->principal),
	    prim_key_slice(&l->address), on_done, l);
}

static void verify_run(struct linking *l)
{
	const struct br_identity_answer answer = {
		.principal = prim_key_slice(&l->principal),
		.address = prim_key_slice(&l->address),
		.code = prim_slice_of(l->code),
		.side = BR_SIDE_OPERATOR,
	};

	br_identity_verify(l->job->c.identities, &answer, on_done, l);
}

/* What is known needs no network: its adapter may be gone for good. */
static void run_known(struct linking *l, void (*run)(struct linking *l))
{
	l->run = run;
	if (is_known(l))
		run(l);
	else
		canonicalize(l);
}

void br_control_link_remove(struct br_control_job *job, const json_t *request)
{
	struct linking *l = foreign_new(job, request);

	if (l)
		run_known(l, remove_run);
}

void br_control_link_verify(struct br_control_job *job, const json_t *request)
{
	struct linking *l = foreign_new(job, request);

	if (!l)
		return;
	l->add_result = add_linked;
	l->code = prim_slice_copy(
	    prim_slice_of(json_string_value(json_object_get(request, "code"))));
	run_known(l, verify_run);
}

/* ---- order ---- */

static void on_account(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct linking *l = arg;

	if (account) {
		on_done(l, NULL);
		return;
	}
	if (failed)
		br_control_job_fail_read(l->job);
	else
		br_control_job_fail_account(l->job,
		    prim_key_slice(&l->principal));
	linking_free(l);
}

/* Is "usual" one word among others, where it means nothing? */
static bool is_unusual(struct prim_slice words)
{
	bool has_usual = false;
	unsigned count = 0;

	while (words.len > 0) {
		struct prim_slice word = prim_slice_cut(&words, ' ');

		count += word.len > 0;
		has_usual = has_usual || prim_slice_eq(word, PRIM_SLICE(USUAL));
	}
	return has_usual && count > 1;
}

void br_control_link_order(struct br_control_job *job, const json_t *request)
{
	struct prim_slice words = prim_slice_trim(prim_slice_of(
	    json_string_value(json_object_get(request, "order"))));
	struct linking *l = linking_new(job, request);

	if (!l)
		return;
	l->add_result = add_order;
	if (words.len == 0) {
		br_store_account_find(job->c.store,
		    prim_key_slice(&l->principal), on_account, l);
		return;
	}
	if (is_unusual(words)) {
		on_done(l,
		    "'" USUAL "' stands alone: it brings back the usual order, "
		    "'prim' and then the links as they were verified");
		return;
	}
	if (prim_slice_eq(words, PRIM_SLICE(USUAL)))
		words = PRIM_SLICE_NONE;
	br_identity_order_set(job->c.identities, prim_key_slice(&l->principal),
	    words, on_done, l);
}

/* ---- list ---- */

static json_t *link_json(const struct br_identity *link)
{
	bool verified = link->verified_ms > 0;
	json_t *json = json_pack("{s:o, s:o, s:o, s:s, s:o}", "address",
	    br_control_text_json(link->principal), "foreign",
	    br_control_text_json(link->address), "network",
	    br_control_text_json(link->network), "state",
	    verified ? "verified" : "asked", "since",
	    br_control_time_json(verified ? link->verified_ms : link->made_ms));

	if (verified)
		json_object_set_new(json, "how",
		    br_control_text_json(link->how));
	return json;
}

static void each_listed(void *arg, const struct br_identity *link)
{
	json_t *result = arg;
	json_t *links = json_object_get(result, "links");

	if (json_array_size(links) < LIST_MAX)
		json_array_append_new(links, link_json(link));
	else
		json_object_set_new(result, "truncated", json_true());
}

void br_control_link_list(struct br_control_job *job, const json_t *request)
{
	struct prim_key key = { 0 };
	json_t *result;

	if (*json_string_value(json_object_get(request, "address")) &&
	    !br_control_job_key(job, request, "address", &key))
		return;
	result = json_pack("{s:[], s:b}", "links", "truncated", 0);
	br_identities_each(job->c.identities, prim_key_slice(&key), each_listed,
	    result);
	if (key.len > 0) {
		json_object_set_new(result, "address",
		    br_control_text_json(prim_key_slice(&key)));
		json_object_set_new(result, "order",
		    order_json(&job->c, prim_key_slice(&key)));
	}
	if (json_array_size(json_object_get(result, "links")) > 0)
		br_control_job_take_result(job, result);
	else
		br_control_job_take_result_of(job, &key, result);
}
