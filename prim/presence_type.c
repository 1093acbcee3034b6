/* SPDX-License-Identifier: ISC */
/* Presence in whatever it comes wrapped. */

#include "prim/base.h"
#include "prim/command.h"
#include "prim/cpim.h"
#include "prim/multipart.h"
#include "prim/pidf.h"
#include "prim/pidf_merge.h"
#include "prim/pidf_private.h"

/* A document in message/cpim in a part is at depth 2. */
#define DEPTH_MAX 3
/* Of a native tuple that nobody named. */
#define UNNAMED PRIM_SLICE("t1")

static const struct {
	const char *name;
	enum prim_presence_type type;
} TYPES[] = {
	{"application/pidf+xml",       PRIM_PRESENCE_PIDF   },
	{ "application/cpim-pidf+xml", PRIM_PRESENCE_PIDF   },
	{ "application/presence",      PRIM_PRESENCE_NATIVE },
	{ "multipart/mixed",           PRIM_PRESENCE_MIXED  },
	{ "message/cpim",              PRIM_PRESENCE_CPIM   },
	{ "multipart/signed",          PRIM_PRESENCE_SECURED},
	{ "multipart/encrypted",       PRIM_PRESENCE_SECURED},
	{ "application/pkcs7-mime",    PRIM_PRESENCE_SECURED},
	{ "application/x-pkcs7-mime",  PRIM_PRESENCE_SECURED},
};

enum prim_presence_type prim_presence_type_of(struct prim_slice content_type)
{
	if (content_type.len == 0) /* PRIM-018 */
		return PRIM_PRESENCE_NATIVE;
	for (size_t i = 0; i < PRIM_COUNT(TYPES); i++) {
		if (prim_cpim_type_is(content_type, TYPES[i].name))
			return TYPES[i].type;
	}
	return PRIM_PRESENCE_OTHER;
}

/* What is read, and where to say what is wrong with it. */
struct source {
	struct prim_slice type;
	struct prim_slice encoding; /* Content-Transfer-Encoding, in MIME */
	struct prim_slice body;
	struct prim_slice tuple_id;
	unsigned depth;
	const char **why;
};

static bool fail(const struct source *s, const char *why)
{
	if (s->why)
		*s->why = why;
	return false;
}

/* We unpack nothing. */
static bool is_identity(struct prim_slice encoding)
{
	return encoding.len == 0 ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("7bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("8bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("binary"));
}

/* CPIM-081: it would win over what the XML says of itself. */
static bool charset_ok(struct prim_slice type)
{
	struct prim_slice charset = prim_cpim_type_parameter(type, "charset");

	return charset.len == 0 ||
	    prim_slice_eq_nocase(charset, PRIM_SLICE("utf-8")) ||
	    prim_slice_eq_nocase(charset, PRIM_SLICE("us-ascii"));
}

static bool read_source(struct prim_pidf *p, const struct source *s);

static bool read_cpim(struct prim_pidf *p, const struct source *s)
{
	struct source inner = *s;
	struct prim_cpim cpim;

	if (!prim_cpim_parse(s->body, &cpim, s->why))
		return false;
	if (!prim_cpim_require_met(&cpim, prim_cpim_core, PRIM_CPIM_CORE_COUNT,
		NULL))
		return fail(s, "it requires what we do not know");
	inner.type = prim_cpim_content_header(&cpim, "Content-Type");
	inner.encoding = prim_cpim_content_header(&cpim,
	    "Content-Transfer-Encoding");
	inner.body = cpim.content;
	inner.depth++;
	return read_source(p, &inner);
}

static bool add_part(struct prim_pidf *p, struct prim_pidf *scratch,
    const struct source *part)
{
	if (!read_source(scratch, part))
		return false;
	if (p->entity.len > 0 && scratch->entity.len > 0 &&
	    !prim_pidf_same_entity(p->entity, scratch->entity))
		return fail(part, "the parts are not about the same one");
	return prim_pidf_merge(p, scratch, part->tuple_id) ||
	    fail(part, "there are too many tuples or notes");
}

static bool read_parts(struct prim_pidf *p, struct prim_pidf *scratch,
    const struct source *s)
{
	struct prim_multipart m;

	if (!prim_multipart_parse(s->type, s->body, &m, s->why))
		return false;
	for (unsigned i = 0; i < m.count; i++) {
		const struct prim_multipart_part *part = &m.parts[i];
		struct prim_slice name = prim_multipart_header(part,
		    "Tuple-ID");
		struct source inner = {
			.type = prim_multipart_header(part, "Content-Type"),
			.encoding = prim_multipart_header(part,
			    "Content-Transfer-Encoding"),
			.body = part->content,
			.tuple_id = name.len > 0 ? name : s->tuple_id,
			.depth = s->depth + 1,
			.why = s->why,
		};

		if (!add_part(p, scratch, &inner))
			return false;
	}
	return true;
}

static bool read_mixed(struct prim_pidf *p, const struct source *s)
{
	struct prim_pidf *scratch = prim_new(struct prim_pidf);
	bool ok;

	prim_pidf_reset(p, 0);
	ok = read_parts(p, scratch, s);
	prim_pidf_fini(scratch);
	prim_free(scratch);
	return ok;
}

static bool read_source(struct prim_pidf *p, const struct source *s)
{
	if (s->depth >= DEPTH_MAX)
		return fail(s, "it is wrapped too deep");
	if (!is_identity(s->encoding))
		return fail(s, "it has a transfer encoding");
	if (!charset_ok(s->type))
		return fail(s, "it is not in UTF-8");
	switch (prim_presence_type_of(s->type)) {
	case PRIM_PRESENCE_PIDF:
		return prim_pidf_parse(p, s->body, s->why);
	case PRIM_PRESENCE_NATIVE:
		return prim_native_parse(p, s->body, s->tuple_id, s->why);
	case PRIM_PRESENCE_MIXED:
		return read_mixed(p, s);
	case PRIM_PRESENCE_CPIM:
		return read_cpim(p, s);
	case PRIM_PRESENCE_SECURED:
		return fail(s, "it is secured");
	case PRIM_PRESENCE_OTHER:
		break;
	}
	return fail(s, "its type is none we read");
}

bool prim_presence_parse(struct prim_pidf *p, struct prim_slice content_type,
    struct prim_slice body, struct prim_slice tuple_id, const char **why)
{
	struct source s = {
		.type = content_type,
		.body = body,
		.tuple_id = tuple_id.len > 0 ? tuple_id : UNNAMED,
		.why = why,
	};

	if (body.len == 0) {
		prim_pidf_reset(p, 0);
		return true;
	}
	return read_source(p, &s);
}
