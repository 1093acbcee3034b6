/* SPDX-License-Identifier: ISC */
/* Any text as configuration: a configuration, or one line with a place. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/config.h"
#include "bridge/yaml.h"
#include "prim/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "f:LINE:COL: text", all of it one line. */
static void check_line(const char *text)
{
	struct prim_slice line = prim_slice_of(text);
	uint64_t number;

	assert(prim_slice_eq(prim_slice_cut(&line, ':'), PRIM_SLICE("f")));
	assert(prim_slice_number(prim_slice_cut(&line, ':'), 2000000, &number));
	assert(prim_slice_number(prim_slice_cut(&line, ':'), 2000000, &number));
	assert(line.len > 1 && line.ptr[0] == ' ');
	for (size_t i = 0; i < line.len; i++)
		assert((unsigned char)line.ptr[i] >= ' ');
}

/* What is cut out for a plugin is the same YAML to it. */
static void check_options(const char *options)
{
	const struct br_yaml_source source = {
		.name = "o",
		.text = prim_slice_of(options),
	};
	struct br_yaml *tree = br_yaml_parse(&source);

	assert(tree && tree->kind == BR_YAML_MAP);
	br_yaml_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct br_err err = { .text = "" };
	struct br_config *c = br_config_parse("f",
	    prim_slice_make((const char *)data, size), NULL, &err);

	if (!c) {
		check_line(err.text);
		return 0;
	}
	assert(c->domain_count > 0 && c->listen_count > 0);
	for (size_t i = 0; i < c->adapter_count; i++)
		check_options(c->adapters[i].options);
	br_config_free(c);
	return 0;
}
