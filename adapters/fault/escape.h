/* SPDX-License-Identifier: ISC */
#ifndef FAULT_ESCAPE_H
#define FAULT_ESCAPE_H

/*
 * Tries what the sandbox of adapters should forbid, and what it should not.
 */

#include "prim/slice.h"

/* `what` is NAME or NAME:ARGUMENT. 0: it can be done; else an errno, EINVAL
 * also for what there is not. Some of them no process in a sandbox survives. */
int fa_escape(struct prim_slice what);

#endif
