/* SPDX-License-Identifier: ISC */
/* outbox list: what waits, and how it fares, page by page. */

#include "bridge/control_outbox.h"

#include <string.h>

#include "bridge/config.h"
#include "bridge/destination.h"
#include "prim/base.h"
#include "prim/status.h"

#define PAGE_ROWS     500
#define PAGE_SEARCHED 4000 /* rows looked through for one address */

/* ---- one message ---- */

bool br_control_outbox_id(struct br_control_job *job, const json_t *request,
    int64_t *out_seq)
{
	const char *text = json_string_value(json_object_get(request, "id"));
	struct br_control_echo room;
	uint64_t seq = 0;

	if (prim_slice_number(prim_slice_of(text), INT64_MAX, &seq) &&
	    seq > 0) {
		*out_seq = (int64_t)seq;
		return true;
	}
	br_control_job_fail(job,
	    "'%s' is not the ID of a message; 'primctl outbox list' shows them "
	    "in its first column, 'primctl trace' is for Message-IDs",
	    br_control_echo(&room, text));
	return false;
}

void br_control_outbox_fail_absent(struct br_control_job *job, int64_t seq)
{
	br_control_job_fail(job,
	    "there is no message %lld in the outbox: it has ended, or never "
	    "was; 'primctl outbox list' shows those there are",
	    (long long)seq);
}

bool br_control_outbox_is_for_inbox(const struct br_store_message *m)
{
	return br_destination_is_inbox(m->destination);
}

/* What was heard last, in words; or what keeps it. */
static json_t *why_json(const struct br_store_message *m, const char *waits_for)
{
	/* That the link was lost is the least of it then. */
	if (strcmp(waits_for, "adapter") == 0 && !m->last_code)
		return json_string("its adapter does not run");
	if (m->last_reason.len > 0)
		return br_control_text_json(m->last_reason);
	if (m->last_code)
		return json_string(prim_status_phrase(m->last_code));
	if (strcmp(waits_for, "link") == 0)
		return json_string("its adapter is cut off");
	if (strcmp(waits_for, "listener") == 0)
		return json_string("nobody listens");
	return json_string(m->attempts > 0 ? "no word of it yet"
					   : "not tried yet");
}

json_t *br_control_outbox_live(const struct br_control *c, int64_t seq,
    bool in_detail)
{
	json_t *live = json_object();

	if (c->ops && c->ops->outbox_state)
		c->ops->outbox_state(c->ctx, seq, in_detail, live);
	return live;
}

static const char *state_of(const struct br_store_message *m,
    const json_t *live)
{
	if (m->is_quarantined)
		return "quarantined";
	return json_is_true(json_object_get(live, "under_way")) ? "under way"
								: "waiting";
}

static const struct br_config_adapter *
adapter_find(const struct br_config *config, struct prim_slice name)
{
	for (size_t i = 0; i < config->adapter_count; i++) {
		if (prim_slice_eq(name,
			prim_slice_of(config->adapters[i].name)))
			return &config->adapters[i];
	}
	return NULL;
}

/* What is up, or will be as soon as its network lets it. */
static bool is_running(const json_t *known)
{
	const char *state = json_string_value(json_object_get(known, "state"));

	return !state || strcmp(state, "ready") == 0;
}

/* What a way to `m` lacks, as the running server knows it; NULL: nothing. */
static const char *lacking(const struct br_control *c,
    const struct br_store_message *m)
{
	const bool is_for_inbox = br_control_outbox_is_for_inbox(m);
	const struct br_control_way way = {
		.adapter = adapter_find(c->config,
		    br_destination_adapter(m->destination)),
		.from = m->sender,
		.to = m->recipient,
	};
	const char *what = NULL;
	json_t *known;

	if (!is_for_inbox && !way.adapter)
		return NULL;
	known = json_object();
	if (c->ops->route_state)
		c->ops->route_state(c->ctx, &way, known);
	if (is_for_inbox &&
	    json_integer_value(json_object_get(known, "listeners")) == 0)
		what = "listener";
	else if (json_is_false(json_object_get(known, "up")))
		what = is_running(known) ? "link" : "adapter";
	json_decref(known);
	return what;
}

/* The same, or what it waits for without a server; NULL: a time, or its turn. */
static const char *hindrance(const struct br_control *c,
    const struct br_store_message *m, int64_t now_ms)
{
	if (c->ops)
		return lacking(c, m);
	if (br_control_outbox_is_for_inbox(m))
		return "listener";
	return m->next_try_ms <= now_ms ? "primd" : NULL;
}

/* When it is tried again, or what it waits for. */
static void add_next_try(json_t *into, const struct br_control *c,
    const struct br_store_message *m, const json_t *live, int64_t now_ms)
{
	json_t *known = json_object_get(live, "next_try_in_s");
	const char *waits_for;

	if (m->is_quarantined ||
	    json_is_true(json_object_get(live, "under_way")))
		return;
	waits_for = hindrance(c, m, now_ms);
	if (!waits_for && !known && m->next_try_ms <= 0)
		waits_for = "turn";
	if (waits_for)
		json_object_set_new(into, "waits_for", json_string(waits_for));
	else if (known)
		json_object_set(into, "next_try_in_s", known);
	else
		json_object_set_new(into, "next_try_in_s",
		    br_control_left_json(m->next_try_ms, now_ms));
}

json_t *br_control_outbox_json(const struct br_control *c,
    const struct br_store_message *m, const json_t *live, int64_t now_ms)
{
	json_t *json = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, "
				 "s:i, s:I}",
	    "id", (json_int_t)m->seq, "state", state_of(m, live), "from",
	    br_control_text_json(m->sender), "to",
	    br_control_text_json(m->recipient), "via",
	    br_control_text_json(br_destination_via(m->destination)),
	    "message_id", br_control_text_json(m->message_id), "accepted",
	    br_control_time_json(m->accepted_ms), "age_s",
	    br_control_left_json(now_ms, m->accepted_ms), "tries",
	    (int)m->attempts, "octets", (json_int_t)m->octets);
	const char *waits_for;

	if (m->target.len > 0)
		json_object_set_new(json, "target",
		    br_control_text_json(m->target));
	add_next_try(json, c, m, live, now_ms);
	if (m->last_code)
		json_object_set_new(json, "last_code",
		    json_integer(m->last_code));
	waits_for = json_string_value(json_object_get(json, "waits_for"));
	json_object_set_new(json, "why",
	    why_json(m, waits_for ? waits_for : ""));
	return json;
}

/* ---- outbox list ---- */

struct page {
	struct br_control_job *job; /* owned until it ends */
	json_t *messages;           /* owned until it ends */
	struct prim_key of;         /* only from it or for it; empty: all */
	unsigned max, seen;         /* rows */
	bool is_first;
	int64_t now_ms;
	/* Where the next page begins, and what was counted so far. */
	int64_t last;
	uint64_t waiting, quarantined;
};

/* "17 3 1": the last one, and the counts. Empty: the first page. */
static bool mark_parse(struct prim_slice mark, struct page *p)
{
	uint64_t last = 0;

	p->is_first = mark.len == 0;
	if (p->is_first)
		return true;
	if (!prim_slice_number(prim_slice_cut(&mark, ' '), INT64_MAX, &last) ||
	    !prim_slice_number(prim_slice_cut(&mark, ' '), INT64_MAX,
		&p->waiting) ||
	    !prim_slice_number(mark, INT64_MAX, &p->quarantined))
		return false;
	p->last = (int64_t)last;
	return true;
}

static json_t *mark_json(const struct page *p)
{
	struct prim_buf b = { 0 };
	json_t *json;

	prim_buf_putf(&b, "%lld %llu %llu", (long long)p->last,
	    (unsigned long long)p->waiting, (unsigned long long)p->quarantined);
	json = br_control_text_json(prim_buf_slice(&b));
	prim_buf_fini(&b);
	return json;
}

static void page_end(struct page *p, bool failed)
{
	json_t *result;

	if (failed) {
		json_decref(p->messages);
		br_control_job_fail_read(p->job);
		prim_free(p);
		return;
	}
	result = json_pack("{s:o, s:b}", "messages", p->messages, "first",
	    p->is_first);
	if (p->seen > p->max) {
		json_object_set_new(result, "after", mark_json(p));
	} else {
		json_object_set_new(result, "waiting",
		    json_integer((json_int_t)p->waiting));
		json_object_set_new(result, "quarantined",
		    json_integer((json_int_t)p->quarantined));
	}
	if (p->of.len > 0)
		json_object_set_new(result, "address",
		    br_control_text_json(prim_key_slice(&p->of)));
	if (p->seen <= p->max && p->waiting + p->quarantined == 0)
		br_control_job_take_result_of(p->job, &p->of, result);
	else
		br_control_job_take_result(p->job, result);
	prim_free(p);
}

static bool is_wanted(const struct page *p, const struct br_store_message *m)
{
	struct prim_slice of = prim_key_slice(&p->of);

	return of.len == 0 || prim_slice_eq(m->sender, of) ||
	    prim_slice_eq(m->recipient, of) || prim_slice_eq(m->target, of);
}

/* One more than a page is asked for: is there a next one? */
static void on_listed(void *arg, const struct br_store_message *m, bool failed)
{
	struct page *p = arg;
	json_t *live;

	if (!m) {
		page_end(p, failed);
		return;
	}
	if (++p->seen > p->max)
		return;
	p->last = m->seq;
	if (!is_wanted(p, m))
		return;
	if (m->is_quarantined)
		p->quarantined++;
	else
		p->waiting++;
	live = br_control_outbox_live(&p->job->c, m->seq, false);
	json_array_append_new(p->messages,
	    br_control_outbox_json(&p->job->c, m, live, p->now_ms));
	json_decref(live);
}

void br_control_outbox_list(struct br_control_job *job, const json_t *request)
{
	struct page *p = prim_new(struct page);
	struct prim_address address;

	if (*json_string_value(json_object_get(request, "address"))) {
		if (!br_control_job_address(job, request, &address)) {
			prim_free(p);
			return;
		}
		prim_address_key(&address, &p->of);
	}
	if (!mark_parse(prim_slice_of(json_string_value(json_object_get(request,
			    "after"))),
		p)) {
		br_control_job_fail(job,
		    "\"after\" is not what the page before said");
		prim_free(p);
		return;
	}
	p->job = job;
	p->messages = json_array();
	p->max = p->of.len > 0 ? PAGE_SEARCHED : PAGE_ROWS;
	p->now_ms = br_control_now(&p->job->c);
	br_store_message_page(job->c.store, p->last, p->max + 1, on_listed, p);
}
