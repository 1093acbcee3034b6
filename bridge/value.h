/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_VALUE_H
#define BRIDGE_VALUE_H

/*
 * What people write into configurations: sizes, durations, addresses, names.
 * Each function is false when `text` is not one, and then leaves the output
 * untouched.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/config.h"

/* Octets: "65536", "64KiB", "1MiB", "2GiB", "1TiB". */
bool br_value_size(const char *text, uint64_t *out_octets);

/* Milliseconds: "500ms", "8s", "15m", "24h", "7d". The unit is a must. */
bool br_value_duration(const char *text, uint64_t *out_ms);

/* "127.0.0.1:7746", "[::1]:7746"; without ":PORT" it is `default_port`, unless
 * that is negative. Returns NULL and fills `out`, whose host is then the
 * caller's, or says what is wrong. */
const char *br_value_endpoint(const char *text, int default_port,
    struct br_endpoint *out);

/* A domain name in lower case that is the caller's; NULL: it is none. */
char *br_value_domain(const char *text);

/* [a-z0-9-]{1,32} */
bool br_value_is_name(const char *text);

#endif
