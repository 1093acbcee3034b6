/* SPDX-License-Identifier: ISC */
/* Results of the operator's commands as a person wants to read them. */

#include <jansson.h>
#include <string.h>

#include "bridge/control.h"
#include "bridge/control_job.h"
#include "bridge/control_show.h"
#include "prim/base.h"
#include "prim/visible.h"

const char *br_control_show_text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static const char *text_of(const json_t *object, const char *name)
{
	return br_control_show_text_of(object, name);
}

long long br_control_show_number_of(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

static long long number_of(const json_t *object, const char *name)
{
	return br_control_show_number_of(object, name);
}

void br_control_show_cell(FILE *out, int width, const char *text)
{
	struct prim_buf b = { 0 };

	prim_visible_put(&b, prim_slice_of(text));
	fprintf(out, "%-*.*s", width, PRIM_SLICE_ARG(prim_buf_slice(&b)));
	prim_buf_fini(&b);
}

void br_control_show_visible(FILE *out, const char *text)
{
	br_control_show_cell(out, 0, text);
}

void br_control_show_span(FILE *out, long long s)
{
	if (s >= 86400)
		fprintf(out, "%lldd%lldh", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		fprintf(out, "%lldh%lldm", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		fprintf(out, "%lldm%llds", s / 60, s % 60);
	else
		fprintf(out, "%llds", s);
}

static void show_added(FILE *out, const json_t *result)
{
	fprintf(out, "The account %s is there.\n", text_of(result, "address"));
}

static void show_changed(FILE *out, const json_t *result)
{
	fprintf(out, "The account %s has its new password.\n",
	    text_of(result, "address"));
}

static void show_removed(FILE *out, const json_t *result)
{
	fprintf(out,
	    "The account %s is gone, with its links and what waited for it.\n",
	    text_of(result, "address"));
}

static void show_accounts(FILE *out, const json_t *result)
{
	const json_t *accounts = json_object_get(result, "accounts");
	const json_t *account;
	size_t i;

	json_array_foreach(accounts, i, account)
	    fprintf(out, "%-40s since %.10s\n", text_of(account, "address"),
		text_of(account, "created"));
	if (json_is_true(json_object_get(result, "truncated")))
		fprintf(out, "... and more\n");
	if (json_array_size(accounts) == 0)
		fprintf(out,
		    "There are no accounts; 'primctl account add "
		    "ADDRESS' makes one.\n");
}

static void show_event(FILE *out, const json_t *event)
{
	fprintf(out, "%-24s  ", text_of(event, "at"));
	br_control_show_visible(out, text_of(event, "text"));
	fprintf(out, "\n");
}

static void show_trace(FILE *out, const json_t *result)
{
	const json_t *events = json_object_get(result, "events");
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event) show_event(out, event);
}

static void show_uptime(FILE *out, json_int_t s)
{
	if (s >= 86400)
		fprintf(out, "%lldd %lldh", (long long)s / 86400,
		    (long long)s % 86400 / 3600);
	else if (s >= 3600)
		fprintf(out, "%lldh %lldm", (long long)s / 3600,
		    (long long)s % 3600 / 60);
	else if (s >= 60)
		fprintf(out, "%lldm %llds", (long long)s / 60,
		    (long long)s % 60);
	else
		fprintf(out, "%llds", (long long)s);
}

/* A row with the strings of an array, or nothing. */
static void show_strings(FILE *out, const json_t *result, const char *name)
{
	const json_t *strings = json_object_get(result, name);
	const json_t *string;
	size_t i;

	if (json_array_size(strings) == 0)
		return;
	fprintf(out, "%-12s", name);
	json_array_foreach(strings, i, string)
	    fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(string));
	fprintf(out, "\n");
}

/* A row with a number, or nothing. */
static void show_number(FILE *out, const json_t *result, const char *name)
{
	const json_t *number = json_object_get(result, name);

	if (json_is_integer(number))
		fprintf(out, "%-12s%lld\n", name,
		    (long long)json_integer_value(number));
}

/* "12, the oldest for 1h0m, 1 quarantined" */
static void show_outbox_state(FILE *out, const json_t *result)
{
	if (!json_object_get(result, "outbox"))
		return;
	fprintf(out, "%-12s%lld", "outbox", number_of(result, "outbox"));
	if (number_of(result, "outbox") > 0 &&
	    json_object_get(result, "oldest_s")) {
		fprintf(out, ", the oldest for ");
		br_control_show_span(out, number_of(result, "oldest_s"));
	}
	if (number_of(result, "quarantined") > 0)
		fprintf(out, ", %lld quarantined",
		    number_of(result, "quarantined"));
	fprintf(out, "\n");
}

static void show_adapter(FILE *out, const json_t *adapter)
{
	fprintf(out, "%-20s %-10s %8lld %8lld", text_of(adapter, "name"),
	    br_control_state_words(text_of(adapter, "state")),
	    number_of(adapter, "pid"), number_of(adapter, "deaths"));
	if (json_object_get(adapter, "waiting"))
		fprintf(out, " %8lld", number_of(adapter, "waiting"));
	fprintf(out, "\n");
}

static void show_adapters(FILE *out, const json_t *result)
{
	const json_t *adapters = json_object_get(result, "adapters");
	const json_t *adapter;
	size_t i;

	if (json_array_size(adapters) == 0)
		return;
	fprintf(out, "\n%-20s %-10s %8s %8s %8s\n", "ADAPTER", "STATE", "PID",
	    "DEATHS", "WAITING");
	json_array_foreach(adapters, i, adapter) show_adapter(out, adapter);
}

static void show_status(FILE *out, const json_t *result)
{
	fprintf(out, "primd %s is ", text_of(result, "version"));
	if (json_is_true(json_object_get(result, "running"))) {
		fprintf(out, "running, for ");
		show_uptime(out, number_of(result, "uptime_s"));
		fprintf(out, "\n");
	} else {
		fprintf(out, "not running\n");
	}
	show_strings(out, result, "domains");
	fprintf(out, "%-12s%s\n", "data_dir", text_of(result, "data_dir"));
	show_strings(out, result, "listeners");
	show_number(out, result, "connections");
	show_outbox_state(out, result);
	show_adapters(out, result);
}

static void show_backup(FILE *out, const json_t *result)
{
	br_control_show_visible(out, text_of(result, "file"));
	fprintf(out,
	    " is written, %lld octets.\n"
	    "It holds accounts with their passwords' verifiers, links, "
	    "presence, subscriptions\nand what adapters keep.\n"
	    "It does not hold messages that wait (queue.db): a copy that is "
	    "put back must not send\nold ones again. Nor does it hold the "
	    "configuration, certificates and secret files.\n",
	    number_of(result, "octets"));
}

static void show_restore(FILE *out, const json_t *result)
{
	fprintf(out,
	    "Accounts, links, presence, subscriptions and what adapters keep "
	    "are now as in\n");
	br_control_show_visible(out, text_of(result, "file"));
	if (json_object_get(result, "kept")) {
		fprintf(out, ".\nAs they were they are kept in\n");
		br_control_show_visible(out, text_of(result, "kept"));
	}
	fprintf(out,
	    ".\nUntouched: queue.db, with the messages that wait and what is "
	    "known of those that\nended, so that nothing is sent again; the "
	    "configuration and its files.\n");
}

/* clang-format off */
static const struct {
	const char *command;
	void (*show)(FILE *out, const json_t *result);
} ROWS[] = {
	{ "account add", show_added },
	{ "account passwd", show_changed },
	{ "account remove", show_removed },
	{ "account list", show_accounts },
	{ "backup", show_backup },
	{ "link add", br_control_show_linked },
	{ "link list", br_control_show_links },
	{ "link order", br_control_show_order },
	{ "link remove", br_control_show_unlinked },
	{ "link verify", br_control_show_linked },
	{ "outbox drop", br_control_show_dropped },
	{ "outbox list", br_control_show_outbox },
	{ "outbox quarantine", br_control_show_quarantined },
	{ "outbox retry", br_control_show_retried },
	{ "outbox show", br_control_show_message },
	{ "presence show", br_control_show_presence },
	{ "restore", show_restore },
	{ "route test", br_control_show_route },
	{ "subscription list", br_control_show_subscriptions },
	{ "status", show_status },
	{ "trace", show_trace },
};

/* clang-format on */

void br_control_show(FILE *out, const char *command,
    const struct json_t *result)
{
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		if (strcmp(ROWS[i].command, command) == 0)
			ROWS[i].show(out, result);
	}
}
