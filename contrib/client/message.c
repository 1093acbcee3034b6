/* SPDX-License-Identifier: ISC */
/* What a SEND is made of. */

#include "contrib/client/message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/date.h"

#define PLAIN_TYPE PRIM_SLICE("text/plain; charset=UTF-8")

void cl_message_put_token(struct prim_buf *b)
{
	uint8_t octets[CL_MESSAGE_TOKEN_LEN / 2];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		abort();
	prim_buf_put_hex(b, octets, sizeof(octets));
}

char *cl_message_id_new(const struct cl_options *options)
{
	struct prim_buf b = { 0 };

	cl_message_put_token(&b);
	prim_buf_putc(&b, ':');
	prim_buf_puts(&b, options->from);
	return prim_buf_steal(&b);
}

char *cl_message_conversation_new(const struct cl_options *options)
{
	struct prim_buf b = { 0 };

	if (options->conversation)
		prim_buf_puts(&b, options->conversation);
	else
		cl_message_put_token(&b);
	return prim_buf_steal(&b);
}

int64_t cl_message_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct prim_slice cl_message_imdn_id(struct prim_slice message_id)
{
	return prim_slice_cut(&message_id, ':');
}

/* IMDN-003. */
static void put_request(struct prim_buf *b, const struct cl_outgoing *m)
{
	prim_cpim_put_namespace(b, "imdn", PRIM_CPIM_IMDN);
	prim_cpim_put_text(b, "imdn.Message-ID", PRIM_SLICE_NONE,
	    cl_message_imdn_id(m->message_id));
	prim_cpim_put_text(b, "imdn.Disposition-Notification", PRIM_SLICE_NONE,
	    PRIM_SLICE("positive-delivery, negative-delivery"));
}

static void put_cpim(struct prim_buf *b, const struct cl_options *options,
    const struct cl_outgoing *m)
{
	struct prim_buf date = { 0 };

	prim_date_put_3339(&date, m->written_ms);
	prim_cpim_put_mailbox(b, "From", PRIM_SLICE_NONE,
	    prim_slice_of(options->from));
	prim_cpim_put_mailbox(b, "To", PRIM_SLICE_NONE,
	    prim_slice_of(options->to));
	prim_cpim_put_text(b, "DateTime", PRIM_SLICE_NONE,
	    prim_buf_slice(&date));
	if (options->subject)
		prim_cpim_put_text(b, "Subject", PRIM_SLICE_NONE,
		    prim_slice_of(options->subject));
	if (options->receipt)
		put_request(b, m);
	prim_cpim_put_content(b, PLAIN_TYPE, PRIM_SLICE_NONE);
	prim_buf_put(b, m->text);
	prim_buf_fini(&date);
}

void cl_message_put_send(struct prim_buf *b, const struct cl_options *options,
    const struct cl_outgoing *m)
{
	struct prim_buf body = { 0 };
	struct prim_slice type = PLAIN_TYPE;

	if (options->subject || options->receipt) {
		put_cpim(&body, options, m);
		type = PRIM_SLICE("message/cpim");
	} else {
		prim_buf_put(&body, m->text);
	}
	prim_command_put_request(b, PRIM_METHOD_SEND, PRIM_FAMILY_PRIM_IM,
	    prim_slice_of(m->id), body.len);
	prim_command_put_header(b, PRIM_HEADER_FROM,
	    prim_slice_of(options->from));
	prim_command_put_header(b, PRIM_HEADER_TO, prim_slice_of(options->to));
	prim_command_put_header(b, PRIM_HEADER_MESSAGE_ID, m->message_id);
	prim_command_put_header(b, PRIM_HEADER_CONVERSATION_ID,
	    m->conversation);
	prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE, type);
	prim_command_end(b);
	prim_buf_put(b, prim_buf_slice(&body));
	prim_buf_fini(&body);
}

/* ---- reading ---- */

static bool ends_nocase(struct prim_slice s, struct prim_slice suffix)
{
	return s.len > suffix.len &&
	    prim_slice_eq_nocase(prim_slice_from(s, s.len - suffix.len),
		suffix);
}

/* text/anything, and what is written to be read as text. */
static bool is_textual(struct prim_slice content_type)
{
	struct prim_slice type = prim_slice_trim(prim_slice_cut(&content_type,
	    ';'));
	struct prim_slice rest = type;
	struct prim_slice major = prim_slice_cut(&rest, '/');

	return prim_slice_eq_nocase(major, PRIM_SLICE("text")) ||
	    ends_nocase(type, PRIM_SLICE("+xml")) ||
	    ends_nocase(type, PRIM_SLICE("+json")) ||
	    prim_slice_eq_nocase(type, PRIM_SLICE("application/xml")) ||
	    prim_slice_eq_nocase(type, PRIM_SLICE("application/json"));
}

/* Inside MIME the octets may be packed; we unpack nothing. */
static bool is_identity(struct prim_slice encoding)
{
	return encoding.len == 0 ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("7bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("8bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("binary"));
}

static void read_subject(const struct prim_cpim *cpim, struct cl_incoming *out)
{
	const struct prim_cpim_header *subject = prim_cpim_find(cpim,
	    PRIM_CPIM_CORE, "Subject");

	if (subject && !prim_cpim_unescape(&out->subject, subject->value))
		prim_buf_reset(&out->subject);
}

static void read_cpim(struct prim_slice object, struct cl_incoming *out)
{
	struct prim_cpim cpim;

	out->kind = CL_MESSAGE_BROKEN;
	if (!prim_cpim_parse(object, &cpim, NULL) ||
	    !prim_cpim_require_met(&cpim, prim_cpim_core, PRIM_CPIM_CORE_COUNT,
		NULL))
		return;
	out->type = prim_cpim_content_header(&cpim, "Content-Type");
	out->content = cpim.content;
	read_subject(&cpim, out);
	out->kind = is_textual(out->type) &&
		is_identity(prim_cpim_content_header(&cpim,
		    "Content-Transfer-Encoding"))
	    ? CL_MESSAGE_TEXT
	    : CL_MESSAGE_OPAQUE;
}

struct prim_slice cl_message_bare(struct prim_slice address)
{
	struct prim_slice rest = address;
	struct prim_slice scheme = prim_slice_cut(&rest, ':');

	return prim_slice_eq_nocase(scheme, PRIM_SLICE("im")) ? rest : address;
}

/* What says that it is one is one, whether or not it can be read: nobody is
 * told of the fate of a notice (IMDN-031). */
static bool read_notice(const struct prim_command *c, struct cl_incoming *out)
{
	struct prim_imdn_request asked;

	prim_imdn_request_read(out->type, c->body, &asked);
	if (asked.is_notice)
		out->is_legible = prim_imdn_parse_message(out->type, c->body,
		    &out->room, &out->notice);
	return asked.is_notice;
}

void cl_message_read(const struct prim_command *c, struct cl_incoming *out)
{
	*out = (struct cl_incoming){
		.from = cl_message_bare(prim_command_get(c, PRIM_HEADER_FROM)),
		.to = cl_message_bare(prim_command_get(c, PRIM_HEADER_TO)),
		.date = prim_command_get(c, PRIM_HEADER_DATE),
		.message_id = prim_command_get(c, PRIM_HEADER_MESSAGE_ID),
		.conversation = prim_command_get(c,
		    PRIM_HEADER_CONVERSATION_ID),
		.type = prim_command_get(c, PRIM_HEADER_CONTENT_TYPE),
		.content = c->body,
	};
	if (out->type.len == 0) /* PRIM-018 */
		out->type = PLAIN_TYPE;
	if (out->from.len == 0 || out->message_id.len == 0)
		out->kind = CL_MESSAGE_BROKEN;
	else if (read_notice(c, out))
		out->kind = CL_MESSAGE_NOTICE;
	else if (prim_cpim_type_is(out->type, "message/cpim"))
		read_cpim(c->body, out);
	else
		out->kind = is_textual(out->type) ? CL_MESSAGE_TEXT
						  : CL_MESSAGE_OPAQUE;
}

void cl_message_fini(struct cl_incoming *m)
{
	prim_buf_fini(&m->subject);
	prim_buf_fini(&m->room);
}

/* ---- what became of it ---- */

static const struct {
	unsigned code;
	const char *fate;
} FATES[] = {
	{PRIM_OK,                  "delivered"				},
	{ PRIM_UNKNOWN_DELIVERY,
         "accepted; you will be told if it fails (101)"                       },
	{ PRIM_BAD_REQUEST,        "refused: the server cannot read it (400)" },
	{ PRIM_UNAUTHORIZED,       "refused: not logged in (401)"             },
	{ PRIM_FORBIDDEN,
         "refused: the recipient takes nothing from you, or "
	    "you may not write there (402)"                                   },
	{ PRIM_NOT_FOUND,          "refused: there is no such recipient (403)"},
	{ PRIM_TIMEOUT,
         "not delivered: no answer in time, and nothing was "
	    "kept (407)"						      },
	{ PRIM_INBOX_CLOSED,       "refused: the inbox is closed (408)"       },
	{ PRIM_ASTRENGTH_TOO_WEAK,
         "refused: it is not sure enough that you are you (410)"              },
	{ PRIM_INTERNAL_ERROR,
         "not delivered: the server has a fault or is too busy (500)"         },
	{ PRIM_NOT_IMPLEMENTED,
         "refused: the recipient cannot take such a message (501)"            },
	{ PRIM_BAD_GATEWAY,
         "not delivered: the recipient's server gave no "
	    "proper answer (502)"					     },
	{ PRIM_GATEWAY_TIMEOUT,
         "not delivered: the recipient's server did "
	    "not answer in time (504)"					},
};

const char *cl_message_fate(const struct cl_options *options, unsigned code)
{
	if (code == PRIM_UNKNOWN_DELIVERY && options->receipt)
		return "accepted; you will be told what becomes of it (101)";
	for (size_t i = 0; i < PRIM_COUNT(FATES); i++) {
		if (FATES[i].code == code)
			return FATES[i].fate;
	}
	return code / 100 == 4 ? "refused" : "not delivered";
}

struct prim_slice cl_message_reason(const struct prim_command *c)
{
	for (unsigned i = 0; i < c->header_count; i++) {
		if (prim_slice_eq_nocase(c->headers[i].name,
			PRIM_SLICE("Bridge-Reason")))
			return c->headers[i].value;
	}
	return PRIM_SLICE_NONE;
}

bool cl_message_is_sent(unsigned code)
{
	return code == PRIM_OK || code == PRIM_UNKNOWN_DELIVERY;
}
