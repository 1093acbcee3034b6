/* SPDX-License-Identifier: ISC */
/* What we say to an adapter. */

#include "bridge/host_private.h"

static struct prim_buf *request(struct br_host *h, enum prim_method method,
    struct prim_slice id, size_t body_len)
{
	prim_buf_reset(&h->scratch);
	prim_command_put_request(&h->scratch, method, PRIM_FAMILY_PRIM, id,
	    body_len);
	return &h->scratch;
}

static void put_number(struct prim_buf *b, enum prim_header_id id,
    uint64_t value)
{
	char text[BR_ASK_ID_MAX];

	prim_command_put_header(b, id, br_ask_id(value, text));
}

static const char *or_none(const char *domain)
{
	return domain ? domain : "-";
}

/* The domains we serve and where others lead, one a line, an empty line, the
 * options. */
static void put_config(struct prim_buf *body, const struct br_host *h)
{
	const struct br_config *config = h->context.config;

	for (size_t i = 0; i < config->domain_count; i++)
		prim_buf_putf(body, "serve %s\n", config->domains[i]);
	for (size_t i = 0; i < config->adapter_count; i++)
		prim_buf_putf(body, "adapter %s %s %s\n",
		    config->adapters[i].name,
		    or_none(config->adapters[i].domain),
		    or_none(config->adapters[i].gateway_domain));
	for (size_t i = 0; i < config->route_count; i++)
		prim_buf_putf(body, "route %s %s\n", config->routes[i].domain,
		    config->routes[i].via);
	prim_buf_putc(body, '\n');
	prim_buf_puts(body, h->adapter->options);
}

void br_host_say_config(struct br_host *h)
{
	const struct br_ask ask = { .kind = HOST_ASK_CONFIG };
	char text[BR_ASK_ID_MAX];
	struct prim_slice id = br_ask_id(br_asks_put(&h->asks, &ask), text);
	struct prim_buf body = { 0 };
	struct prim_buf *b;

	put_config(&body, h);
	b = request(h, PRIM_METHOD_CONFIG, id, body.len);
	prim_command_put_header(b, PRIM_HEADER_NAME,
	    prim_slice_of(h->adapter->name));
	put_number(b, PRIM_HEADER_MAX_CONTENT_LENGTH, h->context.body_max);
	prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE,
	    PRIM_SLICE("text/plain; charset=UTF-8"));
	prim_command_end(b);
	br_link_send(&h->link, prim_buf_slice(b));
	br_link_send(&h->link, prim_buf_slice(&body));
	prim_buf_fini(&body);
}

static void put_ping(struct br_host *h, enum host_ask kind)
{
	const struct br_ask ask = { .kind = kind };
	char text[BR_ASK_ID_MAX];
	struct prim_buf *b = request(h, PRIM_METHOD_PING,
	    br_ask_id(br_asks_put(&h->asks, &ask), text), 0);

	prim_command_end(b);
	br_link_send(&h->link, prim_buf_slice(b));
}

void br_host_say_ping(struct br_host *h)
{
	put_ping(h, HOST_ASK_PING);
	h->pinging = true;
	h->silent_ms = 0;
}

void br_host_probe(struct br_host *h)
{
	if (h->phase != HOST_READY && h->phase != HOST_DRAINING)
		return;
	if (h->probes >= HOST_PROBES_MAX) {
		h->probes_owed++;
		return;
	}
	h->probes++;
	put_ping(h, HOST_ASK_PROBE);
}

void br_host_probe_answer(struct br_host *h)
{
	h->probes--;
	if (h->probes_owed > 0) {
		h->probes_owed--;
		br_host_probe(h);
	}
	h->context.ops->alive(h->context.ctx, h);
}

void br_host_say_drain(struct br_host *h)
{
	struct prim_buf *b = request(h, PRIM_METHOD_DRAIN, PRIM_SLICE("-"), 0);

	prim_command_end(b);
	br_link_send(&h->link, prim_buf_slice(b));
}

static bool is_to(struct prim_slice line)
{
	return prim_header_find(prim_slice_trim(prim_slice_cut(&line, ':'))) ==
	    PRIM_HEADER_TO;
}

/* Every other line stays what and where it is. */
static void put_lines(struct prim_buf *b, const struct br_message *m,
    struct prim_slice target)
{
	struct prim_slice rest = m->lines;
	bool told = false;

	while (rest.len > 0) {
		struct prim_slice line = prim_slice_cut(&rest, '\n');

		if (!is_to(line)) {
			prim_buf_put(b, line);
			prim_buf_putc(b, '\n');
		} else if (!told) {
			prim_command_put_header(b, PRIM_HEADER_TO, target);
			told = true;
		}
	}
	prim_command_put_header(b, PRIM_HEADER_BRIDGE_ORIGINAL_TO, m->to);
}

void br_host_deliver(struct br_host *h, struct br_message *m,
    const struct br_host_handover *how)
{
	const struct br_ask ask = {
		.kind = HOST_ASK_SEND,
		.octets = br_message_size(m),
		.what = br_message_ref(m),
	};
	char text[BR_ASK_ID_MAX];
	struct prim_buf *b = request(h, PRIM_METHOD_SEND,
	    br_ask_id(br_asks_put(&h->asks, &ask), text), m->body.len);

	if (how->target.len > 0)
		put_lines(b, m, how->target);
	else
		prim_buf_put(b, m->lines);
	put_number(b, PRIM_HEADER_BRIDGE_HOPS, m->hops);
	prim_buf_puts(b, "Delivery-ID: ");
	br_message_put_delivery(b, m);
	prim_buf_puts(b, "\r\n");
	put_number(b, PRIM_HEADER_ATTEMPT, how->attempt);
	if (how->is_notice && m->return_token.len > 0)
		prim_command_put_header(b, PRIM_HEADER_RETURN, m->return_token);
	prim_command_end(b);
	br_link_send(&h->link, prim_buf_slice(b));
	br_link_send(&h->link, m->body);
	h->untaken++;
	h->untaken_octets += ask.octets;
	br_host_check_room(h);
}

uint64_t br_host_say_request(struct br_host *h, const struct br_host_request *r,
    const struct br_ask *ask)
{
	const uint64_t id = br_asks_put(&h->asks, ask);
	char text[BR_ASK_ID_MAX];
	struct prim_buf *b = request(h, r->method, br_ask_id(id, text),
	    r->body.len);

	prim_buf_put(b, r->lines);
	prim_command_end(b);
	br_link_send(&h->link, prim_buf_slice(b));
	br_link_send(&h->link, r->body);
	return id;
}
