/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_CARRIER_H
#define TESTS_BRIDGE_WORLD_CARRIER_H

/* The adapters of a world in which messages are sent at random. */

#include "tests/bridge/world_mail.h"

#define CARRIER_ID_MAX 24

/* A delivery, and what was said of it. */
struct carrier_held {
	char hand[CARRIER_ID_MAX]; /* of the SEND */
	char delivery[BR_DELIVERY_ID_LEN + 1];
	unsigned message; /* MAIL_MESSAGES: a notice */
	size_t at;        /* in what was said to it */
	bool is_taken, is_reported;
	unsigned passed_at; /* the epoch in which 101 was said of it, or 0 */
};

struct carrier {
	struct talk_conn *conn; /* borrowed */
	unsigned index;
	unsigned session;
	size_t consumed; /* octets, of this session */
	bool is_begun;   /* CONFIG was answered */
	struct mail_ear ear;
	unsigned window;
	unsigned last_id; /* of its own requests */
	unsigned asked_count, held_count;

	struct {
		unsigned id, message;
	} asked[MAIL_ASKED];
	struct carrier_held held[MAIL_HELD];
};

void carriers_init(struct carrier carriers[MAIL_CARRIERS], struct mail *m);
bool carrier_is_up(const struct carrier *c);
/* Its process begins, anew if it runs. */
void carrier_come(struct mail *m, struct carrier *c);
void carrier_die(struct mail *m, struct carrier *c);
/* Its server is not there any more. */
void carrier_forsaken(struct mail *m, struct carrier *c);
void carrier_window(struct mail *m, struct carrier *c, unsigned window);
/* A new message from somebody of its network. */
void carrier_send(struct mail *m, struct carrier *c);
/* Says something of one of those it has. */
void carrier_act(struct mail *m, struct carrier *c);
/* Takes what came, and does something with it. */
void carrier_hear(struct mail *m, struct carrier *c);
/* Says of all it has that they are delivered. */
void carrier_settle(struct mail *m, struct carrier *c);

#endif
