/* SPDX-License-Identifier: ISC */
/* From what was published to what is seen. */

#include "prim/compose.h"

#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/multipart.h"
#include "prim/pidf_merge.h"
#include "prim/pidf_private.h"

#define PIDF_TYPE   "application/pidf+xml"
#define NATIVE_TYPE PRIM_SLICE("application/presence")

/* PRIM-018, PRIM-019: what has no type is of this one, and we say so. */
static struct prim_slice type_of(const struct prim_document *d)
{
	return d->type.len > 0 ? d->type : NATIVE_TYPE;
}

static struct prim_document *compose_nothing(void)
{
	return prim_document_new(&(struct prim_document_parts){ 0 });
}

/* ---- for clients: as it was published ---- */

static struct prim_document *compose_single(const struct prim_compose_tuple *t)
{
	struct prim_document_parts parts = {
		.type = type_of(t->content),
		.name = t->id,
		.body = t->content->body,
	};

	return prim_document_new(&parts);
}

static void put_lines(struct prim_buf *b, const struct prim_compose_tuple *t)
{
	prim_buf_puts(b, "Content-Type: ");
	prim_buf_put(b, type_of(t->content));
	prim_buf_puts(b, "\r\nTuple-ID: ");
	prim_buf_put(b, t->id);
	prim_buf_puts(b, "\r\n");
}

/* Fills `parts`; their header lines stand in `lines`. */
static void make_parts(struct prim_multipart_part *parts,
    struct prim_buf *lines, const struct prim_compose_tuple *tuples,
    size_t count)
{
	const char *at;

	for (size_t i = 0; i < count; i++) {
		size_t start = lines->len;

		put_lines(lines, &tuples[i]);
		parts[i].lines.len = lines->len - start;
		parts[i].content = tuples[i].content->body;
	}
	at = lines->ptr;
	for (size_t i = 0; i < count; i++) {
		parts[i].lines.ptr = at;
		at += parts[i].lines.len;
	}
}

static struct prim_document *put_parts(const struct prim_multipart_part *parts,
    size_t count)
{
	struct prim_buf boundary = { 0 };
	struct prim_buf type = { 0 };
	struct prim_buf body = { 0 };
	struct prim_document *d;

	prim_multipart_put_boundary(&boundary, parts, count);
	prim_buf_puts(&type, "multipart/mixed; boundary=");
	prim_buf_put(&type, prim_buf_slice(&boundary));
	prim_multipart_put(&body, prim_buf_slice(&boundary), parts, count);
	d = prim_document_new(&(struct prim_document_parts){
	    .type = prim_buf_slice(&type),
	    .body = prim_buf_slice(&body),
	});
	prim_buf_fini(&boundary);
	prim_buf_fini(&type);
	prim_buf_fini(&body);
	return d;
}

static struct prim_document *
compose_parts(const struct prim_compose_tuple *tuples, size_t count)
{
	struct prim_multipart_part parts[PRIM_MULTIPART_PARTS_MAX];
	struct prim_buf lines = { 0 };
	struct prim_document *d;

	if (count > PRIM_MULTIPART_PARTS_MAX)
		count = PRIM_MULTIPART_PARTS_MAX;
	make_parts(parts, &lines, tuples, count);
	d = put_parts(parts, count);
	prim_buf_fini(&lines);
	return d;
}

static struct prim_document *
compose_client(const struct prim_compose_tuple *tuples, size_t count)
{
	if (count == 0)
		return compose_nothing();
	return count == 1 ? compose_single(tuples)
			  : compose_parts(tuples, count);
}

/* ---- for servers and adapters: one PIDF document ---- */

static bool parse_tuple(struct prim_pidf *p, const struct prim_compose_tuple *t)
{
	return prim_presence_parse(p, t->content->type, t->content->body, t->id,
	    NULL);
}

/* CPIM-093: a tuple says when it was so. */
static void add_tuple(struct prim_pidf *into, struct prim_pidf *parsed,
    const struct prim_compose_tuple *t)
{
	for (unsigned i = 0; i < parsed->tuple_count; i++) {
		if (parsed->tuples[i].timestamp_ms == PRIM_PIDF_NO_TIME)
			parsed->tuples[i].timestamp_ms = t->published_ms;
	}
	prim_pidf_merge(into, parsed, t->id);
}

static struct prim_document *put_pidf(struct prim_pidf *p,
    struct prim_slice entity)
{
	struct prim_buf body = { 0 };
	struct prim_document *d;

	p->entity = entity;
	prim_pidf_put(&body, p);
	d = prim_document_new(&(struct prim_document_parts){
	    .type = PRIM_SLICE(PIDF_TYPE),
	    .body = prim_buf_slice(&body),
	});
	prim_buf_fini(&body);
	return d;
}

/* CPIM-099: carried as it is, if it is what it should be. `p` was read from
 * it. */
static bool goes_unchanged(const struct prim_document *d,
    const struct prim_pidf *p, struct prim_slice entity)
{
	return prim_cpim_type_is(d->type, PIDF_TYPE) &&
	    prim_pidf_same_entity(p->entity, entity);
}

static struct prim_document *compose_merged(struct prim_pidf *models,
    struct prim_slice entity, const struct prim_compose_tuple *tuples,
    size_t count)
{
	struct prim_pidf *all = &models[0];
	struct prim_pidf *one = &models[1];

	prim_pidf_reset(all, 0);
	for (size_t i = 0; i < count; i++) {
		if (!parse_tuple(one, &tuples[i]))
			continue;
		if (count == 1 &&
		    goes_unchanged(tuples[i].content, one, entity))
			return prim_document_new(&(struct prim_document_parts){
			    .type = tuples[i].content->type,
			    .body = tuples[i].content->body,
			});
		add_tuple(all, one, &tuples[i]);
	}
	return put_pidf(all, entity);
}

static struct prim_document *compose_pidf(struct prim_slice entity,
    const struct prim_compose_tuple *tuples, size_t count)
{
	struct prim_pidf *models = prim_alloc(2 * sizeof(*models));
	struct prim_document *d = compose_merged(models, entity, tuples, count);

	prim_pidf_fini(&models[0]);
	prim_pidf_fini(&models[1]);
	prim_free(models);
	return d;
}

struct prim_document *prim_compose(enum prim_form form,
    struct prim_slice entity, const struct prim_compose_tuple *tuples,
    size_t count)
{
	switch (form) {
	case PRIM_FORM_CLIENT:
		break;
	case PRIM_FORM_PIDF:
	case PRIM_FORM_COUNT:
		return compose_pidf(entity, tuples, count);
	}
	return compose_client(tuples, count);
}

/* ---- what may be published ---- */

static bool refuse(const char **why, const char *sentence)
{
	if (why)
		*why = sentence;
	return false;
}

/* The type of what is inside. */
static enum prim_presence_type inner_type(const struct prim_document_parts *c)
{
	enum prim_presence_type type = prim_presence_type_of(c->type);
	struct prim_cpim cpim;

	if (type != PRIM_PRESENCE_CPIM ||
	    !prim_cpim_parse(c->body, &cpim, NULL))
		return type;
	return prim_presence_type_of(prim_cpim_content_header(&cpim,
	    "Content-Type"));
}

static bool check_model(struct prim_slice entity, const struct prim_pidf *p,
    const char **why)
{
	return p->entity.len == 0 || prim_pidf_same_entity(p->entity, entity) ||
	    refuse(why, "it is about somebody else");
}

static bool check_xml(struct prim_slice entity,
    const struct prim_document_parts *c, const char **why)
{
	struct prim_pidf *p = prim_new(struct prim_pidf);
	bool ok = prim_presence_parse(p, c->type, c->body, c->name, why) &&
	    check_model(entity, p, why);

	prim_pidf_fini(p);
	prim_free(p);
	return ok;
}

bool prim_compose_check(struct prim_slice entity,
    const struct prim_document_parts *content, const char **why)
{
	if (content->body.len == 0)
		return refuse(why, "there is no document");
	switch (inner_type(content)) {
	case PRIM_PRESENCE_PIDF:
	case PRIM_PRESENCE_NATIVE:
	case PRIM_PRESENCE_CPIM:
		return check_xml(entity, content, why);
	case PRIM_PRESENCE_SECURED:
		return true;
	case PRIM_PRESENCE_MIXED:
		return refuse(why, "several documents are no tuple");
	case PRIM_PRESENCE_OTHER:
		break;
	}
	return refuse(why, "its type is no presence type");
}
