/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_JOB_H
#define BRIDGE_CONTROL_JOB_H

/*
 * One command on its way, as the handlers behind control.c see it.
 */

#include <jansson.h>

#include "bridge/control.h"
#include "prim/address.h"

#define BR_CONTROL_MEMBERS_MAX 3

struct br_control_job {
	struct br_control c;     /* where it runs */
	br_control_done_fn done; /* who waits */
	void *arg;
};

struct br_control_row {
	const char *name;
	const char *members[BR_CONTROL_MEMBERS_MAX]; /* all required */
	void (*run)(struct br_control_job *job, const json_t *request);
};

/* Each ends the job and releases it. `result` is theirs. */
void br_control_job_take_result(struct br_control_job *job, json_t *result);
void br_control_job_fail(struct br_control_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The database could not be read. */
void br_control_job_fail_read(struct br_control_job *job);
/* There is no account `key`. */
void br_control_job_fail_account(struct br_control_job *job,
    struct prim_slice key);
/* Like br_control_job_take_result(), for what `key` has nothing of: a key of a
 * domain of ours without an account fails with a sentence. An empty key is
 * nobody in particular, and a reserved name needs no account. */
void br_control_job_take_result_of(struct br_control_job *job,
    const struct prim_key *key, json_t *result);

/* Is it a name that the bridge itself answers to, in whatever domain? */
bool br_control_is_reserved(const struct prim_key *key);

/* What was typed, fit to be repeated in a sentence: a long one is cut between
 * characters, with "..." at its end. Borrows from both. */
#define BR_CONTROL_ECHO_MAX 80 /* octets */

struct br_control_echo {
	char text[BR_CONTROL_ECHO_MAX + 4];
};

const char *br_control_echo(struct br_control_echo *room, const char *text);

/* The member "address", with or without im: or pres:. False: it is none, and the
 * job has failed with a sentence. Borrows from `request`. */
bool br_control_job_address(struct br_control_job *job, const json_t *request,
    struct prim_address *out_address);
/* The same of another member, as a key. */
bool br_control_job_key(struct br_control_job *job, const json_t *request,
    const char *member, struct prim_key *out_key);

/* Never NULL: what is not UTF-8, or has a NUL, is made visible. */
json_t *br_control_text_json(struct prim_slice text);
/* RFC 3339. */
json_t *br_control_time_json(int64_t ms);
/* The running server's, else the wall clock's. */
int64_t br_control_now(const struct br_control *c);
/* Whole seconds from now until then; negative: it is past. */
json_t *br_control_left_json(int64_t ms, int64_t now_ms);

/* br_host_state() as a person reads it: one that is ready can do nothing without
 * the link to its network. */
const char *br_control_state_words(const char *state);

/* The handlers. */
void br_control_account_add(struct br_control_job *job, const json_t *request);
void br_control_account_passwd(struct br_control_job *job,
    const json_t *request);
void br_control_account_remove(struct br_control_job *job,
    const json_t *request);
void br_control_account_list(struct br_control_job *job, const json_t *request);
void br_control_presence_show(struct br_control_job *job,
    const json_t *request);
void br_control_subscription_list(struct br_control_job *job,
    const json_t *request);
void br_control_outbox_list(struct br_control_job *job, const json_t *request);
void br_control_outbox_show(struct br_control_job *job, const json_t *request);
void br_control_outbox_retry(struct br_control_job *job, const json_t *request);
void br_control_outbox_drop(struct br_control_job *job, const json_t *request);
void br_control_outbox_quarantine(struct br_control_job *job,
    const json_t *request);
void br_control_link_add(struct br_control_job *job, const json_t *request);
void br_control_link_list(struct br_control_job *job, const json_t *request);
void br_control_link_order(struct br_control_job *job, const json_t *request);
void br_control_link_remove(struct br_control_job *job, const json_t *request);
void br_control_link_verify(struct br_control_job *job, const json_t *request);
void br_control_route_test(struct br_control_job *job, const json_t *request);
void br_control_status(struct br_control_job *job, const json_t *request);
void br_control_trace(struct br_control_job *job, const json_t *request);

#endif
