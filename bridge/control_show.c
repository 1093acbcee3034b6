/* SPDX-License-Identifier: ISC */
/* Results of the operator's commands as a person wants to read them. */

#include <jansson.h>
#include <string.h>

#include "bridge/control.h"
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

static json_int_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

void br_control_show_visible(FILE *out, const char *text)
{
	struct prim_buf b = { 0 };

	prim_visible_put(&b, prim_slice_of(text));
	fprintf(out, "%.*s", PRIM_SLICE_ARG(prim_buf_slice(&b)));
	prim_buf_fini(&b);
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
	fprintf(out, "The account %s is gone, and what waited for it.\n",
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

static void show_adapters(FILE *out, const json_t *result)
{
	const json_t *adapters = json_object_get(result, "adapters");
	const json_t *adapter;
	size_t i;

	if (json_array_size(adapters) == 0)
		return;
	fprintf(out, "\n%-20s %-10s %8s %8s\n", "ADAPTER", "STATE", "PID",
	    "DEATHS");
	json_array_foreach(adapters, i, adapter)
	    fprintf(out, "%-20s %-10s %8lld %8lld\n", text_of(adapter, "name"),
		text_of(adapter, "state"), (long long)number_of(adapter, "pid"),
		(long long)number_of(adapter, "deaths"));
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
	show_number(out, result, "outbox");
	show_adapters(out, result);
}

static const struct {
	const char *command;
	void (*show)(FILE *out, const json_t *result);
} ROWS[] = {
	{"account add",        show_added                   },
	{ "account passwd",    show_changed                 },
	{ "account remove",    show_removed                 },
	{ "account list",      show_accounts                },
	{ "presence show",     br_control_show_presence     },
	{ "subscription list", br_control_show_subscriptions},
	{ "status",            show_status                  },
	{ "trace",             show_trace                   },
};

void br_control_show(FILE *out, const char *command,
    const struct json_t *result)
{
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		if (strcmp(ROWS[i].command, command) == 0)
			ROWS[i].show(out, result);
	}
}
