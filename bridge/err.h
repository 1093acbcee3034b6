/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ERR_H
#define BRIDGE_ERR_H

/*
 * A sentence for a person: what is wrong, where, and what to do.
 */

#include <stdbool.h>

struct br_err {
	char text[1024];
};

/* Formats the sentence and returns false, so that a failing function can end
 * in `return br_err_set(err, ...)`. `err` may be NULL. */
bool br_err_set(struct br_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
