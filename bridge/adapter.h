/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ADAPTER_H
#define BRIDGE_ADAPTER_H

/*
 * What a plugin sees of the bridge: all of it is here.
 *
 * A plugin represents the addresses of a foreign network. It runs alone in a
 * process of its own (primd-adapter), on one libevent loop, and may be killed
 * at any instant: it keeps nothing that must last except through
 * bridge_state_put().
 *
 * Two directions, two spellings. The bridge calls members of struct br_adapter;
 * the plugin calls bridge_*(). Nothing else crosses. Everything happens on the
 * thread of bridge_base(); every bridge_*() may be called from inside a member.
 * Slices handed to either side are borrowed for the duration of the call.
 *
 * What an answer promises (DESIGN 5): report 200 only when an endpoint of the
 * recipient confirmed, 101 only when another system took responsibility.
 */

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prim/astrength.h"
#include "prim/buf.h"
#include "prim/command.h"
#include "prim/hash.h"
#include "prim/slice.h"
#include "prim/status.h"

#define BR_ADAPTER_ABI 3

/* Not yet answered submissions a plugin may have (DESIGN 7). */
#define BRIDGE_SUBMIT_MAX 256
/* Octets of a return token. */
#define BRIDGE_RETURN_MAX 512
/* Not yet answered bridge_subscribe(), _unsubscribe() and _notify() together. */
#define BRIDGE_PRESENCE_MAX 256
/* Not yet answered bridge_link(). */
#define BRIDGE_LINK_MAX 256
/* Pauses of a retry schedule. */
#define BRIDGE_RETRY_MAX 16
/* Octets of a Subscription-ID. */
#define BRIDGE_SUBSCRIPTION_ID_MAX 255

struct bridge; /* the bridge, seen from the plugin */
struct event_base;
struct prim_imdn;

/* A message on its way, in either direction. */
struct bridge_message {
	struct prim_slice from; /* "im:bob@jabber.example" */
	struct prim_slice to;
	struct prim_slice message_id;
	struct prim_slice conversation_id; /* never empty (ERR-126) */
	struct prim_slice date;     /* RFC 1123; may be empty in submit */
	struct prim_slice reply_to; /* may be empty */
	struct prim_slice content_type;
	struct prim_slice body;
	enum prim_astrength strength;
	/* Bridges it passed before; what answers by itself passes it on. */
	unsigned hops;

	/* Who really sent it ("im:..."), when `from` is the principal that
	 * address is linked to; else empty. In submit: see bridge_link(). */
	struct prim_slice original_from;
	/* Visible ASCII. In submit: comes back with the outcome and with every
	 * notice about it; may be empty. To the plugin: see `notice`. */
	struct prim_slice return_token;

	/* To the plugin only. */
	struct prim_slice delivery_id; /* 32 hex digits; equal on every try */
	unsigned attempt;              /* 1 for the first */
	/* Whom it was for, when `to` is an address linked to that principal and
	 * nobody was there; else empty. */
	struct prim_slice original_to;
	/* Not NULL: it is no message but a notice from the bridge about one that
	 * the plugin submitted with `return_token` and that was answered 101: it
	 * failed, it is late (PRIM_IMDN_STORED), or it was delivered (only if
	 * asked for). Translate it for your network, or report 200 if that has
	 * no such thing; never answer it. Borrowed. */
	const struct prim_imdn *notice;
	/* All headers, for more than these. */
	const struct prim_command *command;
};

/* The answer to bridge_link(). */
struct bridge_linked {
	struct prim_slice address;   /* as asked */
	struct prim_slice principal; /* "im:alice@prim.example"; empty: none */
	uint64_t cookie;             /* as asked */
};

/* What became of something we submitted. */
struct bridge_outcome {
	struct prim_slice return_token;
	struct prim_slice message_id;
	unsigned code; /* 200, 101: the promise of DESIGN 5; else refused */
};

/* Somebody watches somebody, in either direction. Known by its three names. */
struct bridge_subscription {
	struct prim_slice watcher;    /* "pres:alice@prim.example" */
	struct prim_slice presentity; /* "pres:bob@jabber.example" */
	/* Unique for ever: at most BRIDGE_SUBSCRIPTION_ID_MAX octets of A-Z a-z
	 * 0-9 and -._~ */
	struct prim_slice id;
	/* Seconds; 0: ends the one with this id, or else is a single look. */
	uint32_t duration_s;
	enum prim_astrength strength;
};

/* What a watcher is to see. Always the whole, never a part of it. */
struct bridge_notification {
	struct prim_slice watcher;
	struct prim_slice presentity;
	struct prim_slice id; /* of the subscription */
	/* application/pidf+xml from the bridge, unless a single publication
	 * is secured. Both may be empty when `is_end`. */
	struct prim_slice content_type;
	struct prim_slice body;
	bool is_end; /* the subscription is over: nothing follows */
	/* To the plugin only: seconds that the subscription still has. So a
	 * plugin that was started again can go on with one it has forgotten. */
	uint32_t duration_s;
};

enum bridge_presence_kind {
	BRIDGE_SUBSCRIBE,
	BRIDGE_UNSUBSCRIBE,
	BRIDGE_NOTIFY,
};

/* What became of a bridge_subscribe(), _unsubscribe() or _notify(). */
struct bridge_presence_outcome {
	enum bridge_presence_kind kind;
	struct prim_slice watcher;
	struct prim_slice presentity;
	struct prim_slice id;
	/* SUBSCRIBE: 200, 201 (another duration was granted), 402 forbidden,
	 * 403 nobody there, 505 too many, 5xx and 407 try again later.
	 * UNSUBSCRIBE: 200, 404. NOTIFY: 200 shown or kept; 403, 404: nobody
	 * watches (any more): the subscription is over. */
	unsigned code;
	uint32_t duration_s; /* SUBSCRIBE: as granted */
};

struct br_adapter {
	unsigned abi; /* BR_ADAPTER_ABI */
	const char *name;
	/* Schema of the options and the size of the struct it fills. The struct
	 * is alive from start to stop. Its member `domain`, `gateway_domain`
	 * and every `listen`, `*_listen` are also read by primd (config.h). */
	const cyaml_schema_value_t *options;
	/* Checks what a schema cannot say. NULL: nothing to check. False with a
	 * sentence in `why` (at most `size` octets with NUL) that begins with
	 * the name of the option. */
	bool (*check)(const void *options, char *why, size_t size);
	size_t state_size;    /* octets, given zeroed to every member */
	unsigned descriptors; /* most file descriptors it has open at once */

	/* Begins. `options` as the schema filled it. The plugin calls
	 * bridge_ready() at once or later, and bridge_window() when it can take
	 * messages. False: it cannot work (the reason is logged by it); the
	 * process ends and is started again later. */
	bool (*start)(struct bridge *b, void *state, const void *options);
	/* Ends: closes and releases all. Called once, also after a failed
	 * start. Deliveries without report are the bridge's again. */
	void (*stop)(void *state);
	/* Takes a message for a foreign recipient. 0: taken, exactly one
	 * bridge_report() follows at any time, unless the process dies or the
	 * window is closed first. Otherwise a 4xx or 5xx code: refused at once,
	 * nothing follows. The same delivery_id may come again. */
	unsigned (*deliver)(void *state, const struct bridge_message *m);

	/* Optional. */
	/* How long to wait before each new try of a delivery, in seconds; the
	 * last is repeated; 0 ends the list, BRIDGE_RETRY_MAX at most. The core
	 * adds or takes a fifth by chance. At most 86,400 each. All 0: 5, 10, 20,
	 * 40, 80, 160, 300. A route can say otherwise. */
	unsigned retry_s[BRIDGE_RETRY_MAX];
	/* After how many seconds a sender is told that his message is late; 0:
	 * 900. */
	unsigned delay_notice_s;
	/* The canonical form of an address of this network: two addresses reach
	 * the same place if these are equal. `address` is "im:..."; appends the
	 * same. False: no address of this network can be that. NULL: as it is. */
	bool (*canonical)(void *state, struct prim_slice address,
	    struct prim_buf *out);
	/* The answer to bridge_link(), in the order of the calls. */
	void (*linked)(void *state, const struct bridge_linked *l);
	/* The answer to bridge_submit(). */
	void (*outcome)(void *state, const struct bridge_outcome *o);
	/* What bridge_state_get() and _list() asked for; `value` NULL: absent.
	 * A list ends with `key` NULL. */
	void (*state_value)(void *state, const struct prim_slice *key,
	    const struct prim_slice *value);
	/* Some of BRIDGE_SUBMIT_MAX has become free after bridge_submit()
	 * refused. */
	void (*room)(void *state);
	/* The bridge is stopping: take nothing new in, finish, at most 3 s. */
	void (*drain)(void *state);

	/* Presence; without `subscribe` the addresses have none (501). */
	/* One of ours watches one of yours, or goes on watching: the same id
	 * again is a renewal. 200, or 201 with another `*granted_s`, and a
	 * bridge_notify() follows soon, also with nothing new, from inside the
	 * call or later; 402, 403, 505 or a 5xx refuses. After a restart of the
	 * plugin every live one comes again. */
	unsigned (*subscribe)(void *state, const struct bridge_subscription *s,
	    uint32_t *granted_s);
	/* It is over. 200, or 404 when it was not known. */
	unsigned (*unsubscribe)(void *state,
	    const struct bridge_subscription *s);
	/* What one of yours, who watches one of ours, is to see from now on.
	 * 200: taken; 403: there is no such watcher, the subscription is over.
	 * One subscription has at most one unanswered notification. */
	unsigned (*notify)(void *state, const struct bridge_notification *n);
	/* The answers to what bridge_subscribe(), _unsubscribe() and _notify()
	 * sent. Then there is room for another one. */
	void (*presence_outcome)(void *state,
	    const struct bridge_presence_outcome *o);
};

/* A plugin's file exports this one symbol. */
#define BR_ADAPTER_SYMBOL "br_adapter_plugin"
extern const struct br_adapter br_adapter_plugin;

/* The loop everything runs on. */
struct event_base *bridge_base(struct bridge *b);
/* The name the configuration gives this adapter. NUL-terminated. */
const char *bridge_name(const struct bridge *b);
/* The domains primd serves, `count` of them, NUL-terminated lower case. */
const char *const *bridge_domains(const struct bridge *b, size_t *out_count);
/* Would the router hand a message for `domain` (lower-case A-labels) to this
 * adapter? A sender of any other domain may not speak under its own address:
 * it appears under the gateway's domain (DESIGN 6, realm). */
bool bridge_routes(const struct bridge *b, struct prim_slice domain);
/* Wall-clock ms, never decreasing. */
int64_t bridge_now_ms(const struct bridge *b);

/* Another schedule than `retry_s` and `delay_notice_s` say, where options decide:
 * before bridge_ready(). */
void bridge_retry(struct bridge *b, const unsigned pauses_s[BRIDGE_RETRY_MAX],
    unsigned delay_notice_s);
/* Started: tells the core. Once. */
void bridge_ready(struct bridge *b);
/* How many deliveries we take at once, at most 1,024. 0: the link to the
 * foreign network is down; everything without report is the bridge's again and
 * will be delivered anew. n > 0 after 0: the queue runs at once. */
void bridge_window(struct bridge *b, unsigned deliveries);

/* The fate of a delivery, once: 200 delivered, 101 the other system took
 * responsibility, 4xx failed for good, 5xx may be tried again. `text` is for
 * the operator (UTF-8, at most 200 octets count) or NULL. A delivery that is not
 * ours any more is ignored. */
void bridge_report(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text);

/* Later word of a delivery that was reported 101: 200 it was delivered after all,
 * 4xx it failed after all (a bounce, days later): its sender is told. Needs no
 * memory of the delivery; an id that the bridge does not know is ignored. Who
 * says so must be checked before: the id is known to none but who got it. */
void bridge_report_late(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text);

/* Asks which principal `address` ("im:bob@jabber.example") is linked to. To be
 * asked for each sender before a message of his is built: if linked, `from` and
 * the From inside a message/cpim are the principal, and `original_from` is the
 * address. `linked` answers, never from inside the call. False: BRIDGE_LINK_MAX
 * are unanswered, it may not stand in a header, there is no member `linked`, or it
 * is not yet ready. */
bool bridge_link(struct bridge *b, struct prim_slice address, uint64_t cookie);

/* Hands a message from the foreign network in. The answer comes by `outcome`,
 * never from inside the call. False: BRIDGE_SUBMIT_MAX are unanswered, a field
 * is not allowed in a header, one that is not marked "may be empty" is empty, or
 * it is not yet ready; nothing was sent. */
bool bridge_submit(struct bridge *b, const struct bridge_message *m);

/* One of yours watches one of ours, goes on watching (the same id before its
 * time is over; renew at about 80 % of what was granted), or stops. The bridge
 * forgets it when the time is over. Soon after a positive answer `notify` is
 * called. False: BRIDGE_PRESENCE_MAX are unanswered, a field may not stand in a
 * header, or it is not yet ready; nothing was sent. The answer comes by
 * `presence_outcome`, never from inside the call. */
bool bridge_subscribe(struct bridge *b, const struct bridge_subscription *s);
bool bridge_unsubscribe(struct bridge *b, const struct bridge_subscription *s);
/* What one of ours, who watches one of yours, is to see. False: as above. */
bool bridge_notify(struct bridge *b, const struct bridge_notification *n);
/* How many of them can be sent now. */
unsigned bridge_presence_room(const struct bridge *b);

/* What must outlive us. Keys 1 to 512, values at most 65,536 octets. They take
 * effect in the order of the calls; what the store cannot do now is repeated
 * until it can. */
void bridge_state_put(struct bridge *b, struct prim_slice key,
    struct prim_slice value);
void bridge_state_drop(struct bridge *b, struct prim_slice key);
void bridge_state_get(struct bridge *b, struct prim_slice key);
void bridge_state_list(struct bridge *b);

/* The index-th pre-bound, listening, non-blocking socket, in the order of the
 * options; -1 when there is none. The plugin's own from then on. */
int bridge_socket(struct bridge *b, unsigned index);

enum bridge_level {
	BRIDGE_ERROR, /* somebody must act */
	BRIDGE_WARN,  /* we coped */
	BRIDGE_INFO,
	BRIDGE_DEBUG,
};

/* A line of the operator's log: English first, key=value after, text from
 * peers through bridge_quote(). */
void bridge_log(struct bridge *b, enum bridge_level level, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* `s` quoted and escaped for a log line; valid until the eighth next call. */
const char *bridge_quote(struct prim_slice s);

/* A number of the operator's /metrics: [a-z_]{1,48}, at most 64 of them. */
void bridge_metric(struct bridge *b, const char *name, int64_t value);

#endif
