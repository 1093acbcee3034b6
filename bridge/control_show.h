/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_SHOW_H
#define BRIDGE_CONTROL_SHOW_H

/* What the files that write results for a person have in common. */

#include <jansson.h>
#include <stdio.h>

/* A string member, "" when it is not there. */
const char *br_control_show_text_of(const json_t *object, const char *name);
/* Foreign text, fit for a terminal. */
void br_control_show_visible(FILE *out, const char *text);

void br_control_show_presence(FILE *out, const json_t *result);
void br_control_show_subscriptions(FILE *out, const json_t *result);

#endif
