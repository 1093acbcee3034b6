/* SPDX-License-Identifier: ISC */
#ifndef PRIM_WATCH_H
#define PRIM_WATCH_H

/*
 * Who sees what, and how a change gets to all who watch: the fan-out of
 * NOTIFYs (PRIM-180..194).
 *
 *	source        something that is watched; its version counts changes
 *	watcher       somebody who watches, with any number of subscriptions
 *	outlet        where a watcher can be told: a client's connection, the
 *	              link to an adapter that stands for many watchers
 *	subscription  watcher watches source, until it ends
 *	feed          a subscription at one open outlet of its watcher
 *
 * A feed is in one of three places:
 *
 *	          a change, pushed           no room at the outlet
 *	current ───────────────────> (push) ───────────────────────> waiting
 *	   ▲  (list of the source)     │ ▲                              │
 *	   │                    NOTIFY │ └──── room at the outlet ──────┘
 *	   │ answered, nothing new     ▼
 *	   └──────────────────────── asked ──┐ answered, and changed meanwhile:
 *	        (list of the outlet)   ▲─────┘ pushed again
 *
 * So a feed has at most one unanswered NOTIFY, and whoever is slow costs
 * nothing but its place: a change looks only at the feeds that are current, and
 * what is asked or waiting gets the newest state when its turn comes. A change
 * costs O(1) until prim_fan_run() carries it on, in steps.
 *
 * A NOTIFY without an answer for PRIM_NOTIFY_WITHIN_MS counts as answered
 * (ERR-88), but not as seen: the watcher's next outlet shows the state again.
 *
 * The caller has all memory but that of feeds, which come and go with outlets
 * and subscriptions.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "prim/compose.h"
#include "prim/document.h"
#include "prim/pending.h"
#include "prim/table.h"
#include "prim/timer.h"

#define PRIM_NOTIFY_WITHIN_MS 10000
#define PRIM_OUTLETS_MAX      32   /* of a watcher who has them for himself */
#define PRIM_WATCHES_MAX      4096 /* of such a watcher */

struct prim_feed;
struct prim_outlet;
struct prim_source;
struct prim_subscription;

TAILQ_HEAD(prim_feed_list, prim_feed);

/* The fan-out of a server. */
struct prim_fan {
	struct prim_wheel *wheel;                          /* borrowed */
	TAILQ_HEAD(prim_source_list, prim_source) changed; /* borrowed */
};

void prim_fan_init(struct prim_fan *fan, struct prim_wheel *wheel);
/* Asserts that nothing is left to push. */
void prim_fan_fini(struct prim_fan *fan);
/* Pushes at most `max` feeds. True: there is more to do. */
bool prim_fan_run(struct prim_fan *fan, unsigned max);

/* ---- sources ---- */

struct prim_source_ops {
	/* Composes what is to be seen, as `form`. The reference is ours. */
	struct prim_document *(*compose)(struct prim_source *s,
	    enum prim_form form);
};

struct prim_source {
	const struct prim_source_ops *ops; /* borrowed: static */
	struct prim_fan *fan;              /* borrowed */
	uint32_t version;                  /* never 0 */
	bool is_changed;                   /* it is in fan->changed */
	TAILQ_ENTRY(prim_source) of_fan;
	struct prim_feed_list current;
	struct prim_document *views[PRIM_FORM_COUNT]; /* owned refs, or NULL */
	LIST_HEAD(, prim_subscription) subscriptions; /* borrowed */
	unsigned subscription_count;
};

void prim_source_init(struct prim_source *s, const struct prim_source_ops *ops,
    struct prim_fan *fan);
/* Asserts that nobody watches. */
void prim_source_fini(struct prim_source *s);
/* There is something new to see. */
void prim_source_change(struct prim_source *s);
/* What is to be seen; composed at the first call after a change. Borrowed until
 * the next change. */
struct prim_document *prim_source_view(struct prim_source *s,
    enum prim_form form);

/* ---- watchers and outlets ---- */

struct prim_watcher {
	LIST_HEAD(, prim_outlet) outlets; /* borrowed: open ones */
	unsigned outlet_count;
	LIST_HEAD(, prim_subscription) subscriptions; /* borrowed */
	unsigned subscription_count;
};

void prim_watcher_init(struct prim_watcher *w);
/* Asserts that nothing is open and nothing watched. */
void prim_watcher_fini(struct prim_watcher *w);

struct prim_outlet_ops {
	/* Sends a NOTIFY with the view of prim_feed_source(f) and remembers
	 * f->question, whose `id` it sets; or returns false: there is no room
	 * now, and prim_outlet_go() follows when there is. Must not end
	 * anything. f->question.answered passes the answer on to
	 * prim_feed_answered(). True with an `id` of 0: this cannot be shown
	 * here at all (PRIM-193), the next change is tried again. */
	bool (*notify)(struct prim_outlet *o, struct prim_feed *f);
	/* f->question is wanted no more: the feed goes, or its answer did not
	 * come in time. Must not end anything. */
	void (*forget)(struct prim_outlet *o, struct prim_feed *f);
	/* The other end says that nobody there watches (403, 404; ERR-89). The
	 * callee may end the subscription, or leave it. */
	void (*unwanted)(struct prim_outlet *o, struct prim_subscription *s);
};

struct prim_outlet {
	const struct prim_outlet_ops *ops; /* borrowed: static */
	struct prim_watcher *watcher;      /* borrowed; NULL: closed */
	struct prim_fan *fan;              /* borrowed */
	LIST_ENTRY(prim_outlet) of_watcher;
	LIST_HEAD(, prim_feed) feeds; /* owned */
	struct prim_feed_list asked;  /* oldest first */
	struct prim_feed_list waiting;
	unsigned asked_count;
	struct prim_timer timer; /* not later than the oldest asked is due */
};

/* `o` is closed at first. */
void prim_outlet_init(struct prim_outlet *o, const struct prim_outlet_ops *ops,
    struct prim_fan *fan);
/* Whoever watches gets a feed here; those whose newest state no outlet has
 * shown wait for prim_outlet_go(). O(subscriptions of `w`). */
void prim_outlet_open(struct prim_outlet *o, struct prim_watcher *w);
/* Nothing more goes this way; unanswered NOTIFYs are forgotten, and what they
 * said counts as not shown. Idempotent; closing ends no subscription. */
void prim_outlet_close(struct prim_outlet *o);
bool prim_outlet_is_open(const struct prim_outlet *o);
/* There may be room: what waits is sent, oldest first, until there is none. */
void prim_outlet_go(struct prim_outlet *o);

/* ---- subscriptions ---- */

struct prim_subscription {
	struct prim_table_node node; /* the owner's, to find it by name */
	LIST_ENTRY(prim_subscription) of_source;
	LIST_ENTRY(prim_subscription) of_watcher;
	struct prim_source *source;   /* borrowed; NULL: it has ended */
	struct prim_watcher *watcher; /* borrowed */
	LIST_HEAD(, prim_feed) feeds; /* borrowed: the outlets' */
	struct prim_timer timer;      /* its end */
	int64_t expires_ms;
	uint32_t seen; /* the newest version an outlet has shown, with a 200
	                  for an answer, or 0 */
};

/* `s` watches from now on; a feed for every open outlet of `w`, all of them
 * current: the caller shows the state itself, or calls
 * prim_subscription_show(). `on_expiry` is called when `expires_ms` has come;
 * it ends the subscription or sets a new time. */
void prim_subscription_start(struct prim_subscription *s,
    struct prim_source *source, struct prim_watcher *w, int64_t expires_ms,
    prim_timer_fn on_expiry);
void prim_subscription_renew(struct prim_subscription *s, int64_t expires_ms);
/* Nothing more is said of it (PRIM-169, PRIM-196). Idempotent; the memory is
 * the owner's again. */
void prim_subscription_end(struct prim_subscription *s);
/* Its watcher has just been shown the newest state (in a response). */
void prim_subscription_saw(struct prim_subscription *s);
/* A NOTIFY follows at every open outlet, changed or not (PRIM-153). */
void prim_subscription_show(struct prim_subscription *s);

/* ---- feeds ---- */

enum prim_feed_place { PRIM_FEED_CURRENT, PRIM_FEED_ASKED, PRIM_FEED_WAITING };

struct prim_feed {
	struct prim_question question;
	TAILQ_ENTRY(prim_feed) of_place;
	LIST_ENTRY(prim_feed) of_outlet;
	LIST_ENTRY(prim_feed) of_subscription;
	struct prim_subscription *subscription; /* borrowed */
	struct prim_outlet *outlet;             /* borrowed */
	int64_t asked_ms;
	uint32_t version; /* that its last NOTIFY showed, or that needs none
	                     here; 0: the next NOTIFY is due in any case */
	enum prim_feed_place place;
};

struct prim_source *prim_feed_source(const struct prim_feed *f);
/* The response to its NOTIFY: `code` 0 for none at all. 403 and 404 are told as
 * unwanted; every other answer keeps it (PRIM-191). */
void prim_feed_answered(struct prim_feed *f, unsigned code);

#endif
