/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_JOB_H
#define BRIDGE_CONTROL_JOB_H

/*
 * One command on its way, as the handlers behind control.c see it.
 */

#include <jansson.h>

#include "bridge/control.h"

#define BR_CONTROL_MEMBERS_MAX 2

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

/* The handlers. */
void br_control_account_add(struct br_control_job *job, const json_t *request);
void br_control_account_passwd(struct br_control_job *job,
    const json_t *request);
void br_control_account_remove(struct br_control_job *job,
    const json_t *request);
void br_control_account_list(struct br_control_job *job, const json_t *request);
void br_control_status(struct br_control_job *job, const json_t *request);
void br_control_trace(struct br_control_job *job, const json_t *request);

#endif
