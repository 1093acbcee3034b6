/* SPDX-License-Identifier: ISC */
/* Submissions to order. */

#include "adapters/fault/submit.h"

#include <stdio.h>
#include <unistd.h>

#include "prim/base.h"

struct fa_asked {
	STAILQ_ENTRY(fa_asked) next;
	struct prim_buf id; /* owned: the delivery that asked */
};

void fa_submit_init(struct fa_submit *s, struct bridge *b,
    struct fa_record *record)
{
	s->record = record;
	s->bridge = b;
	STAILQ_INIT(&s->asked);
}

static void asked_free(struct fa_asked *asked)
{
	prim_buf_fini(&asked->id);
	prim_free(asked);
}

void fa_submit_fini(struct fa_submit *s)
{
	struct fa_asked *asked;

	while ((asked = STAILQ_FIRST(&s->asked))) {
		STAILQ_REMOVE_HEAD(&s->asked, next);
		asked_free(asked);
	}
	prim_buf_fini(&s->from);
	prim_buf_fini(&s->to);
}

static void keep(struct prim_buf *to, struct prim_slice s)
{
	prim_buf_reset(to);
	prim_buf_put(to, s);
}

/* The Return token is all that is kept of a submission: the delivery whose fate
 * its outcome is, or nothing, and whose it is. */
static bool submit(struct fa_submit *s, struct bridge_message *m,
    struct prim_slice delivery_id)
{
	struct prim_buf token = { 0 };
	bool ok;

	prim_buf_putf(&token, "%.*s>%.*s>%.*s", PRIM_SLICE_ARG(delivery_id),
	    PRIM_SLICE_ARG(m->from), PRIM_SLICE_ARG(m->to));
	m->return_token = prim_buf_slice(&token);
	ok = bridge_submit(s->bridge, m);
	if (ok)
		fa_record_sent(s->record, m);
	prim_buf_fini(&token);
	return ok;
}

void fa_outcome(struct fa_submit *s, const struct bridge_outcome *o)
{
	struct prim_slice to = o->return_token;
	const struct prim_slice delivery_id = prim_slice_cut(&to, '>');
	const struct prim_slice from = prim_slice_cut(&to, '>');

	/* What presence hands in has no token. */
	if (from.len == 0)
		return;
	fa_record_answer(s->record, from, to, o);
	if (delivery_id.len > 0)
		bridge_report(s->bridge, delivery_id, o->code,
		    "what became of the claimed message");
}

void fa_flood_on(struct fa_submit *s)
{
	char id[32];
	struct bridge_message m = {
		.from = prim_buf_slice(&s->from),
		.to = prim_buf_slice(&s->to),
		.conversation_id = PRIM_SLICE("flood"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("flood"),
	};

	while (s->left > 0) {
		snprintf(id, sizeof(id), "flood%u.%d", s->number,
		    (int)getpid());
		m.message_id = prim_slice_of(id);
		if (!submit(s, &m, PRIM_SLICE_NONE))
			return;
		s->is_second = s->twice && !s->is_second;
		if (!s->is_second) {
			s->left--;
			s->number++;
		}
	}
}

void fa_flood(struct fa_submit *s, const struct bridge_message *m,
    unsigned count, bool twice)
{
	keep(&s->from, m->to);
	keep(&s->to, m->from);
	s->left = count;
	s->twice = twice;
	s->is_second = false;
	fa_flood_on(s);
}

/* The outcome becomes the fate of the delivery that ordered it. */
bool fa_claim(struct fa_submit *s, const struct bridge_message *m,
    struct prim_slice from, struct prim_slice original)
{
	struct bridge_message lie = *m;
	struct prim_buf address = { 0 };
	bool ok;

	prim_buf_puts(&address, "im:");
	prim_buf_put(&address, from);
	lie.from = prim_buf_slice(&address);
	lie.to = m->from;
	lie.original_from = original;
	lie.message_id = m->delivery_id;
	lie.strength = PRIM_ASTRENGTH_STRONG;
	ok = submit(s, &lie, m->delivery_id);
	prim_buf_fini(&address);
	return ok;
}

bool fa_ask(struct fa_submit *s, const struct bridge_message *m,
    struct prim_slice address)
{
	struct prim_buf uri = { 0 };
	struct fa_asked *asked;
	bool ok;

	prim_buf_puts(&uri, "im:");
	prim_buf_put(&uri, address);
	ok = bridge_link(s->bridge, prim_buf_slice(&uri), s->number);
	prim_buf_fini(&uri);
	if (!ok)
		return false;
	asked = prim_new(struct fa_asked);
	prim_buf_put(&asked->id, m->delivery_id);
	STAILQ_INSERT_TAIL(&s->asked, asked, next);
	return true;
}

void fa_linked(struct fa_submit *s, const struct bridge_linked *l)
{
	struct fa_asked *asked = STAILQ_FIRST(&s->asked);
	const bool is = l->principal.len > 0;

	STAILQ_REMOVE_HEAD(&s->asked, next);
	bridge_log(s->bridge, BRIDGE_INFO, "linked address=%s principal=%s",
	    bridge_quote(l->address), bridge_quote(l->principal));
	bridge_report(s->bridge, prim_buf_slice(&asked->id),
	    is ? PRIM_OK : PRIM_NOT_FOUND, is ? "linked" : "linked to nobody");
	asked_free(asked);
}
