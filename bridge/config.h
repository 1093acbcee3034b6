/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONFIG_H
#define BRIDGE_CONFIG_H

/*
 * The configuration (DESIGN 8): YAML, unknown keys are errors, and every error
 * names its place as FILE:LINE:COL. Every key parses; one that has no effect
 * yet warns once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/err.h"
#include "prim/slice.h"

struct br_log;

/* An address to listen on or to connect to: "127.0.0.1:7746", "[::1]:7746". */
struct br_endpoint {
	char *host;    /* owned: numeric, without brackets */
	uint16_t port; /* 0: the kernel picks one */
};

struct br_config_listen {
	struct br_endpoint endpoint;
	bool tls; /* TLS from the first octet */
};

enum br_mechanism { /* bits */
	BR_MECH_SCRAM_SHA_256_PLUS = 1,
	BR_MECH_SCRAM_SHA_256 = 2,
	BR_MECH_PLAIN = 4,
	BR_MECH_EXTERNAL = 8,
	BR_MECH_CRAM_MD5 = 16,
	BR_MECH_ANONYMOUS = 32,
};

enum br_right { /* bits: what an ACL can allow */
	BR_RIGHT_FETCH = 1,
	BR_RIGHT_SUBSCRIBE = 2,
	BR_RIGHT_SEND = 4,
	BR_RIGHT_PUBLISH = 8,
	BR_RIGHT_REMOVE = 16,
	BR_RIGHT_LISTEN = 32,
	BR_RIGHT_SILENCE = 64,
};

#define BR_CONFIG_RETRY_MAX 16

struct br_config_route {
	char *domain; /* owned: lower case; ".x" for everything below x */
	char *via;    /* owned: an adapter's name */
	/* `queue: true` (default): the outbox takes what cannot be delivered
	 * now. */
	bool queues;
	char **relay; /* owned: domains foreign senders may relay from */
	size_t relay_count;
	/* `retry: [5s, 1m, 5m]`: pauses before new tries, in place of the
	 * adapter's; the last is repeated. At most BR_CONFIG_RETRY_MAX. */
	unsigned retry_s[BR_CONFIG_RETRY_MAX];
	unsigned retry_count;      /* 0: the adapter's */
	uint64_t give_up_after_ms; /* 0: delivery.give_up_after */
};

struct br_config_adapter {
	char *name;   /* owned: [a-z0-9-]{1,32}, unique; no BR_ORIGIN_... */
	char *plugin; /* owned: [a-z0-9-]{1,32} */
	/* The text of `options:` as it stands in the file, with everything in
	 * front of it on its lines blanked out and an empty line for every line
	 * before, so that a parser of it counts the same lines and columns. "{}"
	 * at the place of the adapter when there is none. owned */
	char *options;
	/* Two options every adapter shares, read here because the router needs
	 * them before the adapter lives. NULL when absent. owned, lower case */
	char *domain;
	char *gateway_domain;
	/* Addresses among the options whose key is `listen` or ends `_listen`:
	 * primd binds them before it gives up its privileges and hands the
	 * sockets over in this order. owned */
	struct br_endpoint *listen;
	size_t listen_count;
	int line, column; /* of the list entry, for later errors */
};

struct br_config {
	char *file;     /* owned: its name, or "(defaults)" */
	char **domains; /* owned: lower case A-labels, at least one */
	size_t domain_count;
	/* owned: where relative paths begin; adapters run in it */
	char *folder;
	char *data_dir; /* owned; relative paths: from the file's folder */
	char *user;     /* owned; NULL: the owner of data_dir */
	struct br_config_listen *listen; /* owned */
	size_t listen_count;
	char *tls_certificate; /* owned; NULL: a self-signed pair is made */
	char *tls_key;       /* owned; relative paths: from the file's folder */
	unsigned mechanisms; /* enum br_mechanism */
	bool allow_plaintext;
	unsigned acl_own_domain; /* enum br_right */
	unsigned acl_everyone;
	bool disclosure_hide;
	uint64_t limit_body;     /* octets */
	uint64_t limit_presence; /* octets */
	unsigned limit_connections;
	unsigned limit_connections_per_address;
	unsigned limit_offline_messages; /* an inbox */
	/* `limits: queue_messages` (1000000) and `queue` (16GiB): what may wait
	 * in the outbox; of each no sender may have more than a twentieth. */
	uint64_t limit_queue_messages;
	uint64_t limit_queue; /* octets */
	unsigned answer_within_ms;
	bool offline_store;
	uint64_t give_up_after_ms;
	/* `notices: always` (default) or `asked`: delay notices and notices of
	 * failure only to those who asked for them (IMDN). */
	bool notices_always;
	bool federation_tls_required;
	char *history;        /* owned: file of the history log; NULL: none */
	char *dns_hosts_file; /* owned; NULL when absent */
	struct br_endpoint admin;       /* host NULL: none */
	struct br_config_route *routes; /* owned */
	size_t route_count;
	struct br_config_adapter *adapters; /* owned; with the default echo */
	size_t adapter_count;
};

/* Reads `file`, or the embedded defaults when it is NULL (domain localhost,
 * ./primd-data, 127.0.0.1:7746, admin 127.0.0.1:7780, adapter echo with domain
 * echo.localhost). NULL on error; err->text is "FILE:LINE:COL: what is wrong"
 * with what to do where that is not obvious. Keys without effect yet are told
 * to `log` (may be NULL) once. Release with br_config_free(). */
struct br_config *br_config_read(const char *file, const struct br_log *log,
    struct br_err *err);

/* The same from text; `name` stands for the file in errors. For tests. */
struct br_config *br_config_parse(const char *name, struct prim_slice text,
    const struct br_log *log, struct br_err *err);

struct br_config *br_config_free(struct br_config *config);

/* Leaves out the adapters whose plugin belongs to a later version (smtp,
 * webhook) and is not installed, with the routes to them, and tells `log` (may
 * be NULL) about each. To their networks nothing is accepted, then. */
void br_config_drop_later(struct br_config *config, const struct br_log *log);

/* Is `domain` (lower case) one we serve? */
bool br_config_serves(const struct br_config *config, struct prim_slice domain);

/* Runs `primd-adapter --check PLUGIN` for every adapter with its options on
 * standard input, and turns the first complaint into FILE:LINE:COL. */
bool br_config_check_adapters(const struct br_config *config,
    struct br_err *err);

#endif
