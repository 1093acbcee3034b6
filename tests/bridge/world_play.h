/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_PLAY_H
#define TESTS_BRIDGE_WORLD_PLAY_H

/*
 * A world that is played at random: a server, its clients (world_client.h), an
 * adapter (world_far.h), and a model of it (world_model.h).
 */

#include "prim/command.h"
#include "prim/presence.h"
#include "tests/lib/random.h"
#include "tests/talk/world.h"

#define PLAY_PEOPLE  3 /* alice, bob, carol */
#define PLAY_FAR     3 /* the first target that is elsewhere */
#define PLAY_NOBODY  5 /* the one that does not exist */
#define PLAY_TARGETS 6
#define PLAY_TUPLES  3
#define PLAY_CLIENTS 7
#define PLAY_GUESTS  4 /* the clients before this one come and go */
#define PLAY_ASKED   256
#define PLAY_VALUES  8

/* What may happen in a world. */
enum play_temper {
	PLAY_RUDE = 1 << 0,    /* clients refuse NOTIFYs, or say nothing */
	PLAY_LYING = 1 << 1,   /* so does the adapter, and it tells ends */
	PLAY_DYING = 1 << 2,   /* the adapter ends and comes back */
	PLAY_REMOVED = 1 << 3, /* accounts go and come as others */
	PLAY_RULED = 1 << 4,   /* default_acl changes */
	PLAY_JUMPS = 1 << 5,   /* the clock turns while something is asked */
	PLAY_DEAF = 1 << 6,    /* clients do not read for a while */
	PLAY_LOST = 1 << 7,    /* connections end at any time */
	PLAY_CROWDED = 1 << 8, /* connections of one person publish at once */
	PLAY_TEMPERS = 1 << 9,
};

/* Every publication has a number of its own as its note: what is seen is known
 * by those. */
struct play_view {
	unsigned count;
	unsigned values[PLAY_VALUES];
};

struct play_tuple {
	unsigned permanent, leased;     /* 0: none */
	int64_t due_min_ms, due_max_ms; /* of the lease: between these */
	bool is_doubtful;               /* what is leased may be another */
};

struct play_person {
	bool has_account;
	bool is_unknown; /* what is published */
	unsigned gone;   /* the play's number when an account last went */
	struct play_tuple tuples[PLAY_TUPLES];
};

/* Somebody of ours and whom he may watch. */
struct play_pair {
	bool is_known;   /* whether he watches */
	bool is_crossed; /* more than one was asked at a time */
	bool is_missed;  /* a state may have been told to nobody */
	bool is_haunted; /* he may begin to, though nobody asks any more */
	int64_t until_min_ms, until_max_ms; /* he watches; 0: not */
	bool is_shown[PLAY_CLIENTS];
	struct play_view shown[PLAY_CLIENTS]; /* last, on this connection */
};

/* A request that has no answer yet. */
struct play_asked {
	unsigned number; /* its identifier */
	enum prim_method method;
	enum prim_publication_kind kind;
	unsigned target, tuple, value;
	int64_t seconds, at_ms;
	bool is_crossed; /* UNSUBSCRIBE: a SUBSCRIBE may come after it */
};

struct play_client {
	struct talk_conn *conn; /* borrowed */
	unsigned index, who;
	unsigned came;              /* the play's number when it did */
	bool is_in;                 /* logged in */
	bool is_leaving;            /* and will be told nothing more */
	bool is_over[PLAY_TARGETS]; /* unsubscribed: no NOTIFY may come */
	struct play_view fetched;   /* by the last FETCH */
	struct play_asked asked[PLAY_ASKED];
	unsigned asked_count;
};

struct play {
	struct talk_world world;
	struct t_random random;
	unsigned seed, step;
	unsigned temper;
	bool is_traced;             /* what is said is printed */
	unsigned number;            /* of the last request or value */
	bool is_ending;             /* everybody is well-behaved from now on */
	unsigned heard;             /* commands, by all */
	unsigned answers, notifies; /* of those */
	struct play_person people[PLAY_PEOPLE];
	struct play_pair pairs[PLAY_PEOPLE][PLAY_TARGETS];
	struct play_client clients[PLAY_CLIENTS];
};

/* Starts the world number `seed`. */
void play_open(struct play *p, unsigned seed);
void play_close(struct play *p);
/* Another default_acl: `is_strict`, nobody may anything. */
void play_rule(struct play *p, bool is_strict);

unsigned play_below(struct play *p, unsigned limit);
/* One of `in` times, if worlds of this temper do such things. */
bool play_may(struct play *p, enum play_temper temper, unsigned in);
int64_t play_now(const struct play *p);
/* Fails the test, saying which world, unless `ok`. */
void play_expect(const struct play *p, bool ok, const char *what);

/* "alice@prim.example", "dan@far.example", ... */
const char *play_address(unsigned target);
/* The index of a "pres:" address; PLAY_TARGETS: of nobody we know. */
unsigned play_target(struct prim_slice uri);

/* ---- what is said ---- */

/* Prints what `end` says or hears, if that is wanted. */
void play_trace(const struct play *p, const char *end, unsigned index,
    struct prim_slice text);
/* The next whole command that came, with its body; false: none yet. */
bool play_next(struct talk_conn *c, struct prim_command *out);
void play_put_document(struct prim_buf *b, unsigned target, unsigned value);
void play_read(const struct play *p, struct prim_slice body,
    struct play_view *out);
bool play_view_eq(const struct play_view *a, const struct play_view *b);
bool play_view_has(const struct play_view *v, unsigned value);

#endif
