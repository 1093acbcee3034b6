/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_READER_H
#define TESTS_BRIDGE_WORLD_READER_H

/* The clients of a world in which messages are sent at random. */

#include "tests/bridge/world_mail.h"

/* A request that has no answer yet. */
struct reader_asked {
	unsigned number;  /* its identifier */
	unsigned message; /* MAIL_MESSAGES: LOGIN, LISTEN or SILENCE */
	int64_t at_ms;
};

/* A message that was offered and is not answered. */
struct reader_held {
	uint64_t id;
	unsigned message; /* MAIL_MESSAGES: a notice */
};

struct reader {
	struct talk_conn *conn; /* borrowed */
	unsigned index, who, serial;
	bool is_in;      /* logged in */
	bool is_counted; /* among the connections of `who` */
	bool listens;
	struct mail_ear ear;
	unsigned asked_count, held_count;
	struct reader_asked asked[MAIL_ASKED];
	struct reader_held held[MAIL_HELD];
};

void readers_init(struct reader readers[MAIL_READERS], struct mail *m);
/* Opens a connection and logs in as `who`. False: it is refused. */
bool reader_come(struct mail *m, struct reader *r, unsigned who);
void reader_go(struct mail *m, struct reader *r);
/* Its server is not there any more. */
void reader_forsaken(struct mail *m, struct reader *r);
/* Is it logged in? */
bool reader_is_good(const struct reader *r);
/* LISTEN, or SILENCE. */
void reader_listen(struct mail *m, struct reader *r, bool listens);
/* A new message. */
void reader_send(struct mail *m, struct reader *r);
/* One of its own once more. */
void reader_repeat(struct mail *m, struct reader *r);
/* Does not read from now on, or does again. */
void reader_deafen(struct reader *r, bool is_deaf);
/* Takes what came, and answers it. */
void reader_hear(struct mail *m, struct reader *r);
/* Answers what it has kept without a word. */
void reader_settle(struct mail *m, struct reader *r);
/* Of what it asked, how long the oldest has waited. */
int64_t reader_waits_ms(const struct mail *m, const struct reader *r);

#endif
