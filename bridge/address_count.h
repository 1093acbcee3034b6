/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ADDRESS_COUNT_H
#define BRIDGE_ADDRESS_COUNT_H

/*
 * How many connections an address has (limits.connections_per_address).
 */

#include <stdbool.h>

struct br_server;

/* Counts one more. False, and not counted, when that would be above `max`. */
bool br_address_count_add(struct br_server *s, const char *address,
    unsigned max);
void br_address_count_drop(struct br_server *s, const char *address);

#endif
