/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_PASSWORD_H
#define CLIENT_PASSWORD_H

/*
 * Where the password comes from.
 */

#include "contrib/client/err.h"

/* The first line of `file`; of standard input for "-"; without a file it is
 * asked for on the terminal. NULL with a sentence. Release with
 * cl_password_free(). */
char *cl_password_read(const char *file, struct cl_err *err);
/* Wipes and releases; NULL is fine; returns NULL. */
char *cl_password_free(char *password);

#endif
