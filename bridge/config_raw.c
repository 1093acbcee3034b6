/* SPDX-License-Identifier: ISC */
/* The schema of the configuration (DESIGN 8). */

#include "bridge/config_raw.h"

#include "bridge/config.h"
#include "prim/base.h"

/* More than anybody writes; looked through pair by pair for doubles. */
#define DOMAINS_MAX  1024
#define LISTEN_MAX   64
#define ROUTES_MAX   4096
#define RELAY_MAX    1024
#define ADAPTERS_MAX 64

#define WORD_LEN 64
#define TEXT_LEN 1024

#define OPT CYAML_FLAG_OPTIONAL
#define PTR (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

const cyaml_strval_t br_raw_mechanisms[] = {
	{"SCRAM-SHA-256-PLUS", BR_MECH_SCRAM_SHA_256_PLUS},
	{ "SCRAM-SHA-256",     BR_MECH_SCRAM_SHA_256     },
	{ "PLAIN",             BR_MECH_PLAIN             },
	{ "EXTERNAL",          BR_MECH_EXTERNAL          },
	{ "CRAM-MD5",          BR_MECH_CRAM_MD5          },
	{ "ANONYMOUS",         BR_MECH_ANONYMOUS         },
};
const size_t br_raw_mechanism_count = PRIM_COUNT(br_raw_mechanisms);

static const cyaml_strval_t RIGHTS[] = {
	{"fetch",      BR_RIGHT_FETCH    },
	{ "subscribe", BR_RIGHT_SUBSCRIBE},
	{ "send",      BR_RIGHT_SEND     },
	{ "publish",   BR_RIGHT_PUBLISH  },
	{ "remove",    BR_RIGHT_REMOVE   },
	{ "listen",    BR_RIGHT_LISTEN   },
	{ "silence",   BR_RIGHT_SILENCE  },
};

static const cyaml_strval_t DISCLOSURES[] = {
	{"open",  0},
	{ "hide", 1},
};
static const cyaml_strval_t NOTICES[] = {
	{"asked",      0},
	{ "requested", 0}, /* as it was called first */
	{ "always",    1},
};
static const cyaml_strval_t TLS_NEEDS[] = {
	{"optional",  0},
	{ "required", 1},
};

static const cyaml_schema_value_t TEXT = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_LEN),
};

/* One line of a table below: a text, a yes or no, a word, a set of words. */
#define TEXT_FIELD(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, PTR, struct type, member, 1, TEXT_LEN)
#define MUST_FIELD(key, type, member)                                        \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct type, member, \
	    1, TEXT_LEN)
#define BOOL_FIELD(key, type, member) \
	CYAML_FIELD_BOOL_PTR(key, PTR, struct type, member)
#define WORD_FIELD(key, type, member, words)                            \
	CYAML_FIELD_ENUM_PTR(key, PTR | CYAML_FLAG_STRICT, struct type, \
	    member, words, PRIM_COUNT(words))
#define SET_FIELD(key, type, member, words)                              \
	CYAML_FIELD_FLAGS_PTR(key, PTR | CYAML_FLAG_STRICT, struct type, \
	    member, words, PRIM_COUNT(words))
#define MAP_FIELD(key, member, fields) \
	CYAML_FIELD_MAPPING(key, OPT, struct br_raw, member, fields)

static const cyaml_schema_field_t LISTEN[] = {
	MUST_FIELD("address", br_raw_listen, address),
	BOOL_FIELD("tls", br_raw_listen, tls),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t TLS[] = {
	TEXT_FIELD("certificate", br_raw_tls, certificate),
	TEXT_FIELD("key", br_raw_tls, key),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t AUTH[] = {
	SET_FIELD("mechanisms", br_raw_auth, mechanisms, br_raw_mechanisms),
	BOOL_FIELD("allow_plaintext", br_raw_auth, allow_plaintext),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t DEFAULT_ACL[] = {
	SET_FIELD("own_domain", br_raw_default_acl, own_domain, RIGHTS),
	SET_FIELD("everyone", br_raw_default_acl, everyone, RIGHTS),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t LIMITS[] = {
	TEXT_FIELD("body", br_raw_limits, body),
	TEXT_FIELD("presence", br_raw_limits, presence),
	TEXT_FIELD("connections", br_raw_limits, connections),
	TEXT_FIELD("connections_per_address", br_raw_limits,
	    connections_per_address),
	TEXT_FIELD("offline_messages", br_raw_limits, offline_messages),
	TEXT_FIELD("queue_messages", br_raw_limits, queue_messages),
	TEXT_FIELD("queue", br_raw_limits, queue),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t DELIVERY[] = {
	TEXT_FIELD("answer_within", br_raw_delivery, answer_within),
	BOOL_FIELD("offline_store", br_raw_delivery, offline_store),
	TEXT_FIELD("give_up_after", br_raw_delivery, give_up_after),
	WORD_FIELD("notices", br_raw_delivery, notices, NOTICES),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t FEDERATION[] = {
	WORD_FIELD("tls", br_raw_federation, tls, TLS_NEEDS),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t DNS[] = {
	TEXT_FIELD("hosts_file", br_raw_dns, hosts_file),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ADMIN[] = {
	TEXT_FIELD("listen", br_raw_admin, listen),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ROUTE[] = {
	MUST_FIELD("domain", br_raw_route, domain),
	MUST_FIELD("via", br_raw_route, via),
	CYAML_FIELD_SEQUENCE("relay", PTR, struct br_raw_route, relay, &TEXT, 0,
	    RELAY_MAX),
	BOOL_FIELD("queue", br_raw_route, queue),
	CYAML_FIELD_SEQUENCE("retry", PTR, struct br_raw_route, retry, &TEXT, 1,
	    BR_CONFIG_RETRY_MAX),
	TEXT_FIELD("give_up_after", br_raw_route, give_up_after),
	CYAML_FIELD_END,
};

/* What is in `options` only the plugin knows. */
static const cyaml_schema_field_t ADAPTER[] = {
	MUST_FIELD("name", br_raw_adapter, name),
	MUST_FIELD("plugin", br_raw_adapter, plugin),
	CYAML_FIELD_IGNORE("options", OPT),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t LISTEN_ENTRY = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct br_raw_listen, LISTEN),
};
static const cyaml_schema_value_t ROUTE_ENTRY = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct br_raw_route, ROUTE),
};
static const cyaml_schema_value_t ADAPTER_ENTRY = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct br_raw_adapter, ADAPTER),
};

static const cyaml_schema_field_t WHOLE[] = {
	CYAML_FIELD_SEQUENCE_COUNT("domains", CYAML_FLAG_POINTER, struct br_raw,
	    domains, domain_count, &TEXT, 1, DOMAINS_MAX),
	TEXT_FIELD("data_dir", br_raw, data_dir),
	TEXT_FIELD("user", br_raw, user),
	CYAML_FIELD_SEQUENCE("listen", PTR, struct br_raw, listen,
	    &LISTEN_ENTRY, 1, LISTEN_MAX),
	MAP_FIELD("tls", tls, TLS),
	MAP_FIELD("auth", auth, AUTH),
	MAP_FIELD("default_acl", default_acl, DEFAULT_ACL),
	WORD_FIELD("disclosure", br_raw, disclosure, DISCLOSURES),
	MAP_FIELD("limits", limits, LIMITS),
	MAP_FIELD("delivery", delivery, DELIVERY),
	MAP_FIELD("federation", federation, FEDERATION),
	MAP_FIELD("dns", dns, DNS),
	MAP_FIELD("admin", admin, ADMIN),
	TEXT_FIELD("history", br_raw, history),
	CYAML_FIELD_SEQUENCE_COUNT("routes", PTR, struct br_raw, routes,
	    route_count, &ROUTE_ENTRY, 0, ROUTES_MAX),
	CYAML_FIELD_SEQUENCE_COUNT("adapters", PTR, struct br_raw, adapters,
	    adapter_count, &ADAPTER_ENTRY, 0, ADAPTERS_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t br_raw_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct br_raw, WHOLE),
};
