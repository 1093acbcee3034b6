/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_AUDIT_H
#define TESTS_BRIDGE_WORLD_AUDIT_H

/* What must hold inside a server at any time, whatever it was told: every
 * counter is what it counts, and nobody waits who could go. */

#include "tests/bridge/world_mail.h"

/* Recounts everything. */
void audit(const struct mail *m);
/* And does anybody wait who could go? When all that the store was asked is
 * answered. */
void audit_progress(const struct mail *m);
/* And is nothing left? When all messages have had their end. */
void audit_empty(const struct mail *m);

#endif
