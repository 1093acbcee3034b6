/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONFIG_BUILD_H
#define BRIDGE_CONFIG_BUILD_H

/*
 * From what libcyaml loaded to a struct br_config, checked. Only config*.c use
 * it. Each step is false with a complaint; what it made until then belongs to
 * the half-built configuration and is freed with it.
 */

#include "bridge/config.h"
#include "bridge/config_raw.h"
#include "bridge/yaml.h"

struct br_config_build {
	const struct br_yaml_source *source; /* borrowed */
	const struct br_raw *raw;            /* borrowed */
	const struct br_yaml *tree;          /* borrowed */
	const struct br_log *log;            /* borrowed; may be NULL */
	struct br_config *config;            /* borrowed: being filled */
};

/* Everything but routes and adapters. */
bool br_config_build_basics(const struct br_config_build *b);
/* After the basics; adds the default echo. */
bool br_config_build_adapters(const struct br_config_build *b);
/* After the adapters. */
bool br_config_build_routes(const struct br_config_build *b);
/* The adapter of that name, or NULL. */
const struct br_config_adapter *
br_config_build_adapter_find(const struct br_config *c, const char *name);

/* Tells about each key that is used and has no effect yet. */
void br_config_build_warn(const struct br_config_build *b);

#endif
