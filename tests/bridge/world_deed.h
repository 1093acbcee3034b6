/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_DEED_H
#define TESTS_BRIDGE_WORLD_DEED_H

/* What may happen at random in a world of messages: what its people, adapters and
 * operator do, and what is done to it. */

#include "tests/bridge/world_carrier.h"
#include "tests/bridge/world_mail.h"
#include "tests/bridge/world_reader.h"

/* A world and all who are in it. */
struct town {
	struct mail mail;
	struct reader readers[MAIL_READERS];
	struct carrier carriers[MAIL_CARRIERS];
	unsigned orders; /* the operator's, without an answer */
};

void town_open(struct town *town, unsigned seed);
void town_close(struct town *town);

/* One thing happens. */
void deed_any(struct town *town);
/* The same, of what makes the server wait for nothing: what it is told. */
void deed_small(struct town *town);
/* Everybody hears what came and answers; or some do. */
void deed_hear_all(struct town *town);
void deed_hear_some(struct town *town);
/* The store works from now on, or does not. All it was asked is done. */
void deed_break(struct town *town, bool is_broken);

#endif
