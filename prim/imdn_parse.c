/* SPDX-License-Identifier: ISC */
/* Reading the document of a delivery notification. */

#include "prim/base.h"
#include "prim/imdn.h"
#include "prim/xml.h"

#define DEPTH_MAX 32
#define CODE_MAX  999

static const struct prim_xml_bounds BOUNDS = { .depth = DEPTH_MAX,
	.elements = 512 };

enum kind {
	KIND_IGNORED,
	KIND_DOCUMENT,
	KIND_MESSAGE_ID, /* from here on: has a text that is read */
	KIND_DATE,
	KIND_RECIPIENT,
	KIND_ORIGINAL_RECIPIENT,
	KIND_PRIM_MESSAGE_ID,
	KIND_REASON, /* until here */
	KIND_DELIVERY,
	KIND_PROCESSING,
	KIND_DISPLAY,
	KIND_STATUS,
	KIND_COUNT,
};

/* What stands in a document, in whatever order (IMDN-018). */
static const struct rule {
	const char *ns;
	const char *name;
	enum kind kind;
} RULES[] = {
	{PRIM_IMDN_NAMESPACE,  "message-id",              KIND_MESSAGE_ID     },
	{ PRIM_IMDN_NAMESPACE, "datetime",                KIND_DATE           },
	{ PRIM_IMDN_NAMESPACE, "recipient-uri",           KIND_RECIPIENT      },
	{ PRIM_IMDN_NAMESPACE, "original-recipient-uri",
         KIND_ORIGINAL_RECIPIENT					      },
	{ PRIM_IMDN_NAMESPACE, "delivery-notification",   KIND_DELIVERY       },
	{ PRIM_IMDN_NAMESPACE, "processing-notification", KIND_PROCESSING     },
	{ PRIM_IMDN_NAMESPACE, "display-notification",    KIND_DISPLAY        },
	{ PRIM_IMDN_REASON,    "reason",                  KIND_REASON         },
	{ PRIM_IMDN_REASON,    "message-id",              KIND_PRIM_MESSAGE_ID},
};

/* IMDN-016. */
static const struct word {
	enum kind notification;
	const char *name;
	enum prim_imdn_status status;
} WORDS[] = {
	{KIND_DELIVERY,    "delivered", PRIM_IMDN_DELIVERED},
	{ KIND_DELIVERY,   "failed",    PRIM_IMDN_FAILED   },
	{ KIND_DELIVERY,   "forbidden", PRIM_IMDN_FORBIDDEN},
	{ KIND_DELIVERY,   "error",     PRIM_IMDN_ERROR    },
	{ KIND_PROCESSING, "stored",    PRIM_IMDN_STORED   },
	{ KIND_PROCESSING, "processed", PRIM_IMDN_PROCESSED},
	{ KIND_PROCESSING, "forbidden", PRIM_IMDN_FORBIDDEN},
	{ KIND_PROCESSING, "error",     PRIM_IMDN_ERROR    },
	{ KIND_DISPLAY,    "displayed", PRIM_IMDN_DISPLAYED},
	{ KIND_DISPLAY,    "forbidden", PRIM_IMDN_FORBIDDEN},
	{ KIND_DISPLAY,    "error",     PRIM_IMDN_ERROR    },
};

struct text {
	size_t at, len; /* in `room` */
};

struct reader {
	struct prim_buf *room; /* borrowed */
	enum prim_imdn_status status;
	bool has_notification, has_status;
	unsigned code;
	unsigned seen; /* kinds that were there: bits */
	struct text texts[KIND_COUNT];
	size_t depth;
	enum kind kinds[DEPTH_MAX]; /* of the open elements */
};

static bool has_text(enum kind kind)
{
	return kind >= KIND_MESSAGE_ID && kind <= KIND_REASON;
}

static enum kind top(const struct reader *r)
{
	return r->kinds[r->depth - 1];
}

static enum kind kind_in_document(const struct prim_xml_element *e)
{
	for (size_t i = 0; i < PRIM_COUNT(RULES); i++) {
		if (prim_slice_eq(e->ns, prim_slice_of(RULES[i].ns)) &&
		    prim_slice_eq(e->name, prim_slice_of(RULES[i].name)))
			return RULES[i].kind;
	}
	return KIND_IGNORED;
}

static bool is_named(const struct prim_xml_element *e, const char *name)
{
	return prim_slice_eq(e->ns, PRIM_SLICE(PRIM_IMDN_NAMESPACE)) &&
	    prim_slice_eq(e->name, prim_slice_of(name));
}

static const char *open_child(struct reader *r,
    const struct prim_xml_element *e, enum kind *out_kind)
{
	enum kind kind = kind_in_document(e);
	struct prim_slice value;
	uint64_t code;

	*out_kind = kind;
	if (kind == KIND_IGNORED)
		return NULL;
	if (r->seen & 1U << kind)
		return "an element twice that may be there once";
	r->seen |= 1U << kind;
	r->texts[kind].at = r->room->len;
	if (kind == KIND_REASON &&
	    prim_xml_attribute(e, NULL, "code", &value) &&
	    prim_slice_number(prim_xml_trim(value), CODE_MAX, &code))
		r->code = (unsigned)code;
	if (has_text(kind))
		return NULL;
	if (r->has_notification)
		return "more than one notification";
	r->has_notification = true;
	return NULL;
}

/* A word that is not one of this notification says nothing: IMDN-019. */
static const char *open_word(struct reader *r, const struct prim_xml_element *e)
{
	for (size_t i = 0; i < PRIM_COUNT(WORDS); i++) {
		if (WORDS[i].notification != r->kinds[r->depth - 2] ||
		    !is_named(e, WORDS[i].name))
			continue;
		if (r->has_status)
			return "more than one status";
		r->has_status = true;
		r->status = WORDS[i].status;
	}
	return NULL;
}

static const char *open_kind(struct reader *r, const struct prim_xml_element *e,
    enum kind *out_kind)
{
	*out_kind = KIND_IGNORED;
	if (r->depth == 0) {
		*out_kind = KIND_DOCUMENT;
		return is_named(e, "imdn") ? NULL : "not an imdn document";
	}
	switch (top(r)) {
	case KIND_DOCUMENT:
		return open_child(r, e, out_kind);
	case KIND_DELIVERY:
	case KIND_PROCESSING:
	case KIND_DISPLAY:
		if (is_named(e, "status"))
			*out_kind = KIND_STATUS;
		return NULL;
	case KIND_STATUS:
		return open_word(r, e);
	case KIND_IGNORED:
	case KIND_MESSAGE_ID:
	case KIND_DATE:
	case KIND_RECIPIENT:
	case KIND_ORIGINAL_RECIPIENT:
	case KIND_PRIM_MESSAGE_ID:
	case KIND_REASON:
	case KIND_COUNT:
		break;
	}
	return NULL;
}

static const char *on_start(void *ctx, const struct prim_xml_element *e)
{
	struct reader *r = ctx;
	enum kind kind;
	const char *why = open_kind(r, e, &kind);

	r->kinds[r->depth++] = kind;
	return why;
}

static const char *on_text(void *ctx, struct prim_slice text)
{
	struct reader *r = ctx;

	if (has_text(top(r)))
		prim_buf_put(r->room, text);
	return NULL;
}

static const char *on_end(void *ctx)
{
	struct reader *r = ctx;
	enum kind kind = top(r);

	r->depth--;
	if (has_text(kind))
		r->texts[kind].len = r->room->len - r->texts[kind].at;
	return NULL;
}

static const struct prim_xml_ops OPS = {
	.start = on_start,
	.text = on_text,
	.end = on_end,
};

static struct prim_slice text_of(const struct reader *r, enum kind kind)
{
	const struct text *t = &r->texts[kind];

	if (t->len == 0)
		return PRIM_SLICE_NONE;
	return prim_xml_trim(prim_slice_make(r->room->ptr + t->at, t->len));
}

bool prim_imdn_parse(struct prim_slice document, struct prim_buf *room,
    struct prim_imdn *out)
{
	struct reader r = { .room = room, .status = PRIM_IMDN_ERROR };

	prim_buf_reset(room);
	if (document.len > PRIM_IMDN_MAX ||
	    prim_xml_parse(document, &BOUNDS, &OPS, &r) ||
	    text_of(&r, KIND_MESSAGE_ID).len == 0)
		return false;
	*out = (struct prim_imdn){
		.status = r.status,
		.message_id = text_of(&r, KIND_MESSAGE_ID),
		.date = text_of(&r, KIND_DATE),
		.recipient = text_of(&r, KIND_RECIPIENT),
		.original_recipient = text_of(&r, KIND_ORIGINAL_RECIPIENT),
		.prim_message_id = text_of(&r, KIND_PRIM_MESSAGE_ID),
		.code = r.code,
		.reason = text_of(&r, KIND_REASON),
	};
	return true;
}
