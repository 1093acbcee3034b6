/* SPDX-License-Identifier: ISC */
/* Presence, as PIDF. */

#include "adapters/xmpp/presence_private.h"
#include "prim/base.h"

/* What the bridge takes (DESIGN, limits: presence). */
#define DOCUMENT_MAX 65536

/* Where a document is made of what. */
struct maker {
	struct prim_pidf *model;
	struct prim_slice contact;
	int64_t now_ms;
	bool is_bare; /* of texts */
};

static struct prim_slice put_id(struct prim_pidf *model,
    struct prim_slice resource)
{
	size_t from = model->text.len;

	xa_presence_map_put_id(&model->text, resource);
	return prim_slice_make(model->text.ptr + from, model->text.len - from);
}

static void put_notes(struct prim_pidf_tuple *t, const struct xa_presence *p)
{
	for (unsigned i = 0; i < p->status_count; i++) {
		struct prim_slice text = prim_slice_of(p->statuses[i].text);

		if (!prim_xml_text_ok(text))
			continue;
		t->notes[t->note_count++] = (struct prim_pidf_note){
			.language = prim_slice_of(p->statuses[i].language),
			.text = text,
		};
	}
}

/* What an unavailable resource has not. A negative priority is never told
 * (RFC 8048 table 1, note 6; spec/xmpp.md 4.5). */
static void put_state(struct prim_pidf_tuple *t, const struct xa_presence *p)
{
	t->basic = PRIM_BASIC_OPEN;
	t->show = prim_slice_of(xa_presence_map_word(p->show));
	if (p->priority >= 0)
		t->priority = xa_presence_map_thousandths(p->priority);
	t->is_idle = p->idle_since_ms != XA_NO_TIME;
	t->idle_since_ms = p->idle_since_ms;
}

static void put_tuple(const struct maker *m, const struct xa_presence *p)
{
	struct prim_pidf_tuple *t = &m->model->tuples[m->model->tuple_count++];

	*t = (struct prim_pidf_tuple){
		.id = put_id(m->model, xa_presence_name(p)),
		.basic = PRIM_BASIC_CLOSED,
		.has_status = true,
		.contact = m->contact,
		.priority = PRIM_PIDF_NO_PRIORITY,
		.idle_since_ms = PRIM_PIDF_NO_TIME,
		.timestamp_ms = p->stamp_ms,
	};
	if (t->timestamp_ms <= 0 || t->timestamp_ms > m->now_ms)
		t->timestamp_ms = m->now_ms;
	if (p->is_available)
		put_state(t, p);
	if (!m->is_bare)
		put_notes(t, p);
}

/* A person is away when all of its resources are: activities of the person
 * would be those of every tuple without a show. */
static unsigned activities_of(const struct xa_presences *all)
{
	unsigned activities = 0;

	for (unsigned i = 0; i < all->count; i++) {
		const struct xa_presence *p = &all->items[i];
		unsigned own = xa_presence_map_activity(p->show);

		if (!p->is_available)
			continue;
		if (!own)
			return 0;
		activities |= own;
	}
	return activities;
}

/* The model's ids stay where they are while it is filled. */
static void reserve(struct prim_pidf *model, const struct xa_presences *all)
{
	size_t len = XA_TUPLE_ID_MORE;

	for (unsigned i = 0; i < all->count; i++)
		len += xa_presence_name(&all->items[i]).len + XA_TUPLE_ID_MORE;
	prim_buf_room(&model->text, len);
}

static void put_document(struct prim_buf *b, const struct maker *m,
    const struct xa_presences *all, struct prim_slice entity)
{
	static const struct xa_presence NOBODY;
	struct prim_pidf *model = m->model;

	prim_buf_reset(&model->text);
	reserve(model, all);
	model->entity = entity;
	model->idle_since_ms = PRIM_PIDF_NO_TIME;
	model->activities = activities_of(all);
	model->tuple_count = 0;
	for (unsigned i = 0; i < all->count; i++)
		put_tuple(m, &all->items[i]);
	if (all->count == 0)
		put_tuple(m, &NOBODY);
	prim_pidf_put(b, model);
}

void xa_presences_put_pidf(struct prim_buf *b, const struct xa_presences *all,
    struct prim_slice entity, struct prim_slice contact, int64_t now_ms)
{
	struct maker m = {
		.model = prim_new(struct prim_pidf),
		.contact = contact,
		.now_ms = now_ms,
	};
	size_t from = b->len;

	put_document(b, &m, all, entity);
	if (b->len - from > DOCUMENT_MAX) {
		/* A state without words is better than none. */
		b->len = from;
		m.is_bare = true;
		put_document(b, &m, all, entity);
	}
	prim_pidf_fini(m.model);
	prim_free(m.model);
}
