/* SPDX-License-Identifier: ISC */
/* Delivery notifications: what is asked for, and the document written. */

#include "prim/imdn.h"

#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/utf8.h"
#include "prim/xml.h"

/*
 * What is inside a message/cpim.
 */

struct inside {
	struct prim_slice type;        /* borrowed */
	struct prim_slice disposition; /* borrowed */
	struct prim_slice content;     /* borrowed */
};

static struct prim_slice take_line(struct prim_slice *rest)
{
	struct prim_slice line = prim_slice_cut(rest, '\n');

	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* The first one counts. */
static void note_header(struct prim_slice line, const char *name,
    struct prim_slice *out_value)
{
	struct prim_slice value = line;

	if (prim_slice_eq_nocase(prim_slice_cut(&value, ':'),
		prim_slice_of(name)) &&
	    !out_value->len)
		*out_value = prim_slice_trim(value);
}

static bool is_content_header(struct prim_slice line)
{
	struct prim_slice prefix = PRIM_SLICE("Content-");

	return line.len > prefix.len &&
	    prim_slice_eq_nocase(prim_slice_make(line.ptr, prefix.len), prefix);
}

/* The block of headers at the front of `rest`, and off with it. Were there
 * content headers in it? */
static bool take_block(struct prim_slice *rest, struct inside *in)
{
	bool found = false;

	while (rest->len) {
		struct prim_slice line = take_line(rest);

		if (line.len == 0)
			break;
		found = found || is_content_header(line);
		note_header(line, "Content-Type", &in->type);
		note_header(line, "Content-Disposition", &in->disposition);
	}
	return found;
}

/* More tolerant than prim_cpim_parse(): the examples of RFC 5438 have no empty
 * line before the content headers (IMDN-032) and no DateTime, and whoever
 * followed them must not be told of the fate of his notices. */
static void look_inside(struct prim_slice object, struct inside *out)
{
	*out = (struct inside){ .type = PRIM_SLICE_NONE };
	if (!take_block(&object, out))
		take_block(&object, out);
	out->content = object;
}

static bool is_notification(struct prim_slice disposition)
{
	/* A value with parameters is written like a type with them. */
	return prim_cpim_type_is(disposition, "notification");
}

/*
 * What a message asks for (IMDN-004).
 */

static const struct {
	const char *value;
	enum prim_imdn_wish wish;
} WISHES[] = {
	{"positive-delivery",  PRIM_IMDN_POSITIVE  },
	{ "negative-delivery", PRIM_IMDN_NEGATIVE  },
	{ "processing",        PRIM_IMDN_PROCESSING},
	{ "display",           PRIM_IMDN_DISPLAY   },
};

static unsigned parse_wishes(struct prim_slice rest)
{
	unsigned wishes = 0;

	while (rest.len) {
		struct prim_slice one = prim_slice_cut(&rest, ',');
		struct prim_slice value = prim_slice_trim(prim_slice_cut(&one,
		    ';'));

		for (size_t i = 0; i < PRIM_COUNT(WISHES); i++) {
			if (prim_slice_eq(value,
				prim_slice_of(WISHES[i].value)))
				wishes |= WISHES[i].wish;
		}
	}
	return wishes;
}

static struct prim_slice value_of(const struct prim_cpim *c, const char *uri,
    const char *name)
{
	const struct prim_cpim_header *h = prim_cpim_find(c, uri, name);

	return h ? h->value : PRIM_SLICE_NONE;
}

static void read_headers(const struct prim_cpim *c,
    struct prim_imdn_request *out)
{
	struct prim_slice name;

	out->date = value_of(c, PRIM_CPIM_CORE, "DateTime");
	out->message_id = value_of(c, PRIM_CPIM_IMDN, "Message-ID");
	prim_cpim_mailbox(value_of(c, PRIM_CPIM_IMDN, "Original-To"), &name,
	    &out->original_to);
	/* IMDN-007: no notices of notices, whatever they ask for. */
	if (!out->is_notice)
		out->wishes = parse_wishes(value_of(c, PRIM_CPIM_IMDN,
		    "Disposition-Notification"));
}

void prim_imdn_request_read(struct prim_slice content_type,
    struct prim_slice body, struct prim_imdn_request *out)
{
	struct prim_cpim c; /* large; not static: any thread may call */
	struct inside in;

	*out = (struct prim_imdn_request){ .wishes = 0 };
	if (prim_cpim_type_is(content_type, PRIM_IMDN_TYPE))
		out->is_notice = true;
	if (!prim_cpim_type_is(content_type, "message/cpim"))
		return;
	look_inside(body, &in);
	out->is_notice = prim_cpim_type_is(in.type, PRIM_IMDN_TYPE) ||
	    is_notification(in.disposition);
	if (prim_cpim_parse(body, &c, NULL))
		read_headers(&c, out);
}

bool prim_imdn_parse_message(struct prim_slice content_type,
    struct prim_slice body, struct prim_buf *room, struct prim_imdn *out)
{
	struct inside in;

	if (prim_cpim_type_is(content_type, PRIM_IMDN_TYPE))
		return prim_imdn_parse(body, room, out);
	if (!prim_cpim_type_is(content_type, "message/cpim"))
		return false;
	look_inside(body, &in);
	return prim_cpim_type_is(in.type, PRIM_IMDN_TYPE) &&
	    prim_imdn_parse(in.content, room, out);
}

/*
 * Writing.
 */

static const struct {
	const char *notification;
	const char *status;
} WORDS[] = {
	[PRIM_IMDN_DELIVERED] = {"delivery-notification",    "delivered"},
	[PRIM_IMDN_FAILED] = { "delivery-notification",   "failed"   },
	[PRIM_IMDN_STORED] = { "processing-notification", "stored"   },
	[PRIM_IMDN_PROCESSED] = { "processing-notification", "processed"},
	[PRIM_IMDN_DISPLAYED] = { "display-notification",    "displayed"},
	[PRIM_IMDN_FORBIDDEN] = { "delivery-notification",   "forbidden"},
	[PRIM_IMDN_ERROR] = { "delivery-notification",   "error"    },
};

/* What no XML can hold becomes U+FFFD, an octet or a character at a time. */
static void put_text(struct prim_buf *b, struct prim_slice text)
{
	struct prim_slice one = text;
	uint32_t c;

	if (prim_xml_text_ok(text)) {
		prim_xml_put_text(b, text);
		return;
	}
	for (; text.len; text = prim_slice_from(text, one.len)) {
		struct prim_slice rest = text;

		one = prim_slice_make(text.ptr, 1);
		if (prim_utf8_next(&rest, &c))
			one.len = text.len - rest.len;
		if (prim_xml_text_ok(one))
			prim_xml_put_text(b, one);
		else
			prim_utf8_put(b, 0xfffd);
	}
}

static void put_element(struct prim_buf *b, const char *name,
    struct prim_slice text)
{
	prim_buf_putf(b, "<%s>", name);
	put_text(b, text);
	prim_buf_putf(b, "</%s>", name);
}

/* Either both or none (IMDN-018). */
static void put_recipients(struct prim_buf *b, const struct prim_imdn *imdn)
{
	struct prim_slice recipient = imdn->recipient;
	struct prim_slice original = imdn->original_recipient;

	if (!recipient.len && !original.len)
		return;
	put_element(b, "recipient-uri", recipient.len ? recipient : original);
	put_element(b, "original-recipient-uri",
	    original.len ? original : recipient);
}

/* By that name the message is known to everybody on the way. */
static void put_prim_message_id(struct prim_buf *b,
    const struct prim_imdn *imdn)
{
	if (!imdn->prim_message_id.len ||
	    prim_slice_eq(imdn->prim_message_id, imdn->message_id))
		return;
	prim_buf_puts(b, "<message-id xmlns=\"" PRIM_IMDN_REASON "\">");
	put_text(b, imdn->prim_message_id);
	prim_buf_puts(b, "</message-id>");
}

static void put_reason(struct prim_buf *b, const struct prim_imdn *imdn)
{
	if (!imdn->code && !imdn->reason.len)
		return;
	prim_buf_puts(b, "<reason xmlns=\"" PRIM_IMDN_REASON "\"");
	if (imdn->code)
		prim_buf_putf(b, " code=\"%u\"", imdn->code);
	prim_buf_putc(b, '>');
	put_text(b, imdn->reason);
	prim_buf_puts(b, "</reason>");
}

void prim_imdn_put(struct prim_buf *b, const struct prim_imdn *imdn)
{
	const char *notification = WORDS[imdn->status].notification;

	prim_buf_puts(b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<imdn xmlns=\"" PRIM_IMDN_NAMESPACE "\">");
	put_element(b, "message-id", imdn->message_id);
	put_element(b, "datetime", imdn->date);
	put_recipients(b, imdn);
	prim_buf_putf(b, "<%s><status><%s/></status></%s>", notification,
	    WORDS[imdn->status].status, notification);
	put_reason(b, imdn);
	put_prim_message_id(b, imdn);
	prim_buf_puts(b, "</imdn>");
}
