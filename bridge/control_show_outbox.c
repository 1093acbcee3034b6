/* SPDX-License-Identifier: ISC */
/* The outbox commands' results as a person wants to read them. */

#include <string.h>

#include "bridge/control_show.h"
#include "prim/base.h"
#include "prim/buf.h"
#include "prim/visible.h"

static const char *text_of(const json_t *object, const char *name)
{
	return br_control_show_text_of(object, name);
}

static long long number_of(const json_t *object, const char *name)
{
	return br_control_show_number_of(object, name);
}

static bool is_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static bool is_state(const json_t *m, const char *state)
{
	return strcmp(text_of(m, "state"), state) == 0;
}

/* ---- outbox list ---- */

#define COLUMNS "%-8s %-8s %-28s %-28s %-8s %5s  %-9s %-12s %s\n"

/* "4m10s", without a word around it. */
static void show_span_cell(FILE *out, int width, long long s)
{
	char text[32] = "";
	FILE *cell = fmemopen(text, sizeof(text), "w");

	if (cell) {
		br_control_show_span(cell, s < 0 ? 0 : s);
		(void)fclose(cell);
	}
	fprintf(out, "%-*s", width, text);
}

/* "bob@here -> romeo@there" */
static void show_recipient(FILE *out, const json_t *m)
{
	struct prim_buf b = { 0 };
	char *text;

	prim_buf_puts(&b, text_of(m, "to"));
	if (json_object_get(m, "target")) {
		prim_buf_puts(&b, " -> ");
		prim_buf_puts(&b, text_of(m, "target"));
	}
	text = prim_buf_steal(&b);
	br_control_show_cell(out, 28, text);
	prim_free(text);
}

/* What it waits for, when that is no time. */
static const char *event_of(const json_t *m)
{
	const char *waits_for = text_of(m, "waits_for");

	if (is_state(m, "quarantined"))
		return "never";
	if (is_state(m, "under way"))
		return "-";
	if (*waits_for)
		return waits_for;
	if (!json_object_get(m, "next_try_in_s"))
		return "-";
	return number_of(m, "next_try_in_s") <= 0 ? "soon" : NULL;
}

static void show_next_try(FILE *out, const json_t *m)
{
	const char *event = event_of(m);

	if (event)
		fprintf(out, "%-9s", event);
	else
		show_span_cell(out, 9, number_of(m, "next_try_in_s"));
}

static void show_row(FILE *out, const json_t *m)
{
	fprintf(out, "%-8lld ", number_of(m, "id"));
	show_span_cell(out, 8, number_of(m, "age_s"));
	fprintf(out, " ");
	br_control_show_cell(out, 28, text_of(m, "from"));
	fprintf(out, " ");
	show_recipient(out, m);
	fprintf(out, " ");
	br_control_show_cell(out, 8, text_of(m, "via"));
	fprintf(out, " %5lld  ", number_of(m, "tries"));
	show_next_try(out, m);
	fprintf(out, " %-12s ", text_of(m, "state"));
	if (json_object_get(m, "last_code"))
		fprintf(out, "%lld ", number_of(m, "last_code"));
	br_control_show_visible(out, text_of(m, "why"));
	fprintf(out, "\n");
}

/* `address` is empty: of nobody. */
static void show_nothing(FILE *out, const char *address)
{
	fprintf(out, "Nothing waits");
	if (*address) {
		fprintf(out, " from or for ");
		br_control_show_visible(out, address);
	}
	fprintf(out, ".\n");
}

void br_control_show_outbox(FILE *out, const json_t *result)
{
	const json_t *messages = json_object_get(result, "messages");
	long long waiting = number_of(result, "waiting");
	long long quarantined = number_of(result, "quarantined");
	const json_t *m;
	size_t i;

	if (is_true(result, "first") &&
	    (json_array_size(messages) > 0 || json_object_get(result, "after")))
		fprintf(out, COLUMNS, "ID", "AGE", "FROM", "TO", "VIA", "TRIES",
		    "NEXT TRY", "STATE", "WHY");
	json_array_foreach(messages, i, m) show_row(out, m);
	if (json_object_get(result, "after"))
		return;
	if (waiting + quarantined == 0)
		show_nothing(out, text_of(result, "address"));
	else
		fprintf(out, "%lld waiting, %lld quarantined.\n", waiting,
		    quarantined);
}

/* ---- outbox show ---- */

static void show_field(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%-12s", name);
	br_control_show_visible(out, text);
	fprintf(out, "\n");
}

/* "2026-11-22T10:00:00Z (4m10s ago)" */
static void show_past(FILE *out, const char *name, const char *at, long long s)
{
	fprintf(out, "%-12s%.19sZ (", name, at);
	br_control_show_span(out, s < 0 ? 0 : s);
	fprintf(out, " ago)\n");
}

/* "2026-11-22T10:00:00Z (in 4m10s)" */
static void show_coming(FILE *out, const char *name, const char *at,
    long long s)
{
	if (s < 0) {
		show_past(out, name, at, -s);
		return;
	}
	fprintf(out, "%-12s%.19sZ (in ", name, at);
	br_control_show_span(out, s);
	fprintf(out, ")\n");
}

/* "delivery, failure" */
static void show_names(FILE *out, const char *name, const json_t *names)
{
	const json_t *one;
	size_t i;

	if (json_array_size(names) == 0)
		return;
	fprintf(out, "%-12s", name);
	json_array_foreach(names, i, one)
	{
		fprintf(out, "%s", i > 0 ? ", " : "");
		br_control_show_visible(out, json_string_value(one));
	}
	fprintf(out, "\n");
}

/* clang-format off */
static const struct {
	const char *what;
	const char *words;
} WAITS_FOR[] = {
	{ "adapter", "its adapter, which does not run" },
	{ "link", "the link of its adapter" },
	{ "listener", "somebody who listens" },
	{ "primd", "primd to start" },
	{ "turn", "its turn" },
};

/* clang-format on */

static void show_state(FILE *out, const json_t *m)
{
	long long s = number_of(m, "next_try_in_s");

	fprintf(out, "%-12s%s", "state", text_of(m, "state"));
	if (is_state(m, "quarantined"))
		fprintf(out, ", kept for 30 days");
	for (size_t i = 0; i < PRIM_COUNT(WAITS_FOR); i++)
		if (strcmp(WAITS_FOR[i].what, text_of(m, "waits_for")) == 0)
			fprintf(out, " for %s", WAITS_FOR[i].words);
	if (json_object_get(m, "next_try_in_s") && s > 0) {
		fprintf(out, ", next try in ");
		br_control_show_span(out, s);
	} else if (json_object_get(m, "next_try_in_s")) {
		fprintf(out, ", next try soon");
	}
	if (json_object_get(m, "position"))
		fprintf(out, ", %lld of %lld in its lane",
		    number_of(m, "position"), number_of(m, "lane"));
	fprintf(out, "\n");
}

static void show_fate(FILE *out, const json_t *m)
{
	fprintf(out, "%-12s%lld", "tries", number_of(m, "tries"));
	if (number_of(m, "deaths") > 0)
		fprintf(out, ", %lld of them the death of the adapter",
		    number_of(m, "deaths"));
	fprintf(out, "\n%-12s", "last word");
	if (json_object_get(m, "last_code"))
		fprintf(out, "%lld ", number_of(m, "last_code"));
	br_control_show_visible(out, text_of(m, "why"));
	fprintf(out, "\n");
	show_names(out, "refused by", json_object_get(m, "refused_by"));
}

static void show_told(FILE *out, const json_t *m)
{
	const char *text = "it has heard of no failure";

	if (is_true(m, "is_notice"))
		text = "this is a notice itself: nobody hears of its fate";
	else if (is_true(m, "told"))
		text = "it was told that this failed";
	else if (!is_true(m, "can_be_told"))
		text = "it cannot be told";
	show_field(out, "sender", text);
	show_names(out, "asked for", json_object_get(m, "reports"));
}

static void show_sizes(FILE *out, const json_t *m)
{
	fprintf(out, "%-12s%lld octets", "size", number_of(m, "octets"));
	if (json_object_get(m, "body_octets"))
		fprintf(out, ", %lld of them the body",
		    number_of(m, "body_octets"));
	fprintf(out, "\n");
}

static void show_headers(FILE *out, const json_t *m)
{
	const json_t *line;
	size_t i;

	if (is_true(m, "damaged")) {
		fprintf(out,
		    "\nWhat is stored of it is damaged: it can only "
		    "be dropped.\n");
		return;
	}
	fprintf(out, "\n");
	json_array_foreach(json_object_get(m, "headers"), i, line)
	{
		fprintf(out, "  ");
		br_control_show_visible(out, json_string_value(line));
		fprintf(out, "\n");
	}
}

static void show_body(FILE *out, const json_t *m)
{
	struct prim_buf b = { 0 };

	if (!json_object_get(m, "body"))
		return;
	prim_visible_put_lines(&b, prim_slice_of(text_of(m, "body")), "  ");
	fprintf(out, "\n  %.*s\n", PRIM_SLICE_ARG(prim_buf_slice(&b)));
	prim_buf_fini(&b);
	if (is_true(m, "body_is_cut"))
		fprintf(out, "... and more\n");
}

void br_control_show_message(FILE *out, const json_t *m)
{
	fprintf(out, "%-12s%lld\n", "ID", number_of(m, "id"));
	show_field(out, "from", text_of(m, "from"));
	show_field(out, "to", text_of(m, "to"));
	if (json_object_get(m, "target"))
		show_field(out, "goes to", text_of(m, "target"));
	show_field(out, "via", text_of(m, "destination"));
	show_field(out, "came by", text_of(m, "origin"));
	show_field(out, "Message-ID", text_of(m, "message_id"));
	show_field(out, "Delivery-ID", text_of(m, "delivery"));
	show_past(out, "accepted", text_of(m, "accepted"),
	    number_of(m, "age_s"));
	if (!is_state(m, "quarantined"))
		show_coming(out, "expires", text_of(m, "expires"),
		    number_of(m, "expires_in_s"));
	show_state(out, m);
	show_fate(out, m);
	show_told(out, m);
	show_sizes(out, m);
	fprintf(out, "%-12s%lld\n", "hops", number_of(m, "hops"));
	show_headers(out, m);
	show_body(out, m);
}

/* ---- outbox retry, drop, quarantine ---- */

/* clang-format off */
static const struct {
	const char *told;
	const char *sentence;
} TOLD[] = {
	{ "now", "Its sender gets a notice." },
	{ "already", "Its sender was told before that it failed." },
	{ "cannot", "Its sender cannot be told." },
	{ "it is a notice", "It is a notice: nobody hears of it." },
};

/* clang-format on */

/* What became of it, and what its sender hears. */
static void show_ordered(FILE *out, const json_t *result, const char *what)
{
	fprintf(out, "Message %lld %s.", number_of(result, "id"), what);
	for (size_t i = 0; i < PRIM_COUNT(TOLD); i++)
		if (strcmp(TOLD[i].told, text_of(result, "told")) == 0)
			fprintf(out, " %s", TOLD[i].sentence);
	fprintf(out, "\n");
}

void br_control_show_retried(FILE *out, const json_t *result)
{
	bool running = is_true(result, "running");

	fprintf(out, "Message %lld ", number_of(result, "id"));
	if (!is_true(result, "was_quarantined")) {
		fprintf(out, "is tried %s.\n",
		    running ? "now" : "when primd starts");
		return;
	}
	fprintf(out, "is back in the outbox");
	if (is_true(result, "needs_listener"))
		fprintf(out, " and waits for somebody who listens");
	else if (!running)
		fprintf(out, " and is tried when primd starts");
	fprintf(out, ".");
	if (strcmp(text_of(result, "told"), "already") == 0)
		fprintf(out,
		    " Its sender was told already that it failed, and "
		    "is not told again, however it ends.");
	fprintf(out, "\n");
}

void br_control_show_dropped(FILE *out, const json_t *result)
{
	show_ordered(out, result, "is dropped");
}

void br_control_show_quarantined(FILE *out, const json_t *result)
{
	show_ordered(out, result, "is quarantined");
}
