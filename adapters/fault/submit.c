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

void fa_submit_init(struct fa_submit *s, struct bridge *b)
{
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
		m.message_id = m.return_token = prim_slice_of(id);
		if (!bridge_submit(s->bridge, &m))
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
	lie.return_token = m->delivery_id;
	lie.strength = PRIM_ASTRENGTH_STRONG;
	ok = bridge_submit(s->bridge, &lie);
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
