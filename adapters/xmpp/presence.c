/* SPDX-License-Identifier: ISC */
/* What is known of a contact's resources, and what has to be told of them. */

#include "adapters/xmpp/presence.h"

#include <string.h>

#include "adapters/xmpp/presence_private.h"
#include "adapters/xmpp/text.h"
#include "prim/base.h"

#define ELLIPSIS "\xe2\x80\xa6"

/*
 * One resource.
 */

static void drop_texts(struct xa_presence *p)
{
	for (unsigned i = 0; i < p->status_count; i++) {
		prim_free(p->statuses[i].language);
		prim_free(p->statuses[i].text);
	}
	p->status_count = 0;
}

void xa_presence_fini(struct xa_presence *p)
{
	prim_free(p->resource);
	drop_texts(p);
	*p = (struct xa_presence){ 0 };
}

struct prim_slice xa_presence_name(const struct xa_presence *p)
{
	return prim_slice_of(p->resource);
}

static char *string_copy(const char *text)
{
	return prim_slice_copy(prim_slice_of(text));
}

static struct xa_presence copy_of(const struct xa_presence *from)
{
	struct xa_presence to = *from;

	if (from->resource)
		to.resource = string_copy(from->resource);
	for (unsigned i = 0; i < from->status_count; i++) {
		to.statuses[i].language =
		    string_copy(from->statuses[i].language);
		to.statuses[i].text = string_copy(from->statuses[i].text);
	}
	return to;
}

/* From the bare JID: all is unavailable. */
static bool is_cleared(const struct xa_presence *p)
{
	return !p->is_available && xa_presence_name(p).len == 0;
}

static bool has_same_texts(const struct xa_presence *a,
    const struct xa_presence *b)
{
	if (a->status_count != b->status_count)
		return false;
	for (unsigned i = 0; i < a->status_count; i++) {
		if (strcmp(a->statuses[i].text, b->statuses[i].text) != 0 ||
		    strcmp(a->statuses[i].language, b->statuses[i].language) !=
			0)
			return false;
	}
	return true;
}

/* For whoever watches: stamps do not count (RFC 3922 6.3.1). */
static bool is_same(const struct xa_presence *a, const struct xa_presence *b)
{
	if (a->is_available != b->is_available || !has_same_texts(a, b))
		return false;
	return !a->is_available ||
	    (a->show == b->show && a->priority == b->priority &&
		a->idle_since_ms == b->idle_since_ms);
}

/* What is longer ends before a character that would not fit. */
static char *cut(struct prim_slice text)
{
	struct prim_buf b = { 0 };

	if (text.len > XA_STATUS_TEXT_MAX) {
		text.len = XA_STATUS_TEXT_MAX - strlen(ELLIPSIS);
		while (((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
			text.len--;
		prim_buf_put(&b, text);
		prim_buf_puts(&b, ELLIPSIS);
	} else {
		prim_buf_put(&b, text);
	}
	return prim_buf_steal(&b);
}

void xa_presence_add_status(struct xa_presence *p, struct prim_slice language,
    struct prim_slice text)
{
	struct xa_status *s;

	if (text.len == 0 || !xa_text_ok(text) ||
	    (language.len && !xa_text_language_ok(language)) ||
	    p->status_count == XA_STATUSES_MAX)
		return;
	for (unsigned i = 0; i < p->status_count; i++) {
		if (prim_slice_eq_nocase(language,
			prim_slice_of(p->statuses[i].language)))
			return;
	}
	s = &p->statuses[p->status_count++];
	s->language = prim_slice_copy(language);
	s->text = cut(text);
}

/*
 * All of them.
 */

void xa_presences_fini(struct xa_presences *all)
{
	for (unsigned i = 0; i < all->count; i++)
		xa_presence_fini(&all->items[i]);
	all->items = prim_free(all->items);
	all->count = 0;
}

void xa_presences_copy(struct xa_presences *to, const struct xa_presences *from)
{
	struct xa_presences copy = { 0 };

	if (from->count)
		copy.items = prim_alloc(from->count * sizeof(*copy.items));
	for (; copy.count < from->count; copy.count++)
		copy.items[copy.count] = copy_of(&from->items[copy.count]);
	xa_presences_fini(to);
	*to = copy;
}

bool xa_presences_any(const struct xa_presences *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (all->items[i].is_available)
			return true;
	}
	return false;
}

/* Begins at place `*at`, and leaves it behind what it found: documents that
 * follow each other have the same order, so this is found at once. */
static const struct xa_presence *find_near(const struct xa_presences *all,
    struct prim_slice resource, unsigned *at)
{
	for (unsigned n = 0; n < all->count; n++) {
		unsigned i = (*at + n) % all->count;

		if (prim_slice_eq(xa_presence_name(&all->items[i]), resource)) {
			*at = i + 1;
			return &all->items[i];
		}
	}
	return NULL;
}

const struct xa_presence *xa_presences_find(const struct xa_presences *all,
    struct prim_slice resource)
{
	unsigned at = 0;

	return find_near(all, resource, &at);
}

static void drop(struct xa_presences *all, unsigned at)
{
	xa_presence_fini(&all->items[at]);
	all->count--;
	memmove(&all->items[at], &all->items[at + 1],
	    (all->count - at) * sizeof(*all->items));
}

static bool is_less(const struct xa_presence *a, const struct xa_presence *b)
{
	if (a->is_available != b->is_available)
		return !a->is_available;
	return a->stamp_ms < b->stamp_ms;
}

/* Whoever shows up with ever new resources must not push out those that are
 * there by ones that are not. */
static bool make_room(struct xa_presences *all, const struct xa_presence *p)
{
	unsigned least = 0;

	if (all->count < XA_RESOURCES_MAX)
		return true;
	for (unsigned i = 1; i < all->count; i++) {
		if (is_less(&all->items[i], &all->items[least]))
			least = i;
	}
	if (all->items[least].is_available && !p->is_available)
		return false;
	drop(all, least);
	return true;
}

static size_t texts_of(const struct xa_presence *p)
{
	size_t len = 0;

	for (unsigned i = 0; i < p->status_count; i++)
		len += strlen(p->statuses[i].text);
	return len;
}

/* `p` will be there instead of `old`, which may be NULL. */
static void bound_texts(const struct xa_presences *all, struct xa_presence *p,
    const struct xa_presence *old)
{
	size_t len = texts_of(p);

	for (unsigned i = 0; i < all->count && len <= XA_TEXTS_MAX; i++) {
		if (&all->items[i] != old)
			len += texts_of(&all->items[i]);
	}
	if (len > XA_TEXTS_MAX)
		drop_texts(p);
}

bool xa_presences_add(struct xa_presences *all, struct xa_presence *p)
{
	if (!make_room(all, p)) {
		xa_presence_fini(p);
		return false;
	}
	bound_texts(all, p, NULL);
	all->items = prim_resize(all->items,
	    (all->count + 1) * sizeof(*all->items));
	all->items[all->count++] = *p;
	*p = (struct xa_presence){ 0 };
	return true;
}

bool xa_presences_drop_cleared(struct xa_presences *all)
{
	bool had_text = false;

	for (unsigned i = all->count; i-- > 0;) {
		if (!is_cleared(&all->items[i]))
			continue;
		had_text |= all->items[i].status_count > 0;
		drop(all, i);
	}
	return had_text;
}

/*
 * Taking.
 */

static bool has_texts(const struct xa_presences *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (all->items[i].status_count)
			return true;
	}
	return false;
}

static bool take_cleared(struct xa_presences *all, struct xa_presence *p)
{
	bool is_known = all->count == 1 && is_cleared(&all->items[0]) &&
	    has_same_texts(&all->items[0], p);
	bool changed = !is_known &&
	    (xa_presences_any(all) || has_texts(all) || p->status_count);

	xa_presences_fini(all);
	xa_presences_add(all, p);
	return changed;
}

bool xa_presences_take(struct xa_presences *all, struct xa_presence *p)
{
	struct xa_presence *old = NULL;
	unsigned at = 0;
	bool changed;

	if (is_cleared(p))
		return take_cleared(all, p);
	changed = xa_presences_drop_cleared(all);
	if (find_near(all, xa_presence_name(p), &at))
		old = &all->items[at - 1];
	if (!old) {
		/* Nobody was told of it, so nobody misses it. */
		changed |= p->is_available || p->status_count;
		return xa_presences_add(all, p) && changed;
	}
	bound_texts(all, p, old);
	changed |= !is_same(old, p);
	xa_presence_fini(old);
	*old = *p;
	*p = (struct xa_presence){ 0 };
	return changed;
}

static unsigned last_of(const struct xa_presences *all)
{
	unsigned last = 0;

	for (unsigned i = 1; i < all->count; i++) {
		if (all->items[i].stamp_ms >= all->items[last].stamp_ms)
			last = i;
	}
	return last;
}

void xa_presences_prune(struct xa_presences *all)
{
	unsigned keep = xa_presences_any(all) ? all->count : last_of(all);

	for (unsigned i = all->count; i-- > 0;) {
		if (i != keep && !all->items[i].is_available)
			drop(all, i);
	}
}

/* Is it unavailable, and does nobody wait for that? */
static bool is_old(const struct xa_presence *p, const struct xa_presences *told)
{
	const struct xa_presence *was;

	if (p->is_available)
		return false;
	was = xa_presences_find(told, xa_presence_name(p));
	return was ? is_same(was, p) : p->status_count == 0;
}

/* Which one stays when all are old: one that was told, so that nothing has to
 * be said. */
static unsigned last_old(const struct xa_presences *all,
    const struct xa_presences *told)
{
	for (unsigned i = all->count; i-- > 0;) {
		if (xa_presences_find(told, xa_presence_name(&all->items[i])))
			return i;
	}
	return last_of(all);
}

void xa_presences_drop_told(struct xa_presences *all,
    const struct xa_presences *told)
{
	unsigned keep = last_old(all, told);

	for (unsigned i = 0; i < all->count; i++) {
		if (!is_old(&all->items[i], told))
			keep = all->count;
	}
	for (unsigned i = all->count; i-- > 0;) {
		if (i != keep && is_old(&all->items[i], told))
			drop(all, i);
	}
}

/*
 * Telling.
 */

struct telling {
	xa_presence_tell_fn tell;
	void *arg;
	bool has_cleared; /* the bare JID was told to be unavailable */
	bool has_gone;    /* a resource was told to be gone */
};

static const struct xa_presence GONE = {
	.idle_since_ms = XA_NO_TIME,
	.stamp_ms = XA_NO_TIME,
};

/* Who is told that the bare JID is unavailable takes that for all resources,
 * so it comes first, and nothing is known then. */
static void tell_cleared(struct telling *t, const struct xa_presences *told,
    const struct xa_presences *now)
{
	const struct xa_presence *was, *is;

	was = xa_presences_find(told, PRIM_SLICE_NONE);
	is = xa_presences_find(now, PRIM_SLICE_NONE);
	if (!was || !was->is_available || (is && is->is_available))
		return;
	t->has_cleared = true;
	t->tell(t->arg, is ? is : &GONE);
}

static void tell_gone(struct telling *t, const struct xa_presences *told,
    const struct xa_presences *now)
{
	unsigned at = 0;

	for (unsigned i = 0; i < told->count; i++) {
		struct xa_presence gone = GONE;

		if (!told->items[i].is_available ||
		    find_near(now, xa_presence_name(&told->items[i]), &at))
			continue;
		gone.resource = told->items[i].resource;
		t->has_gone = true;
		t->tell(t->arg, &gone);
	}
}

/* The bare JID stands for all only where nothing else did (spec/xmpp.md 4.2),
 * or has something to say. */
static bool is_idle_talk(const struct telling *t, const struct xa_presence *p)
{
	return is_cleared(p) &&
	    (t->has_cleared || (t->has_gone && p->status_count == 0));
}

static void tell_now(struct telling *t, const struct xa_presences *told,
    const struct xa_presences *now)
{
	unsigned at = 0;

	for (unsigned i = 0; i < now->count; i++) {
		const struct xa_presence *p = &now->items[i], *was;

		was = find_near(told, xa_presence_name(p), &at);
		if ((!was || !is_same(was, p)) && !is_idle_talk(t, p))
			t->tell(t->arg, p);
	}
}

void xa_presences_diff(const struct xa_presences *told,
    const struct xa_presences *now, xa_presence_tell_fn tell, void *arg)
{
	static const struct xa_presences NOTHING;
	struct telling t = { .tell = tell, .arg = arg };

	if (!told)
		told = &NOTHING;
	tell_cleared(&t, told, now);
	if (t.has_cleared)
		told = &NOTHING;
	tell_gone(&t, told, now);
	tell_now(&t, told, now);
}
