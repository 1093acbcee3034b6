/* SPDX-License-Identifier: ISC */
#ifndef FAULT_RECORD_H
#define FAULT_RECORD_H

/*
 * Tells somebody on this machine what it gets and sends: lines of JSON over TCP,
 * as tests/lib/recorder.py writes them. A line is in the hands of the kernel
 * before anything is done about what it tells, so it outlives the process.
 */

#include <stdbool.h>

#include "bridge/adapter.h"
#include "prim/buf.h"

struct fa_record {
	struct bridge *bridge; /* borrowed */
	int fd;                /* owned; -1: nobody wants to know */
	unsigned number;       /* of what was sent */
	struct prim_buf line;  /* owned */
};

/* Connects to the port; 0: to nobody. False: nobody is there. */
bool fa_record_open(struct fa_record *r, struct bridge *b, unsigned port);
void fa_record_close(struct fa_record *r);

/* `m` was delivered, and is refused or reported with `code` at once; 0: later,
 * or never. */
void fa_record_got(struct fa_record *r, const struct bridge_message *m,
    unsigned code);
/* `m` is submitted; it was answered. */
void fa_record_sent(struct fa_record *r, const struct bridge_message *m);
void fa_record_answer(struct fa_record *r, struct prim_slice from,
    struct prim_slice to, const struct bridge_outcome *o);

/* "failed", "delayed"...: how a notice is called. */
const char *fa_record_kind(const struct bridge_message *m);

#endif
