/* SPDX-License-Identifier: ISC */
/* outbox show: all about one message. */

#include <string.h>

#include "bridge/control_outbox.h"
#include "prim/base.h"

#define BODY_MAX (1 << 20) /* octets of a body that are shown */

struct look {
	struct br_control_job *job; /* owned until it ends */
	json_t *result;             /* owned until it ends; or NULL */
	int64_t seq;
	bool with_body;
};

/* Each line of the head; what is behind the last CRLF is nothing. */
static json_t *headers_json(struct prim_slice head)
{
	json_t *lines = json_array();

	while (head.len > 0) {
		struct prim_slice line = prim_slice_cut(&head, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		json_array_append_new(lines, br_control_text_json(line));
	}
	return lines;
}

/* What its sender asked to be told. */
static json_t *reports_json(unsigned reports)
{
	json_t *names = json_array();

	if (reports & BR_REPORT_POSITIVE)
		json_array_append_new(names, json_string("delivery"));
	if (reports & BR_REPORT_NEGATIVE)
		json_array_append_new(names, json_string("failure"));
	if (reports & BR_REPORT_PROCESSING)
		json_array_append_new(names, json_string("delay"));
	return names;
}

/* Those who refused it before. */
static json_t *tried_json(struct prim_slice tried)
{
	json_t *names = json_array();

	while (tried.len > 0)
		json_array_append_new(names,
		    br_control_text_json(prim_slice_cut(&tried, '\n')));
	return names;
}

static json_t *delivery_json(const struct br_store_message *m)
{
	struct prim_buf b = { 0 };
	json_t *json;

	prim_buf_put_hex(&b, m->delivery.octets, sizeof(m->delivery.octets));
	json = json_stringn(b.ptr, b.len);
	prim_buf_fini(&b);
	return json;
}

/* Cut between characters. */
static struct prim_slice body_start(struct prim_slice body)
{
	if (body.len <= BODY_MAX)
		return body;
	body.len = BODY_MAX;
	while (body.len > BODY_MAX - 4 && (body.ptr[body.len] & 0xC0) == 0x80)
		body.len--;
	return body;
}

static void add_details(json_t *into, const struct br_store_message *m,
    int64_t now_ms)
{
	json_object_set_new(into, "destination",
	    br_control_text_json(m->destination));
	json_object_set_new(into, "origin", br_control_text_json(m->origin));
	json_object_set_new(into, "delivery", delivery_json(m));
	json_object_set_new(into, "hops", json_integer(m->hops));
	json_object_set_new(into, "expires",
	    br_control_time_json(m->expires_ms));
	json_object_set_new(into, "expires_in_s",
	    br_control_left_json(m->expires_ms, now_ms));
	json_object_set_new(into, "deaths", json_integer(m->deaths));
	json_object_set_new(into, "is_notice", json_boolean(m->is_notice));
	json_object_set_new(into, "told", json_boolean(m->is_told));
	json_object_set_new(into, "can_be_told",
	    json_boolean(m->notice_from.len > 0));
	json_object_set_new(into, "reports", reports_json(m->reports));
	json_object_set_new(into, "refused_by", tried_json(m->tried));
	if (m->delay_notice_ms > 0)
		json_object_set_new(into, "delay_told_in_s",
		    br_control_left_json(m->delay_notice_ms, now_ms));
}

static json_t *detailed_json(const struct look *l,
    const struct br_store_message *m)
{
	int64_t now_ms = br_control_now(&l->job->c);
	json_t *live = br_control_outbox_live(&l->job->c, m->seq, true);
	json_t *json = br_control_outbox_json(&l->job->c, m, live, now_ms);

	add_details(json, m, now_ms);
	if (json_object_get(live, "position"))
		json_object_set(json, "position",
		    json_object_get(live, "position"));
	if (json_object_get(live, "lane"))
		json_object_set(json, "lane", json_object_get(live, "lane"));
	json_decref(live);
	return json;
}

static void look_end(struct look *l, bool failed)
{
	if (failed)
		br_control_job_fail_read(l->job);
	else if (!l->result)
		br_control_outbox_fail_absent(l->job, l->seq);
	else
		br_control_job_take_result(l->job, l->result);
	if (failed)
		json_decref(l->result);
	prim_free(l);
}

/* What is damaged may still say where it belongs. */
static void on_row(void *arg, const struct br_store_message *m, bool failed)
{
	struct look *l = arg;

	if (!m) {
		look_end(l, failed);
		return;
	}
	if (m->seq != l->seq)
		return;
	l->result = detailed_json(l, m);
	json_object_set_new(l->result, "damaged", json_true());
}

static void on_message(void *arg, const struct br_store_message *m, bool failed)
{
	struct look *l = arg;
	struct prim_slice body;

	(void)failed;
	if (!m) {
		br_store_message_page(l->job->c.store, l->seq - 1, 1, on_row,
		    l);
		return;
	}
	l->result = detailed_json(l, m);
	json_object_set_new(l->result, "headers", headers_json(m->head));
	json_object_set_new(l->result, "body_octets",
	    json_integer((json_int_t)m->body.len));
	if (l->with_body) {
		body = body_start(m->body);
		json_object_set_new(l->result, "body",
		    br_control_text_json(body));
		json_object_set_new(l->result, "body_is_cut",
		    json_boolean(body.len < m->body.len));
	}
	look_end(l, false);
}

void br_control_outbox_show(struct br_control_job *job, const json_t *request)
{
	const char *body = json_string_value(json_object_get(request, "body"));
	struct look *l;
	int64_t seq;

	if (!br_control_outbox_id(job, request, &seq))
		return;
	l = prim_new(struct look);
	l->job = job;
	l->seq = seq;
	l->with_body = strcmp(body, "yes") == 0;
	br_store_message_get(job->c.store, seq, on_message, l);
}
