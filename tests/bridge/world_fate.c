/* SPDX-License-Identifier: ISC */
/* What becomes of messages that are sent at random. */

#include "tests/bridge/world_fate.h"

#include "tests/lib/t.h"

#include <string.h>

#include "prim/base.h"
#include "prim/status.h"

#define HOUR_MS INT64_C(3600000)
/* What is stored goes on for so long at the least. */
#define SURELY_MS (20 * HOUR_MS)
#define SECOND_MS 1000
/* What is past its time when a server starts gets one more minute. */
#define GRACE_MS 60000
/* In worlds like these a message may go another way than the one we know. */
#define WANDERING (MAIL_LINKED | MAIL_ORDERS | MAIL_REMOVED)

static void expect(const struct mail *m, unsigned index, bool ok,
    const char *what)
{
	const struct mail_message *t = &m->messages[index];

	if (ok)
		return;
	fail_msg("PRIM_RANDOM=%u (temper %#x), step %u, message m%u from %s to "
		 "%s: %s (asked %u good %u bad %u handed %u taken %u passed %u "
		 "refused %u failures %u)",
	    m->seed, m->temper, m->step, index, mail_address(t->sender),
	    mail_address(t->recipient), what, t->asked, t->good, t->bad,
	    t->handed, t->taken, t->passed, t->refused, t->failures);
}

/* Nobody knows more of it than its sender was told. */
static bool is_plain(const struct mail_message *t)
{
	return !t->is_lost && !t->is_excused && !t->is_repeated;
}

static bool is_young(const struct mail *m, const struct mail_message *t)
{
	return mail_now(m) - t->at_ms < SURELY_MS && !t->expires_ms;
}

/* ---- answers ---- */

void fate_answered(struct mail *m, unsigned index, unsigned code)
{
	struct mail_message *t = &m->messages[index];

	expect(m, index, t->asked > 0, "it was answered twice");
	t->asked--;
	if (code == PRIM_OK || code == PRIM_UNKNOWN_DELIVERY)
		t->good++;
	else
		t->bad++;
	if (code == PRIM_UNKNOWN_DELIVERY && !t->kept_at) {
		t->kept_at = m->epoch;
		t->kept_ms = mail_now(m);
	}
	t->refused_at = m->epoch;
}

/* ---- who gets it, and when ---- */

/* Its sender was told no. */
static bool is_over(const struct mail_message *t)
{
	return t->asked == 0 && t->good == 0 && !t->is_lost && !t->is_excused;
}

static bool is_same_lane(const struct mail_message *e,
    const struct mail_message *t)
{
	return e->sender == t->sender && e->recipient == t->recipient &&
	    e->conversation == t->conversation && e->carrier == t->carrier &&
	    e->reader == t->reader && e->serial == t->serial;
}

/* It waits: has it surely to go before others of its lane still? */
static bool is_waiting(const struct mail *m, const struct mail_message *e)
{
	return e->kept_at && e->bad == 0 && e->asked == 0 && is_plain(e) &&
	    is_young(m, e) &&
	    e->taken + e->passed + e->refused + e->failures == 0;
}

/* What nobody got goes before what was sent after it. */
static void check_turn(const struct mail *m, unsigned index,
    const struct mail_ear *ear)
{
	const struct mail_message *t = &m->messages[index];
	unsigned wild = WANDERING;

	/* What killed its adapter before that had a look at it is put aside. */
	if (mail_carrier_of(t->recipient) < MAIL_CARRIERS)
		wild |= MAIL_DYING;
	if ((m->temper & wild) || t->is_repeated)
		return;
	for (unsigned i = 0; i < index; i++) {
		const struct mail_message *e = &m->messages[i];

		if (e->handed == 0 && is_same_lane(e, t) && is_waiting(m, e))
			expect(m, i, ear->epoch <= e->kept_at,
			    "another came that it was before");
	}
}

/* It was kept, and its time is over; a restart gives it a minute more. Whoever is
 * still answered may be served late. */
static bool is_late(const struct mail *m, const struct mail_message *t,
    const struct mail_ear *ear)
{
	return t->expires_ms && t->kept_at && ear->epoch > t->kept_at &&
	    is_plain(t) && !(m->temper & MAIL_ORDERS) &&
	    ear->ms > t->expires_ms + SECOND_MS &&
	    ear->ms > t->kept_ms + SECOND_MS && /* no clock, no timer */
	    ear->ms > m->started_ms + GRACE_MS + SECOND_MS;
}

void fate_handed(struct mail *m, unsigned index, const struct mail_ear *ear,
    bool is_alone)
{
	struct mail_message *t = &m->messages[index];

	t->handed++;
	expect(m, index,
	    !is_over(t) || (!m->is_ending && t->is_repeated) ||
		(!m->is_ending && ear->epoch <= t->refused_at),
	    "it came after it was refused");
	expect(m, index,
	    !t->done_at || t->is_repeated || ear->epoch <= t->done_at,
	    "it came again after it was delivered");
	expect(m, index, !is_late(m, t, ear), "it came after its time");
	if (is_alone && t->handed == 1)
		check_turn(m, index, ear);
}

void fate_check_order(const struct mail *m, unsigned index, unsigned session)
{
	const struct mail_message *t = &m->messages[index];

	if ((m->temper & (WANDERING | MAIL_DYING)) || t->is_repeated)
		return;
	for (unsigned i = 0; i < index; i++) {
		const struct mail_message *e = &m->messages[i];

		if (!is_same_lane(e, t) || !is_waiting(m, e))
			continue;
		expect(m, i, e->session == session,
		    "another came that it was before");
		expect(m, i,
		    e->hand_at >= e->setback_at || e->setback_at > t->hand_at,
		    "it went back, and another came that it was before");
	}
}

/* ---- ends ---- */

/* What is said of it next counts. */
static bool is_certain(const struct mail *m, const struct mail_message *t)
{
	return !(m->temper & WANDERING) && is_plain(t) && is_young(m, t) &&
	    t->refused == 0 && t->failures == 0 && t->bad == 0;
}

void fate_taken(struct mail *m, unsigned index, bool in_time)
{
	struct mail_message *t = &m->messages[index];

	if (in_time && t->passed == 0 && !t->done_at && is_certain(m, t))
		t->done_at = m->epoch;
	t->taken++;
}

void fate_bounced(struct mail *m, unsigned index)
{
	struct mail_message *t = &m->messages[index];

	if (t->taken == 0 && t->handed == 1 && is_certain(m, t) &&
	    !m->is_broken)
		t->bounced_at = m->epoch;
}

void fate_unsure(struct mail *m, unsigned epoch)
{
	for (unsigned i = 0; i < m->count; i++) {
		struct mail_message *t = &m->messages[i];

		if (t->done_at >= epoch)
			t->done_at = 0;
		if (t->bounced_at >= epoch)
			t->bounced_at = 0;
	}
}

/* ---- notices ---- */

/* Where `word` is in `text`; behind its end: nowhere. */
static size_t find(struct prim_slice text, const char *word)
{
	size_t len = strlen(word), i = 0;

	while (i + len <= text.len && memcmp(text.ptr + i, word, len) != 0)
		i++;
	return i + len <= text.len ? i : text.len;
}

/* The number of the message that a notice is about. */
static unsigned about(const struct mail *m, struct prim_slice text)
{
	struct prim_slice id = prim_slice_from(text,
	    find(text, "<message-id>") + strlen("<message-id>"));
	uint64_t number = MAIL_MESSAGES;

	id = prim_slice_from(prim_slice_cut(&id, ':'), 1);
	(void)prim_slice_number(id, MAIL_MESSAGES - 1, &number);
	mail_expect(m, number < m->count, "a notice of nothing");
	return (unsigned)number;
}

static void note_failure(struct mail *m, unsigned index, struct prim_slice id)
{
	struct mail_message *t = &m->messages[index];

	expect(m, index, id.len < MAIL_ID_MAX, "a long notice");
	if (t->failures > 0 && prim_slice_eq(id, prim_slice_of(t->notice)))
		return; /* the same once more */
	t->failures++;
	/* Said once more days later it is another one. */
	expect(m, index, t->failures == 1 || t->is_repeated,
	    "its sender is told twice");
	expect(m, index, !t->done_at || t->is_repeated,
	    "it was delivered, and its sender is told that it failed");
	memcpy(t->notice, id.ptr, id.len);
}

bool fate_noticed(struct mail *m, const struct prim_command *c)
{
	struct prim_slice from = prim_command_get(c, PRIM_HEADER_FROM);
	struct prim_slice to = prim_command_get(c, PRIM_HEADER_TO);
	unsigned index;

	if (!prim_slice_starts(from, PRIM_SLICE("im:postmaster@")))
		return false;
	index = about(m, c->body);
	expect(m, index,
	    prim_slice_eq(prim_slice_from(to, 3),
		prim_slice_of(mail_address(m->messages[index].sender))),
	    "somebody else is told of it");
	if (find(c->body, "<failed/>") < c->body.len)
		note_failure(m, index,
		    prim_command_get(c, PRIM_HEADER_MESSAGE_ID));
	return true;
}

/* ---- the end ---- */

/* Its notices go by an adapter, and may go the way of all messages. */
static bool is_out_of_reach(const struct mail *m, const struct mail_message *t)
{
	return t->carrier < MAIL_CARRIERS &&
	    (m->temper & (MAIL_LYING | MAIL_DYING | MAIL_JUMPS));
}

static void look_at(const struct mail *m, unsigned index)
{
	const struct mail_message *t = &m->messages[index];

	expect(m, index, t->asked == 0 || t->is_lost, "it was never answered");
	if (t->is_excused || t->is_lost)
		return;
	if (t->good == 0)
		expect(m, index, t->failures == 0,
		    "it was refused, and its sender is told that it failed");
	if (!m->ever_always)
		expect(m, index, t->failures == 0, "nobody asked to be told");
	if (t->good == 0 || m->ever_asked_only || is_out_of_reach(m, t))
		return;
	expect(m, index, t->taken + t->passed + t->failures > 0,
	    "it was accepted, and has no end");
	expect(m, index, !t->bounced_at || t->failures == 1,
	    "it came back, and its sender is not told");
}

void fate_look(const struct mail *m)
{
	for (unsigned i = 0; i < m->count; i++)
		look_at(m, i);
}
