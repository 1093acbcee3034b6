/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORE_SALVAGE_H
#define BRIDGE_STORE_SALVAGE_H

/*
 * A damaged queue.db: what can still be read of it goes into a new one.
 *
 * This happens by itself when primd starts, and not by a command. What waits has
 * been promised to its senders; nobody may be there who reads a sentence for
 * days, and all that he could do is this. It cannot do harm either: every message
 * that comes over has the sums it was stored with, made with a secret that only
 * this file has, so that nothing wrong can get in, and the damaged file is kept
 * untouched for whoever knows better. It is not done where damage may not be the
 * reason: a file of a newer primd, one in which our secret is nowhere to be found
 * (somebody else's), a disk that gives errors, or has no room for a second file.
 * Then primd says so and ends, and everything is as it was.
 *
 *	queue.db                          is made anew
 *	queue.db.damaged-20261122T101500Z what it was (the time is that of its last
 *	                                  change), with its -wal
 *	queue.db.salvage                  the new one while it is made
 *	queue.db.salvaged                 the new one, whole: from here on the
 *	                                  next start only goes on
 *	queue.db.suspect                  something was found in it while primd
 *	                                  ran; the next start reads all of it
 *	queue.key                         the secret once more, for the day when
 *	                                  the page with all its copies is hit
 *
 * Whenever this is stopped, the next start does the same again, or the rest.
 *
 * Rows are taken from every page that is not known to be free, whether the tables
 * still lead there or not; on a page where anything is wrong they are looked for
 * at each octet. primd.db is another matter: it has backups.
 */

#include "bridge/store_page.h"
#include "bridge/store_private.h"

/* Opens queue.db for the writer; salvages it first if it is damaged. */
bool br_store_queue_open(struct br_store *s, struct br_err *err);

/* Has something been found in it that a salvage at the next opening heals? */
bool br_store_queue_is_suspect(const struct br_store *s);

/* Says what was salvaged at which start, as long as the damaged file is kept. */
void br_store_salvage_tell(struct br_store *s);

/* ---- the rows (store_rescue.c) ---- */

struct br_rescue {
	const char *from; /* the damaged file */
	const char *to;   /* an empty one */
	const char *key;  /* the file with the secret, or what is not there */
	struct br_log *log;
	int64_t now_ms;
	/* Messages: */
	int64_t whole;  /* as they were */
	int64_t told;   /* damaged; their senders will be told */
	int64_t untold; /* damaged, and nobody can be told */
	int64_t lost;   /* certainly there, and nothing is left of them */
};

/* Fills the new file, not yet on disk. False with the reason why it cannot be
 * done, for the end of a sentence. */
bool br_rescue_run(struct br_rescue *r, struct br_err *err);

#endif
