/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_ROUTE_H
#define BRIDGE_CONTROL_ROUTE_H

/*
 * route test: the road of a message (transit.h) without the message. Each step
 * is told; the last is the answer its sender would get.
 */

#include "bridge/control_job.h"
#include "bridge/rule.h"

struct br_control_route {
	struct br_control_job *job; /* owned until it ends */
	json_t *steps;              /* owned until it ends */
	struct prim_key from, to;
	/* For whom it is sent: of a linked sender his principal. */
	struct prim_key principal;
	enum br_rule_peer peer;
	bool sender_exists, recipient_exists; /* accounts of ours */
};

/* Tells a step; `what` is static. */
void br_control_route_step(struct br_control_route *t, const char *what,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Tells the answer; 0: it depends on what the text says. */
void br_control_route_answer(struct br_control_route *t, unsigned code,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- where the road ends (control_route_end.c): each tells the answer ---- */

void br_control_route_end_adapter(struct br_control_route *t,
    const struct br_route *route);
void br_control_route_end_inbox(struct br_control_route *t);

#endif
