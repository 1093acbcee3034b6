/* SPDX-License-Identifier: ISC */
/* The adapters of the configuration, and what of their options we share. */

#include <stdio.h>
#include <string.h>

#include "bridge/config_build.h"
#include "bridge/message.h"
#include "bridge/schema.h"
#include "bridge/value.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/buf.h"

const struct br_config_adapter *
br_config_build_adapter_find(const struct br_config *c, const char *name)
{
	for (size_t i = 0; i < c->adapter_count; i++)
		if (strcmp(c->adapters[i].name, name) == 0)
			return &c->adapters[i];
	return NULL;
}

static bool is_claimed_by(const struct br_config_adapter *a, const char *domain)
{
	return (a->domain && strcmp(a->domain, domain) == 0) ||
	    (a->gateway_domain && strcmp(a->gateway_domain, domain) == 0);
}

static const struct br_config_adapter *claimer_find(const struct br_config *c,
    const char *domain)
{
	for (size_t i = 0; i < c->adapter_count; i++)
		if (is_claimed_by(&c->adapters[i], domain))
			return &c->adapters[i];
	return NULL;
}

static bool take_name(const struct br_config_build *b,
    const struct br_yaml *node, char **out)
{
	if (!br_value_is_name(node->text))
		return br_yaml_complain(b->source, node,
		    "%s must be 1 to 32 of a-z, 0-9 and -, not `%s`",
		    br_schema_name(node), br_yaml_show(node->text));
	*out = prim_copy(node->text, strlen(node->text));
	return true;
}

/* A domain we serve may be represented by several networks (DESIGN 6 routes by
 * link and by route); any other belongs to one. */
static bool take_domain(const struct br_config_build *b,
    const struct br_yaml *node, char **out)
{
	const struct br_config_adapter *other;

	if (!node)
		return true;
	*out = node->text ? br_value_domain(node->text) : NULL;
	if (!*out)
		return br_yaml_complain(b->source, node,
		    "%s must be a domain name", br_schema_name(node));
	other = claimer_find(b->config, *out);
	if (other && !br_config_serves(b->config, prim_slice_of(*out)))
		return br_yaml_complain(b->source, node,
		    "`%s` is already the adapter `%s`'s", br_yaml_show(*out),
		    other->name);
	return true;
}

static bool is_listen(const char *key)
{
	return strcmp(key, "listen") == 0 ||
	    prim_slice_ends(prim_slice_of(key), PRIM_SLICE("_listen"));
}

static bool take_listen(const struct br_config_build *b,
    const struct br_yaml *options, struct br_config_adapter *a)
{
	const struct br_yaml *node;
	const char *wrong;

	for (node = options->first; node; node = node->next) {
		if (!is_listen(node->key->text))
			continue;
		a->listen = prim_resize(a->listen,
		    (a->listen_count + 1) * sizeof(*a->listen));
		wrong = node->text ? br_value_endpoint(node->text, -1,
					 &a->listen[a->listen_count])
				   : "write it as 127.0.0.1:7746";
		if (wrong)
			return br_yaml_complain(b->source, node,
			    "%s is no address: %s", br_schema_name(node),
			    wrong);
		a->listen_count++;
	}
	return true;
}

/* None, at the place of the entry: there a complaint about them belongs. */
static char *no_options(const struct br_config_adapter *a)
{
	struct prim_buf b = { 0 };

	for (int line = 1; line < a->line; line++)
		prim_buf_putc(&b, '\n');
	for (int column = 1; column < a->column; column++)
		prim_buf_putc(&b, ' ');
	prim_buf_puts(&b, "{}");
	return prim_buf_steal(&b);
}

static bool take_options(const struct br_config_build *b,
    const struct br_yaml *node, struct br_config_adapter *a)
{
	if (!node || (node->kind == BR_YAML_SCALAR && !node->text[0])) {
		a->options = no_options(a);
		return true;
	}
	if (node->kind != BR_YAML_MAP)
		return br_yaml_complain(b->source, node,
		    "`options` must be a mapping (key: value)");
	a->options = br_yaml_cut(b->source, node);
	return take_domain(b, br_yaml_find(node, "domain"), &a->domain) &&
	    take_domain(b, br_yaml_find(node, "gateway_domain"),
		&a->gateway_domain) &&
	    take_listen(b, node, a);
}

/* Does it stand in the place of an adapter's name where none brought a message
 * (message.h)? */
static bool is_origin(const char *name)
{
	return strcmp(name, BR_ORIGIN_CLIENT) == 0 ||
	    strcmp(name, BR_ORIGIN_SELF) == 0;
}

/* Fills `a`, which is not yet counted, so that it is not compared with
 * itself. */
static bool build_adapter(const struct br_config_build *b,
    const struct br_yaml *node, struct br_config_adapter *a)
{
	a->line = node->line;
	a->column = node->column;
	if (!take_name(b, br_yaml_find(node, "name"), &a->name) ||
	    !take_name(b, br_yaml_find(node, "plugin"), &a->plugin))
		return false;
	if (is_origin(a->name))
		return br_yaml_complain(b->source, br_yaml_find(node, "name"),
		    "an adapter cannot be named `%s`: primd calls something "
		    "else so",
		    a->name);
	if (br_config_build_adapter_find(b->config, a->name))
		return br_yaml_complain(b->source, br_yaml_find(node, "name"),
		    "there are two adapters named `%s`", a->name);
	return take_options(b, br_yaml_find(node, "options"), a);
}

/* On by default, so that a new user has somebody to talk to. */
static void add_echo(struct br_config *c)
{
	struct br_config_adapter *a = &c->adapters[c->adapter_count];
	struct prim_buf domain = { 0 }, options = { 0 };

	prim_buf_putf(&domain, "echo.%s", c->domains[0]);
	if (!prim_address_domain_ok(prim_buf_slice(&domain)) ||
	    br_config_serves(c, prim_buf_slice(&domain))) {
		prim_buf_fini(&domain);
		return;
	}
	a->domain = prim_buf_steal(&domain);
	if (claimer_find(c, a->domain)) {
		a->domain = prim_free(a->domain);
		return;
	}
	prim_buf_putf(&options, "{ domain: %s }", a->domain);
	a->options = prim_buf_steal(&options);
	a->name = prim_copy("echo", 4);
	a->plugin = prim_copy("echo", 4);
	a->line = a->column = 1;
	c->adapter_count++;
}

bool br_config_build_adapters(const struct br_config_build *b)
{
	const struct br_yaml *list = br_yaml_find(b->tree, "adapters"), *node;
	struct br_config *c = b->config;
	bool ok;

	c->adapters = prim_alloc(((list ? list->count : 0) + 1) *
	    sizeof(*c->adapters));
	for (node = list ? list->first : NULL; node; node = node->next) {
		ok = build_adapter(b, node, &c->adapters[c->adapter_count]);
		c->adapter_count++;
		if (!ok)
			return false;
	}
	if (!br_config_build_adapter_find(c, "echo"))
		add_echo(c);
	return true;
}
