/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PLUGIN_PRIVATE_H
#define BRIDGE_PLUGIN_PRIVATE_H

/*
 * What the files of the adapter's process share: plugin.c (its life),
 * plugin_load.c (the plugin and its options), plugin_config.c (where domains
 * lead), plugin_sandbox*.c (what it is kept from), plugin_link.c (what the core
 * says), plugin_say.c and plugin_submit.c (what the plugin says),
 * plugin_presence.c (both, about presence), plugin_identity.c (both, about whose
 * an address is), plugin_state.c (what it keeps).
 */

#include "bridge/adapter.h"
#include "bridge/ask.h"
#include "bridge/config.h"
#include "bridge/err.h"
#include "bridge/link.h"
#include "bridge/yaml.h"
#include "prim/base.h"
#include "prim/buf.h"
#include "prim/table.h"

struct br_router;
struct event;

#define PLUGIN_SOCKETS_MAX 64
#define PLUGIN_METRICS_MAX 64
#define PLUGIN_METRIC_LEN  48
#define PLUGIN_LOG_BACKLOG ((size_t)1024 * 1024)

enum plugin_exit {
	PLUGIN_EXIT_DONE = 0,
	PLUGIN_EXIT_USAGE = 2,
	PLUGIN_EXIT_CORE = 3,
	PLUGIN_EXIT_PLUGIN = 4,
};

enum plugin_ask {
	PLUGIN_ASK_SUBMIT,   /* what: struct plugin_submission */
	PLUGIN_ASK_STATE,    /* the first of the queue */
	PLUGIN_ASK_FENCE,    /* a PING behind WINDOW 0 */
	PLUGIN_ASK_PRESENCE, /* what: struct plugin_presence */
	PLUGIN_ASK_LINK,     /* the first of the queue */
};

/* Something the plugin submitted. */
struct plugin_submission {
	STAILQ_ENTRY(plugin_submission) next;
	unsigned code; /* of one that we refused ourselves */
	struct prim_buf token, message_id;
};

STAILQ_HEAD(plugin_submission_list, plugin_submission);

/* What the plugin said about presence. */
struct plugin_presence {
	STAILQ_ENTRY(plugin_presence) next;
	enum bridge_presence_kind kind;
	unsigned code;       /* of one that we refused ourselves */
	uint32_t duration_s; /* as asked for, then as granted */
	struct prim_buf watcher, presentity, id;
};

STAILQ_HEAD(plugin_presence_list, plugin_presence);

/* An address the plugin asked about. */
struct plugin_question {
	STAILQ_ENTRY(plugin_question) next;
	struct prim_buf address;
	uint64_t cookie;
};

STAILQ_HEAD(plugin_question_list, plugin_question);

/* A delivery whose report is to come. */
struct plugin_delivery {
	struct prim_table_node node;
	struct prim_digest id;
};

struct plugin_state_request;
STAILQ_HEAD(plugin_state_queue, plugin_state_request);

/* The plugin, loaded. */
struct plugin {
	const struct br_adapter *adapter; /* borrowed: its file stays loaded */
	void *options;                    /* owned, by its schema */
};

struct bridge {
	const char *name;        /* borrowed: of the adapter */
	const char *plugin_name; /* borrowed */
	struct plugin plugin;
	void *state;             /* owned: the plugin's memory */
	struct event_base *base; /* owned */
	struct event *later;     /* owned: what must wait for the loop's top */
	int64_t clock_offset_ms; /* from monotonic to wall-clock time */
	enum plugin_exit code;

	char *config_text;        /* owned: what CONFIG said */
	struct br_config config;  /* owned arrays, texts in config_text */
	struct br_router *router; /* owned */
	int sockets[PLUGIN_SOCKETS_MAX]; /* owned until handed out; then -1 */
	unsigned socket_count;
	uint64_t body_max; /* octets, as CONFIG said */

	struct br_link link;
	struct br_asks asks;
	struct prim_buf scratch;
	struct prim_buf *held; /* borrowed: takes what is said; NULL: the link
	                          does */

	bool started;  /* `start` was called */
	bool ready;    /* READY was sent */
	bool draining; /* DRAIN came */
	unsigned window;
	struct prim_buf retry;   /* owned: as READY says it; may be empty */
	unsigned delay_notice_s; /* the same; 0: it does not */
	unsigned fences;         /* unanswered: what comes before the
	                                 answer is from before WINDOW 0 */
	struct prim_table deliveries; /* owned: struct plugin_delivery */
	unsigned submissions;         /* unanswered */
	bool room_owed;               /* one was refused for lack of room */
	struct plugin_submission_list refused; /* owned */
	unsigned presences;                    /* unanswered, of presence */
	struct plugin_presence_list presence_refused; /* owned */
	struct plugin_question_list questions; /* owned: unanswered, in order */
	unsigned question_count;
	struct plugin_state_queue states; /* owned; the first is asked */
	size_t state_octets;
	struct event *state_retry; /* owned */
	char metrics[PLUGIN_METRICS_MAX][PLUGIN_METRIC_LEN + 1];
};

/* ---- plugin.c ---- */

/* Ends the loop, and with it the process. */
void br_plugin_end(struct bridge *b, enum plugin_exit code);
/* Looks at the loop's top whether a drain is complete, and tells outcomes of
 * what we refused ourselves. */
void br_plugin_later(struct bridge *b);

/* ---- plugin_load.c ---- */

/* Loads the plugin `name` and its options. False with a sentence; for the
 * options it begins with LINE:COL. Release with br_plugin_unload(), also then. */
bool br_plugin_load(struct plugin *p, const char *name, struct br_err *err);
bool br_plugin_load_options(struct plugin *p, struct prim_slice text,
    struct br_err *err);
void br_plugin_unload(struct plugin *p);

/* ---- plugin_config.c ---- */

/* Reads what stands in front of the options in CONFIG, and leaves the options
 * in `text`. False: the core says strange things. */
bool br_plugin_config_read(struct bridge *b, struct prim_slice *text);
void br_plugin_config_fini(struct bridge *b);

/* ---- plugin_sandbox.c ---- */

/* At once: whatever holds for every adapter. */
void br_plugin_sandbox_enter(void);
/* Before `start`, with the plugin and its options loaded: the rest. Logs what
 * holds. False: it cannot be done, and the log says why. */
bool br_plugin_sandbox_close(struct bridge *b);

/* ---- plugin_link.c ---- */

extern const struct br_link_ops br_plugin_link_ops;

/* ---- plugin_say.c ---- */

/* Begins a request in b->scratch, with an id of its own for an `ask`, with "-"
 * for NULL. A body goes after plugin_send_head(). */
struct prim_buf *br_plugin_request(struct bridge *b, enum prim_method method,
    const struct br_ask *ask, size_t body_len);
void br_plugin_put_number(struct prim_buf *out, enum prim_header_id id,
    uint64_t value);
/* Ends the head and sends it with `body`. */
void br_plugin_send(struct bridge *b, struct prim_slice body);
/* Opens and closes a delivery. Closing one that is not there is harmless. */
void br_plugin_delivery_put(struct bridge *b, const struct prim_digest *id);
void br_plugin_delivery_drop(struct bridge *b, const struct prim_digest *id);
void br_plugin_delivery_drop_all(struct bridge *b);

/* ---- plugin_submit.c ---- */

/* The core answered; takes `s`. */
void br_plugin_submit_settle(struct bridge *b, struct plugin_submission *s,
    unsigned code);
struct plugin_submission *
br_plugin_submission_free(struct plugin_submission *s);

/* ---- plugin_presence.c ---- */

/* A SUBSCRIBE, UNSUBSCRIBE or NOTIFY came. False: the core broke the rules. */
bool br_plugin_presence_hear(struct bridge *b, const struct prim_command *c);
/* The core answered; takes `p`. False: it broke the rules. */
bool br_plugin_presence_answer(struct bridge *b, struct plugin_presence *p,
    const struct prim_command *c);
/* Tells the plugin what became of `p`, and takes it. */
void br_plugin_presence_settle(struct bridge *b, struct plugin_presence *p,
    unsigned code);
struct plugin_presence *br_plugin_presence_free(struct plugin_presence *p);

/* ---- plugin_identity.c ---- */

/* LINK came: the canonical form of an address is wanted. False: the core broke
 * the rules. */
bool br_plugin_identity_hear(struct bridge *b, const struct prim_command *c);
/* The core answered bridge_link(). False: it broke the rules. */
bool br_plugin_identity_answer(struct bridge *b, const struct prim_command *c);
void br_plugin_identity_fini(struct bridge *b);

/* ---- plugin_state.c ---- */

void br_plugin_state_init(struct bridge *b);
void br_plugin_state_fini(struct bridge *b);
void br_plugin_state_answer(struct bridge *b, const struct prim_command *c);

#endif
