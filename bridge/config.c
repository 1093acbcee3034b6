/* SPDX-License-Identifier: ISC */
/* Reading the configuration, and letting it go. */

#include "bridge/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bridge/config_build.h"
#include "bridge/log.h"
#include "bridge/place.h"
#include "bridge/schema.h"
#include "prim/base.h"
#include "prim/buf.h"

#define DEFAULTS_NAME "(defaults)"

/* What primd runs on without a file; everything else has its default. */
#define DEFAULTS                 \
	"domains: [localhost]\n" \
	"admin: { listen: 127.0.0.1:7780 }\n"

static void listen_free(struct br_config_listen *listen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		prim_free(listen[i].endpoint.host);
	prim_free(listen);
}

static void texts_free(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		prim_free(texts[i]);
	prim_free(texts);
}

static void route_fini(struct br_config_route *r)
{
	prim_free(r->domain);
	prim_free(r->via);
	texts_free(r->relay, r->relay_count);
}

static void adapter_fini(struct br_config_adapter *a)
{
	prim_free(a->name);
	prim_free(a->plugin);
	prim_free(a->options);
	prim_free(a->domain);
	prim_free(a->gateway_domain);
	for (size_t i = 0; i < a->listen_count; i++)
		prim_free(a->listen[i].host);
	prim_free(a->listen);
}

struct br_config *br_config_free(struct br_config *c)
{
	if (!c)
		return NULL;
	prim_free(c->file);
	texts_free(c->domains, c->domain_count);
	prim_free(c->folder);
	prim_free(c->data_dir);
	prim_free(c->user);
	listen_free(c->listen, c->listen_count);
	prim_free(c->tls_certificate);
	prim_free(c->tls_key);
	prim_free(c->history);
	prim_free(c->dns_hosts_file);
	prim_free(c->admin.host);
	for (size_t i = 0; i < c->route_count; i++)
		route_fini(&c->routes[i]);
	prim_free(c->routes);
	for (size_t i = 0; i < c->adapter_count; i++)
		adapter_fini(&c->adapters[i]);
	prim_free(c->adapters);
	prim_free(c);
	return NULL;
}

static bool build(const struct br_config_build *b)
{
	if (!br_config_build_basics(b) || !br_config_build_adapters(b) ||
	    !br_config_build_routes(b))
		return false;
	br_config_build_warn(b);
	return true;
}

struct br_config *br_config_parse(const char *name, struct prim_slice text,
    const struct br_log *log, struct br_err *err)
{
	const struct br_yaml_source source = {
		.name = name,
		.text = text,
		.err = err,
	};
	struct br_config_build b = { .source = &source, .log = log };
	struct br_config *config;
	struct br_yaml *tree;
	void *raw;

	if (!br_schema_load(&source, &br_raw_schema, &raw, &tree))
		return NULL;
	config = prim_new(struct br_config);
	config->file = prim_copy(name, strlen(name));
	b.raw = raw;
	b.tree = tree;
	b.config = config;
	if (!build(&b))
		config = br_config_free(config);
	br_schema_free(&br_raw_schema, raw);
	br_yaml_free(tree);
	return config;
}

/* Reads until the end or one octet more than is allowed. */
static bool read_all(int fd, struct prim_buf *b)
{
	ssize_t n = 1;

	while (n > 0 && b->len <= BR_YAML_TEXT_MAX) {
		const size_t room = BR_YAML_TEXT_MAX + 1 - b->len;

		n = read(fd, prim_buf_room(b, room), room);
		if (n > 0)
			prim_buf_grow(b, (size_t)n);
	}
	return n >= 0;
}

static bool read_file(const char *file, struct prim_buf *b, struct br_err *err)
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return br_err_set(err, "%s:1:1: cannot open it: %s", file,
		    strerror(errno));
	ok = read_all(fd, b);
	if (!ok)
		br_err_set(err, "%s:1:1: cannot read it: %s", file,
		    strerror(errno));
	close(fd);
	return ok;
}

struct br_config *br_config_read(const char *file, const struct br_log *log,
    struct br_err *err)
{
	struct br_config *config = NULL;
	struct prim_buf b = { 0 };

	if (!file)
		return br_config_parse(DEFAULTS_NAME, PRIM_SLICE(DEFAULTS), log,
		    err);
	if (read_file(file, &b, err))
		config = br_config_parse(file, prim_buf_slice(&b), log, err);
	prim_buf_fini(&b);
	return config;
}

bool br_config_serves(const struct br_config *config, struct prim_slice domain)
{
	for (size_t i = 0; i < config->domain_count; i++)
		if (prim_slice_eq(prim_slice_of(config->domains[i]), domain))
			return true;
	return false;
}

/* ---- what is yet to come ---- */

static bool is_later(const struct br_config_adapter *a)
{
	static const char *const LATER[] = { "smtp", "webhook" };
	char path[BR_PLACE_MAX];

	for (size_t i = 0; i < PRIM_COUNT(LATER); i++) {
		if (strcmp(a->plugin, LATER[i]) == 0)
			return !br_place_plugin(a->plugin, path) ||
			    access(path, F_OK) != 0;
	}
	return false;
}

static void drop_routes(struct br_config *c, const char *via)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->route_count; i++) {
		if (strcmp(c->routes[i].via, via) == 0)
			route_fini(&c->routes[i]);
		else
			c->routes[kept++] = c->routes[i];
	}
	c->route_count = kept;
}

void br_config_drop_later(struct br_config *c, const struct br_log *log)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->adapter_count; i++) {
		struct br_config_adapter *a = &c->adapters[i];

		if (!is_later(a)) {
			c->adapters[kept++] = *a;
			continue;
		}
		if (log)
			br_warn(log,
			    "%s:%d:%d: the plugin `%s` is not part of this "
			    "version: adapter `%s` and its routes are left out",
			    c->file, a->line, a->column, a->plugin, a->name);
		drop_routes(c, a->name);
		adapter_fini(a);
	}
	c->adapter_count = kept;
}
