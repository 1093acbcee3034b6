/* SPDX-License-Identifier: ISC */
/* Not giving up. */

#include "contrib/client/retry.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

#include "contrib/client/link.h"
#include "contrib/client/session.h"

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 30000

bool cl_retry_first(cl_retry_fn once, void *arg, int64_t deadline_ms,
    struct cl_err *err)
{
	int64_t until_ms = cl_link_now_ms() + CL_SESSION_ANSWER_MS;

	return once(arg, until_ms < deadline_ms ? until_ms : deadline_ms, err);
}

/* Between 3/4 and 5/4 of it, so that not everybody comes back at once. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	return ms * 3 / 4 + random % (ms / 2);
}

static void pause_until(int64_t until_ms)
{
	int64_t left;

	while ((left = until_ms - cl_link_now_ms()) > 0)
		poll(NULL, 0, (int)left);
}

bool cl_retry_again(const struct cl_retry *retry, struct cl_err *err)
{
	int64_t pause_ms = PAUSE_MIN_MS;

	while (!err->is_final) {
		int64_t until_ms = cl_link_now_ms() + jitter(pause_ms);

		if (until_ms >= retry->deadline_ms)
			return false;
		if (!retry->is_quiet)
			cl_err_note("%s; trying again", err->text);
		pause_until(until_ms);
		if (cl_retry_first(retry->once, retry->arg, retry->deadline_ms,
			err))
			return true;
		pause_ms *= 2;
		if (pause_ms > PAUSE_MAX_MS)
			pause_ms = PAUSE_MAX_MS;
	}
	return false;
}
