/* SPDX-License-Identifier: ISC */
/* Tuples: what was published, leased on top of permanent. */

#include "prim/presence.h"

#include <assert.h>
#include <string.h>

#include "prim/base.h"
#include "prim/octet.h"
#include "prim/status.h"

/* ---- tuples ---- */

bool prim_tuple_id_ok(struct prim_slice id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (id.ptr[i] <= ' ' || id.ptr[i] > '~')
			return false;
	}
	return id.len > 0 && id.len <= PRIM_TUPLE_ID_MAX;
}

struct prim_slice prim_tuple_id(const struct prim_tuple *t)
{
	return prim_slice_make(t->id, t->id_len);
}

const struct prim_document *prim_tuple_value(const struct prim_tuple *t)
{
	return t->leased ? t->leased : t->permanent;
}

static struct prim_wheel *wheel_of(const struct prim_presentity *p)
{
	return p->source.fan->wheel;
}

static void on_lease_due(struct prim_timer *timer)
{
	struct prim_tuple *t = PRIM_CONTAINER(timer, struct prim_tuple, timer);

	t->presentity->ops->lease_due(t->presentity, t);
}

static struct prim_tuple *tuple_new(struct prim_presentity *p,
    struct prim_slice id)
{
	struct prim_tuple *t = prim_alloc(sizeof(*t) + id.len);

	t->presentity = p;
	prim_timer_init(&t->timer, on_lease_due);
	t->id_len = id.len;
	memcpy(t->id, id.ptr, id.len);
	TAILQ_INSERT_TAIL(&p->tuples, t, link);
	p->tuple_count++;
	return t;
}

static size_t octets_of(const struct prim_document *d)
{
	return d ? d->type.len + d->name.len + d->body.len : 0;
}

/* Puts a reference of its own to `value` (or NULL) in the place of `*held`. */
static void tuple_put(struct prim_tuple *t, struct prim_document **held,
    struct prim_document *value)
{
	t->presentity->octets += octets_of(value);
	t->presentity->octets -= octets_of(*held);
	prim_document_ref(value);
	prim_document_unref(*held);
	*held = value;
}

static void tuple_lease(struct prim_tuple *t, const struct prim_change *c)
{
	if (!t->leased)
		t->presentity->lease_count++;
	tuple_put(t, &t->leased, c->content);
	t->leased_ms = c->at_ms;
	t->lease_row = c->lease_row;
}

static void tuple_drop_lease(struct prim_tuple *t)
{
	if (!t->leased)
		return;
	t->presentity->lease_count--;
	tuple_put(t, &t->leased, NULL);
	t->lease_row = 0;
	prim_timer_stop(wheel_of(t->presentity), &t->timer);
}

static void tuple_free(struct prim_tuple *t)
{
	struct prim_presentity *p = t->presentity;

	tuple_drop_lease(t);
	tuple_put(t, &t->permanent, NULL);
	TAILQ_REMOVE(&p->tuples, t, link);
	p->tuple_count--;
	prim_free(t);
}

void prim_tuple_wait(struct prim_tuple *t, int64_t at_ms)
{
	prim_timer_set(wheel_of(t->presentity), &t->timer, at_ms);
}

void prim_tuple_expire(struct prim_tuple *t)
{
	struct prim_presentity *p = t->presentity;

	if (!t->leased)
		return;
	tuple_drop_lease(t);
	if (!t->permanent)
		tuple_free(t);
	prim_source_change(&p->source);
}

static void tuple_extend(struct prim_tuple *t, int64_t expires_ms)
{
	t->expires_ms = expires_ms;
	prim_tuple_wait(t, expires_ms);
}

/* ---- presentities ---- */

static struct prim_document *source_compose(struct prim_source *s,
    enum prim_form form)
{
	const struct prim_presentity *p = PRIM_CONTAINER(s,
	    struct prim_presentity, source);
	struct prim_compose_tuple *seen = prim_alloc(p->tuple_count *
	    sizeof(*seen));
	struct prim_document *view;
	const struct prim_tuple *t;
	size_t count = 0;

	TAILQ_FOREACH(t, &p->tuples, link) {
		seen[count++] = (struct prim_compose_tuple){
			.id = prim_tuple_value(t)->name,
			.content = prim_tuple_value(t),
			.published_ms = t->leased ? t->leased_ms
						  : t->permanent_ms,
		};
	}
	view = prim_compose(form, p->entity, seen, count);
	prim_free(seen);
	return view;
}

static const struct prim_source_ops SOURCE_OPS = { .compose = source_compose };

void prim_presentity_init(struct prim_presentity *p,
    const struct prim_presentity_ops *ops, struct prim_fan *fan,
    struct prim_slice entity)
{
	p->ops = ops;
	prim_source_init(&p->source, &SOURCE_OPS, fan);
	p->entity = entity;
	TAILQ_INIT(&p->tuples);
	p->tuple_count = 0;
	p->lease_count = 0;
	p->octets = 0;
}

void prim_presentity_fini(struct prim_presentity *p)
{
	struct prim_tuple *t;

	while ((t = TAILQ_FIRST(&p->tuples)))
		tuple_free(t);
	assert(p->tuple_count == 0 && p->lease_count == 0 && p->octets == 0);
	prim_source_fini(&p->source);
}

/* The octet that stands at the front of `id`, taken off. A '%' that is no escape
 * stands for itself. */
static unsigned take_octet(struct prim_slice *id)
{
	unsigned octet = (unsigned char)id->ptr[0];
	int high = -1, low = -1;

	if (octet == '%' && id->len >= 3) {
		high = prim_octet_hex(id->ptr[1]);
		low = prim_octet_hex(id->ptr[2]);
	}
	if (high >= 0 && low >= 0) {
		*id = prim_slice_from(*id, 3);
		return (unsigned)(high * 16 + low);
	}
	*id = prim_slice_from(*id, 1);
	return octet;
}

/* ERR-42: they compare after percent-decoding. */
static bool is_same_id(struct prim_slice a, struct prim_slice b)
{
	if (prim_slice_eq(a, b))
		return true;
	if (prim_slice_find(a, '%') < 0 && prim_slice_find(b, '%') < 0)
		return false;
	while (a.len > 0 && b.len > 0) {
		if (take_octet(&a) != take_octet(&b))
			return false;
	}
	return a.len == b.len;
}

struct prim_tuple *prim_presentity_find(const struct prim_presentity *p,
    struct prim_slice tuple_id)
{
	struct prim_tuple *t;

	TAILQ_FOREACH(t, &p->tuples, link)
		if (is_same_id(prim_tuple_id(t), tuple_id))
			return t;
	return NULL;
}

/* ---- publications ---- */

/* What `what` asks for, with `*out_code` 200; or why it may not be. `t` is its
 * tuple, or NULL. */
static enum prim_change_kind decide(const struct prim_publication *what,
    const struct prim_tuple *t, unsigned *out_code)
{
	bool has_body = what->content.body.len > 0;

	*out_code = PRIM_OK;
	switch (what->kind) {
	case PRIM_PUBLISH_LEASED:
		*out_code = has_body ? PRIM_OK : PRIM_BAD_REQUEST;
		return PRIM_CHANGE_LEASE;
	case PRIM_PUBLISH_PERMANENT:
		*out_code = has_body ? PRIM_OK : PRIM_BAD_REQUEST;
		return PRIM_CHANGE_PERMANENT;
	case PRIM_PUBLISH_RENEW: /* ERR-96, ERR-97 */
		if (t && t->leased)
			return PRIM_CHANGE_EXPIRY;
		*out_code = has_body ? PRIM_OK : PRIM_NOT_FOUND;
		return PRIM_CHANGE_LEASE;
	case PRIM_PUBLISH_REVERT: /* ERR-98 */
		*out_code = t ? PRIM_OK : PRIM_NOT_FOUND;
		return t && t->leased ? PRIM_CHANGE_DROP_LEASE
				      : PRIM_CHANGE_NONE;
	case PRIM_PUBLISH_REMOVE:
		*out_code = t ? PRIM_OK : PRIM_NOT_FOUND;
		return PRIM_CHANGE_DROP_TUPLE;
	}
	*out_code = PRIM_BAD_REQUEST;
	return PRIM_CHANGE_NONE;
}

static bool has_content(enum prim_change_kind kind)
{
	return kind == PRIM_CHANGE_LEASE || kind == PRIM_CHANGE_PERMANENT;
}

/* Within the bounds, as it would be after `c`? */
static bool is_bounded(const struct prim_presentity *p,
    const struct prim_change *c, const struct prim_tuple *t)
{
	const struct prim_document *old = NULL;

	if (!has_content(c->kind))
		return true;
	if (!t && p->tuple_count >= PRIM_TUPLES_MAX)
		return false;
	if (t)
		old = c->kind == PRIM_CHANGE_LEASE ? t->leased : t->permanent;
	return p->octets - octets_of(old) + octets_of(c->content) <=
	    PRIM_PRESENCE_OCTETS_MAX;
}

unsigned prim_presentity_plan(const struct prim_presentity *p,
    const struct prim_publication *what, int64_t now_ms,
    struct prim_change *out)
{
	const struct prim_tuple *t = prim_presentity_find(p, what->tuple_id);
	struct prim_change c = { .at_ms = now_ms };
	unsigned code;

	if (what->tuple_id.len == 0 || what->tuple_id.len > PRIM_TUPLE_ID_MAX)
		return PRIM_BAD_REQUEST;
	c.kind = decide(what, t, &code);
	if (code != PRIM_OK)
		return code;
	if (has_content(c.kind)) {
		struct prim_document_parts parts = what->content;

		parts.name = what->tuple_id;
		c.content = prim_document_new(&parts);
	}
	if (!is_bounded(p, &c, t)) {
		prim_document_unref(c.content);
		return PRIM_INTERNAL_ERROR;
	}
	/* It keeps the name it was first given; its value has this one. */
	c.tuple_id = prim_slice_copy(t ? prim_tuple_id(t) : what->tuple_id);
	if (c.kind == PRIM_CHANGE_LEASE || c.kind == PRIM_CHANGE_EXPIRY)
		c.expires_ms = now_ms + what->duration_ms;
	c.lease_row = t ? t->lease_row : 0;
	*out = c;
	return PRIM_OK;
}

void prim_change_fini(struct prim_change *c)
{
	c->content = prim_document_unref(c->content);
	c->tuple_id = prim_free(c->tuple_id);
}

void prim_presentity_apply(struct prim_presentity *p,
    const struct prim_change *c)
{
	struct prim_slice id = prim_slice_of(c->tuple_id);
	struct prim_tuple *t = prim_presentity_find(p, id);

	if (!t && has_content(c->kind))
		t = tuple_new(p, id);
	if (!t)
		return;
	switch (c->kind) {
	case PRIM_CHANGE_NONE:
		break;
	case PRIM_CHANGE_PERMANENT:
		tuple_put(t, &t->permanent, c->content);
		t->permanent_ms = c->at_ms;
		if (!t->leased) /* PRIM-182 */
			prim_source_change(&p->source);
		break;
	case PRIM_CHANGE_LEASE:
		tuple_lease(t, c);
		tuple_extend(t, c->expires_ms);
		prim_source_change(&p->source);
		break;
	case PRIM_CHANGE_EXPIRY:
		if (t->leased)
			tuple_extend(t, c->expires_ms);
		break;
	case PRIM_CHANGE_DROP_LEASE:
		prim_tuple_expire(t);
		break;
	case PRIM_CHANGE_DROP_TUPLE:
		tuple_free(t);
		prim_source_change(&p->source);
		break;
	}
}
