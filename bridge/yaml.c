/* SPDX-License-Identifier: ISC */
/* From libyaml's events to a tree of nodes that know their place. */

#include "bridge/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "prim/base.h"

#define DEPTH_MAX 32
#define NODES_MAX 65536
#define KEYS_MAX  256

struct parse {
	const struct br_yaml_source *source; /* borrowed */
	yaml_parser_t parser;
	size_t nodes;
	unsigned depth;
};

static bool complain_mark(const struct parse *p, const yaml_mark_t *mark,
    const char *what)
{
	const struct br_yaml at = {
		.line = (int)mark->line + 1,
		.column = (int)mark->column + 1,
	};

	return br_yaml_complain(p->source, &at, "%s", what);
}

static bool complain_syntax(const struct parse *p)
{
	const yaml_parser_t *y = &p->parser;
	char what[300];

	if (y->error == YAML_READER_ERROR)
		return br_yaml_complain_octet(p->source, y->problem_offset,
		    "this is not YAML: not UTF-8, or a control character");
	snprintf(what, sizeof(what), "this is not YAML: %s%s%s",
	    y->problem ? y->problem : "it cannot be read",
	    y->context ? ", " : "", y->context ? y->context : "");
	return complain_mark(p, &y->problem_mark, what);
}

static bool next_event(struct parse *p, yaml_event_t *out_event)
{
	if (yaml_parser_parse(&p->parser, out_event))
		return true;
	return complain_syntax(p);
}

/* Anchors multiply text, tags change what it means; neither is needed. */
static bool check_event(const struct parse *p, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	const yaml_mark_t *mark = &event->start_mark;

	if (event->type == YAML_ALIAS_EVENT)
		return complain_mark(p, mark, "aliases are not allowed here");
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		if (memchr(event->data.scalar.value, 0,
			event->data.scalar.length))
			return complain_mark(p, mark, "there is a NUL in it");
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		return complain_mark(p, mark, "anchors are not allowed here");
	if (tag)
		return complain_mark(p, mark, "tags are not allowed here");
	return true;
}

static void set_end(struct br_yaml *node, const yaml_mark_t *end)
{
	node->end_line = (int)end->line + 1;
	node->end_column = (int)end->column + 1;
}

static struct br_yaml *node_new(struct parse *p, const yaml_event_t *event)
{
	struct br_yaml *node;

	if (++p->nodes > NODES_MAX) {
		complain_mark(p, &event->start_mark, "this is too much");
		return NULL;
	}
	node = prim_new(struct br_yaml);
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	set_end(node, &event->end_mark);
	if (event->type == YAML_SCALAR_EVENT)
		node->text = prim_copy((const char *)event->data.scalar.value,
		    event->data.scalar.length);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		node->kind = BR_YAML_LIST;
	else
		node->kind = BR_YAML_MAP;
	return node;
}

/* Takes the subtree that begins with `event`, and the event. */
static struct br_yaml *parse_node(struct parse *p, yaml_event_t *event);

static struct br_yaml *parse_next(struct parse *p)
{
	yaml_event_t event;

	return next_event(p, &event) ? parse_node(p, &event) : NULL;
}

static bool check_key(const struct parse *p, const struct br_yaml *map,
    const struct br_yaml *key)
{
	if (key->kind != BR_YAML_SCALAR)
		return br_yaml_complain(p->source, key, "a key is one word");
	if (map->count == KEYS_MAX)
		return br_yaml_complain(p->source, key, "too many keys");
	if (br_yaml_find(map, key->text))
		return br_yaml_complain(p->source, key, "`%s` is here twice",
		    br_yaml_show(key->text));
	return true;
}

/* The child that begins with `event`: a value, or a key and then its value. */
static struct br_yaml *parse_child(struct parse *p, const struct br_yaml *node,
    yaml_event_t *event)
{
	struct br_yaml *key = parse_node(p, event), *value;

	if (node->kind == BR_YAML_LIST || !key)
		return key;
	value = check_key(p, node, key) ? parse_next(p) : NULL;
	if (!value) {
		br_yaml_free(key);
		return NULL;
	}
	value->key = key;
	return value;
}

static bool parse_children(struct parse *p, struct br_yaml *node)
{
	struct br_yaml **tail = &node->first;
	yaml_event_t event;

	while (next_event(p, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT ||
		    event.type == YAML_MAPPING_END_EVENT) {
			set_end(node, &event.end_mark);
			yaml_event_delete(&event);
			return true;
		}
		*tail = parse_child(p, node, &event);
		if (!*tail)
			return false;
		(*tail)->parent = node;
		tail = &(*tail)->next;
		node->count++;
	}
	return false;
}

static struct br_yaml *parse_node(struct parse *p, yaml_event_t *event)
{
	const yaml_mark_t mark = event->start_mark;
	struct br_yaml *node = NULL;
	bool ok;

	if (check_event(p, event))
		node = node_new(p, event);
	yaml_event_delete(event);
	if (!node || node->kind == BR_YAML_SCALAR)
		return node;
	if (p->depth == DEPTH_MAX) {
		complain_mark(p, &mark, "this is nested too deeply");
		return br_yaml_free(node);
	}
	p->depth++;
	ok = parse_children(p, node);
	p->depth--;
	return ok ? node : br_yaml_free(node);
}

/* Reads one event that has no content and says whether it is `type`. */
static bool skip(struct parse *p, yaml_event_type_t type, const char *otherwise)
{
	yaml_event_t event;
	yaml_mark_t mark;
	bool is_type;

	if (!next_event(p, &event))
		return false;
	is_type = event.type == type;
	mark = event.start_mark;
	yaml_event_delete(&event);
	return is_type || complain_mark(p, &mark, otherwise);
}

static struct br_yaml *parse_document(struct parse *p)
{
	struct br_yaml *root;

	if (!skip(p, YAML_STREAM_START_EVENT, "this is not YAML") ||
	    !skip(p, YAML_DOCUMENT_START_EVENT, "there is nothing in it"))
		return NULL;
	root = parse_next(p);
	if (!root ||
	    (skip(p, YAML_DOCUMENT_END_EVENT, "this is not YAML") &&
		skip(p, YAML_STREAM_END_EVENT, "a second document begins")))
		return root;
	return br_yaml_free(root);
}

struct br_yaml *br_yaml_parse(const struct br_yaml_source *source)
{
	struct parse p = { .source = source };
	struct br_yaml *root;

	if (source->text.len > BR_YAML_TEXT_MAX) {
		br_yaml_complain(source, NULL, "it is larger than 1 MiB");
		return NULL;
	}
	if (!yaml_parser_initialize(&p.parser))
		abort();
	yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.parser,
	    (const unsigned char *)source->text.ptr, source->text.len);
	root = parse_document(&p);
	yaml_parser_delete(&p.parser);
	return root;
}

struct br_yaml *br_yaml_free(struct br_yaml *node)
{
	struct br_yaml *child;

	if (!node)
		return NULL;
	while ((child = node->first)) {
		node->first = child->next;
		br_yaml_free(child);
	}
	node->key = br_yaml_free(node->key);
	node->text = prim_free(node->text);
	prim_free(node);
	return NULL;
}

const struct br_yaml *br_yaml_find(const struct br_yaml *map, const char *key)
{
	const struct br_yaml *child;

	if (!map || map->kind != BR_YAML_MAP)
		return NULL;
	for (child = map->first; child; child = child->next)
		if (strcmp(child->key->text, key) == 0)
			break;
	return child;
}
