/* SPDX-License-Identifier: ISC */
/* status: what runs, and what waits. */

#include "bridge/config.h"
#include "bridge/control_job.h"
#include "bridge/store.h"

static void on_message(void *arg, const struct br_store_message *m, bool failed)
{
	json_int_t *count = arg;

	(void)failed;
	if (m)
		(*count)++;
}

static json_t *domains_json(const struct br_config *config)
{
	json_t *domains = json_array();

	for (size_t i = 0; i < config->domain_count; i++)
		json_array_append_new(domains, json_string(config->domains[i]));
	return domains;
}

static json_t *status_json(const struct br_control *c)
{
	return json_pack("{s:b, s:s, s:o, s:s}", "running", c->ops != NULL,
	    "version", PRIMBRIDGE_VERSION, "domains", domains_json(c->config),
	    "data_dir", c->config->data_dir);
}

void br_control_status(struct br_control_job *job, const json_t *request)
{
	const struct br_control *c = &job->c;
	json_t *result = status_json(c);
	json_int_t rows = 0;
	struct br_err err;

	(void)request;
	if (c->ops) {
		if (c->ops->status)
			c->ops->status(c->ctx, result);
		br_control_job_take_result(job, result);
		return;
	}
	/* Nobody counts the outbox while no server runs. */
	if (!br_store_message_each(c->store, on_message, &rows, &err)) {
		json_decref(result);
		br_control_job_fail(job, "%s", err.text);
		return;
	}
	json_object_set_new(result, "outbox", json_integer(rows));
	br_control_job_take_result(job, result);
}
