/* SPDX-License-Identifier: ISC */
#ifndef XA_DIAGNOSIS_H
#define XA_DIAGNOSIS_H

/* What the operator is told when the server ends the stream: each of the ways
 * a set-up can be wrong has its own line. */

#include <stdbool.h>
#include <strophe.h>

#include "bridge/adapter.h"
#include "prim/buf.h"

/* Is it a <stream:error/>? */
bool xa_diagnosis_is_error(xmpp_stanza_t *stanza);

/* Appends the line for the stream error of the component `host`. */
enum bridge_level xa_diagnosis_put(struct prim_buf *b, xmpp_stanza_t *error,
    struct prim_slice host);

#endif
