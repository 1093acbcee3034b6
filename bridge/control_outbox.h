/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_OUTBOX_H
#define BRIDGE_CONTROL_OUTBOX_H

/* What the outbox commands have in common. */

#include "bridge/control_job.h"
#include "bridge/store.h"

/* The member "id". False: it is none, and the job has failed with a sentence. */
bool br_control_outbox_id(struct br_control_job *job, const json_t *request,
    int64_t *out_seq);
/* There is no message `seq`: ends the job. */
void br_control_outbox_fail_absent(struct br_control_job *job, int64_t seq);

/* Does it go to an inbox here, not to an adapter? */
bool br_control_outbox_is_for_inbox(const struct br_store_message *m);

/* What the running server says of row `seq`; an empty object without one. */
json_t *br_control_outbox_live(const struct br_control *c, int64_t seq,
    bool in_detail);
/* A message as a list shows it. */
json_t *br_control_outbox_json(const struct br_control *c,
    const struct br_store_message *m, const json_t *live, int64_t now_ms);

#endif
