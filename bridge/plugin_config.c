/* SPDX-License-Identifier: ISC */
/* What the core's configuration means to a plugin: the domains we serve, and
 * the routes, read into the same structs and asked by the same router. */

#include <stdlib.h>
#include <string.h>

#include "bridge/plugin_private.h"
#include "bridge/router.h"

/* One more element, zeroed, at the end of an array. */
#define GROW(array, count)                                                 \
	((array) = prim_resize((array), ((count) + 1) * sizeof(*(array))), \
	    memset(&(array)[(count)], 0, sizeof(*(array))),                \
	    &(array)[(count)++])

/* Takes a word off the front of `line`, which ends in NUL, and ends it in NUL;
 * NULL: there is none. */
static char *cut_word(char **line)
{
	char *word = *line;
	size_t len = strcspn(word, " ");

	if (len == 0)
		return NULL;
	*line = word + len + (word[len] == ' ');
	word[len] = '\0';
	return word;
}

/* "-" is none. */
static char *or_none(char *word)
{
	return strcmp(word, "-") == 0 ? NULL : word;
}

static bool has_adapter(const struct br_config *config, const char *name)
{
	for (size_t i = 0; i < config->adapter_count; i++) {
		if (strcmp(config->adapters[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool read_adapter(struct br_config *config, char *line)
{
	char *name = cut_word(&line);
	char *domain = name ? cut_word(&line) : NULL;
	char *gateway = domain ? cut_word(&line) : NULL;
	struct br_config_adapter *a;

	if (!gateway)
		return false;
	a = GROW(config->adapters, config->adapter_count);
	a->name = name;
	a->domain = or_none(domain);
	a->gateway_domain = or_none(gateway);
	return true;
}

static bool read_route(struct br_config *config, char *line)
{
	char *domain = cut_word(&line);
	char *via = domain ? cut_word(&line) : NULL;
	struct br_config_route *route;

	if (!via || !has_adapter(config, via))
		return false;
	route = GROW(config->routes, config->route_count);
	route->domain = domain;
	route->via = via;
	return true;
}

/* "serve DOMAIN", "adapter NAME DOMAIN GATEWAY", "route DOMAIN NAME". */
static bool read_line(struct br_config *config, char *line)
{
	char *verb = cut_word(&line);
	char *domain;

	if (!verb)
		return false;
	if (strcmp(verb, "adapter") == 0)
		return read_adapter(config, line);
	if (strcmp(verb, "route") == 0)
		return read_route(config, line);
	domain = cut_word(&line);
	if (!domain || strcmp(verb, "serve") != 0)
		return false;
	*GROW(config->domains, config->domain_count) = domain;
	return true;
}

bool br_plugin_config_read(struct bridge *b, struct prim_slice *text)
{
	struct prim_slice rest;
	char *line;

	b->config_text = prim_copy(text->ptr, text->len);
	rest = prim_slice_make(b->config_text, text->len);
	for (;;) {
		line = b->config_text + (text->len - rest.len);
		if (prim_slice_find(rest, '\n') < 0)
			return false;
		line[prim_slice_cut(&rest, '\n').len] = '\0';
		if (!line[0])
			break;
		if (!read_line(&b->config, line))
			return false;
	}
	*text = rest;
	b->router = br_router_new(&b->config);
	return b->config.domain_count > 0;
}

void br_plugin_config_fini(struct bridge *b)
{
	b->router = br_router_free(b->router);
	b->config.domains = prim_free(b->config.domains);
	b->config.adapters = prim_free(b->config.adapters);
	b->config.routes = prim_free(b->config.routes);
	b->config_text = prim_free(b->config_text);
}

const char *const *bridge_domains(const struct bridge *b, size_t *out_count)
{
	*out_count = b->config.domain_count;
	return (const char *const *)b->config.domains;
}

bool bridge_routes(const struct bridge *b, struct prim_slice domain)
{
	const struct br_route *route = br_router_find(b->router, domain);

	return route && route->kind == BR_ROUTE_ADAPTER &&
	    strcmp(b->config.adapters[route->adapter].name, b->name) == 0;
}
