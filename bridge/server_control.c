/* SPDX-License-Identifier: ISC */
/* What a running server tells the operator. */

#include "bridge/server_control.h"

#include <string.h>

#include "bridge/metric.h"
#include "bridge/outbox.h"
#include "bridge/server.h"

static void set_number(json_t *into, const char *name, int64_t value)
{
	json_object_set_new(into, name, json_integer((json_int_t)value));
}

static struct br_host *host_named(const struct br_server *s, const char *name,
    unsigned *out_index)
{
	for (unsigned i = 0; i < s->config->adapter_count; i++) {
		*out_index = i;
		if (strcmp(br_host_name(s->hosts[i]), name) == 0)
			return s->hosts[i];
	}
	return NULL;
}

/* ---- status ---- */

static json_t *adapters_json(const struct br_server *s)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < s->config->adapter_count; i++) {
		const struct br_host *h = s->hosts[i];
		const struct br_dest *dest = br_outbox_adapter(s->outbox, i);

		json_array_append_new(all,
		    json_pack("{s:s, s:s, s:i, s:i, s:i}", "name",
			br_host_name(h), "state", br_host_state(h), "pid",
			br_host_pid(h), "deaths", (int)br_host_deaths(h),
			"waiting", (int)dest->row_count));
	}
	return all;
}

static int64_t age_s(const struct br_server *s, int64_t at)
{
	return at && at < br_server_now(s) ? (br_server_now(s) - at) / 1000 : 0;
}

static int64_t oldest_s(const struct br_server *s)
{
	return age_s(s, br_outbox_oldest_ms(s->outbox));
}

void br_server_status(struct br_server *s, json_t *into)
{
	set_number(into, "uptime_s", (br_server_now(s) - s->started_ms) / 1000);
	set_number(into, "connections", s->conn_count);
	set_number(into, "outbox", (int64_t)br_outbox_rows(s->outbox));
	set_number(into, "oldest_s", oldest_s(s));
	set_number(into, "quarantined",
	    br_metric_get(BR_METRIC_OUTBOX_QUARANTINED));
	json_object_set_new(into, "adapters", adapters_json(s));
}

void br_server_gauges(struct br_server *s)
{
	struct br_outbox_depth depth;

	br_metric_set(BR_METRIC_OUTBOX_ROWS,
	    (int64_t)br_outbox_rows(s->outbox));
	br_metric_set(BR_METRIC_OUTBOX_OLDEST_S, oldest_s(s));
	br_outbox_inbox_depth(s->outbox, &depth);
	br_metric_destination_set("inbox", (int64_t)depth.messages,
	    age_s(s, depth.oldest_ms));
	for (unsigned i = 0; i < s->config->adapter_count; i++) {
		br_outbox_depth(s->outbox, i, &depth);
		br_metric_destination_set(br_outbox_adapter(s->outbox, i)->name,
		    (int64_t)depth.messages, age_s(s, depth.oldest_ms));
	}
}

/* ---- rows ---- */

static void tell_position(const struct br_row *row, json_t *into)
{
	const struct br_row *each;
	int64_t position = 0, count = 0;

	TAILQ_FOREACH(each, &row->lane->rows, link) {
		count++;
		if (each == row)
			position = count;
	}
	set_number(into, "position", position);
	set_number(into, "lane", count);
}

void br_server_outbox_state(struct br_server *s, int64_t seq, bool in_detail,
    json_t *into)
{
	const struct br_row *row = br_outbox_find(s->outbox, seq);
	int64_t wait;

	if (!row)
		return;
	json_object_set_new(into, "under_way", json_boolean(row->transit));
	if (!row->transit && prim_timer_is_set(&row->lane->retry)) {
		wait = row->lane->retry_ms - br_server_now(s);
		set_number(into, "next_try_in_s", wait > 0 ? wait / 1000 : 0);
	}
	if (in_detail)
		tell_position(row, into);
}

/* ---- ways ---- */

void br_server_canonical(struct br_server *s, const char *network,
    struct prim_slice uri, br_host_canonical_fn fn, void *arg)
{
	unsigned index;
	struct br_host *h = host_named(s, network, &index);

	if (h)
		br_host_canonical(h, uri, fn, arg);
	else
		fn(arg, NULL, "there is no such adapter");
}

static void tell_inbox(struct br_server *s, struct prim_slice key, json_t *into)
{
	const struct br_entity *e = br_entity_find(s->entities, key);
	const struct br_dest *dest = br_outbox_inbox_find(s->outbox, key);

	set_number(into, "listeners", e ? e->inbox.listener_count : 0);
	set_number(into, "waiting", dest ? dest->row_count : 0);
}

void br_server_route_state(struct br_server *s,
    const struct br_control_way *way, json_t *into)
{
	struct br_outbox_quota quota;
	unsigned index;
	struct br_host *h = way->adapter
	    ? host_named(s, way->adapter->name, &index)
	    : NULL;

	if (h) {
		json_object_set_new(into, "up", json_boolean(br_host_is_up(h)));
		json_object_set_new(into, "state",
		    json_string(br_host_state(h)));
		set_number(into, "waiting",
		    br_outbox_adapter(s->outbox, index)->row_count);
	} else {
		tell_inbox(s, way->to, into);
	}
	br_outbox_quota(s->outbox, way->from, &quota);
	set_number(into, "queued", (int64_t)quota.messages);
	set_number(into, "queued_max", (int64_t)quota.messages_max);
	set_number(into, "total", (int64_t)quota.total);
	set_number(into, "total_max", (int64_t)quota.total_max);
}
