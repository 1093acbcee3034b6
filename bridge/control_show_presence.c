/* SPDX-License-Identifier: ISC */
/* presence show and subscription list as a person wants to read them. */

#include <string.h>

#include "bridge/control_show.h"
#include "prim/base.h"

/* "ends 2026-11-22T10:00:00Z (in 4m10s)", in whole seconds. */
static void show_end(FILE *out, const json_t *object)
{
	long long left = json_integer_value(json_object_get(object,
	    "ends_in_s"));

	fprintf(out, "%s %.19sZ (", left < 0 ? "ended" : "ends",
	    br_control_show_text_of(object, "ends"));
	if (left >= 0)
		fprintf(out, "in ");
	br_control_show_span(out, left < 0 ? -left : left);
	fprintf(out, "%s)", left < 0 ? " ago" : "");
}

static void show_notes(FILE *out, const json_t *object)
{
	const json_t *note;
	size_t i;

	json_array_foreach(json_object_get(object, "notes"), i, note)
	{
		fprintf(out, " \"");
		br_control_show_visible(out, json_string_value(note));
		fprintf(out, "\"");
	}
}

/* "open, away, dnd "In a meeting"". */
static void show_state(FILE *out, const json_t *state)
{
	const json_t *activity;
	size_t i;

	fprintf(out, "%s", br_control_show_text_of(state, "basic"));
	json_array_foreach(json_object_get(state, "activities"), i, activity)
	    fprintf(out, ", %s", json_string_value(activity));
	if (*br_control_show_text_of(state, "show")) {
		fprintf(out, ", show ");
		br_control_show_visible(out,
		    br_control_show_text_of(state, "show"));
	}
	show_notes(out, state);
}

static void show_document(FILE *out, const json_t *value)
{
	const json_t *states = json_object_get(value, "states");
	const json_t *state;
	size_t i;

	if (json_object_get(value, "unreadable")) {
		fprintf(out, "unreadable: ");
		br_control_show_visible(out,
		    br_control_show_text_of(value, "unreadable"));
		return;
	}
	if (json_array_size(states) == 0)
		fprintf(out, "no state");
	json_array_foreach(states, i, state)
	{
		if (i > 0)
			fprintf(out, "; ");
		show_state(out, state);
	}
	show_notes(out, value);
}

static void show_value(FILE *out, const json_t *tuple, const char *kind)
{
	const json_t *value = json_object_get(tuple, kind);

	if (!value)
		return;
	fprintf(out, "  %-10s ", kind);
	show_document(out, value);
	fprintf(out, "\n             ");
	br_control_show_visible(out, br_control_show_text_of(value, "type"));
	fprintf(out, ", %lld octets, published %.19sZ",
	    (long long)json_integer_value(json_object_get(value, "octets")),
	    br_control_show_text_of(value, "published"));
	if (json_object_get(value, "ends")) {
		fprintf(out, ", ");
		show_end(out, value);
	}
	fprintf(out, "\n");
}

void br_control_show_presence(FILE *out, const json_t *result)
{
	const json_t *tuples = json_object_get(result, "tuples");
	const json_t *tuple;
	long long watchers = json_integer_value(json_object_get(result,
	    "watchers"));
	size_t i;

	fprintf(out, "%s is watched by %lld",
	    br_control_show_text_of(result, "address"), watchers);
	if (json_array_size(tuples) == 0)
		fprintf(out, " and has published nothing");
	fprintf(out, ".\n");
	json_array_foreach(tuples, i, tuple)
	{
		fprintf(out, "tuple ");
		br_control_show_visible(out,
		    br_control_show_text_of(tuple, "id"));
		fprintf(out, "\n");
		show_value(out, tuple, "leased");
		show_value(out, tuple, "permanent");
	}
}

static void show_subscription(FILE *out, const json_t *sub)
{
	br_control_show_visible(out, br_control_show_text_of(sub, "watcher"));
	fprintf(out, " watches ");
	br_control_show_visible(out,
	    br_control_show_text_of(sub, "presentity"));
	fprintf(out, "  %s  ", br_control_show_text_of(sub, "direction"));
	if (*br_control_show_text_of(sub, "id")) {
		fprintf(out, "id ");
		br_control_show_visible(out,
		    br_control_show_text_of(sub, "id"));
		fprintf(out, "  ");
	}
	show_end(out, sub);
	fprintf(out, "\n");
}

void br_control_show_subscriptions(FILE *out, const json_t *result)
{
	const json_t *subs = json_object_get(result, "subscriptions");
	const json_t *sub;
	size_t i;

	json_array_foreach(subs, i, sub) show_subscription(out, sub);
	if (json_array_size(subs) == 0 &&
	    json_is_true(json_object_get(result, "first")))
		fprintf(out, "There are no subscriptions.\n");
}
