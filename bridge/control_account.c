/* SPDX-License-Identifier: ISC */
/* account add, passwd, remove and list. */

#include <string.h>

#include "bridge/auth.h"
#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/control_job.h"
#include "bridge/identity.h"
#include "bridge/store.h"
#include "bridge/worker.h"
#include "prim/base.h"

#define LIST_MAX 100000 /* accounts in one answer */

/* Names the bridge itself answers to (DESIGN 6). */
static const char *const RESERVED[] = { "postmaster", "primbridge", "echo" };

/* A change to one account, from the request to the commit. */
struct change {
	struct br_control_job *job; /* owned until it ends */
	struct br_worker_job work;  /* its verifier being derived */
	bool is_new;
	bool is_derived; /* `account` has its verifier */
	char *address;   /* owned: as given, without scheme */
	char *password;  /* owned; NULL for a removal */
	struct prim_key key;
	struct br_store_account account;
	struct br_err err;
};

struct listing {
	struct br_control_job *job; /* owned until it ends */
	json_t *accounts;           /* owned until it ends */
	bool is_cut;
};

static struct change *change_free(struct change *change)
{
	if (change->password)
		explicit_bzero(change->password, strlen(change->password));
	change->password = prim_free(change->password);
	change->address = prim_free(change->address);
	return prim_free(change);
}

static struct change *change_new(struct br_control_job *job,
    const json_t *request)
{
	struct change *change;
	struct prim_address address;
	const char *password = json_string_value(json_object_get(request,
	    "password"));

	if (!br_control_job_address(job, request, &address))
		return NULL;
	change = prim_new(struct change);
	change->job = job;
	prim_address_key(&address, &change->key);
	change->address = prim_copy(address.local.ptr,
	    (size_t)(address.domain.ptr + address.domain.len -
		address.local.ptr));
	if (password)
		change->password = prim_copy(password, strlen(password));
	change->account.key = prim_key_slice(&change->key);
	change->account.address = prim_slice_of(change->address);
	return change;
}

/* Ends the job with what the store said. */
static void change_settle(void *arg, enum br_store_outcome outcome)
{
	struct change *change = arg;
	struct br_control_job *job = change->job;
	const struct br_control_ops *ops = job->c.ops;

	switch (outcome) {
	case BR_STORE_DONE:
		if (ops && ops->account_changed)
			ops->account_changed(job->c.ctx,
			    prim_key_slice(&change->key));
		br_control_job_take_result(job,
		    json_pack("{s:s}", "address", change->address));
		break;
	case BR_STORE_EXISTS:
		br_control_job_fail(job,
		    "the account %s exists; 'primctl account passwd %s' "
		    "changes its password",
		    change->address, change->address);
		break;
	case BR_STORE_ABSENT:
		br_control_job_fail(job,
		    "there is no account %s; 'primctl account list' shows "
		    "those there are",
		    change->address);
		break;
	case BR_STORE_DUPLICATE:
	case BR_STORE_FAILED:
		br_control_job_fail(job,
		    "nothing was changed: the database could not be written; "
		    "look at free disk space and the log of primd");
		break;
	}
	change_free(change);
}

/* Any thread. */
static void derive(void *arg)
{
	struct change *change = arg;

	change->is_derived = br_auth_verifier(prim_slice_of(change->password),
	    &change->account, &change->err);
}

static void on_derived(void *arg)
{
	struct change *change = arg;
	struct br_control_job *job = change->job;

	if (!change->is_derived) {
		br_control_job_fail(job, "%s", change->err.text);
		change_free(change);
		return;
	}
	/* DESIGN 6: CRAM-MD5 computes with the password itself. */
	if (job->c.config->mechanisms & BR_MECH_CRAM_MD5)
		change->account.cram_secret = prim_slice_of(change->password);
	change->account.created_ms = br_clock_wall_ms();
	if (change->is_new)
		br_store_account_put(job->c.store, &change->account,
		    change_settle, change);
	else
		br_store_account_passwd(job->c.store, &change->account,
		    change_settle, change);
}

static void change_derive(struct change *change)
{
	struct br_worker *worker = change->job->c.worker;

	if (!worker) {
		derive(change);
		on_derived(change);
		return;
	}
	change->work.run = derive;
	change->work.done = on_derived;
	change->work.arg = change;
	if (br_worker_submit(worker, &change->work))
		return;
	br_control_job_fail(change->job,
	    "primd is busy with too many logins; try again in a moment");
	change_free(change);
}

bool br_control_is_reserved(const struct prim_key *key)
{
	for (size_t i = 0; i < PRIM_COUNT(RESERVED); i++) {
		if (prim_slice_eq(prim_key_local(key),
			prim_slice_of(RESERVED[i])))
			return true;
	}
	return false;
}

static bool check_new(const struct change *change, struct br_err *err)
{
	const struct br_config *config = change->job->c.config;
	struct prim_slice domain = prim_key_domain(&change->key);

	if (!br_config_serves(config, domain))
		return br_err_set(err,
		    "this server does not serve the domain %.*s; its domains "
		    "stand under 'domains' in the configuration, the first is "
		    "%s",
		    PRIM_SLICE_ARG(domain), config->domains[0]);
	if (br_control_is_reserved(&change->key))
		return br_err_set(err,
		    "the name %.*s is reserved for the server; choose another",
		    PRIM_SLICE_ARG(prim_key_local(&change->key)));
	return true;
}

static bool check_password(const struct change *change, struct br_err *err)
{
	if (*change->password)
		return true;
	return br_err_set(err,
	    "the password is empty; give it as one line on standard input");
}

void br_control_account_add(struct br_control_job *job, const json_t *request)
{
	struct change *change = change_new(job, request);
	struct br_err err;

	if (!change)
		return;
	change->is_new = true;
	if (check_new(change, &err) && check_password(change, &err)) {
		change_derive(change);
		return;
	}
	br_control_job_fail(job, "%s", err.text);
	change_free(change);
}

void br_control_account_passwd(struct br_control_job *job,
    const json_t *request)
{
	struct change *change = change_new(job, request);
	struct br_err err;

	if (!change)
		return;
	if (check_password(change, &err)) {
		change_derive(change);
		return;
	}
	br_control_job_fail(job, "%s", err.text);
	change_free(change);
}

/* Its links are gone in the same moment: whoever gets the name next has none. */
static void removal_settle(void *arg, enum br_store_outcome outcome)
{
	struct change *change = arg;

	if (outcome == BR_STORE_DONE && change->job->c.identities)
		br_identities_forget(change->job->c.identities,
		    prim_key_slice(&change->key));
	change_settle(change, outcome);
}

void br_control_account_remove(struct br_control_job *job,
    const json_t *request)
{
	struct change *change = change_new(job, request);

	if (change)
		br_store_account_drop(job->c.store,
		    prim_key_slice(&change->key), removal_settle, change);
}

static json_t *account_json(const struct br_store_account *account)
{
	return json_pack("{s:s%, s:o}", "address", account->address.ptr,
	    account->address.len, "created",
	    br_control_time_json(account->created_ms));
}

static void listing_end(struct listing *listing, bool failed)
{
	if (failed) {
		json_decref(listing->accounts);
		br_control_job_fail_read(listing->job);
	} else {
		br_control_job_take_result(listing->job,
		    json_pack("{s:o, s:b}", "accounts", listing->accounts,
			"truncated", listing->is_cut));
	}
	prim_free(listing);
}

static void on_account(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct listing *listing = arg;

	if (!account)
		listing_end(listing, failed);
	else if (json_array_size(listing->accounts) < LIST_MAX)
		json_array_append_new(listing->accounts, account_json(account));
	else
		listing->is_cut = true;
}

void br_control_account_list(struct br_control_job *job, const json_t *request)
{
	struct listing *listing = prim_new(struct listing);

	(void)request;
	listing->job = job;
	listing->accounts = json_array();
	br_store_account_list(job->c.store, on_account, listing);
}
