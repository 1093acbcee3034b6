/* SPDX-License-Identifier: ISC */
/* Presence, from PIDF. */

#include "adapters/xmpp/presence_private.h"

/* Is there a tuple whose id is "ID-" and `name`? */
static bool has_prefixed(const struct prim_pidf *p, struct prim_slice name)
{
	const struct prim_slice prefix = PRIM_SLICE(XA_TUPLE_ID_PREFIX);

	for (unsigned i = 0; i < p->tuple_count; i++) {
		struct prim_slice id = p->tuples[i].id;

		if (prim_slice_starts(id, prefix) &&
		    prim_slice_eq(prim_slice_from(id, prefix.len), name))
			return true;
	}
	return false;
}

/* NULL is the bare JID. "ID-home" and "home" in one document are two devices,
 * and the first has the right to that name. */
static char *resource_of(const struct prim_pidf *p, struct prim_slice id)
{
	const struct prim_slice prefix = PRIM_SLICE(XA_TUPLE_ID_PREFIX);
	struct prim_buf b = { 0 };

	if (prim_slice_eq(id, prefix))
		return NULL;
	if (prim_slice_starts(id, prefix))
		xa_presence_map_put_resource(&b,
		    prim_slice_from(id, prefix.len));
	else if (has_prefixed(p, id))
		xa_presence_map_put_alias(&b, id);
	else
		xa_presence_map_put_resource(&b, id);
	return prim_buf_steal(&b);
}

/* tel: and mailto: are no devices for messages (spec/xmpp.md 4.2). */
static bool is_device(const struct prim_pidf_tuple *t)
{
	const struct prim_slice scheme = PRIM_SLICE("im:");

	return t->contact.len == 0 ||
	    (t->contact.len > scheme.len &&
		prim_slice_eq_nocase(prim_slice_make(t->contact.ptr,
					 scheme.len),
		    scheme));
}

static bool is_open(const struct prim_pidf_tuple *t)
{
	return t->basic == PRIM_BASIC_NONE ? t->has_status
					   : t->basic == PRIM_BASIC_OPEN;
}

/* In the order of spec/xmpp.md 4.3; pidf:im is in `show` already. Who is idle
 * and says no more is away, but not where XMPP had its say: there one can be
 * idle without being away, and that is not lost. */
static enum xa_show show_of(const struct prim_pidf *p,
    const struct prim_pidf_tuple *t)
{
	enum xa_show show;

	if (t->show.len && xa_presence_map_show(t->show, &show))
		return show;
	show = xa_presence_map_activities(t->activities);
	if (show == XA_SHOW_NONE)
		show = xa_presence_map_activities(p->activities);
	if (show == XA_SHOW_NONE && (t->is_idle || p->is_idle) &&
	    !xa_presence_map_is_ours(t->id))
		show = XA_SHOW_AWAY;
	return show;
}

static void add_notes(struct xa_presence *out,
    const struct prim_pidf_note *notes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		xa_presence_add_status(out, notes[i].language, notes[i].text);
}

static struct xa_presence read_tuple(const struct prim_pidf *p,
    const struct prim_pidf_tuple *t, int64_t now_ms)
{
	struct xa_presence out = {
		.resource = resource_of(p, t->id),
		.is_available = is_open(t),
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = now_ms,
	};

	if (out.is_available) {
		out.show = show_of(p, t);
		out.priority = xa_presence_map_priority(t->priority);
		out.idle_since_ms = t->is_idle ? t->idle_since_ms
		    : p->is_idle               ? p->idle_since_ms
					       : XA_NO_TIME;
	}
	if (t->timestamp_ms > 0 && t->timestamp_ms < now_ms)
		out.stamp_ms = t->timestamp_ms;
	if (t->note_count)
		add_notes(&out, t->notes, t->note_count);
	else
		add_notes(&out, p->notes, p->note_count);
	return out;
}

/* RFC 3922 6.3.2: no tuple is nobody there, and the note says why. */
static void add_nobody(struct xa_presences *out, const struct prim_pidf *p,
    int64_t now_ms)
{
	struct xa_presence nobody = {
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = now_ms,
	};

	add_notes(&nobody, p->notes, p->note_count);
	xa_presences_add(out, &nobody);
}

void xa_presences_from_pidf(struct xa_presences *out, const struct prim_pidf *p,
    int64_t now_ms)
{
	struct xa_presence one;

	xa_presences_fini(out);
	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (!is_device(&p->tuples[i]))
			continue;
		one = read_tuple(p, &p->tuples[i], now_ms);
		if (xa_presences_find(out, xa_presence_name(&one)))
			xa_presence_fini(&one);
		else
			xa_presences_add(out, &one);
	}
	/* Beside others it would make them unavailable, too. */
	if (out->count > 1)
		xa_presences_drop_cleared(out);
	if (out->count == 0)
		add_nobody(out, p, now_ms);
}
