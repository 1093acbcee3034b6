/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_LIVES_H
#define TESTS_BRIDGE_STORE_LIVES_H

/*
 * Messages that live their lives in a store, each its own, step by step; and where
 * each stands after so many steps. A step that is done is said in a pipe.
 */

#include "tests/bridge/store_world.h"

#define NUMBERS 2048 /* messages of one folder */
#define LANES   32

/* ---- lives ---- */

enum op {
	OVER,
	PUT,
	SENT,
	ATTEMPT,
	MOVE,
	DELAY,
	DELIVER,
	FAIL,
	TRANSFER,
	BOUNCE,
	QUARANTINE,
	RELEASE,
};

/* clang-format off */
static const enum op LIVES[][5] = {
	{ PUT },
	{ PUT, ATTEMPT, DELIVER },
	{ PUT, DELAY, FAIL },
	{ PUT, MOVE, TRANSFER, BOUNCE },
	{ SENT, BOUNCE },
	{ PUT, QUARANTINE },
	{ PUT, QUARANTINE, RELEASE, FAIL },
	{ PUT, TRANSFER },
	{ SENT },
	{ PUT, FAIL },
	{ PUT }, /* for an account that goes */
};

/* clang-format on */

#define GONE (PRIM_COUNT(LIVES) - 1)

/* Where a message stands. */
struct facts {
	bool waits, is_quarantined, is_sent;
	unsigned code; /* of its end */
	unsigned attempts;
	unsigned failed, delayed, delivered; /* notices */
};

static inline struct facts facts_after(const enum op *life, unsigned steps)
{
	struct facts f = { 0 };

	for (unsigned i = 0; i < steps; i++) {
		const enum op op = life[i];
		bool is_end = op == DELIVER || op == FAIL || op == TRANSFER;

		f.waits = (f.waits || op == PUT) && !is_end;
		f.is_sent = op == SENT || op == TRANSFER ||
		    (f.is_sent && op != BOUNCE);
		f.is_quarantined = op == QUARANTINE ||
		    (f.is_quarantined && op != RELEASE);
		f.attempts += op == ATTEMPT;
		f.delayed += op == DELAY;
		f.delivered += op == DELIVER;
		if (op == FAIL || op == QUARANTINE || op == BOUNCE)
			f.failed = 1;
		if (op == SENT || op == TRANSFER)
			f.code = 101;
		else if (op == DELIVER)
			f.code = 200;
		else if (op == FAIL)
			f.code = 408;
	}
	f.attempts = f.waits ? f.attempts : 0;
	return f;
}

static inline bool facts_eq(const struct facts *a, const struct facts *b)
{
	return a->waits == b->waits && a->is_quarantined == b->is_quarantined &&
	    a->is_sent == b->is_sent && a->code == b->code &&
	    a->attempts == b->attempts && a->failed == b->failed &&
	    a->delayed == b->delayed && a->delivered == b->delivered;
}

/* ---- those who live them, until the power is cut ---- */

struct child;

struct lane {
	struct child *child;
	unsigned number, step;
	int64_t seq;
	char id[16];
	struct br_store_message m;
};

struct child {
	struct br_store *store;
	int fd; /* what is done goes there: a number for each step */
	unsigned next, limit;
	unsigned lives;
	struct lane lanes[LANES];
};

static inline void lane_step(struct lane *lane);

static inline void lane_begin(struct lane *lane)
{
	struct child *c = lane->child;

	if (c->next >= c->limit)
		return;
	lane->number = c->next++;
	lane->step = 0;
	(void)snprintf(lane->id, sizeof(lane->id), "n%u", lane->number);
	lane->m = message_make(lane->number + 1, prim_slice_of(lane->id));
	lane->m.destination = PRIM_SLICE("adapter:mail");
	lane->m.reports = BR_REPORT_POSITIVE;
	lane->m.delay_notice_ms = 1;
	if (lane->number % c->lives == GONE)
		lane->m.recipient = PRIM_SLICE("gone@here.example");
	lane_step(lane);
}

static inline void acknowledge(struct lane *lane)
{
	if (write(lane->child->fd, &lane->number, sizeof(lane->number)) !=
	    sizeof(lane->number))
		_exit(1);
	lane->step++;
	lane_step(lane);
}

static inline void on_lane_put(void *arg,
    const struct br_store_put_result *result)
{
	struct lane *lane = arg;

	if (result->outcome != BR_STORE_DONE)
		_exit(2);
	lane->seq = result->seq;
	acknowledge(lane);
}

static inline void on_lane_done(void *arg, enum br_store_outcome outcome)
{
	if (outcome != BR_STORE_DONE)
		_exit(3);
	acknowledge(arg);
}

static inline void lane_end(struct lane *lane, unsigned code)
{
	const struct br_store_end end = { .code = code,
		.reason = PRIM_SLICE("why"),
		.forget_ms = INT64_MAX };

	br_store_message_end(lane->child->store, lane->seq, &end, on_lane_done,
	    lane);
}

static inline void lane_change(struct lane *lane, enum op op)
{
	struct br_store *s = lane->child->store;
	const struct br_store_end end = { .code = 500,
		.reason = PRIM_SLICE("poison") };

	if (op == ATTEMPT)
		br_store_message_attempt(s,
		    &(struct br_store_attempt){ .seq = lane->seq,
			.attempts = 1 },
		    on_lane_done, lane);
	else if (op == MOVE)
		br_store_message_move(s,
		    &(struct br_store_move){ .seq = lane->seq,
			.destination = PRIM_SLICE("adapter:xmpp"),
			.target = PRIM_SLICE("bob@there.example") },
		    on_lane_done, lane);
	else if (op == DELAY)
		br_store_message_delayed(s, lane->seq, on_lane_done, lane);
	else if (op == QUARANTINE)
		br_store_message_quarantine(s, lane->seq, &end, on_lane_done,
		    lane);
	else
		br_store_message_release(s, lane->seq, INT64_MAX, on_lane_done,
		    lane);
}

static inline void lane_bounce(struct lane *lane)
{
	bool has_moved = lane->number % lane->child->lives == 3;
	const struct br_store_report report = {
		.delivery = lane->m.delivery,
		.destination = has_moved ? PRIM_SLICE("adapter:xmpp")
					 : PRIM_SLICE("adapter:mail"),
		.code = 408,
		.reason = PRIM_SLICE("bounced"),
	};

	br_store_report(lane->child->store, &report, on_lane_done, lane);
}

static inline void lane_step(struct lane *lane)
{
	struct br_store *s = lane->child->store;
	const enum op op = LIVES[lane->number % lane->child->lives][lane->step];

	switch (op) {
	case OVER:
		lane_begin(lane);
		return;
	case PUT:
		br_store_message_put(s, &lane->m, on_lane_put, lane);
		return;
	case SENT:
		br_store_sent_put(s, &lane->m, on_lane_put, lane);
		return;
	case DELIVER:
	case FAIL:
	case TRANSFER:
		lane_end(lane, op == DELIVER ? 200 : op == FAIL ? 408 : 101);
		return;
	case BOUNCE:
		lane_bounce(lane);
		return;
	case ATTEMPT:
	case MOVE:
	case DELAY:
	case QUARANTINE:
	case RELEASE:
		lane_change(lane, op);
		return;
	}
}

static inline void child_live(struct child *c, unsigned lanes)
{
	for (unsigned i = 0; i < lanes; i++) {
		c->lanes[i].child = c;
		lane_begin(&c->lanes[i]);
	}
	br_store_settle(c->store);
}

static inline void gone_make(struct child *c)
{
	const struct br_store_account account = {
		.key = PRIM_SLICE("gone@here.example"),
		.address = PRIM_SLICE("gone@here.example"),
		.iterations = 4096
	};

	br_store_account_put(c->store, &account, NULL, NULL);
	br_store_settle(c->store);
}

static inline void gone_drop(struct child *c)
{
	const unsigned none = UINT32_MAX; /* a step of all who are gone */
	struct heard heard = { 0 };

	br_store_account_drop(c->store, PRIM_SLICE("gone@here.example"),
	    on_done, &heard);
	br_store_settle(c->store);
	if (heard.count != 1 || heard.outcome != BR_STORE_DONE ||
	    write(c->fd, &none, sizeof(none)) != sizeof(none))
		_exit(4);
}

/* One after the other, all kinds, and an account: the same writes each time. */
static inline void child_script(struct child *c)
{
	c->lives = PRIM_COUNT(LIVES);
	gone_make(c);
	c->limit = 2 * c->lives;
	child_live(c, 1);
	gone_drop(c);
}

/* Many at once, without an end. */
static inline void child_crowd(struct child *c)
{
	c->lives = GONE;
	c->limit = c->next + NUMBERS / 8;
	child_live(c, LANES);
}

#endif
