/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TALK_PATTERN_H
#define TESTS_TALK_PATTERN_H

/*
 * What stands behind "C:" and "S:" in a conversation: octets with escapes, and
 * the places where something is not known beforehand.
 *
 *	\r \n \t \0 \xHH \\ \{   an octet
 *	{20*text} {20*=name}     the same, twenty times
 *	{=name}                  what {name} was
 *	{*}                      anything (only in what is expected)
 *	{name}                   anything without SP, kept as `name` (likewise)
 *	{8#name}                 eight digits, kept as `name` (likewise)
 */

#include <stdbool.h>

#include "prim/buf.h"

#define TALK_NAMES_MAX 512

struct talk_name {
	char *name;  /* owned */
	char *value; /* owned */
	size_t len;  /* octets */
};

/* What was kept. All zero is empty. */
struct talk_names {
	struct talk_name list[TALK_NAMES_MAX];
	unsigned count;
};

void talk_names_fini(struct talk_names *names);
/* False: too many names. */
bool talk_names_put(struct talk_names *names, struct prim_slice name,
    struct prim_slice value);
/* False: nothing is kept under `name`. */
bool talk_names_find(const struct talk_names *names, struct prim_slice name,
    struct prim_slice *out_value);

/* Appends the octets that `text` stands for. False when it is not well-formed
 * or names what was not kept. */
bool talk_expand(const struct talk_names *names, struct prim_slice text,
    struct prim_buf *out);

/* Is `got` what `pattern` expects? If so, keeps what it names. */
bool talk_match(struct talk_names *names, struct prim_slice pattern,
    struct prim_slice got);

#endif
