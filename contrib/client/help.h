/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_HELP_H
#define CLIENT_HELP_H

/*
 * What `prim --help` says.
 */

#include <stdbool.h>
#include <stdio.h>

/* Is there such a command? */
bool cl_help_knows(const char *command);
void cl_help_print(FILE *out, bool version_only);

#endif
