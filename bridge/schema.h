/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SCHEMA_H
#define BRIDGE_SCHEMA_H

/*
 * YAML into a struct by a libcyaml schema. libcyaml fills the struct; the
 * schema is walked over the tree before, because only that way a complaint
 * names its exact place and the word that was probably meant. What a schema
 * cannot say is checked by the caller, over both.
 *
 * Serves the configuration of primd and the options of plugins alike.
 */

#include <cyaml/cyaml.h>

#include "bridge/yaml.h"
#include "prim/buf.h"

/* False with a complaint. `out_data` is released with br_schema_free(), the
 * tree with br_yaml_free(). Values are UTF-8 without control characters;
 * booleans are only true and false. */
bool br_schema_load(const struct br_yaml_source *source,
    const cyaml_schema_value_t *schema, void **out_data,
    struct br_yaml **out_tree);
/* NULL is fine. */
void br_schema_free(const cyaml_schema_value_t *schema, void *data);

/* How a node is called in a complaint: "`key`" or "an entry of `key`". Valid
 * until the second next call. */
const char *br_schema_name(const struct br_yaml *node);

/* Appends "; did you mean `x`?" if one of the `count` words is close to
 * `wrong`, else "; known are a, b, c". */
void br_schema_put_hint(struct prim_buf *b, const char *wrong,
    const char *const *words, size_t count);

#endif
