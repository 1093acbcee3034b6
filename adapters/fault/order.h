/* SPDX-License-Identifier: ISC */
#ifndef FAULT_ORDER_H
#define FAULT_ORDER_H

/*
 * What the fault adapter is told to do, as text: VERB, VERB-NUMBER,
 * VERB-NUMBER-MS or VERB+ADDRESS, in the options `mode` and `notice` or as the
 * local part of a recipient.
 */

#include "prim/buf.h"
#include "prim/slice.h"

enum fa_verb {
	FA_OK,        /* report 200 */
	FA_REFUSE,    /* -CODE: refuse at once */
	FA_REPORT,    /* -CODE: take it, report CODE */
	FA_TRANSIENT, /* take it, report 504 */
	FA_SILENCE,   /* take it, never report */
	FA_LATE,      /* -MS: report 200 after so long */
	FA_BOUNCE,    /* -CODE-MS: report 101, then late word with CODE */
	FA_HANG,      /* block the loop for ever */
	FA_DIE,       /* -N: end the process with the N-th delivery */
	FA_DIEAFTER,  /* -MS: take it, end the process after so long */
	FA_GARBAGE,   /* write rubbish on the link */
	FA_LIE,    /* answer what was never asked, report what was not taken */
	FA_FLOOD,  /* -N: submit N messages to the sender */
	FA_DUP,    /* -N: submit N to the sender, each twice; report twice */
	FA_SPOOF,  /* +ADDRESS: submit one from there; report its outcome */
	FA_AS,     /* +PRINCIPAL: the same, as if linked to the recipient; or
	              +PRINCIPAL=ADDRESS: to that one */
	FA_LINK,   /* +ADDRESS: report 200 if it is linked, else 403 */
	FA_DOWN,   /* -MS: WINDOW 0, and open again after so long */
	FA_SOCKET, /* report 200 if the first listening socket is there */
	FA_TRY,    /* +WHAT: try to get out (escape.h); 200: it can be done */
	/* Presence; the others do there what they do to messages. */
	FA_GRANT,   /* -S: accept for so many seconds */
	FA_END,     /* accept, notify, end */
	FA_WATCH,   /* -S: watch the sender for so long */
	FA_FORGET,  /* -S: the same, and answer notifications with 403 */
	FA_UNWATCH, /* stop what watched last */
	FA_STATE,   /* keep the body, read it back, report 200 if it is equal */
	FA_VERBS,
};

struct fa_order {
	enum fa_verb verb;
	unsigned number;         /* 0 when there is none */
	unsigned ms;             /* the same */
	struct prim_buf address; /* owned */
};

/* Reads `text` as it stands in an address, escapes and all. False when it is no
 * order; release with fa_order_fini() also then. */
bool fa_order_parse(struct prim_slice text, struct fa_order *out);
void fa_order_fini(struct fa_order *order);

#endif
