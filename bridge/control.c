/* SPDX-License-Identifier: ISC */
/* Which operator's commands there are, and what a request must look like. */

#include <stdarg.h>
#include <string.h>

#include "bridge/control_job.h"
#include "prim/base.h"

#define SENTENCE_MAX 8192 /* some addresses, and words around them */

/* clang-format off */
static const struct br_control_row ROWS[] = {
	{ "account add", { "address", "password" }, br_control_account_add },
	{ "account passwd", { "address", "password" },
	    br_control_account_passwd },
	{ "account remove", { "address" }, br_control_account_remove },
	{ "account list", { NULL }, br_control_account_list },
	{ "link add", { "address", "foreign" }, br_control_link_add },
	{ "link list", { "address" }, br_control_link_list },
	{ "link order", { "address", "order" }, br_control_link_order },
	{ "link remove", { "address", "foreign" }, br_control_link_remove },
	{ "link verify", { "address", "foreign", "code" },
	    br_control_link_verify },
	{ "outbox drop", { "id" }, br_control_outbox_drop },
	{ "outbox list", { "address", "after" }, br_control_outbox_list },
	{ "outbox quarantine", { "id" }, br_control_outbox_quarantine },
	{ "outbox retry", { "id" }, br_control_outbox_retry },
	{ "outbox show", { "id", "body" }, br_control_outbox_show },
	{ "presence show", { "address" }, br_control_presence_show },
	{ "route test", { "from", "to" }, br_control_route_test },
	{ "subscription list", { "address", "after" },
	    br_control_subscription_list },
	{ "status", { NULL }, br_control_status },
	{ "trace", { "message_id" }, br_control_trace },
};

/* clang-format on */

static void finish(struct br_control_job *job, json_t *answer)
{
	job->done(job->arg, answer);
	json_decref(answer);
	prim_free(job);
}

void br_control_job_take_result(struct br_control_job *job, json_t *result)
{
	finish(job, json_pack("{s:b, s:o}", "ok", 1, "result", result));
}

void br_control_job_fail(struct br_control_job *job, const char *format, ...)
{
	char *sentence = prim_alloc(SENTENCE_MAX);
	va_list args;
	json_t *text;

	va_start(args, format);
	(void)vsnprintf(sentence, SENTENCE_MAX, format, args);
	va_end(args);
	/* A sentence that was cut inside a character is no JSON string. */
	text = json_string(sentence);
	if (!text)
		text = json_string("the command failed");
	prim_free(sentence);
	finish(job, json_pack("{s:b, s:o}", "ok", 0, "error", text));
}

static const struct br_control_row *row_find(const char *name)
{
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		if (strcmp(ROWS[i].name, name) == 0)
			return &ROWS[i];
	}
	return NULL;
}

/* The first member of `row` that `request` lacks, or NULL. */
static const char *missing_member(const struct br_control_row *row,
    const json_t *request, size_t *out_count)
{
	size_t i;

	for (i = 0; i < BR_CONTROL_MEMBERS_MAX && row->members[i]; i++) {
		if (!json_is_string(json_object_get(request, row->members[i])))
			return row->members[i];
	}
	*out_count = i;
	return NULL;
}

static void run_row(struct br_control_job *job,
    const struct br_control_row *row, const json_t *request)
{
	size_t count = 0;
	const char *missing = missing_member(row, request, &count);

	if (missing) {
		br_control_job_fail(job, "'%s' needs the string \"%s\"",
		    row->name, missing);
		return;
	}
	if (json_object_size(request) != count + 1) {
		br_control_job_fail(job,
		    "the request for '%s' has members it does not know; "
		    "primctl and primd must be of the same version",
		    row->name);
		return;
	}
	row->run(job, request);
}

void br_control_run(const struct br_control *c, const struct json_t *request,
    br_control_done_fn done, void *arg)
{
	struct br_control_job *job = prim_new(struct br_control_job);
	const char *name;
	const struct br_control_row *row;

	job->c = *c;
	job->done = done;
	job->arg = arg;
	name = json_string_value(json_object_get(request, "command"));
	row = name ? row_find(name) : NULL;
	if (row)
		run_row(job, row, request);
	else
		br_control_job_fail(job,
		    "there is no such command; primctl and primd must be of "
		    "the same version");
}
