/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_YAML_H
#define BRIDGE_YAML_H

/*
 * YAML as a tree whose nodes know where they stand, so that every complaint
 * can name its place. What the keys mean is schema.h's and config.h's business.
 *
 * Refused, whatever it says: more than 1 MiB, 32 levels, 65,536 nodes or 256
 * keys in one mapping; anchors, aliases and tags; a key twice in one mapping; a
 * second document; NUL.
 */

#include <stdbool.h>
#include <stddef.h>

#include "bridge/err.h"
#include "prim/slice.h"

#define BR_YAML_TEXT_MAX ((size_t)1024 * 1024)

/* What is parsed, and where the complaint goes. */
struct br_yaml_source {
	const char *name;       /* borrowed: "FILE", or "" to leave it out */
	struct prim_slice text; /* borrowed */
	struct br_err *err;     /* borrowed; may be NULL */
};

enum br_yaml_kind {
	BR_YAML_SCALAR,
	BR_YAML_LIST,
	BR_YAML_MAP,
};

struct br_yaml {
	enum br_yaml_kind kind;
	int line, column;         /* of its begin, counted from 1 */
	int end_line, end_column; /* behind its end */
	char *text;               /* owned; a scalar's, NUL-terminated */
	struct br_yaml *key;      /* owned; NULL unless it is in a mapping */
	struct br_yaml *parent;   /* borrowed: owns us; NULL at the root */
	struct br_yaml *first;    /* owned; children in their order */
	struct br_yaml *next;     /* owned by the parent */
	size_t count;             /* children */
};

/* NULL when it is refused; the complaint is then in source->err. Release with
 * br_yaml_free(). */
struct br_yaml *br_yaml_parse(const struct br_yaml_source *source);
struct br_yaml *br_yaml_free(struct br_yaml *node);

/* The value of `key` in `map`; NULL if there is none, or no map. */
const struct br_yaml *br_yaml_find(const struct br_yaml *map, const char *key);

/* "FILE:LINE:COL: what is wrong" into source->err. `at` NULL is the begin of
 * the file. Returns false. */
bool br_yaml_complain(const struct br_yaml_source *source,
    const struct br_yaml *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same about the octet-th octet of the text. */
bool br_yaml_complain_octet(const struct br_yaml_source *source, size_t octet,
    const char *what);

/* `text` short and harmless enough for a complaint: at most 60 octets, no
 * controls. Valid until the fourth next call. */
const char *br_yaml_show(const char *text);

/* The text of `node` as it stands in the source, with a blank for each
 * character before it on its line and an empty line for each line before, so
 * that whoever parses it counts the same places. Release with prim_free(). */
char *br_yaml_cut(const struct br_yaml_source *source,
    const struct br_yaml *node);

#endif
