/* SPDX-License-Identifier: ISC */
/* status: what runs, and what waits. */

#include "bridge/config.h"
#include "bridge/control_job.h"

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

	(void)request;
	if (c->ops && c->ops->status)
		c->ops->status(c->ctx, result);
	br_control_job_take_result(job, result);
}
