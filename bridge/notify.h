/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_NOTIFY_H
#define BRIDGE_NOTIFY_H

/* Tells the service manager a state, such as "READY=1" (sd_notify(3)). Does
 * nothing when nobody asked, which NOTIFY_SOCKET in the environment tells. */
void br_notify(const char *state);

#endif
