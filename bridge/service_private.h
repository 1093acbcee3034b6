/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SERVICE_PRIVATE_H
#define BRIDGE_SERVICE_PRIVATE_H

/*
 * What service.c (who is listened to), service_read.c (what they say),
 * service_line.c (whose turn it is), service_link.c, service_show.c and
 * service_password.c (what is done) and service_say.c (what is said to them) know
 * of each other.
 */

#include <sys/queue.h>

#include "bridge/server.h"
#include "bridge/service.h"
#include "bridge/tally.h"
#include "bridge/worker.h"

#define BR_SERVICE_LINE_MAX 1000 /* octets of a command */
/* What has passed so many bridges is an answer to an answer. */
#define BR_SERVICE_HOPS_MAX 4

struct br_service_talk;
struct br_service_line;
LIST_HEAD(br_service_talks, br_service_talk);

struct br_service {
	struct br_server *server; /* borrowed: outlives us */
	struct br_log log;
	struct br_service_talks talks; /* owned */
	struct br_tally answers;       /* a minute's, by who is answered */
	struct prim_table lines;       /* owned: of those who said something */
	struct prim_hash_key lines_seed; /* peers choose the names */
	bool cancelled;
};

/* One message to the bridge, until it is answered. */
struct br_service_talk {
	LIST_ENTRY(br_service_talk) link;
	struct br_service *service;   /* borrowed */
	struct br_service_line *line; /* owned by those in it; or NULL */
	TAILQ_ENTRY(br_service_talk) in_line;
	bool is_begun;
	struct br_message *question; /* owned reference */
	br_service_done_fn done;
	void *arg; /* borrowed */
	/* An account of ours; else an address of another network, maybe a linked
	 * one: the links of that are what it is about. */
	bool is_principal;
	bool is_long;  /* longer than BR_SERVICE_LINE_MAX */
	bool has_more; /* commands stand below it, too */
	/* The command, then what is behind it; borrows from `question`. */
	struct prim_slice rest;
	/* Called when `other` is spelled as its network does. */
	void (*go_on)(struct br_service_talk *t);
	struct prim_key other; /* the other side of the link */
	bool is_away;          /* somebody will call back, cancelled or not */
	char code[BR_CODE_DIGITS + 1];
	struct prim_buf text; /* owned: what is said */

	/* A new password on its way. */
	struct br_worker_job work;
	struct br_store_account account;
	char *password; /* owned; overwritten when released */
	bool is_derived;
	struct br_err err;
};

/* ---- saying (service_say.c) ---- */

/* Answers with t->text, and ends the talk. */
void br_service_answer(struct br_service_talk *t);
/* The same with one sentence. */
void br_service_answer_with(struct br_service_talk *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Tells `key` the code in t->code by `text`, in a conversation of its own. */
void br_service_tell(struct br_service_talk *t, struct prim_slice key,
    struct prim_slice text);

/* Does what it says (service.c). */
void br_service_begin(struct br_service_talk *t);
/* Ends the talk without a word (service.c). */
void br_service_end(struct br_service_talk *t, unsigned code);

/* ---- one after the other (service_line.c) ---- */

/* Behind what its sender said before; it begins, maybe now, when that has ended.
 * False: too much of his waits. */
bool br_service_line_join(struct br_service_talk *t);
/* Out of its line, which is returned and stands still until it goes on. */
struct br_service_line *br_service_line_leave(struct br_service_talk *t);
/* The next one, if there is one. NULL is fine; `line` may be gone then. */
void br_service_line_go_on(struct br_service_line *line);

/* ---- reading (service_read.c) ---- */

enum br_service_reading {
	BR_SERVICE_LINE, /* `out_line`; may be empty */
	BR_SERVICE_LONG, /* its first line has more than BR_SERVICE_LINE_MAX */
	BR_SERVICE_NO_TEXT,
	BR_SERVICE_AUTOMATIC, /* no person has written it */
};

/* The first line of `m` with something on it; borrowed. */
enum br_service_reading br_service_read(const struct br_message *m,
    struct prim_slice *out_line);
/* Takes the next word off the front; empty at the end. */
struct prim_slice br_service_word(struct prim_slice *rest);
/* What a person may write for an address: bare, or with im:, pres:, xmpp: or
 * mailto:, in angle brackets, with a resource behind it. */
bool br_service_address(struct prim_slice word, struct prim_key *out);

/* ---- commands; each answers and ends the talk ---- */

void br_service_help(struct br_service_talk *t);
void br_service_link(struct br_service_talk *t);
void br_service_verify(struct br_service_talk *t);
void br_service_unlink(struct br_service_talk *t);
void br_service_links(struct br_service_talk *t);
void br_service_order(struct br_service_talk *t);
void br_service_password(struct br_service_talk *t);
void br_service_password_forget(struct br_service_talk *t);

/* Appends where the principal is looked for, one a line. Returns how many. */
unsigned br_service_put_order(const struct br_service_talk *t,
    struct prim_buf *b);
/* Is `key` where the principal is looked for? */
bool br_service_is_in_order(const struct br_service_talk *t,
    struct prim_slice key);

/* Who asks, as a key. */
static inline struct prim_slice
br_service_asker(const struct br_service_talk *t)
{
	return t->question->sender;
}

#endif
