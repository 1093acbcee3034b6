/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_RETRY_H
#define CLIENT_RETRY_H

/*
 * Coming back after a loss, without hurry.
 */

#include <stdbool.h>
#include <stdint.h>

#include "contrib/client/err.h"

/* Makes the connection and what belongs to it. False: nothing of it is left,
 * and `err` says why. */
typedef bool (*cl_retry_fn)(void *arg, int64_t deadline_ms, struct cl_err *err);

/* One try, with its own deadline inside the whole's. */
bool cl_retry_first(cl_retry_fn once, void *arg, int64_t deadline_ms,
    struct cl_err *err);

struct cl_retry {
	cl_retry_fn once;
	void *arg;
	bool is_quiet; /* no remark for each try */
	int64_t deadline_ms;
};

/* After a loss (`err` tells which): again and again, with growing pauses, until
 * it is there. False: the deadline passed, or trying is no use. */
bool cl_retry_again(const struct cl_retry *retry, struct cl_err *err);

#endif
