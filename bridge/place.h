/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PLACE_H
#define BRIDGE_PLACE_H

/*
 * Where our own programs and plugins are, found from where the running program
 * is: build/bin/primd finds build/bin/primd-adapter and
 * build/lib/primd/adapters/, /usr/bin/primd finds /usr/lib/primd/adapters/.
 */

#include <stdbool.h>
#include <stddef.h>

#define BR_PLACE_MAX 4096

/* "<folder of the running program>/NAME". False when it would not fit. */
bool br_place_program(const char *name, char out_path[BR_PLACE_MAX]);

/* "<folder of the running program>/../lib/primd/adapters/NAME.so". */
bool br_place_plugin(const char *name, char out_path[BR_PLACE_MAX]);

#endif
