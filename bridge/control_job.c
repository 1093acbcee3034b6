/* SPDX-License-Identifier: ISC */
/* What several of the operator's commands have in common. */

#include "bridge/control_job.h"

#include "prim/base.h"
#include "prim/date.h"
#include "prim/visible.h"

static bool address_parse(struct br_control_job *job, const char *text,
    struct prim_address *out_address)
{
	if (prim_address_parse_bare(prim_slice_of(text), out_address) ||
	    prim_address_parse(prim_slice_of(text), out_address))
		return true;
	br_control_job_fail(job,
	    "'%s' is not an address; it looks like "
	    "alice@example.org, other characters than letters, digits "
	    "and !$&'*+.-/=?_~ are written as %%HH",
	    text);
	return false;
}

bool br_control_job_address(struct br_control_job *job, const json_t *request,
    struct prim_address *out_address)
{
	return address_parse(job,
	    json_string_value(json_object_get(request, "address")),
	    out_address);
}

bool br_control_job_key(struct br_control_job *job, const json_t *request,
    const char *member, struct prim_key *out_key)
{
	struct prim_address address;

	if (!address_parse(job,
		json_string_value(json_object_get(request, member)), &address))
		return false;
	prim_address_key(&address, out_key);
	return true;
}

void br_control_job_fail_read(struct br_control_job *job)
{
	br_control_job_fail(job,
	    "the database could not be read; the log of primd says more");
}

json_t *br_control_text_json(struct prim_slice text)
{
	json_t *json = NULL;
	struct prim_buf b = { 0 };

	/* Whoever reads JSON may stop at a NUL. */
	if (prim_slice_find(text, '\0') < 0)
		json = json_stringn(text.ptr ? text.ptr : "", text.len);
	if (json)
		return json;
	prim_visible_put(&b, text);
	json = json_stringn(b.ptr, b.len);
	prim_buf_fini(&b);
	return json;
}

json_t *br_control_time_json(int64_t ms)
{
	struct prim_buf b = { 0 };
	json_t *json;

	prim_date_put_3339(&b, ms);
	json = json_stringn(b.ptr, b.len);
	prim_buf_fini(&b);
	return json;
}

json_t *br_control_left_json(int64_t ms, int64_t now_ms)
{
	return json_integer((json_int_t)(ms / 1000 - now_ms / 1000));
}
