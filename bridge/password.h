/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PASSWORD_H
#define BRIDGE_PASSWORD_H

/*
 * Reading a new password from standard input, for primctl.
 */

#include <stdbool.h>

#include "bridge/err.h"

#define BR_PASSWORD_MAX  1024
#define BR_PASSWORD_SIZE (BR_PASSWORD_MAX + 3) /* with CRLF and a NUL */

/* One line without its end; on a terminal asked for twice, unseen. The caller
 * wipes it. False with a sentence. */
bool br_password_read(char out_password[BR_PASSWORD_SIZE], struct br_err *err);

#endif
