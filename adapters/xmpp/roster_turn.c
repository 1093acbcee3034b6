/* SPDX-License-Identifier: ISC */
/* Whose turn it is: to say something to XMPP, to ask something of the core. */

#include "adapters/xmpp/roster_private.h"

/*
 * Saying.
 */

/* What may come back as an error. */
static unsigned say_request(struct xa_contact *c, const char *type,
    const char *prefix)
{
	struct xa_roster *r = c->roster;
	struct prim_buf id = { 0 };
	struct xa_word w = {
		.type = type,
		.from = c->ours,
		.to = c->theirs,
	};

	prim_buf_puts(&id, prefix);
	prim_buf_put_number(&id, r->requests++);
	prim_buf_putc(&id, '\0');
	w.id = id.ptr;
	r->ops->say(r->ctx, c->leg, &w);
	prim_buf_fini(&id);
	return 1;
}

static unsigned say_word(struct xa_contact *c, const char *type)
{
	struct xa_roster *r = c->roster;
	const struct xa_follow *f = &c->follow;
	const bool is_error = f->error && type[0] == 'e';
	const struct xa_word w = {
		.type = type,
		.from = c->ours,
		.to = c->theirs,
		.id = is_error ? f->request_id : NULL,
		.error = is_error ? f->error : NULL,
	};

	r->ops->say(r->ctx, c->leg, &w);
	return 1;
}

struct showing {
	struct xa_contact *c;
	const char *to;
	const char *id;
	bool only_gone; /* what is available is told by somebody else */
	bool no_gone;   /* the same of what is not */
	unsigned count;
};

static void show_one(void *arg, const struct xa_presence *p)
{
	struct showing *s = arg;
	struct xa_roster *r = s->c->roster;
	const struct xa_presence_route route = {
		.from = s->c->ours,
		.to = s->to,
		.id = s->id,
		.now_ms = r->now_ms,
	};

	if (p->is_available ? s->only_gone : s->no_gone)
		return;
	r->ops->show(r->ctx, s->c->leg, p, &route);
	s->count++;
}

unsigned xa_contact_show(struct xa_contact *c, bool in_full)
{
	struct xa_follow *f = &c->follow;
	struct showing s = { .c = c, .to = c->theirs, .only_gone = in_full };
	const bool is_mute = f->bounces >= XA_BOUNCES_MAX;

	/* He is shown what changed when he is back; his server asks, too. */
	if (f->is_away && f->approval == XA_APPROVAL_GRANTED)
		return 0;
	if (!is_mute && (!in_full || xa_presences_any(&f->told)))
		xa_presences_diff(&f->told, &f->now, show_one, &s);
	if (!is_mute && in_full) {
		s.only_gone = false;
		s.no_gone = s.count > 0;
		xa_presences_diff(NULL, &f->now, show_one, &s);
	}
	xa_presences_copy(&f->told, &f->now);
	if (s.count)
		f->shown_ms = c->roster->now_ms;
	/* Or one that goes while we are away would be shown for ever. */
	if (!c->roster->is_draining)
		xa_contact_keep(c);
	return s.count;
}

/* One that was asked for by its full JID: whether it is there, no more. */
static unsigned answer_one(struct xa_contact *c, struct showing *s)
{
	const struct xa_follow *f = &c->follow;
	struct xa_presence p = {
		.resource = f->asked,
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = XA_NO_TIME,
	};

	for (unsigned i = 0; i < f->now.count; i++) {
		if (prim_slice_eq(prim_slice_of(f->now.items[i].resource),
			prim_slice_of(f->asked)))
			p.is_available = f->now.items[i].is_available;
	}
	show_one(s, &p);
	return s->count;
}

static unsigned say_answer(struct xa_contact *c)
{
	static const struct xa_presence NOTHING = {
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = XA_NO_TIME,
	};
	struct xa_follow *f = &c->follow;
	struct showing s = { .c = c, .to = f->asker, .id = f->asker_id };

	if (!f->asker || !f->is_known)
		return 0;
	if (f->asked)
		answer_one(c, &s);
	else
		xa_presences_diff(NULL, &f->now, show_one, &s);
	if (s.count == 0)
		show_one(&s, &NOTHING);
	f->asker = prim_free(f->asker);
	f->asker_id = prim_free(f->asker_id);
	f->asked = prim_free(f->asked);
	return s.count;
}

static unsigned say_of_watch(struct xa_contact *c, unsigned what)
{
	unsigned n = 0;

	if (what & XA_SAY_LEFT)
		n += say_word(c, "unavailable");
	if (what & XA_SAY_UNSUBSCRIBE)
		n += say_word(c, "unsubscribe");
	if (what & XA_SAY_SUBSCRIBE) {
		n += say_request(c, "subscribe", XA_ID_SUBSCRIBE);
		xa_watch_was_asked(c);
	}
	if (what & XA_SAY_PROBE) {
		n += say_request(c, "probe", XA_ID_PROBE);
		c->roster->probes++;
		xa_watch_was_probed(c);
	}
	return n;
}

static unsigned say_of_follow(struct xa_contact *c, unsigned what)
{
	unsigned n = 0;

	if (what & XA_SAY_REFUSED)
		n += say_word(c, "error");
	if (what & XA_SAY_SUBSCRIBED) {
		xa_contact_keep(c);
		n += say_word(c, "subscribed");
	}
	/* Who asks must not know more than is remembered as told. */
	if (what & (XA_SAY_ALL | XA_SAY_NEWS | XA_SAY_ANSWER))
		n += xa_contact_show(c, what & XA_SAY_ALL);
	if (what & XA_SAY_ANSWER)
		n += say_answer(c);
	if (what & XA_SAY_UNSUBSCRIBED)
		n += say_word(c, "unsubscribed");
	return n;
}

static void say(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	const unsigned what = c->say;
	unsigned count;

	c->say = 0;
	count = say_of_watch(c, what) + say_of_follow(c, what);
	r->words += count;
	xa_bucket_take(&r->bucket, count);
	xa_line_said(c, count);
	xa_contact_reap(c);
}

/* True: the next one may come. */
static bool say_first(struct xa_roster *r, unsigned leg)
{
	struct xa_contact *c = xa_line_first(r, leg);

	if (!c)
		return false;
	if (xa_contact_is_up(c) && !xa_line_may(c))
		return true;
	xa_line_leave(c);
	if (xa_contact_is_up(c))
		say(c);
	return true;
}

/* The legs take turns, or one with much to say would silence the other. */
static void turn_saying(struct xa_roster *r)
{
	unsigned idle = 0;

	xa_line_wake(r);
	while (idle < XA_LEGS_MAX && xa_bucket_has(&r->bucket, r->now_ms)) {
		r->leg = (r->leg + 1) % XA_LEGS_MAX;
		idle = say_first(r, r->leg) ? 0 : idle + 1;
	}
}

/*
 * Asking.
 */

void xa_contact_ask(struct xa_contact *c)
{
	if (c->is_asking)
		return;
	c->is_asking = true;
	TAILQ_INSERT_TAIL(&c->roster->ask_queue, c, ask_turn);
}

static void leave_asking(struct xa_contact *c)
{
	if (c->is_asking)
		TAILQ_REMOVE(&c->roster->ask_queue, c, ask_turn);
	c->is_asking = false;
}

void xa_contact_leave(struct xa_contact *c)
{
	xa_line_leave(c);
	leave_asking(c);
}

/* Asking may lead to another question, so the contact leaves first. */
static void turn_asking(struct xa_roster *r)
{
	struct xa_contact *c;

	while ((c = TAILQ_FIRST(&r->ask_queue)) && r->ops->room(r->ctx) > 0) {
		leave_asking(c);
		if (!xa_watch_ask(c) || !xa_follow_ask(c)) {
			leave_asking(c);
			c->is_asking = true;
			TAILQ_INSERT_HEAD(&r->ask_queue, c, ask_turn);
			return;
		}
		xa_contact_reap(c);
	}
}

void xa_roster_turn(struct xa_roster *r)
{
	turn_asking(r);
	turn_saying(r);
	turn_asking(r);
	xa_roster_turn_keeping(r);
}
