/* SPDX-License-Identifier: ISC */
/* A user of XMPP follows a principal: may he, and what is he shown (spec/xmpp.md
 * 5.1)? */

#include "adapters/xmpp/roster_private.h"
#include "adapters/xmpp/text.h"
#include "prim/address.h"

#define BUNDLE_MS    250             /* between two changes that are shown */
#define RESTORE_MS   (5 * XA_SECOND) /* until leases of before have come */
#define RESTORE_RATE 200             /* then so many SUBSCRIBEs a second */

bool xa_follow_is_idle(const struct xa_contact *c)
{
	return c->follow.approval == XA_APPROVAL_NONE && !c->follow.ending[0];
}

/*
 * Permission.
 */

static void forget_asker(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	f->asker = prim_free(f->asker);
	f->asker_id = prim_free(f->asker_id);
	f->asked = prim_free(f->asked);
	c->say &= ~(unsigned)XA_SAY_ANSWER;
}

void xa_follow_grant(struct xa_contact *c)
{
	if (c->follow.approval != XA_APPROVAL_PENDING)
		return;
	xa_contact_log(c, BRIDGE_INFO, "may follow");
	xa_contact_set_follow(c, XA_APPROVAL_GRANTED);
	xa_contact_say(c, XA_SAY_SUBSCRIBED); /* and kept just before */
}

static const char *line_of_end(unsigned code)
{
	switch (code) {
	case 0:
		return "follows no more reason=left";
	case PRIM_FORBIDDEN:
		return "follows no more reason=refused code=402";
	case PRIM_NOT_FOUND:
		return "follows no more reason=\"nobody there\" code=403";
	case PRIM_NOT_IMPLEMENTED:
		return "follows no more reason=\"not possible there\" code=501";
	default:
		return "follows no more reason=\"ended by the bridge\"";
	}
}

void xa_follow_end(struct xa_contact *c, unsigned say, unsigned code)
{
	struct xa_follow *f = &c->follow;

	xa_contact_log(c, BRIDGE_INFO, line_of_end(code));
	xa_follow_release(c);
	forget_asker(c);
	f->is_known = f->is_away = f->is_lapsing = false;
	f->acted_ms = f->absent_ms = 0;
	f->failures = 0;
	xa_presences_fini(&f->now);
	xa_contact_stop_timer(c, &f->news);
	xa_contact_set_follow(c, XA_APPROVAL_NONE);
	/* His own presence was of use to us until now. */
	if (!xa_watch_is_used(c))
		xa_watch_unknow(c);
	xa_contact_keep(c);
	c->say &= ~(unsigned)(XA_SAY_SUBSCRIBED | XA_SAY_ALL);
	xa_contact_say(c, XA_SAY_NEWS | say);
}

/*
 * What the user says.
 */

static char *id_copy(struct prim_slice id)
{
	if (id.len == 0 || id.len > XA_TEXT_ID_MAX)
		return NULL;
	return prim_slice_copy(id);
}

void xa_follow_hear_subscribe(struct xa_contact *c, struct prim_slice id)
{
	struct xa_follow *f = &c->follow;

	if (f->approval == XA_APPROVAL_PENDING)
		return; /* servers repeat it at every login */
	prim_free(f->request_id);
	f->request_id = id_copy(id);
	if (f->approval == XA_APPROVAL_GRANTED) {
		if (!f->is_live)
			xa_follow_want(c);
		xa_contact_say(c,
		    XA_SAY_SUBSCRIBED | (f->is_known ? XA_SAY_ALL : 0));
		return;
	}
	xa_contact_log(c, BRIDGE_INFO, "asks to follow");
	xa_contact_set_follow(c, XA_APPROVAL_PENDING);
	xa_contact_keep(c);
	c->say &= ~(unsigned)(XA_SAY_UNSUBSCRIBED | XA_SAY_REFUSED);
	xa_follow_want(c);
}

void xa_follow_hear_unsubscribe(struct xa_contact *c)
{
	if (c->follow.approval != XA_APPROVAL_NONE)
		xa_follow_end(c, XA_SAY_UNSUBSCRIBED, 0);
}

/* The answer goes to the address that asked; to all of them when several wait
 * for it (servers ask for each resource). */
static void remember_asker(struct xa_contact *c, const struct xa_heard *h)
{
	struct xa_follow *f = &c->follow;
	const bool is_other = f->asker &&
	    !prim_slice_eq(prim_slice_of(f->asker), h->from);

	forget_asker(c);
	f->asker = prim_slice_copy(is_other ? prim_slice_of(c->theirs)
					    : h->from);
	if (is_other)
		return;
	f->asker_id = id_copy(h->id);
	if (h->asked.len)
		f->asked = prim_slice_copy(h->asked);
}

void xa_follow_hear_probe(struct xa_contact *c, const struct xa_heard *h)
{
	struct xa_follow *f = &c->follow;

	if (f->approval == XA_APPROVAL_NONE) {
		/* A roster that is wrong is put right, if we are certain. */
		if (c->roster->is_whole)
			xa_contact_say(c, XA_SAY_UNSUBSCRIBED);
		return;
	}
	if (f->approval != XA_APPROVAL_GRANTED)
		return;
	remember_asker(c, h);
	if (f->is_known)
		xa_contact_say(c, XA_SAY_ANSWER);
	if (!f->is_live)
		xa_follow_want(c);
}

/* What bounces again and again reaches nobody. */
void xa_follow_hear_error(struct xa_contact *c, const struct xa_heard *h)
{
	struct xa_follow *f = &c->follow;

	if (f->approval != XA_APPROVAL_GRANTED ||
	    xa_error_code(h->condition) >= 500 ||
	    prim_slice_starts(h->id, prim_slice_of(XA_ID_SUBSCRIBE)) ||
	    prim_slice_starts(h->id, prim_slice_of(XA_ID_PROBE)))
		return;
	if (++f->bounces == XA_BOUNCES_MAX) {
		xa_contact_log(c, BRIDGE_INFO, "presence bounces, not sent");
		xa_follow_user(c, false);
	}
}

/*
 * What the core says.
 */

static bool is_about(const struct xa_contact *c, struct prim_slice entity)
{
	static struct prim_key keys[2]; /* large; one thread */
	struct prim_address a, b;

	/* The drafts' own format need not say it. */
	if (entity.len == 0)
		return true;
	if (!prim_address_parse(entity, &a) ||
	    !prim_address_parse(prim_slice_of(c->principal), &b))
		return false;
	prim_address_key(&a, &keys[0]);
	prim_address_key(&b, &keys[1]);
	return prim_slice_eq(prim_key_slice(&keys[0]),
	    prim_key_slice(&keys[1]));
}

static void on_news(struct prim_timer *t)
{
	struct xa_follow *f = PRIM_CONTAINER(t, struct xa_follow, news);

	xa_contact_say(PRIM_CONTAINER(f, struct xa_contact, follow),
	    XA_SAY_NEWS);
}

/* A change after a while of rest is shown at once. */
static void show_news(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;
	int64_t at = f->shown_ms + BUNDLE_MS;

	if (xa_contact_now(c) >= at)
		xa_contact_say(c, XA_SAY_NEWS);
	else if (!prim_timer_is_set(&f->news))
		xa_contact_set_timer(c, &f->news, at);
}

void xa_follow_unknow(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	f->is_known = false;
	xa_contact_set_closed(c, &f->now, NULL);
	show_news(c);
}

/* False: it is about somebody else. What we cannot read (it may be encrypted)
 * is not shown as something we know. */
static bool read_document(struct xa_contact *c,
    const struct bridge_notification *n)
{
	struct xa_follow *f = &c->follow;
	struct prim_pidf *pidf = c->roster->pidf;
	const char *why = NULL;

	if (!prim_presence_parse(pidf, n->content_type, n->body,
		PRIM_SLICE("presence"), &why)) {
		xa_contact_log(c, BRIDGE_INFO,
		    "presence that cannot be read here");
		xa_contact_set_closed(c, &f->now,
		    "this contact's presence cannot be shown here");
		return true;
	}
	if (!is_about(c, pidf->entity))
		return false;
	xa_presences_from_pidf(&f->now, pidf, xa_contact_now(c));
	return true;
}

/* A subscription that we have forgotten goes on, if we have no other. */
static bool adopt(struct xa_follow *f, struct prim_slice id)
{
	if (f->is_live || f->is_asked || id.len != XA_FOLLOW_ID_LEN)
		return false;
	for (size_t i = 0; i < id.len; i++)
		f->id[i] = id.ptr[i];
	f->id[id.len] = '\0';
	return true;
}

unsigned xa_follow_notify(struct xa_contact *c,
    const struct bridge_notification *n)
{
	struct xa_follow *f = &c->follow;
	bool is_ours = prim_slice_eq(prim_slice_of(f->id), n->id);
	bool is_new = !f->is_known;

	if (f->approval == XA_APPROVAL_NONE)
		return PRIM_NOT_FOUND;
	if (!is_ours && (n->is_end || !adopt(f, n->id)))
		return PRIM_NOT_FOUND;
	if (n->is_end) {
		xa_follow_lost(c);
		return PRIM_OK;
	}
	if (!read_document(c, n))
		return PRIM_BAD_REQUEST;
	f->is_known = true;
	if (!f->is_live)
		xa_follow_leased(c, n->duration_s);
	xa_follow_grant(c);
	if (is_new)
		xa_contact_say(c, XA_SAY_ALL);
	else
		show_news(c);
	if (f->asker)
		xa_contact_say(c, XA_SAY_ANSWER);
	return PRIM_OK;
}

/*
 * The leg.
 */

void xa_follow_down(struct xa_contact *c)
{
	if (c->follow.approval == XA_APPROVAL_NONE)
		return;
	forget_asker(c);
	c->follow.is_away = false;
	c->say &= ~(unsigned)(XA_SAY_ALL | XA_SAY_NEWS);
}

/* In full: the server may have begun anew as well. */
void xa_follow_up(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	if (f->approval == XA_APPROVAL_NONE)
		return;
	xa_follow_revive(c);
	if (f->approval == XA_APPROVAL_GRANTED && f->now.count)
		xa_contact_say(c, XA_SAY_ALL);
}

/*
 * Life.
 */

void xa_follow_init(struct xa_contact *c)
{
	prim_timer_init(&c->follow.timer, xa_follow_on_timer);
	prim_timer_init(&c->follow.news, on_news);
}

void xa_follow_fini(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	xa_follow_release(c);
	forget_asker(c);
	prim_free(f->request_id);
	xa_contact_stop_timer(c, &f->news);
	xa_presences_fini(&f->now);
	xa_presences_fini(&f->told);
}

/* The core tells every subscription that still lives. The others are made
 * anew, not all at once. */
void xa_follow_restored(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	uint64_t spread = 1 + r->follow_count * 1000 / RESTORE_RATE;

	c->follow.sign_ms = xa_contact_now(c);
	/* He was not told any more that it is over. */
	if (c->follow.approval == XA_APPROVAL_NONE && c->follow.told.count)
		xa_contact_say(c, XA_SAY_NEWS | XA_SAY_UNSUBSCRIBED);
	if (c->follow.approval != XA_APPROVAL_NONE)
		xa_contact_set_timer(c, &c->follow.timer,
		    xa_contact_now(c) + RESTORE_MS +
			(int64_t)(r->ops->random(r->ctx) % spread));
}
