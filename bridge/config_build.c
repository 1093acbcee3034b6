/* SPDX-License-Identifier: ISC */
/* Checking and taking over the plain keys of the configuration. */

#include "bridge/config_build.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/schema.h"
#include "bridge/value.h"
#include "prim/base.h"
#include "prim/buf.h"

#define PORT       7746 /* "PRIM" on a telephone */
#define PORT_TLS   7747
#define PORT_ADMIN 7780

#define KIB    ((uint64_t)1024)
#define MIB    (KIB * 1024)
#define GIB    (MIB * 1024)
#define TIB    (GIB * 1024)
#define SECOND ((uint64_t)1000)
#define DAY    (SECOND * 86400)

/* Mechanisms that the configuration knows before the server does. */
#define MECH_LATER (BR_MECH_EXTERNAL | BR_MECH_ANONYMOUS)

/* A key with a number, and what it may be. */
struct number {
	const char *section, *key;
	bool (*parse)(const char *text, uint64_t *out_value);
	uint64_t min, max;
	const char *what; /* "... must be WHAT" */
};

static bool parse_count(const char *text, uint64_t *out_count)
{
	return prim_slice_number(prim_slice_of(text), UINT64_MAX, out_count);
}

enum number_key {
	BODY,
	PRESENCE,
	CONNECTIONS,
	PER_ADDRESS,
	OFFLINE,
	QUEUE_MESSAGES,
	QUEUE,
	ANSWER,
	GIVE_UP,
};

/* clang-format off: no columns here. */
static const struct number NUMBERS[] = {
	[BODY] = {"limits",    "body",                    br_value_size,     KIB, 64 * MIB,
		  "a size from 1KiB to 64MiB"											},
	[PRESENCE] = { "limits",   "presence",                br_value_size,     KIB, 16 * MIB,
		  "a size from 1KiB to 16MiB"											},
	[CONNECTIONS] = { "limits",   "connections",             parse_count,       1,   1000000,
		  "a number from 1 to 1000000"										       },
	[PER_ADDRESS] = { "limits",   "connections_per_address", parse_count,       1,
		  1000000,								  "a number from 1 to 1000000"             },
	[OFFLINE] = { "limits",   "offline_messages",        parse_count,       0,   1000000,
		  "a number from 0 to 1000000"										       },
	[QUEUE_MESSAGES] = { "limits",   "queue_messages",          parse_count,       20,
		  100000000,								"a number from 20 to 100000000"          },
	[QUEUE] = { "limits",   "queue",                   br_value_size,     MIB, 64 * TIB,
		  "a size from 1MiB to 64TiB"											},
	[ANSWER] = { "delivery", "answer_within",           br_value_duration, 100,
		  600 * SECOND,							     "a time from 100ms to 10m, with its unit"},
	[GIVE_UP] = { "delivery", "give_up_after",           br_value_duration, 100,
		  30 * DAY,								 "a time from 100ms to 30d, with its unit"},
};

/* clang-format on */

static const struct br_yaml *node_of(const struct br_config_build *b,
    const char *section, const char *key)
{
	return br_yaml_find(br_yaml_find(b->tree, section), key);
}

/* `text` NULL keeps what is in `out`. */
static bool take_number(const struct br_config_build *b, enum number_key which,
    const char *text, uint64_t *out)
{
	const struct number *n = &NUMBERS[which];
	uint64_t value;

	if (!text)
		return true;
	if (!n->parse(text, &value) || value < n->min || value > n->max)
		return br_yaml_complain(b->source,
		    node_of(b, n->section, n->key), "`%s` must be %s, not `%s`",
		    n->key, n->what, br_yaml_show(text));
	*out = value;
	return true;
}

static bool take_small(const struct br_config_build *b, enum number_key which,
    const char *text, unsigned *out)
{
	uint64_t value = *out;

	if (!take_number(b, which, text, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

static bool build_numbers(const struct br_config_build *b)
{
	const struct br_raw_limits *limits = &b->raw->limits;
	const struct br_raw_delivery *delivery = &b->raw->delivery;
	struct br_config *c = b->config;

	c->limit_body = MIB;
	c->limit_presence = 64 * KIB;
	c->limit_connections = 100000;
	c->limit_connections_per_address = 1000;
	c->limit_offline_messages = 500;
	c->limit_queue_messages = 1000000;
	c->limit_queue = 16 * GIB;
	c->answer_within_ms = 8000;
	c->give_up_after_ms = DAY;
	return take_number(b, BODY, limits->body, &c->limit_body) &&
	    take_number(b, PRESENCE, limits->presence, &c->limit_presence) &&
	    take_small(b, CONNECTIONS, limits->connections,
		&c->limit_connections) &&
	    take_small(b, PER_ADDRESS, limits->connections_per_address,
		&c->limit_connections_per_address) &&
	    take_small(b, OFFLINE, limits->offline_messages,
		&c->limit_offline_messages) &&
	    take_number(b, QUEUE_MESSAGES, limits->queue_messages,
		&c->limit_queue_messages) &&
	    take_number(b, QUEUE, limits->queue, &c->limit_queue) &&
	    take_small(b, ANSWER, delivery->answer_within,
		&c->answer_within_ms) &&
	    take_number(b, GIVE_UP, delivery->give_up_after,
		&c->give_up_after_ms);
}

static bool build_domains(const struct br_config_build *b)
{
	const struct br_yaml *node = br_yaml_find(b->tree, "domains")->first;
	struct br_config *c = b->config;

	c->domains = prim_alloc(b->raw->domain_count * sizeof(*c->domains));
	for (size_t i = 0; i < b->raw->domain_count; i++, node = node->next) {
		const char *text = b->raw->domains[i];
		char *domain = br_value_domain(text);

		if (!domain)
			return br_yaml_complain(b->source, node,
			    "`%s` is not a domain name (write international "
			    "names in their xn-- form)",
			    br_yaml_show(text));
		if (br_config_serves(c, prim_slice_of(domain))) {
			prim_free(domain);
			return br_yaml_complain(b->source, node,
			    "`%s` is here twice", br_yaml_show(text));
		}
		c->domains[c->domain_count++] = domain;
	}
	return true;
}

static bool take_endpoint(const struct br_config_build *b,
    const struct br_yaml *node, int default_port, struct br_endpoint *out)
{
	const char *wrong = br_value_endpoint(node->text, default_port, out);

	if (!wrong)
		return true;
	return br_yaml_complain(b->source, node, "`%s` is no address: %s",
	    br_yaml_show(node->text), wrong);
}

static bool build_listen(const struct br_config_build *b)
{
	const struct br_yaml *list = br_yaml_find(b->tree, "listen"), *node;
	const struct br_raw_listen *raw = b->raw->listen;
	struct br_config *c = b->config;

	c->listen = prim_alloc((list ? list->count : 1) * sizeof(*c->listen));
	if (!list) {
		c->listen[0].endpoint.host = prim_copy("127.0.0.1", 9);
		c->listen[0].endpoint.port = PORT;
		c->listen_count = 1;
		return true;
	}
	for (node = list->first; node; node = node->next, raw++) {
		struct br_config_listen *entry = &c->listen[c->listen_count];

		entry->tls = raw->tls && *raw->tls;
		if (!take_endpoint(b, br_yaml_find(node, "address"),
			entry->tls ? PORT_TLS : PORT, &entry->endpoint))
			return false;
		c->listen_count++;
	}
	return true;
}

static bool build_admin(const struct br_config_build *b)
{
	const struct br_yaml *node = node_of(b, "admin", "listen");

	return !node || take_endpoint(b, node, PORT_ADMIN, &b->config->admin);
}

/* With the slash; empty when there is none. */
static struct prim_slice folder_of(const char *path)
{
	const ptrdiff_t slash = prim_slice_find_last(prim_slice_of(path), '/');

	return prim_slice_make(path, (size_t)(slash + 1));
}

/* A path as the file means it: from the folder the file is in. */
static char *make_path(const struct br_config_build *b, const char *text)
{
	struct prim_buf path = { 0 };

	if (text[0] != '/')
		prim_buf_put(&path, folder_of(b->source->name));
	prim_buf_puts(&path, text);
	return prim_buf_steal(&path);
}

static bool take_file(const struct br_config_build *b, const char *section,
    const char *key, const char *text, char **out)
{
	if (!text)
		return true;
	*out = make_path(b, text);
	if (access(*out, R_OK) == 0)
		return true;
	return br_yaml_complain(b->source, node_of(b, section, key),
	    "cannot read `%s`: %s", br_yaml_show(*out), strerror(errno));
}

/* It need not be there yet, but it has to have a place to be. */
static bool take_history(const struct br_config_build *b)
{
	const struct br_yaml *node = br_yaml_find(b->tree, "history");
	struct br_config *c = b->config;
	struct stat about;
	char *folder;
	bool ok;

	if (!node)
		return true;
	c->history = make_path(b, node->text);
	if (stat(c->history, &about) == 0 && S_ISDIR(about.st_mode))
		return br_yaml_complain(b->source, node, "`%s` is a folder",
		    br_yaml_show(c->history));
	folder = prim_slice_copy(folder_of(c->history));
	ok = !folder[0] || access(folder, F_OK) == 0;
	if (!ok)
		br_yaml_complain(b->source, node, "there is no folder `%s`",
		    br_yaml_show(folder));
	prim_free(folder);
	return ok;
}

static bool build_files(const struct br_config_build *b)
{
	const struct br_raw *raw = b->raw;
	struct br_config *c = b->config;

	c->folder = make_path(b, ".");
	c->data_dir = make_path(b,
	    raw->data_dir ? raw->data_dir : "primd-data");
	if (raw->user)
		c->user = prim_copy(raw->user, strlen(raw->user));
	if (!raw->tls.certificate != !raw->tls.key)
		return br_yaml_complain(b->source, br_yaml_find(b->tree, "tls"),
		    "`tls` has a `%s` but no `%s`",
		    raw->tls.key ? "key" : "certificate",
		    raw->tls.key ? "certificate" : "key");
	return take_file(b, "tls", "certificate", raw->tls.certificate,
		   &c->tls_certificate) &&
	    take_file(b, "tls", "key", raw->tls.key, &c->tls_key) &&
	    take_file(b, "dns", "hosts_file", raw->dns.hosts_file,
		&c->dns_hosts_file) &&
	    take_history(b);
}

static unsigned bits_or(const uint32_t *bits, unsigned otherwise)
{
	return bits ? *bits : otherwise;
}

static bool bool_or(const bool *value, bool otherwise)
{
	return value ? *value : otherwise;
}

static bool build_words(const struct br_config_build *b)
{
	const struct br_raw *raw = b->raw;
	struct br_config *c = b->config;

	c->mechanisms = bits_or(raw->auth.mechanisms,
	    BR_MECH_SCRAM_SHA_256_PLUS | BR_MECH_SCRAM_SHA_256 | BR_MECH_PLAIN |
		BR_MECH_EXTERNAL);
	c->allow_plaintext = bool_or(raw->auth.allow_plaintext, false);
	c->acl_own_domain = bits_or(raw->default_acl.own_domain,
	    BR_RIGHT_FETCH | BR_RIGHT_SUBSCRIBE | BR_RIGHT_SEND);
	c->acl_everyone = bits_or(raw->default_acl.everyone, BR_RIGHT_SEND);
	c->disclosure_hide = bits_or(raw->disclosure, 0) != 0;
	c->offline_store = bool_or(raw->delivery.offline_store, true);
	c->notices_always = bits_or(raw->delivery.notices, 1) != 0;
	c->federation_tls_required = bits_or(raw->federation.tls, 1) != 0;
	if (c->mechanisms == 0)
		return br_yaml_complain(b->source,
		    node_of(b, "auth", "mechanisms"),
		    "without a mechanism nobody can log in");
	return true;
}

bool br_config_build_basics(const struct br_config_build *b)
{
	return build_domains(b) && build_listen(b) && build_admin(b) &&
	    build_files(b) && build_words(b) && build_numbers(b);
}

static void warn(const struct br_config_build *b, const struct br_yaml *at,
    const char *what)
{
	br_warn(b->log, "%s:%d:%d: `%s` has no effect yet", b->source->name,
	    at->line, at->column, what);
}

static void warn_mechanisms(const struct br_config_build *b)
{
	const struct br_yaml *list = node_of(b, "auth", "mechanisms"), *node;
	unsigned told = ~(unsigned)MECH_LATER;

	for (node = list ? list->first : NULL; node; node = node->next) {
		for (size_t i = 0; i < br_raw_mechanism_count; i++) {
			const cyaml_strval_t *m = &br_raw_mechanisms[i];

			if (strcmp(m->str, node->text) != 0 ||
			    ((unsigned)m->val & told))
				continue;
			told |= (unsigned)m->val;
			warn(b, node, m->str);
		}
	}
}

void br_config_build_warn(const struct br_config_build *b)
{
	static const struct {
		const char *section, *key;
	} LATER[] = {
		{"federation", "tls"       },
		{ "dns",       "hosts_file"},
	};
	const struct br_yaml *node;
	char what[64];

	if (!b->log)
		return;
	warn_mechanisms(b);
	for (size_t i = 0; i < PRIM_COUNT(LATER); i++) {
		node = node_of(b, LATER[i].section, LATER[i].key);
		snprintf(what, sizeof(what), "%s.%s", LATER[i].section,
		    LATER[i].key);
		if (node)
			warn(b, node, what);
	}
}
