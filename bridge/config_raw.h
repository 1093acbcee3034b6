/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONFIG_RAW_H
#define BRIDGE_CONFIG_RAW_H

/*
 * The configuration as libcyaml fills it: words are known, but texts are not
 * yet looked at. Only config*.c use it. All pointers are owned by libcyaml;
 * what is absent is NULL or 0.
 */

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct br_raw_listen {
	char *address;
	bool *tls;
};

struct br_raw_route {
	char *domain;
	char *via;
	char **relay;
	size_t relay_count;
	bool *queue;
	char **retry;
	size_t retry_count;
	char *give_up_after;
};

struct br_raw_adapter {
	char *name;
	char *plugin;
};

struct br_raw_tls {
	char *certificate;
	char *key;
};

struct br_raw_auth {
	uint32_t *mechanisms;
	bool *allow_plaintext;
};

struct br_raw_default_acl {
	uint32_t *own_domain;
	uint32_t *everyone;
};

struct br_raw_limits {
	char *body;
	char *presence;
	char *connections;
	char *connections_per_address;
	char *offline_messages;
	char *queue_messages;
	char *queue;
};

struct br_raw_delivery {
	char *answer_within;
	bool *offline_store;
	char *give_up_after;
	uint32_t *notices; /* 1: always */
};

struct br_raw_federation {
	uint32_t *tls; /* 1: required */
};

struct br_raw_dns {
	char *hosts_file;
};

struct br_raw_admin {
	char *listen;
};

struct br_raw {
	char **domains;
	size_t domain_count;
	char *data_dir;
	char *user;
	struct br_raw_listen *listen;
	size_t listen_count;
	struct br_raw_tls tls;
	struct br_raw_auth auth;
	struct br_raw_default_acl default_acl;
	uint32_t *disclosure; /* 1: hide */
	struct br_raw_limits limits;
	struct br_raw_delivery delivery;
	struct br_raw_federation federation;
	struct br_raw_dns dns;
	struct br_raw_admin admin;
	char *history;
	struct br_raw_route *routes;
	size_t route_count;
	struct br_raw_adapter *adapters;
	size_t adapter_count;
};

extern const cyaml_schema_value_t br_raw_schema;

/* The names of enum br_mechanism. */
extern const cyaml_strval_t br_raw_mechanisms[];
extern const size_t br_raw_mechanism_count;

#endif
