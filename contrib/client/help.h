/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_HELP_H
#define CLIENT_HELP_H

/*
 * What `prim --help` says.
 */

#include <stdbool.h>
#include <stdio.h>

void cl_help_print(FILE *out, bool version_only);

#endif
