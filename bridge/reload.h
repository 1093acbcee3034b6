/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_RELOAD_H
#define BRIDGE_RELOAD_H

#include "bridge/config.h"
#include "bridge/log.h"

/* SIGHUP: what can change while we run is taken over from `fresh` into `live`:
 * default_acl, disclosure, limits, delivery, `retry` and `give_up_after` of
 * routes. What cannot is told to `log`: it takes effect at the next start. */
void br_reload_adopt(struct br_config *live, const struct br_config *fresh,
    const struct br_log *log);

#endif
