/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_MAIL_H
#define TESTS_BRIDGE_WORLD_MAIL_H

/*
 * A world in which messages are sent at random: a server, its clients
 * (world_reader.h) and its adapters (world_carrier.h), what may happen to them
 * (world_deed.h, world_kill.h), what becomes of each message (world_fate.h), and
 * what must hold inside the server (world_audit.h).
 */

#include "prim/command.h"
#include "tests/lib/random.h"
#include "tests/talk/world.h"

#define MAIL_PEOPLE   3 /* alice, bob, carol */
#define MAIL_FOREIGN  4 /* the first place that is elsewhere; 3 is nobody's */
#define MAIL_PLACES   10
#define MAIL_CARRIERS 2 /* adapters: far, off */
#define MAIL_READERS  7
#define MAIL_GUESTS   4 /* the readers before this one come and go */
#define MAIL_MESSAGES 1024
#define MAIL_ASKED    256
#define MAIL_HELD     512
#define MAIL_ID_MAX   80

/* What may happen in a world. */
enum mail_temper {
	MAIL_RUDE = 1 << 0,    /* readers refuse, or say nothing for long */
	MAIL_LYING = 1 << 1,   /* so do adapters */
	MAIL_DYING = 1 << 2,   /* adapters die, some of a message */
	MAIL_LOST = 1 << 3,    /* connections end at any time */
	MAIL_LINKED = 1 << 4,  /* links come and go */
	MAIL_REMOVED = 1 << 5, /* accounts go and come as others */
	MAIL_JUMPS = 1 << 6,   /* the clock turns far */
	MAIL_SLOW = 1 << 7,    /* the store takes its time */
	MAIL_FULL = 1 << 8,    /* little may wait */
	MAIL_ORDERS = 1 << 9,  /* the operator does something */
	MAIL_LARGE = 1 << 10,  /* some messages are large */
	MAIL_DEAF = 1 << 11,   /* readers do not read for a while */
	MAIL_BROKEN = 1 << 12, /* the store fails for a while */
	MAIL_KILLED =
	    1 << 13, /* the server dies, or stops, and is there again */
	MAIL_RELOADED = 1 << 14, /* the configuration changes */
	MAIL_TEMPERS = 1 << 15,
};

/* One message, and all that was heard of it. */
struct mail_message {
	unsigned sender, recipient, conversation;
	unsigned carrier; /* that sent it; MAIL_CARRIERS: a reader did */
	unsigned reader;
	unsigned serial;    /* of that connection */
	int64_t at_ms;      /* it was sent */
	int64_t expires_ms; /* as its sender wishes; 0: it does not */
	bool is_poison, is_repeated;
	bool is_lost;      /* its sender went before it was answered */
	bool is_excused;   /* nobody can say what becomes of it */
	unsigned asked;    /* SENDs of it that have no answer */
	unsigned good;     /* answers: 101 or 200 */
	unsigned bad;      /* others */
	unsigned handed;   /* how often somebody got it */
	unsigned taken;    /* 200 was said of it */
	unsigned passed;   /* 101 was */
	unsigned refused;  /* an adapter refused it for good */
	unsigned failures; /* notices that it failed */
	/* Since which epoch its sender knows that it was kept (101), or refused;
	 * since when it is surely delivered, or surely came back from another
	 * system that had taken it. 0: it is not so. */
	unsigned kept_at, refused_at, done_at, bounced_at;
	int64_t kept_ms; /* when its sender heard of that */
	/* Of the adapter that got it last: its session, and where in what was
	 * said to it this was, and the last time it said "not now". */
	unsigned session;
	size_t hand_at, setback_at;
	char notice[MAIL_ID_MAX];
};

/* What was said to somebody before the end of this epoch was heard by him. */
struct mail_ear {
	unsigned epoch;
	int64_t ms;
};

struct mail {
	struct talk_world world;
	struct t_random random;
	unsigned seed, step, temper;
	/* Grows whenever the server has done all it could do; what it heard in
	 * an earlier epoch it has acted upon. */
	unsigned epoch;
	bool is_still;        /* nothing has happened in it since then */
	bool is_traced;       /* what is said is printed */
	bool is_ending;       /* everybody is well-behaved from now on */
	bool is_broken;       /* the store fails */
	bool was_broken;      /* it has once */
	bool always;          /* as configured: notices, */
	bool keeps;           /* offline_store */
	bool ever_always;     /* at some time */
	bool ever_asked_only; /* not, at some time */
	int64_t started_ms;   /* the server was */
	unsigned heard;       /* commands, by all */
	unsigned number;      /* of the last request */
	unsigned count;
	struct mail_message messages[MAIL_MESSAGES];
	bool has_account[MAIL_PEOPLE];
	unsigned connections[MAIL_PEOPLE]; /* or a few less */
	unsigned owner[MAIL_PLACES];       /* of a link; MAIL_PEOPLE: nobody */
};

/* Starts the world number `seed`. */
void mail_open(struct mail *m, unsigned seed);
void mail_close(struct mail *m);
/* Does what SIGHUP does, with another configuration. */
void mail_reload(struct mail *m);

unsigned mail_below(struct mail *m, unsigned limit);
/* One of `in` times, if worlds of this temper do such things. */
bool mail_may(struct mail *m, enum mail_temper temper, unsigned in);
int64_t mail_now(const struct mail *m);
/* Fails the test, saying which world, unless `ok`. */
void mail_expect(const struct mail *m, bool ok, const char *what);

/* All that can happen by itself happens; or a little of it, without the store. */
void mail_turn(struct mail *m);
void mail_nudge(struct mail *m);
/* Somebody has heard all there is to hear by now. */
void mail_note_ear(const struct mail *m, struct mail_ear *ear);

/* "alice@prim.example", ... */
const char *mail_address(unsigned place);
/* "alice" */
struct prim_slice mail_name(unsigned who);
/* Which adapter leads there; MAIL_CARRIERS: none. */
unsigned mail_carrier_of(unsigned place);

/* Prints what `end` says or hears, if that is wanted. */
void mail_trace(const struct mail *m, const char *end, unsigned index,
    struct prim_slice text);
/* The next whole command that came, with its body; false: none yet. */
bool mail_next(struct talk_conn *c, struct prim_command *out);

/* ---- messages ---- */

/* A new one, whose sender is to be filled in, or NULL: there are too many. */
struct mail_message *mail_new(struct mail *m);
/* Appends its SEND: `start` is its start line but the length; more header lines,
 * the empty line and its body follow. */
void mail_put(struct mail *m, struct prim_buf *b, unsigned index,
    struct prim_slice start);
void mail_put_body(struct mail *m, struct prim_buf *b, unsigned index);
/* Which one `c` is about, by its Message-ID. */
unsigned mail_find(const struct mail *m, const struct prim_command *c);

#endif
