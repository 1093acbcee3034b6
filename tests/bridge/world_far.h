/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_FAR_H
#define TESTS_BRIDGE_WORLD_FAR_H

/* The adapter of a world that is played at random, and who is behind it. */

#include "tests/bridge/world_play.h"

#define FAR_USERS   4 /* x0@far.example, ... */
#define FAR_IDS     3 /* s0, ...: subscriptions of one pair */
#define FAR_WATCHED 256
#define FAR_ASKED   200
#define FAR_ID_MAX  48

/* Somebody of ours watches somebody there. */
struct far_watched {
	char id[FAR_ID_MAX];
	unsigned who, target;
	bool is_told; /* `value` was taken, and nothing since */
	unsigned value;
};

/* Somebody there watches somebody of ours. */
struct far_watcher {
	bool is_over; /* unsubscribed: no NOTIFY may come */
	bool is_shown;
	struct play_view shown;
};

struct far_asked {
	unsigned number;
	enum prim_method method;
	unsigned user, id, target; /* of a watcher's request */
	unsigned watched, value;   /* of a NOTIFY; 0: it told the end */
};

struct far {
	struct talk_conn *conn; /* borrowed */
	unsigned number;        /* of its last request */
	unsigned watched_count;
	struct far_watched watched[FAR_WATCHED]; /* the last ones */
	struct far_watcher watchers[FAR_USERS][FAR_IDS][PLAY_PEOPLE];
	struct far_asked asked[FAR_ASKED];
	unsigned asked_count;
};

void far_init(struct far *f, struct play *p);
bool far_is_up(const struct far *f);
/* It begins, unless it runs. */
void far_come(struct far *f, struct play *p);
/* It dies. */
void far_die(struct far *f);

/* A user there asks about somebody of ours. */
void far_ask(struct far *f, struct play *p, enum prim_method method,
    int64_t seconds);
/* It tells a value of whom the watched number `i` is about, or that it is over.
 * Returns the value. */
unsigned far_tell(struct far *f, struct play *p, unsigned i, bool is_end);
/* The watched one of this id; FAR_WATCHED: not known. */
unsigned far_find(const struct far *f, struct prim_slice id);
/* The watcher of these names; NULL: not known. */
struct far_watcher *far_watcher(struct far *f, struct prim_slice address,
    unsigned target, struct prim_slice id);

/* Takes what came, and answers it. */
void far_hear(struct far *f, struct play *p);

#endif
