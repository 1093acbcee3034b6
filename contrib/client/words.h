/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_WORDS_H
#define CLIENT_WORDS_H

/*
 * What stands behind the options: the command's own words.
 */

#include "contrib/client/options.h"

/* "local@domain", with or without im: or pres:. `what` names it to the user. */
bool cl_words_address(const char *text, struct prim_address *out,
    const char *what, struct cl_err *err);
/* "local@domain" of a parsed address behind `scheme` ("im:", "pres:" or "");
 * release with prim_free(). */
char *cl_words_copy(const struct prim_address *a, const char *scheme);

/* TO and TEXT, ADDRESS..., open or closed: what options->command takes. */
bool cl_words_take(struct cl_options *o, char *const *words, int count,
    struct cl_err *err);
/* Do the options of `publish` make sense? */
bool cl_words_check(const struct cl_options *o, struct cl_err *err);
void cl_words_fini(struct cl_options *o);

#endif
