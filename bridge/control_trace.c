/* SPDX-License-Identifier: ISC */
/*
 * trace: the story of one message, from the history that lasts and from the
 * newest lines of the log, in the order of time.
 */

#include <stdlib.h>
#include <string.h>

#include "bridge/control_job.h"
#include "bridge/log.h"
#include "bridge/store.h"
#include "prim/base.h"
#include "prim/date.h"

#define EVENTS_MAX 3000

struct event {
	int64_t at_ms;
	size_t order; /* as found: what is equal in time keeps it */
	json_t *json; /* owned until it is in the answer */
};

struct trace {
	struct br_control_job *job; /* owned until it ends */
	char *id;                   /* owned: the Message-ID asked for */
	struct prim_slice needle;   /* borrowed: as the log spells it */
	size_t count;
	struct event *events; /* owned: EVENTS_MAX */
};

static void trace_put(struct trace *t, int64_t at_ms, const char *source,
    struct prim_slice text)
{
	struct prim_buf at = { 0 };
	struct event *event = &t->events[t->count];

	if (t->count == EVENTS_MAX)
		return;
	prim_date_put_3339(&at, at_ms);
	event->json = json_pack("{s:s%, s:s, s:s%}", "at", at.ptr, at.len,
	    "source", source, "text", text.ptr ? text.ptr : "", text.len);
	prim_buf_fini(&at);
	/* NULL: not UTF-8, so not from us. */
	if (!event->json)
		return;
	event->at_ms = at_ms;
	event->order = t->count++;
}

static bool is_edge(char c)
{
	return c == ' ' || c == '=' || c == ',' || c == '\n';
}

/* Does `needle` stand in `line` as a whole value? "ab" is not in "id=abc". */
static bool has_word(struct prim_slice line, struct prim_slice needle)
{
	for (size_t i = 0; i + needle.len <= line.len; i++) {
		size_t after = i + needle.len;

		if (memcmp(line.ptr + i, needle.ptr, needle.len) != 0)
			continue;
		if ((i == 0 || is_edge(line.ptr[i - 1])) &&
		    (after == line.len || is_edge(line.ptr[after])))
			return true;
	}
	return false;
}

/* "2026-11-22T07:37:48.123Z info queue: ..." */
static void on_line(void *arg, struct prim_slice line)
{
	struct trace *t = arg;
	struct prim_slice text = line;
	struct prim_slice stamp;
	int64_t at_ms;

	if (!has_word(line, t->needle))
		return;
	if (line.ptr[line.len - 1] == '\n')
		text.len--;
	stamp = prim_slice_cut(&text, ' ');
	if (prim_date_parse_3339(stamp, &at_ms))
		trace_put(t, at_ms, "log", text);
}

static int event_order(const void *a, const void *b)
{
	const struct event *x = a;
	const struct event *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void trace_end(struct trace *t)
{
	json_t *events = json_array();

	qsort(t->events, t->count, sizeof(t->events[0]), event_order);
	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(events, t->events[i].json);
	if (t->count > 0) {
		br_control_job_take_result(t->job,
		    json_pack("{s:s, s:o}", "message_id", t->id, "events",
			events));
	} else {
		json_decref(events);
		br_control_job_fail(t->job,
		    "nothing is known of a message %s; it is spelled as in the "
		    "log (id=...), and histories are forgotten two days after "
		    "the end",
		    br_quote(prim_slice_of(t->id)));
	}
	t->id = prim_free(t->id);
	t->events = prim_free(t->events);
	prim_free(t);
}

static void on_history(void *arg, const struct br_store_event *e)
{
	struct trace *t = arg;

	if (e) {
		trace_put(t, e->at_ms, "history", e->text);
		return;
	}
	/* In primctl without a server the ring is empty. */
	t->needle = prim_slice_of(br_quote(prim_slice_of(t->id)));
	br_log_search(t->needle, on_line, t);
	trace_end(t);
}

void br_control_trace(struct br_control_job *job, const json_t *request)
{
	const char *id = json_string_value(json_object_get(request,
	    "message_id"));
	struct trace *t;

	if (!*id) {
		br_control_job_fail(job, "the Message-ID is empty");
		return;
	}
	t = prim_new(struct trace);
	t->job = job;
	t->id = prim_copy(id, strlen(id));
	t->events = prim_alloc(EVENTS_MAX * sizeof(t->events[0]));
	br_store_history_find(job->c.store, prim_slice_of(t->id), on_history,
	    t);
}
