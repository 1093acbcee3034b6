/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_SHOW_H
#define BRIDGE_CONTROL_SHOW_H

/* What the files that write results for a person have in common. */

#include <jansson.h>
#include <stdio.h>

/* A string member, "" when it is not there. */
const char *br_control_show_text_of(const json_t *object, const char *name);
long long br_control_show_number_of(const json_t *object, const char *name);
/* Foreign text, fit for a terminal. */
void br_control_show_visible(FILE *out, const char *text);
/* The same with blanks behind it, so that it is `width` columns wide. */
void br_control_show_cell(FILE *out, int width, const char *text);
/* The two largest parts of a time: "2h0m". `s` >= 0. */
void br_control_show_span(FILE *out, long long s);

void br_control_show_presence(FILE *out, const json_t *result);
void br_control_show_subscriptions(FILE *out, const json_t *result);
void br_control_show_outbox(FILE *out, const json_t *result);
void br_control_show_message(FILE *out, const json_t *m);
void br_control_show_retried(FILE *out, const json_t *result);
void br_control_show_dropped(FILE *out, const json_t *result);
void br_control_show_quarantined(FILE *out, const json_t *result);
void br_control_show_linked(FILE *out, const json_t *result);
void br_control_show_unlinked(FILE *out, const json_t *result);
void br_control_show_links(FILE *out, const json_t *result);
void br_control_show_order(FILE *out, const json_t *result);
void br_control_show_route(FILE *out, const json_t *result);

#endif
