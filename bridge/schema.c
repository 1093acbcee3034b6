/* SPDX-License-Identifier: ISC */
/* Walking a libcyaml schema over a tree, then letting libcyaml load it. */

#include "bridge/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prim/base.h"
#include "prim/utf8.h"

#define WORDS_MAX 64

static bool check_value(const struct br_yaml_source *source,
    const struct br_yaml *node, const cyaml_schema_value_t *schema);

const char *br_schema_name(const struct br_yaml *node)
{
	static char names[2][128];
	static unsigned turn;
	char *const name = names[turn++ % 2];

	if (node->key)
		snprintf(name, sizeof(names[0]), "`%s`",
		    br_yaml_show(node->key->text));
	else if (node->parent && node->parent->key)
		snprintf(name, sizeof(names[0]), "an entry of `%s`",
		    br_yaml_show(node->parent->key->text));
	else
		snprintf(name, sizeof(names[0]), "the whole");
	return name;
}

static bool complain_hint(const struct br_yaml_source *source,
    const struct br_yaml *at, struct prim_buf *what)
{
	char *text = prim_buf_steal(what);

	br_yaml_complain(source, at, "%s", text);
	prim_free(text);
	return false;
}

/* Words of the table that `field` begins, up to the end. */
static size_t keys_of(const cyaml_schema_field_t *field,
    const char *words[WORDS_MAX])
{
	size_t count = 0;

	for (; field->key && count < WORDS_MAX; field++)
		words[count++] = field->key;
	return count;
}

static const cyaml_schema_field_t *field_find(const cyaml_schema_field_t *field,
    const char *key)
{
	for (; field->key; field++)
		if (strcmp(field->key, key) == 0)
			return field;
	return NULL;
}

static bool complain_key(const struct br_yaml_source *source,
    const struct br_yaml *key, const cyaml_schema_field_t *fields)
{
	const char *words[WORDS_MAX];
	const size_t count = keys_of(fields, words);
	struct prim_buf what = { 0 };

	prim_buf_putf(&what, "unknown key `%s`", br_yaml_show(key->text));
	br_schema_put_hint(&what, key->text, words, count);
	return complain_hint(source, key, &what);
}

static bool check_map(const struct br_yaml_source *source,
    const struct br_yaml *map, const cyaml_schema_field_t *fields)
{
	const cyaml_schema_field_t *field;
	const struct br_yaml *child;

	if (map->kind != BR_YAML_MAP)
		return br_yaml_complain(source, map,
		    "%s must be a mapping (key: value)", br_schema_name(map));
	for (child = map->first; child; child = child->next) {
		field = field_find(fields, child->key->text);
		if (!field)
			return complain_key(source, child->key, fields);
		if (!check_value(source, child, &field->value))
			return false;
	}
	for (field = fields; field->key; field++)
		if (!(field->value.flags & CYAML_FLAG_OPTIONAL) &&
		    !br_yaml_find(map, field->key))
			return br_yaml_complain(source, map, "%s has no `%s`",
			    br_schema_name(map), field->key);
	return true;
}

static bool check_count(const struct br_yaml_source *source,
    const struct br_yaml *list, const cyaml_schema_value_t *schema)
{
	if (list->kind != BR_YAML_LIST)
		return br_yaml_complain(source, list, "%s must be a list",
		    br_schema_name(list));
	if (schema->type == CYAML_FLAGS)
		return true;
	if (list->count < schema->sequence.min)
		return br_yaml_complain(source, list,
		    "%s needs at least %" PRIu32 " of them",
		    br_schema_name(list), schema->sequence.min);
	if (list->count > schema->sequence.max)
		return br_yaml_complain(source, list,
		    "%s has more than %" PRIu32 " of them",
		    br_schema_name(list), schema->sequence.max);
	return true;
}

static bool is_scalar(const struct br_yaml_source *source,
    const struct br_yaml *node, const char *wanted)
{
	if (node->kind == BR_YAML_SCALAR)
		return true;
	return br_yaml_complain(source, node, "%s must be %s, not a %s",
	    br_schema_name(node), wanted,
	    node->kind == BR_YAML_LIST ? "list" : "mapping");
}

static bool check_word(const struct br_yaml_source *source,
    const struct br_yaml *node, const cyaml_schema_value_t *schema)
{
	const char *words[WORDS_MAX];
	struct prim_buf what = { 0 };
	size_t count = 0;

	if (!is_scalar(source, node, "a word"))
		return false;
	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		const char *word = schema->enumeration.strings[i].str;

		if (strcmp(word, node->text) == 0)
			return true;
		if (count < WORDS_MAX)
			words[count++] = word;
	}
	prim_buf_putf(&what, "%s cannot be `%s`", br_schema_name(node),
	    br_yaml_show(node->text));
	br_schema_put_hint(&what, node->text, words, count);
	return complain_hint(source, node, &what);
}

static bool check_list(const struct br_yaml_source *source,
    const struct br_yaml *list, const cyaml_schema_value_t *schema)
{
	const struct br_yaml *child;

	if (!check_count(source, list, schema))
		return false;
	for (child = list->first; child; child = child->next) {
		if (schema->type == CYAML_FLAGS
			? !check_word(source, child, schema)
			: !check_value(source, child, schema->sequence.entry))
			return false;
	}
	return true;
}

static bool check_text(const struct br_yaml_source *source,
    const struct br_yaml *node, const cyaml_schema_value_t *schema)
{
	struct prim_slice rest;
	uint32_t c;

	if (!is_scalar(source, node, "text"))
		return false;
	rest = prim_slice_of(node->text);
	if (rest.len < schema->string.min)
		return br_yaml_complain(source, node, "%s is %s",
		    br_schema_name(node), rest.len ? "too short" : "empty");
	if (rest.len > schema->string.max)
		return br_yaml_complain(source, node, "%s is too long",
		    br_schema_name(node));
	while (prim_utf8_next(&rest, &c))
		if (c < ' ' || (c >= 0x7f && c < 0xa0))
			return br_yaml_complain(source, node,
			    "there is a control character in %s",
			    br_schema_name(node));
	return true;
}

static bool check_bool(const struct br_yaml_source *source,
    const struct br_yaml *node)
{
	if (!is_scalar(source, node, "true or false"))
		return false;
	if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)
		return true;
	return br_yaml_complain(source, node, "%s must be true or false",
	    br_schema_name(node));
}

static bool check_number(const struct br_yaml_source *source,
    const struct br_yaml *node, const cyaml_schema_value_t *schema)
{
	const bool is_signed = schema->type == CYAML_INT;
	const uint64_t max = (schema->data_size >= 8
				     ? UINT64_MAX
				     : (1ULL << (schema->data_size * 8)) - 1) >>
	    is_signed;
	struct prim_slice digits;
	uint64_t value;

	if (!is_scalar(source, node, "a number"))
		return false;
	digits = prim_slice_of(node->text);
	if (is_signed && prim_slice_starts(digits, PRIM_SLICE("-")))
		digits = prim_slice_from(digits, 1);
	/* libcyaml would take a leading zero for octal. */
	if (prim_slice_number(digits, max, &value) &&
	    (digits.len == 1 || digits.ptr[0] != '0'))
		return true;
	return br_yaml_complain(source, node,
	    "%s must be a whole number, at most %" PRIu64, br_schema_name(node),
	    max);
}

static bool check_value(const struct br_yaml_source *source,
    const struct br_yaml *node, const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_map(source, node, schema->mapping.fields);
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
	case CYAML_FLAGS:
		return check_list(source, node, schema);
	case CYAML_ENUM:
		return check_word(source, node, schema);
	case CYAML_STRING:
		return check_text(source, node, schema);
	case CYAML_BOOL:
		return check_bool(source, node);
	case CYAML_INT:
	case CYAML_UINT:
		return check_number(source, node, schema);
	case CYAML_FLOAT:
	case CYAML_BITFIELD:
	case CYAML_IGNORE:
	case CYAML__TYPE_COUNT:
		break;
	}
	return true;
}

/* libcyaml's first words about an error: for the schema types that are left to
 * it, and should it ever disagree with us. */
static void __attribute__((format(printf, 3, 0)))
on_cyaml_log(cyaml_log_t level, void *arg, const char *format, va_list args)
{
	struct br_err *first = arg;

	if (level < CYAML_LOG_ERROR || first->text[0])
		return;
	vsnprintf(first->text, sizeof(first->text), format, args);
	first->text[strcspn(first->text, "\n")] = '\0';
}

static bool load(const struct br_yaml_source *source,
    const cyaml_schema_value_t *schema, const struct br_yaml *tree,
    void **out_data)
{
	struct br_err first = { .text = "" };
	const cyaml_config_t config = {
		.log_fn = on_cyaml_log,
		.log_ctx = &first,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	const cyaml_err_t e = cyaml_load_data((const uint8_t *)source->text.ptr,
	    source->text.len, &config, schema, out_data, NULL);

	if (e == CYAML_OK)
		return true;
	if (e == CYAML_ERR_OOM)
		abort();
	return br_yaml_complain(source, tree, "%s",
	    br_yaml_show(first.text[0] ? first.text : cyaml_strerror(e)));
}

bool br_schema_load(const struct br_yaml_source *source,
    const cyaml_schema_value_t *schema, void **out_data,
    struct br_yaml **out_tree)
{
	struct br_yaml *tree = br_yaml_parse(source);

	if (tree && check_value(source, tree, schema) &&
	    load(source, schema, tree, out_data)) {
		*out_tree = tree;
		return true;
	}
	br_yaml_free(tree);
	return false;
}

void br_schema_free(const cyaml_schema_value_t *schema, void *data)
{
	const cyaml_config_t config = { .mem_fn = cyaml_mem };

	if (data)
		cyaml_free(&config, schema, data, 0);
}
