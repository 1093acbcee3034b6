/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_ERR_H
#define CLIENT_ERR_H

/*
 * What went wrong, as a sentence for the user, and whether trying again may
 * help.
 */

#include <stdbool.h>

struct cl_err {
	char text[1024];
	bool is_final; /* the same again will end the same */
};

/* Both format the sentence and return false. */
bool cl_err_set(struct cl_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool cl_err_final(struct cl_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A remark on standard error, after "prim: ". */
void cl_err_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
