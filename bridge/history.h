/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_HISTORY_H
#define BRIDGE_HISTORY_H

/*
 * The history log (`history: FILE`): one JSON object a line for whatever happens
 * to a message, for machines that check us (tests/fault/check.py judges it). Off
 * without the key. A line is in the file before anybody can see what it tells,
 * and before anything follows from it that a kill cannot take back: an `accept`
 * or an `end` before the store may write, a `hand` or an `answer` before octets
 * leave. Whoever does one of these puts its line in the same call; it is written
 * at once, with all before it. The others wait for the end of the turn.
 *
 *	{"t":1764000000000,"event":"accept","delivery":"<32 hex>","id":"...",
 *	 "from":"alice@a","to":"bob@b","origin":"client","conversation":"...",
 *	 "hash":"<16 hex>","hops":1}
 *	{"t":...,"event":"commit","delivery":...,"seq":17,"dest":"adapter:xmpp"}
 *	{"t":...,"event":"hand","delivery":...,"dest":...,"attempt":2}
 *	{"t":...,"event":"report","delivery":...,"dest":...,"code":504}
 *	{"t":...,"event":"answer","delivery":...,"code":101,"kind":"joined"}
 *	{"t":...,"event":"end","delivery":...,"seq":17,"code":408,"reason":"..."}
 *	{"t":...,"event":"notice","delivery":<of the notice>,"id":"...",
 *	 "from":"postmaster@a","to":"alice@a","seq":18,"kind":"failed",
 *	 "about":<delivery of the message>}
 *
 * Members that are not known are left out. The kind of an answer says that it is
 * not about a way of its own: "joined" to that of the same message, which is
 * still open; "known" from before; "conflict", for another content has that id.
 *
 * Lines about the file itself:
 *
 *	{"t":...,"event":"start"}            it was opened by a new process
 *	{"t":...,"event":"stop"}             ... which came to an orderly end
 *	{"t":...,"event":"lost","lines":12}  the disk was full: 12 are missing
 *
 * A process that is killed leaves no "stop", and maybe half a line. That gets
 * its end when the file is opened again, so that only it cannot be read.
 *
 * Texts are JSON in ASCII (\u00FC). What is not UTF-8 in them is written out as
 * \xHH, as prim/visible.h does.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/err.h"
#include "prim/hash.h"
#include "prim/slice.h"

struct br_history;

enum br_history_event {
	BR_HISTORY_ACCEPT, /* a SEND is in order; its way begins */
	BR_HISTORY_COMMIT, /* COMMIT returned: it is durable */
	BR_HISTORY_HAND,   /* given to a listener or an adapter */
	BR_HISTORY_REPORT, /* one of them spoke */
	BR_HISTORY_ANSWER, /* its sender is answered */
	BR_HISTORY_END,    /* nothing follows but late word */
	BR_HISTORY_NOTICE, /* its sender is told; committed */
};

/* What is empty, 0 or NULL is left out. All borrowed during the call. */
struct br_history_line {
	enum br_history_event event;
	const struct prim_digest *delivery; /* never NULL */
	struct prim_slice id, from, to, origin, conversation;
	const struct prim_slice *body; /* its hash is written: FNV-1a, 64 bit,
	                                  so that everybody can compute it */
	const char *dest;
	struct prim_slice kind, reason;
	const struct prim_digest *about;
	int64_t seq;
	unsigned attempt, code, hops;
};

/* Opens `file` for appending, or makes it (0600). NULL with a sentence. */
struct br_history *br_history_open(const char *file, struct br_err *err);
/* Writes out; NULL is fine; returns NULL. */
struct br_history *br_history_close(struct br_history *h);
/* Opens it anew by its name (after a rotation, SIGHUP). False with a sentence:
 * it goes on in the old file. */
bool br_history_reopen(struct br_history *h, struct br_err *err);

/* Collects a line; writes all of them after ACCEPT, HAND, ANSWER and END. NULL
 * `h`: does nothing. `now_ms`: wall clock. */
void br_history_put(struct br_history *h, int64_t now_ms,
    const struct br_history_line *line);
/* Writes what was collected. A disk that is full loses lines, which is told in
 * the log once, and never stops a message. */
void br_history_flush(struct br_history *h);

#endif
