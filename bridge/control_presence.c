/* SPDX-License-Identifier: ISC */
/* presence show: what is stored of one principal's presence. */

#include <string.h>

#include "bridge/control_job.h"
#include "bridge/store.h"
#include "prim/base.h"
#include "prim/pidf.h"

struct presence {
	struct br_control_job *job; /* owned until it ends */
	char *address;              /* owned: as it was asked for */
	int64_t now_ms;
	struct prim_pidf *document; /* owned; used for each in turn */
};

static const struct {
	enum prim_activity activity;
	const char *name;
} ACTIVITIES[] = {
	{PRIM_ACTIVITY_AWAY,  "away"},
	{ PRIM_ACTIVITY_XA,   "xa"  },
	{ PRIM_ACTIVITY_BUSY, "busy"},
};

static json_t *activities_json(const struct prim_pidf *document,
    const struct prim_pidf_tuple *t)
{
	json_t *names = json_array();

	for (size_t i = 0; i < PRIM_COUNT(ACTIVITIES); i++)
		if ((document->activities | t->activities) &
		    (unsigned)ACTIVITIES[i].activity)
			json_array_append_new(names,
			    json_string(ACTIVITIES[i].name));
	return names;
}

static void add_notes(json_t *into, const struct prim_pidf_note *notes,
    unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(into,
		    br_control_text_json(notes[i].text));
}

/* What one tuple of a document says. */
static json_t *state_json(const struct prim_pidf *document,
    const struct prim_pidf_tuple *t)
{
	json_t *notes = json_array();

	add_notes(notes, t->notes, t->note_count);
	return json_pack("{s:o, s:s, s:o, s:o, s:o}", "id",
	    br_control_text_json(t->id), "basic", prim_basic_name(t->basic),
	    "show", br_control_text_json(t->show), "activities",
	    activities_json(document, t), "notes", notes);
}

/* Adds what can be read of the body: "states" and "notes", or why not. */
static void add_document(const struct presence *p,
    const struct br_store_value *v, json_t *into)
{
	const char *why = "it cannot be read";
	json_t *states;
	json_t *notes;

	if (!prim_presence_parse(p->document, v->type, v->body, v->tuple_id,
		&why)) {
		json_object_set_new(into, "unreadable",
		    json_string(why ? why : "it cannot be read"));
		return;
	}
	states = json_array();
	notes = json_array();
	for (unsigned i = 0; i < p->document->tuple_count; i++)
		json_array_append_new(states,
		    state_json(p->document, &p->document->tuples[i]));
	add_notes(notes, p->document->notes, p->document->note_count);
	json_object_set_new(into, "states", states);
	json_object_set_new(into, "notes", notes);
}

static json_t *value_json(const struct presence *p,
    const struct br_store_value *v)
{
	json_t *json = json_pack("{s:o, s:I, s:o}", "type",
	    br_control_text_json(v->type), "octets", (json_int_t)v->body.len,
	    "published", br_control_time_json(v->at_ms));

	if (v->is_lease) {
		json_object_set_new(json, "ends",
		    br_control_time_json(v->expires_ms));
		json_object_set_new(json, "ends_in_s",
		    br_control_left_json(v->expires_ms, p->now_ms));
	}
	add_document(p, v, json);
	return json;
}

/* The tuple `id` in `tuples`, made when it is not there. Borrowed. */
static json_t *tuple_in(json_t *tuples, json_t *id)
{
	json_t *tuple;
	size_t i;

	json_array_foreach(tuples, i, tuple)
	{
		if (json_equal(json_object_get(tuple, "id"), id))
			return tuple;
	}
	tuple = json_pack("{s:O}", "id", id);
	json_array_append_new(tuples, tuple);
	return tuple;
}

static json_t *tuples_json(const struct presence *p,
    const struct br_store_principal *principal)
{
	json_t *tuples = json_array();

	for (size_t i = 0; i < principal->value_count; i++) {
		const struct br_store_value *v = &principal->values[i];
		json_t *id = br_control_text_json(v->tuple_id);
		json_t *tuple = tuple_in(tuples, id);

		json_object_set_new(tuple, v->is_lease ? "leased" : "permanent",
		    value_json(p, v));
		json_decref(id);
	}
	return tuples;
}

static void presence_free(struct presence *p)
{
	prim_pidf_fini(p->document);
	p->document = prim_free(p->document);
	p->address = prim_free(p->address);
	prim_free(p);
}

static void on_principal(void *arg, const struct br_store_principal *principal,
    bool failed)
{
	struct presence *p = arg;

	if (failed)
		br_control_job_fail_read(p->job);
	else if (!principal->account)
		br_control_job_fail(p->job,
		    "there is no account %s, and presence is kept for accounts "
		    "only; 'primctl account list' shows those there are",
		    p->address);
	else
		br_control_job_take_result(p->job,
		    json_pack("{s:s, s:o, s:I}", "address", p->address,
			"tuples", tuples_json(p, principal), "watchers",
			(json_int_t)principal->subscription_count));
	presence_free(p);
}

void br_control_presence_show(struct br_control_job *job, const json_t *request)
{
	struct presence *p;
	struct prim_address address;
	struct prim_key key;

	if (!br_control_job_address(job, request, &address))
		return;
	prim_address_key(&address, &key);
	p = prim_new(struct presence);
	p->job = job;
	p->address = prim_copy(address.local.ptr,
	    (size_t)(address.domain.ptr + address.domain.len -
		address.local.ptr));
	p->now_ms = br_control_now(&p->job->c);
	p->document = prim_new(struct prim_pidf);
	br_store_principal_find(job->c.store, prim_key_slice(&key),
	    on_principal, p);
}
