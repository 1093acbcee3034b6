/* SPDX-License-Identifier: ISC */
/* What several of the operator's commands have in common. */

#include "bridge/control_job.h"

#include <string.h>

#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/store.h"
#include "prim/base.h"
#include "prim/date.h"
#include "prim/visible.h"

/* ---- addresses ---- */

const char *br_control_echo(struct br_control_echo *room, const char *text)
{
	size_t len = strlen(text);

	if (len <= BR_CONTROL_ECHO_MAX)
		return text;
	for (len = BR_CONTROL_ECHO_MAX; len > 0; len--)
		if ((text[len] & 0xC0) != 0x80)
			break;
	(void)snprintf(room->text, sizeof(room->text), "%.*s...", (int)len,
	    text);
	return room->text;
}

static bool parse(struct prim_slice text, struct prim_address *out_address)
{
	return prim_address_parse_bare(text, out_address) ||
	    prim_address_parse(text, out_address);
}

/* How many octets the part in front of the '@' stands for. */
static size_t local_len(struct prim_slice local)
{
	struct prim_buf b = { 0 };
	size_t len;

	if (prim_slice_find(local, ':') >= 0)
		(void)prim_slice_cut(&local, ':');
	(void)prim_address_unescape(&b, local);
	len = b.len;
	prim_buf_fini(&b);
	return len;
}

/* "romeo@example.org/phone": the part without the resource, if that is an
 * address; else nothing. */
static struct prim_slice without_resource(struct prim_slice text)
{
	struct prim_address address;
	ptrdiff_t at = prim_slice_find(text, '@');
	ptrdiff_t slash = prim_slice_find(prim_slice_from(text,
					      at < 0 ? text.len : (size_t)at),
	    '/');

	if (slash < 0)
		return PRIM_SLICE_NONE;
	text.len = (size_t)(at + slash);
	return parse(text, &address) ? text : PRIM_SLICE_NONE;
}

/* Says what is wrong with it. */
static void fail_address(struct br_control_job *job, const char *text)
{
	struct prim_slice rest = prim_slice_of(text);
	struct prim_slice whole = rest;
	struct prim_slice bare = without_resource(rest);
	struct prim_slice local = prim_slice_cut(&rest, '@');
	struct br_control_echo room;
	const char *echo = br_control_echo(&room, text);

	if (whole.len > PRIM_ADDRESS_MAX)
		br_control_job_fail(job,
		    "'%s' is too long for an address: it has %zu octets, and "
		    "%d are the most",
		    echo, whole.len, PRIM_ADDRESS_MAX);
	else if (rest.len > PRIM_DOMAIN_MAX ||
	    local_len(local) > PRIM_LOCAL_MAX)
		br_control_job_fail(job,
		    "'%s' is too long for an address: in front of the '@' %d "
		    "octets are the most, behind it %d",
		    echo, PRIM_LOCAL_MAX, PRIM_DOMAIN_MAX);
	else if (bare.len > 0)
		br_control_job_fail(job,
		    "'%s' names one resource of an address; the address is "
		    "%.*s, without the resource",
		    echo, PRIM_SLICE_ARG(bare));
	else
		br_control_job_fail(job,
		    "'%s' is not an address; it looks like "
		    "alice@example.org, other characters than letters, digits "
		    "and !$&'*+.-/=?_~ are written as %%HH in front of the "
		    "'@', and have no place behind it",
		    echo);
}

static bool address_parse(struct br_control_job *job, const char *text,
    struct prim_address *out_address)
{
	if (parse(prim_slice_of(text), out_address))
		return true;
	fail_address(job, text);
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

void br_control_job_fail_account(struct br_control_job *job,
    struct prim_slice key)
{
	br_control_job_fail(job,
	    "there is no account %.*s; 'primctl account list' shows those "
	    "there are",
	    PRIM_SLICE_ARG(key));
}

/* ---- answers about an address ---- */

/* A result that waits until it is known whose it is. */
struct about {
	struct br_control_job *job; /* owned until it ends */
	json_t *result;             /* owned until it ends */
	struct prim_key key;
};

static void on_account(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct about *about = arg;

	if (account) {
		br_control_job_take_result(about->job, about->result);
		prim_free(about);
		return;
	}
	if (failed)
		br_control_job_fail_read(about->job);
	else
		br_control_job_fail_account(about->job,
		    prim_key_slice(&about->key));
	json_decref(about->result);
	prim_free(about);
}

void br_control_job_take_result_of(struct br_control_job *job,
    const struct prim_key *key, json_t *result)
{
	struct about *about;

	if (key->len == 0 ||
	    !br_config_serves(job->c.config, prim_key_domain(key)) ||
	    br_control_is_reserved(key)) {
		br_control_job_take_result(job, result);
		return;
	}
	about = prim_new(struct about);
	about->job = job;
	about->result = result;
	about->key = *key;
	br_store_account_find(job->c.store, prim_key_slice(&about->key),
	    on_account, about);
}

/* ---- values ---- */

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

int64_t br_control_now(const struct br_control *c)
{
	return c->ops && c->ops->now_ms ? c->ops->now_ms(c->ctx)
					: br_clock_wall_ms();
}

json_t *br_control_left_json(int64_t ms, int64_t now_ms)
{
	return json_integer((json_int_t)(ms / 1000 - now_ms / 1000));
}

const char *br_control_state_words(const char *state)
{
	return strcmp(state, "ready") == 0 ? "cut off" : state;
}
