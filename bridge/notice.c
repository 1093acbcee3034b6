/* SPDX-License-Identifier: ISC */
/* Notices: built on whatever thread asks, so nothing here is static but text. */

#include "bridge/notice.h"

#include "bridge/destination.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/date.h"
#include "prim/imdn.h"
#include "prim/seed.h"

#define DAY_MS     ((int64_t)24 * 3600 * 1000)
#define INBOX_KEEP (7 * DAY_MS)
#define ELSE_KEEP  DAY_MS
#define TYPE       "message/cpim"

static const char *const KINDS[] = {
	[BR_NOTICE_FAILED] = "failed",
	[BR_NOTICE_DELAYED] = "delayed",
	[BR_NOTICE_DELIVERED] = "delivered",
};

static const enum prim_imdn_status STATUSES[] = {
	[BR_NOTICE_FAILED] = PRIM_IMDN_FAILED,
	[BR_NOTICE_DELAYED] = PRIM_IMDN_STORED,
	[BR_NOTICE_DELIVERED] = PRIM_IMDN_DELIVERED,
};

const char *br_notice_kind_name(enum br_notice_kind kind)
{
	return KINDS[kind];
}

static bool is_client(const struct br_store_message *m)
{
	return prim_slice_eq(m->origin, PRIM_SLICE(BR_ORIGIN_CLIENT));
}

bool br_notice_is_due(const struct br_store_message *m,
    enum br_notice_kind kind)
{
	if (m->is_notice || (m->is_told && !PRIM_SEED(failure_told_twice)) ||
	    m->notice_from.len == 0 ||
	    prim_slice_eq(m->origin, PRIM_SLICE("primbridge")))
		return false;
	switch (kind) {
	case BR_NOTICE_FAILED:
		return !(m->reports & BR_REPORT_QUIET) &&
		    !PRIM_SEED(failure_untold);
	case BR_NOTICE_DELAYED:
		return m->delay_notice_ms != 0;
	case BR_NOTICE_DELIVERED:
		return (m->reports & BR_REPORT_POSITIVE) != 0;
	}
	return false;
}

/*
 * What is said to a person.
 */

/* By what the reason begins with. One of a network's own is not repeated: it is
 * for the operator, and may say more than the recipient wants told. */
static const struct {
	const char *reason;
	const char *sentence;
} REASONS[] = {
	{"expired",           "it could not be delivered in time"      },
	{ "the adapter died",
         "it was set aside: what was to deliver it "
	    "broke down over it three times"                           },
	{ "dropped",          "the operator of the bridge removed it"  },
	{ "quarantined",      "the operator of the bridge set it aside"},
	{ "damaged",          "the bridge's own copy of it was damaged"},
	{ "account removed",  "the account that it was for was removed"},
	{ "loop",             "it went in a circle between bridges"    },
};

static const struct {
	unsigned code;
	const char *sentence;
} CODES[] = {
	{PRIM_OK,                  "it was delivered"                         },
	{ PRIM_UNKNOWN_DELIVERY,   "it waits to be delivered"                 },
	{ PRIM_BAD_REQUEST,        "the other side could not make sense of it"},
	{ PRIM_FORBIDDEN,          "the recipient does not accept it"         },
	{ PRIM_NOT_FOUND,          "there is no such recipient"               },
	{ PRIM_TIMEOUT,            "it could not be delivered in time"        },
	{ PRIM_INBOX_CLOSED,       "the recipient cannot be reached"          },
	{ PRIM_ASTRENGTH_TOO_WEAK,
         "the recipient is not sure enough of who sent it"                    },
	{ PRIM_NOT_IMPLEMENTED,    "the other side cannot take such messages" },
	{ PRIM_BAD_GATEWAY,
         "it went in a circle, or a server on its way gave no proper answer"  },
	{ PRIM_GATEWAY_TIMEOUT,    "it could not be delivered in time"        },
};

const char *br_notice_sentence(unsigned code, struct prim_slice reason)
{
	for (size_t i = 0; i < PRIM_COUNT(REASONS); i++) {
		if (prim_slice_starts(reason, prim_slice_of(REASONS[i].reason)))
			return REASONS[i].sentence;
	}
	for (size_t i = 0; i < PRIM_COUNT(CODES); i++) {
		if (code == CODES[i].code)
			return CODES[i].sentence;
	}
	return code ? "it could not be delivered"
		    : "it could not be delivered yet, and is tried again";
}

/*
 * What the original says of itself.
 */

struct original {
	const struct br_store_message *m; /* borrowed */
	struct prim_command head;         /* borrows from it, as all below */
	struct prim_imdn_request asked;
	struct prim_slice from; /* as the notice has to spell it */
	struct prim_slice to;
};

static bool original_read(struct original *o, const struct br_store_message *m)
{
	struct prim_slice type;

	o->m = m;
	if (!prim_command_lines(m->head, &o->head))
		return false;
	o->to = prim_command_get(&o->head, PRIM_HEADER_TO);
	o->from = prim_command_get(&o->head, PRIM_HEADER_FROM);
	if (!is_client(m) &&
	    prim_command_has(&o->head, PRIM_HEADER_BRIDGE_ORIGINAL_FROM))
		o->from = prim_command_get(&o->head,
		    PRIM_HEADER_BRIDGE_ORIGINAL_FROM);
	type = prim_command_get(&o->head, PRIM_HEADER_CONTENT_TYPE);
	prim_imdn_request_read(type, m->body, &o->asked);
	return o->from.len && o->to.len;
}

/* When it was written, as far as it says so itself. */
static void put_date(struct prim_buf *b, const struct original *o)
{
	struct prim_slice date = prim_command_get(&o->head, PRIM_HEADER_DATE);
	int64_t ms;

	if (o->asked.date.len)
		prim_buf_put(b, o->asked.date);
	else if (prim_date_parse_1123(date, &ms))
		prim_date_put_3339(b, ms);
	else
		prim_date_put_3339(b, o->m->accepted_ms);
}

/*
 * What is said in return.
 */

struct writer {
	const struct br_message_keys *keys;  /* borrowed */
	const struct br_notice_cause *cause; /* borrowed */
	const struct original *o;            /* borrowed */
	struct prim_buf token;               /* owned */
	struct prim_buf body;                /* owned */
	struct prim_buf head;                /* owned */
};

/* Nobody can guess it who does not know the secret of the store, and it is the
 * same when the notice is made again. The time tells apart two messages that
 * came with one Message-ID, long after each other. */
static void put_token(struct writer *w)
{
	const struct br_store_message *m = w->o->m;
	struct prim_hasher h;
	struct prim_digest d;

	prim_hasher_init(&h, &w->keys->delivery);
	prim_hasher_feed_field(&h, PRIM_SLICE("notice"));
	prim_hasher_feed_field(&h, prim_slice_of(KINDS[w->cause->kind]));
	prim_hasher_feed_field(&h,
	    prim_slice_make((const char *)m->delivery.octets, PRIM_DIGEST_LEN));
	prim_hasher_feed_field(&h,
	    prim_slice_make((const char *)&m->accepted_ms,
		sizeof(m->accepted_ms)));
	if (PRIM_SEED(failure_told_twice))
		prim_hasher_feed(&h,
		    prim_slice_make((const char *)&w->cause->now_ms,
			sizeof(w->cause->now_ms)));
	d = prim_hasher_digest(&h);
	prim_buf_put_hex(&w->token, d.octets, PRIM_DIGEST_LEN);
}

static void put_document(struct prim_buf *b, const struct writer *w)
{
	const struct br_notice_cause *cause = w->cause;
	const struct original *o = w->o;
	bool is_late = cause->kind == BR_NOTICE_DELAYED;
	struct prim_buf date = { 0 };
	struct prim_imdn imdn = {
		.status = STATUSES[cause->kind],
		.message_id = o->asked.message_id,
		.prim_message_id = o->m->message_id,
		.recipient = o->to,
		.original_recipient = o->asked.original_to,
		.code = cause->code,
		.reason = prim_slice_of(is_late
			? br_notice_sentence(0, PRIM_SLICE_NONE)
			: br_notice_sentence(cause->code, cause->reason)),
	};

	put_date(&date, o);
	imdn.date = prim_buf_slice(&date);
	if (!imdn.message_id.len)
		imdn.message_id = o->m->message_id;
	prim_imdn_put(b, &imdn);
	prim_buf_fini(&date);
}

/* IMDN-009. */
static void put_body(struct writer *w)
{
	struct prim_buf *b = &w->body;

	prim_cpim_put_mailbox(b, "From", PRIM_SLICE_NONE, w->o->m->notice_from);
	prim_cpim_put_mailbox(b, "To", PRIM_SLICE_NONE, w->o->from);
	prim_buf_puts(b, "DateTime: ");
	prim_date_put_3339(b, w->cause->now_ms);
	prim_buf_puts(b, "\r\n");
	prim_cpim_put_namespace(b, "imdn", PRIM_CPIM_IMDN);
	prim_cpim_put_text(b, "imdn.Message-ID", PRIM_SLICE_NONE,
	    prim_buf_slice(&w->token));
	prim_buf_puts(b,
	    "\r\nContent-Type: " PRIM_IMDN_TYPE "\r\n"
	    "Content-Disposition: notification\r\n\r\n");
	put_document(b, w);
}

/* Of the Message-ID, which has the address of its maker (ERR-44). */
static void put_message_id(struct prim_buf *b, const struct writer *w)
{
	prim_buf_put(b, prim_buf_slice(&w->token));
	prim_buf_putc(b, ':');
	prim_buf_put(b, w->o->m->notice_from);
}

static struct prim_slice conversation_of(const struct original *o)
{
	return prim_command_get(&o->head, PRIM_HEADER_CONVERSATION_ID);
}

static void put_head(struct writer *w, struct prim_slice message_id)
{
	struct prim_buf *b = &w->head;
	struct prim_buf date = { 0 };

	prim_date_put_1123(&date, w->cause->now_ms);
	prim_command_put_header(b, PRIM_HEADER_ASTRENGTH,
	    prim_astrength_name(PRIM_ASTRENGTH_STRONG));
	prim_command_put_header(b, PRIM_HEADER_FROM, w->o->m->notice_from);
	prim_command_put_header(b, PRIM_HEADER_TO, w->o->from);
	prim_command_put_header(b, PRIM_HEADER_MESSAGE_ID, message_id);
	if (prim_command_has(&w->o->head, PRIM_HEADER_CONVERSATION_ID))
		prim_command_put_header(b, PRIM_HEADER_CONVERSATION_ID,
		    conversation_of(w->o));
	prim_command_put_header(b, PRIM_HEADER_DATE, prim_buf_slice(&date));
	prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE, PRIM_SLICE(TYPE));
	prim_buf_fini(&date);
}

/*
 * The whole, in the room of the caller.
 */

/* There is room: what was kept before stays where it is. */
static struct prim_slice keep(struct prim_buf *room, struct prim_slice s)
{
	size_t at = room->len;

	prim_buf_put(room, s);
	return prim_slice_make(room->ptr + at, s.len);
}

/* Back to where the message came from. */
static struct prim_slice keep_destination(struct prim_buf *room,
    const struct br_store_message *m)
{
	size_t at = room->len;

	prim_buf_puts(room,
	    is_client(m) ? BR_DESTINATION_INBOX : BR_DESTINATION_ADAPTER);
	prim_buf_put(room, is_client(m) ? m->sender : m->origin);
	return prim_slice_make(room->ptr + at, room->len - at);
}

static void fill(struct br_store_message *out, const struct br_message *names,
    const struct br_store_message *m, int64_t now_ms)
{
	out->key = names->key;
	out->lane = names->lane;
	out->delivery = names->delivery;
	out->content_hash = names->content_hash;
	out->origin = names->origin;
	out->sender = names->sender;
	out->recipient = names->recipient;
	out->message_id = names->message_id;
	out->body = names->body;
	out->octets = out->head.len + out->body.len;
	out->hops = 1; /* as it leaves us, which is the first bridge */
	out->accepted_ms = now_ms;
	out->expires_ms = now_ms + (is_client(m) ? INBOX_KEEP : ELSE_KEEP);
	out->is_notice = true;
}

static void assemble(struct writer *w, const struct prim_key *sender,
    struct prim_buf *room, struct br_store_message *out)
{
	const struct br_store_message *m = w->o->m;
	struct br_message names = { .refs = 0 };
	struct prim_buf message_id = { 0 };

	put_token(w);
	put_message_id(&message_id, w);
	put_head(w, prim_buf_slice(&message_id));
	put_body(w);
	prim_buf_reset(room);
	prim_buf_room(room,
	    w->head.len + w->body.len + message_id.len + sender->len +
		conversation_of(w->o).len + 2 * m->sender.len + m->origin.len +
		m->return_token.len + 64);
	names.origin = keep(room, PRIM_SLICE("primbridge"));
	names.sender = keep(room, prim_key_slice(sender));
	names.recipient = keep(room, m->sender);
	names.message_id = keep(room, prim_buf_slice(&message_id));
	names.conversation_id = keep(room, conversation_of(w->o));
	names.body = keep(room, prim_buf_slice(&w->body));
	br_message_derive(&names, PRIM_SLICE(TYPE), w->keys);

	*out = (struct br_store_message){
		.destination = keep_destination(room, m),
		.head = keep(room, prim_buf_slice(&w->head)),
	};
	if (!is_client(m))
		out->return_token = keep(room, m->return_token);
	fill(out, &names, m, w->cause->now_ms);
	out->about = m->delivery;
	out->about_accepted_ms = m->accepted_ms;
	out->notice_kind = w->cause->kind;
	prim_buf_fini(&message_id);
}

bool br_notice_make(const struct br_message_keys *keys,
    const struct br_store_message *m, const struct br_notice_cause *cause,
    struct prim_buf *room, struct br_store_message *out)
{
	struct original o; /* large */
	struct writer w = { .keys = keys, .cause = cause, .o = &o };
	struct prim_address from;
	struct prim_key sender;

	if (!original_read(&o, m) || !prim_address_parse(m->notice_from, &from))
		return false;
	prim_address_key(&from, &sender);
	assemble(&w, &sender, room, out);
	prim_buf_fini(&w.token);
	prim_buf_fini(&w.body);
	prim_buf_fini(&w.head);
	return true;
}
