/* SPDX-License-Identifier: ISC */
/* What presence asks of an adapter. */

#include "bridge/host_private.h"

bool br_host_is_ready(const struct br_host *h)
{
	return h->phase == HOST_READY;
}

/* What is kept free for the urgent is kept in questions and in octets alike. */
static bool has_room(const struct br_host *h, unsigned reserved)
{
	const size_t each = HOST_WINDOW_OCTETS / BR_HOST_QUESTIONS_MAX;
	unsigned max;

	if (reserved >= BR_HOST_QUESTIONS_MAX)
		return false;
	max = BR_HOST_QUESTIONS_MAX - reserved;
	return h->questions < max && h->question_octets < max * each;
}

bool br_host_may_ask(const struct br_host *h)
{
	return br_host_is_ready(h) && has_room(h, 0);
}

static void owe_room(struct br_host *h, unsigned reserved)
{
	if (!h->ask_owed || reserved < h->ask_reserved)
		h->ask_reserved = reserved;
	h->ask_owed = true;
}

bool br_host_ask(struct br_host *h, const struct br_host_request *r,
    unsigned reserved, struct prim_question *q)
{
	const struct br_ask ask = {
		.kind = HOST_ASK_QUESTION,
		.octets = r->lines.len + r->body.len,
		.what = q,
	};
	uint64_t id;

	if (!br_host_is_ready(h))
		return false;
	if (!has_room(h, reserved)) {
		owe_room(h, reserved);
		return false;
	}
	id = br_host_say_request(h, r, &ask);
	h->questions++;
	h->question_octets += ask.octets;
	if (q)
		q->id = id;
	return true;
}

void br_host_forget(struct br_host *h, struct prim_question *q)
{
	struct br_ask *ask = h->asks.ring ? br_asks_find(&h->asks, q->id)
					  : NULL;

	q->id = 0;
	/* Only if it is this one: an id of another life may be another's. */
	if (ask && ask->what == q)
		ask->what = NULL;
}

static void tell(struct prim_question *q, const struct prim_command *c)
{
	if (!q)
		return;
	q->id = 0;
	q->answered(q, c);
}

const char *br_host_answer(struct br_host *h, const struct br_ask *ask,
    const struct prim_command *c)
{
	const bool ok = c->code < 600 && br_host_headers_ok(c);

	h->questions--;
	h->question_octets -= ask->octets;
	/* An answer that is none is as good as the end, which follows. */
	tell(ask->what, ok ? c : NULL);
	if (!ok)
		return "a bad answer to a question of presence";
	if (h->ask_owed && has_room(h, h->ask_reserved)) {
		h->ask_owed = false;
		h->context.ops->ask_room(h->context.ctx, h);
	}
	return NULL;
}

/* What is looked for, and whether it was found. */
struct before {
	uint64_t id;
	bool found;
};

static void look_before(struct br_ask *ask, void *arg)
{
	struct before *b = arg;

	if (ask->kind != HOST_ASK_SEND && ask->id < b->id)
		b->found = true;
}

bool br_host_has_questions_before(struct br_host *h, uint64_t id)
{
	struct before b = { .id = id };

	if (h->questions + h->canonicals + h->probes > 0)
		br_asks_each(&h->asks, look_before, &b);
	return b.found;
}

static void end_question(struct br_ask *ask, void *arg)
{
	struct prim_question *q = ask->what;

	(void)arg;
	if (ask->kind != HOST_ASK_QUESTION)
		return;
	/* First, since who is told may forget others. */
	ask->what = NULL;
	tell(q, NULL);
}

void br_host_end_questions(struct br_host *h)
{
	br_asks_each(&h->asks, end_question, NULL);
	h->questions = 0;
	h->question_octets = 0;
	h->ask_owed = false;
}
