/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_INBOX_H
#define CLIENT_INBOX_H

/*
 * A session that listens: prints each message that comes and only then says
 * 200. What `listen` and `chat` share.
 */

#include "contrib/client/seen.h"
#include "contrib/client/session.h"

struct cl_inbox {
	const struct cl_options *options; /* borrowed */
	struct cl_session session;
	struct cl_seen seen;
	uint64_t shown;     /* messages printed */
	bool output_failed; /* standard output takes nothing more */
};

/* Connects, logs in and listens. Close it whatever came out. */
bool cl_inbox_open(struct cl_inbox *inbox, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err);

/* After a loss (`err` tells which): again and again, with growing pauses, until
 * it is there. False: the deadline passed, or trying is no use. */
bool cl_inbox_reopen(struct cl_inbox *inbox, int64_t deadline_ms,
    struct cl_err *err);

void cl_inbox_close(struct cl_inbox *inbox);

#endif
