/* SPDX-License-Identifier: ISC */
#ifndef XA_OPTIONS_H
#define XA_OPTIONS_H

/* The options of the adapter; README.md has a line on each. */

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>

struct xa_options {
	char *server;
	char *domain;
	char *secret_file;
	char *gateway_domain; /* NULL: none */
};

extern const cyaml_schema_value_t xa_options_schema;

/* As struct br_adapter wants it. */
bool xa_options_check(const void *options, char *why, size_t size);

/* A domain as servers compare it, in lower case. Release with prim_free(). */
char *xa_options_host(const char *domain);

/* The secret, NUL-terminated, without the newline at its end. NULL, and a
 * sentence in `why`, if it cannot be read. Release with
 * xa_options_free_secret(). */
char *xa_options_secret(const struct xa_options *o, char *why, size_t size);
/* Wipes it. NULL is fine; returns NULL. */
char *xa_options_free_secret(char *secret);

#endif
