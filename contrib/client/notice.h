/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_NOTICE_H
#define CLIENT_NOTICE_H

/*
 * Notices: what a bridge says, often much later, of a message of ours. They are
 * shown in words; who says so is shown with it, for anybody could.
 */

#include <stdbool.h>

#include "contrib/client/message.h"

/* Prints `m`, which is a CL_MESSAGE_NOTICE, as one line. False when standard
 * output took it not. */
bool cl_notice_show(const struct cl_options *options,
    const struct cl_incoming *m);

#endif
