/* SPDX-License-Identifier: ISC */
/* One instant message: built from a SEND or from the store. */

#include "bridge/message.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/store.h"
#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/octet.h"
#include "prim/seed.h"
#include "prim/session.h"

void br_message_keys_init(struct br_message_keys *keys,
    const uint8_t secret[32])
{
	struct prim_hash_key root = prim_hash_key_from(secret);
	struct prim_hash_key *all[] = { &keys->duplicate, &keys->lane,
		&keys->delivery, &keys->content };
	struct prim_hasher h;
	struct prim_digest d;

	for (size_t i = 0; i < PRIM_COUNT(all); i++) {
		const char number = (char)i;

		prim_hasher_init(&h, &root);
		prim_hasher_feed(&h,
		    prim_slice_make((const char *)secret + 16, 16));
		prim_hasher_feed(&h, prim_slice_make(&number, 1));
		d = prim_hasher_digest(&h);
		*all[i] = prim_hash_key_from(d.octets);
	}
}

/* Puts the parts of a message one behind the other; the slices get their
 * pointers when the whole has its place. */
struct layout {
	struct prim_buf *b;
	size_t start;
};

static void part_begin(struct layout *l)
{
	l->start = l->b->len;
}

static void part_end(const struct layout *l, struct prim_slice *out_part)
{
	/* An offset for now; place_parts() makes it a pointer. */
	out_part->ptr = (const char *)(uintptr_t)l->start;
	out_part->len = l->b->len - l->start;
}

static void part_copy(struct layout *l, struct prim_slice octets,
    struct prim_slice *out_part)
{
	part_begin(l);
	prim_buf_put(l->b, octets);
	part_end(l, out_part);
}

static bool is_relayed(enum prim_header_id id)
{
	return id != PRIM_HEADER_ASTRENGTH && id != PRIM_HEADER_BRIDGE_HOPS &&
	    id != PRIM_HEADER_BRIDGE_ORIGINAL_FROM &&
	    id != PRIM_HEADER_BRIDGE_ORIGINAL_TO &&
	    id != PRIM_HEADER_BRIDGE_OTHER && id != PRIM_HEADER_DELIVERY_ID &&
	    id != PRIM_HEADER_ATTEMPT && id != PRIM_HEADER_RETURN;
}

static bool is_client(struct prim_slice origin)
{
	return prim_slice_eq(origin, PRIM_SLICE(BR_ORIGIN_CLIENT));
}

/* Who an adapter says it really was. */
static struct prim_slice original_of(const struct br_message_source *src)
{
	if (is_client(src->origin))
		return PRIM_SLICE_NONE;
	return prim_command_get(src->command, PRIM_HEADER_BRIDGE_ORIGINAL_FROM);
}

/* DESIGN 4: nothing is rewritten but AStrength; Date and Content-Type are
 * added where they are missing; everything else keeps order and spelling. */
static void put_lines(struct prim_buf *b, const struct br_message_source *src)
{
	const struct prim_command *c = src->command;

	prim_command_put_header(b, PRIM_HEADER_ASTRENGTH,
	    prim_astrength_name(src->strength));
	if (!prim_command_has(c, PRIM_HEADER_DATE))
		prim_command_put_header(b, PRIM_HEADER_DATE, src->date);
	for (unsigned i = 0; i < c->header_count; i++) {
		if (is_relayed(c->headers[i].id))
			prim_command_put_line(b, c->headers[i].line);
	}
	if (!prim_command_has(c, PRIM_HEADER_CONTENT_TYPE))
		prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("text/plain; charset=UTF-8"));
	if (original_of(src).len)
		prim_command_put_header(b, PRIM_HEADER_BRIDGE_ORIGINAL_FROM,
		    original_of(src));
}

/* From a client it is a header like any other that belongs to a link. */
static struct prim_slice return_of(const struct br_message_source *src)
{
	if (is_client(src->origin))
		return PRIM_SLICE_NONE;
	return prim_command_get(src->command, PRIM_HEADER_RETURN);
}

static void put_echo(struct prim_buf *b, const struct br_message_source *src)
{
	prim_session_put_echo(b, src->command);
	if (return_of(src).len)
		prim_command_put_header(b, PRIM_HEADER_RETURN, return_of(src));
}

/* The line of a message/cpim that says when it was written, or the empty
 * slice. */
static struct prim_slice date_line(struct prim_slice body)
{
	struct prim_slice rest = body;

	while (rest.len) {
		struct prim_slice line = prim_slice_cut(&rest, '\n');

		if (line.len <= 1)
			break; /* the end of its headers */
		if (prim_slice_starts(line, PRIM_SLICE("DateTime:")))
			return line;
	}
	return PRIM_SLICE_NONE;
}

/* An adapter whose network does not say when something was written says when
 * it came, and that differs when it comes again. */
static uint64_t hash_content(const struct br_message *m, struct prim_slice type,
    const struct br_message_keys *keys)
{
	struct prim_slice date = PRIM_SLICE_NONE;
	struct prim_hasher h;
	struct prim_digest d;
	uint64_t hash;

	if (!is_client(m->origin) && prim_cpim_type_is(type, "message/cpim"))
		date = date_line(m->body);
	if (!date.len)
		return prim_hash(&keys->content, m->body);
	prim_hasher_init(&h, &keys->content);
	prim_hasher_feed_field(&h,
	    prim_slice_make(m->body.ptr, (size_t)(date.ptr - m->body.ptr)));
	prim_hasher_feed_field(&h,
	    prim_slice_from(m->body,
		(size_t)(date.ptr + date.len - m->body.ptr)));
	d = prim_hasher_digest(&h);
	memcpy(&hash, d.octets, sizeof(hash));
	return hash;
}

void br_message_derive(struct br_message *m, struct prim_slice content_type,
    const struct br_message_keys *keys)
{
	struct prim_hasher h;

	prim_hasher_init(&h, &keys->duplicate);
	prim_hasher_feed_field(&h, m->origin);
	prim_hasher_feed_field(&h, m->sender);
	prim_hasher_feed_field(&h, m->recipient);
	prim_hasher_feed_field(&h, m->message_id);
	m->key = prim_hasher_digest(&h);

	prim_hasher_init(&h, &keys->delivery);
	prim_hasher_feed(&h,
	    prim_slice_make((const char *)m->key.octets, PRIM_DIGEST_LEN));
	m->delivery = prim_hasher_digest(&h);

	prim_hasher_init(&h, &keys->lane);
	prim_hasher_feed_field(&h, m->sender);
	prim_hasher_feed_field(&h, m->recipient);
	prim_hasher_feed_field(&h, m->conversation_id);
	m->lane = prim_hasher_digest(&h);

	if (!PRIM_SEED(any_body_is_the_same))
		m->content_hash = hash_content(m, content_type, keys);
}

static void place(const struct br_message *m, struct prim_slice *part)
{
	part->ptr = m->octets + (uintptr_t)part->ptr;
}

static void place_parts(struct br_message *m)
{
	place(m, &m->lines);
	place(m, &m->body);
	place(m, &m->echo);
	place(m, &m->request_id);
	place(m, &m->from);
	place(m, &m->to);
	place(m, &m->message_id);
	place(m, &m->conversation_id);
	place(m, &m->sender);
	place(m, &m->recipient);
	place(m, &m->origin);
	place(m, &m->return_token);
	place(m, &m->original_from);
}

/* One allocation: what `b` holds, then `body`. */
static struct br_message *assemble(const struct br_message *parts,
    const struct prim_buf *b, struct prim_slice body)
{
	struct br_message *m = prim_resize(NULL,
	    sizeof(*m) + b->len + body.len);

	if (PRIM_SEED(last_crlf_cut) &&
	    prim_slice_ends(body, PRIM_SLICE("\r\n")))
		body.len -= 2;
	*m = *parts;
	m->refs = 1;
	memcpy(m->octets, b->ptr, b->len);
	if (body.len)
		memcpy(m->octets + b->len, body.ptr, body.len);
	m->body.ptr = (const char *)(uintptr_t)b->len;
	m->body.len = body.len;
	place_parts(m);
	return m;
}

static void copy_headers(struct layout *l, const struct prim_command *c,
    struct br_message *parts)
{
	part_copy(l, prim_command_get(c, PRIM_HEADER_FROM), &parts->from);
	part_copy(l, prim_command_get(c, PRIM_HEADER_TO), &parts->to);
	part_copy(l, prim_command_get(c, PRIM_HEADER_BRIDGE_ORIGINAL_FROM),
	    &parts->original_from);
	part_begin(l);
	prim_command_put_message_id(l->b, c);
	part_end(l, &parts->message_id);
	part_copy(l, prim_command_get(c, PRIM_HEADER_CONVERSATION_ID),
	    &parts->conversation_id);
}

struct br_message *br_message_new(const struct br_message_source *source,
    const struct br_message_keys *keys)
{
	/* One scratch buffer: messages are made on the loop only. */
	static struct prim_buf scratch;
	struct layout l = { .b = &scratch };
	struct br_message parts = { .hops = source->hops,
		.accepted_ms = source->accepted_ms,
		.expires_ms = source->expires_ms };
	struct br_message *m;

	prim_buf_reset(&scratch);
	part_begin(&l);
	put_lines(&scratch, source);
	part_end(&l, &parts.lines);
	part_begin(&l);
	put_echo(&scratch, source);
	part_end(&l, &parts.echo);
	copy_headers(&l, source->command, &parts);
	part_copy(&l, source->id, &parts.request_id);
	part_copy(&l, source->sender, &parts.sender);
	part_copy(&l, source->recipient, &parts.recipient);
	part_copy(&l, source->origin, &parts.origin);
	part_copy(&l, return_of(source), &parts.return_token);
	m = assemble(&parts, &scratch, source->command->body);
	br_message_derive(m,
	    prim_command_get(source->command, PRIM_HEADER_CONTENT_TYPE), keys);
	return m;
}

struct br_message *br_message_restore(const struct br_store_message *stored,
    const struct br_message_keys *keys)
{
	static struct prim_buf scratch;
	static struct prim_command c; /* large; the loop's only */
	struct layout l = { .b = &scratch };
	struct br_message parts = { .hops = stored->hops,
		.accepted_ms = stored->accepted_ms,
		.expires_ms = stored->expires_ms };
	struct br_message *m;

	if (!prim_command_lines(stored->head, &c))
		return NULL;
	prim_buf_reset(&scratch);
	part_copy(&l, stored->head, &parts.lines);
	part_copy(&l, PRIM_SLICE_NONE, &parts.echo);
	part_copy(&l, PRIM_SLICE_NONE, &parts.request_id);
	copy_headers(&l, &c, &parts);
	part_copy(&l, stored->sender, &parts.sender);
	part_copy(&l, stored->recipient, &parts.recipient);
	part_copy(&l, stored->origin, &parts.origin);
	part_copy(&l, stored->return_token, &parts.return_token);
	m = assemble(&parts, &scratch, stored->body);
	br_message_derive(m, prim_command_get(&c, PRIM_HEADER_CONTENT_TYPE),
	    keys);
	m->key = stored->key;
	if (PRIM_SEED(delivery_id_changes))
		m->delivery.octets[0] ^= 1;
	return m;
}

struct br_message *br_message_ref(struct br_message *m)
{
	m->refs++;
	return m;
}

struct br_message *br_message_unref(struct br_message *m)
{
	if (m && --m->refs == 0)
		free(m);
	return NULL;
}

void br_message_put_delivery(struct prim_buf *b, const struct br_message *m)
{
	prim_buf_put_hex(b, m->delivery.octets, PRIM_DIGEST_LEN);
}

/* As we write them: in lower case. */
static int digit(char c)
{
	return c == prim_octet_lower(c) ? prim_octet_hex(c) : -1;
}

bool br_message_parse_delivery(struct prim_slice text,
    struct prim_digest *out_delivery)
{
	struct prim_digest d;

	if (text.len != BR_DELIVERY_ID_LEN)
		return false;
	for (size_t i = 0; i < PRIM_DIGEST_LEN; i++) {
		int high = digit(text.ptr[2 * i]);
		int low = digit(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		d.octets[i] = (uint8_t)(high * 16 + low);
	}
	*out_delivery = d;
	return true;
}

struct prim_slice br_key_domain(struct prim_slice key)
{
	return prim_slice_from(key,
	    (size_t)(prim_slice_find_last(key, '@') + 1));
}

size_t br_message_size(const struct br_message *m)
{
	return sizeof(*m) + m->lines.len + m->echo.len + m->body.len +
	    m->sender.len + m->recipient.len + m->from.len + m->to.len;
}
