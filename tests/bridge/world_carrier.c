/* SPDX-License-Identifier: ISC */
/* The adapters of a world in which messages are sent at random. */

#include "tests/bridge/world_carrier.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "bridge/host_private.h"
#include "prim/base.h"
#include "tests/bridge/world_fate.h"
#include "tests/talk/adapter.h"

static const char *const NAMES[MAIL_CARRIERS] = { "far", "off" };

void carriers_init(struct carrier carriers[MAIL_CARRIERS], struct mail *m)
{
	for (unsigned i = 0; i < MAIL_CARRIERS; i++) {
		memset(&carriers[i], 0, sizeof(carriers[i]));
		carriers[i].conn = &m->world.conns[TALK_CONNS + i];
		carriers[i].index = i;
	}
}

bool carrier_is_up(const struct carrier *c)
{
	return c->conn->host != NULL;
}

static void say(const struct mail *m, struct carrier *c, struct prim_buf *b)
{
	mail_trace(m, "carrier says ", c->index,
	    prim_slice_make(b->ptr, b->len < 400 ? b->len : 400));
	talk_conn_put(c->conn, prim_buf_slice(b));
	prim_buf_fini(b);
}

/* ---- life ---- */

static void forget(struct mail *m, struct carrier *c)
{
	for (unsigned i = 0; i < c->asked_count; i++)
		m->messages[c->asked[i].message].is_lost = true;
	c->asked_count = c->held_count = 0;
	c->last_id = 0;
	c->is_begun = false;
	c->consumed = 0;
	c->conn->in.len = c->conn->taken = c->conn->out.len = 0;
	fate_unsure(m, m->epoch);
}

void carrier_die(struct mail *m, struct carrier *c)
{
	if (!carrier_is_up(c))
		return;
	mail_trace(m, "carrier dies ", c->index, PRIM_SLICE_NONE);
	talk_adapter_close(c->conn);
	forget(m, c);
}

void carrier_forsaken(struct mail *m, struct carrier *c)
{
	c->conn->host = NULL;
	c->conn->was_opened = c->conn->is_ended = false;
	c->conn->waiting = 0;
	forget(m, c);
}

void carrier_come(struct mail *m, struct carrier *c)
{
	carrier_die(m, c);
	forget(m, c);
	c->session = ++m->number;
	c->window = mail_below(m, 2) ? 1024 : mail_below(m, 12);
	if (m->is_ending)
		c->window = 100;
	mail_expect(m,
	    talk_adapter_open(&m->world, c->conn,
		prim_slice_of(NAMES[c->index])),
	    "there is no such adapter");
}

void carrier_window(struct mail *m, struct carrier *c, unsigned window)
{
	struct prim_buf b = { 0 };

	if (!carrier_is_up(c) || !c->is_begun)
		return;
	c->window = window;
	prim_buf_putf(&b, "WINDOW PRIM/1.0 - 0\r\nWindow: %u\r\n\r\n", window);
	say(m, c, &b);
}

static void begin(struct mail *m, struct carrier *c,
    const struct prim_command *config)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "PRIM/1.0 %.*s 0 200 OK\r\n\r\nREADY PRIM/1.0 - 0\r\n\r\n",
	    PRIM_SLICE_ARG(config->id));
	say(m, c, &b);
	c->is_begun = true;
	carrier_window(m, c, c->window);
}

/* ---- sending ---- */

static unsigned some_sender(struct mail *m, const struct carrier *c)
{
	unsigned place;

	do
		place = MAIL_FOREIGN +
		    mail_below(m, MAIL_PLACES - MAIL_FOREIGN);
	while (mail_carrier_of(place) != c->index);
	return place;
}

void carrier_send(struct mail *m, struct carrier *c)
{
	struct prim_buf start = { 0 }, b = { 0 };
	struct mail_message *t;
	unsigned owner;

	if (!carrier_is_up(c) || !c->is_begun || c->asked_count == MAIL_ASKED)
		return;
	t = mail_new(m);
	if (!t)
		return;
	t->carrier = c->index;
	t->sender = some_sender(m, c);
	t->serial = c->session;
	t->asked++;
	owner = m->owner[t->sender];
	c->asked[c->asked_count].id = ++c->last_id;
	c->asked[c->asked_count++].message = m->count - 1;
	prim_buf_putf(&start, "SEND PRIM/1.0 %u", c->last_id);
	mail_put(m, &b, m->count - 1, prim_buf_slice(&start));
	prim_buf_fini(&start);
	if (owner < MAIL_PEOPLE && mail_below(m, 4)) {
		t->is_excused = true; /* its notice goes to another name */
		prim_buf_putf(&b, "Bridge-Original-From: im:%s\r\n",
		    mail_address(t->sender));
		prim_buf_putf(&b, "From: im:%s\r\n\r\n", mail_address(owner));
	} else {
		prim_buf_putf(&b, "From: im:%s\r\n\r\n",
		    mail_address(t->sender));
	}
	mail_put_body(m, &b, m->count - 1);
	say(m, c, &b);
}

static void on_answer(struct mail *m, struct carrier *c,
    const struct prim_command *cmd)
{
	uint64_t id = 0;
	unsigned i = 0;

	(void)prim_slice_number(cmd->id, UINT32_MAX, &id);
	while (i < c->asked_count && c->asked[i].id != id)
		i++;
	mail_expect(m, i < c->asked_count, "an adapter was answered twice");
	fate_answered(m, c->asked[i].message, cmd->code);
	c->asked_count--;
	memmove(&c->asked[i], &c->asked[i + 1],
	    (c->asked_count - i) * sizeof(c->asked[0]));
}

/* ---- deliveries ---- */

/* All that was said to it until now, heard or not. */
static size_t produced(const struct carrier *c)
{
	return c->consumed + talk_conn_unread(c->conn).len +
	    evbuffer_get_length(c->conn->host->link.out);
}

/* `code` of what it had last, or had once. */
static void note_fate(struct mail *m, struct carrier *c, struct carrier_held *h,
    unsigned code, bool is_certain)
{
	struct mail_message *t = &m->messages[h->message];

	if (code == 101 && !h->passed_at)
		h->passed_at = m->epoch;
	if (code == 200)
		fate_taken(m, h->message, is_certain);
	else if (code == 101)
		t->passed++;
	else if (code >= 500 || code == 407)
		t->setback_at = h->is_reported ? t->setback_at : produced(c);
	else if (!h->passed_at)
		t->refused++;
	else if (h->passed_at < m->epoch)
		fate_bounced(m, h->message);
}

/* Was it handed over again since, maybe unheard? Then the first time does not
 * count any more. */
static bool may_be_old(const struct mail *m, const struct carrier *c,
    const struct carrier_held *h)
{
	return m->messages[h->message].hand_at != h->at ||
	    produced(c) > c->consumed;
}

static void take(struct mail *m, struct carrier *c, struct carrier_held *h,
    unsigned code)
{
	struct prim_buf b = { 0 };

	if (h->is_taken)
		return;
	h->is_taken = true;
	if (code != 200) {
		if (h->message < MAIL_MESSAGES && !may_be_old(m, c, h))
			note_fate(m, c, h, code, true);
		else if (h->message < MAIL_MESSAGES && code < 500)
			m->messages[h->message].refused++; /* maybe */
		h->is_reported = true;
	}
	prim_buf_putf(&b, "PRIM/1.0 %s 0 %u Well\r\n\r\n", h->hand, code);
	say(m, c, &b);
}

static void report(struct mail *m, struct carrier *c, struct carrier_held *h,
    unsigned code)
{
	struct prim_buf b = { 0 };

	if (h->message < MAIL_MESSAGES)
		note_fate(m, c, h, code,
		    !h->is_reported && !may_be_old(m, c, h));
	h->is_reported = true;
	prim_buf_putf(&b,
	    "REPORT PRIM/1.0 - 0\r\nDelivery-ID: %s\r\nCode: %u\r\n\r\n",
	    h->delivery, code);
	say(m, c, &b);
}

static unsigned some_code(struct mail *m)
{
	static const unsigned CODES[] = { 200, 200, 200, 200, 101, 101, 403,
		408, 402, 407, 500, 502, 503, 504 };

	return CODES[mail_below(m, PRIM_COUNT(CODES))];
}

static unsigned some_refusal(struct mail *m)
{
	static const unsigned CODES[] = { 200, 200, 200, 403, 408, 502, 503 };

	return CODES[mail_below(m, PRIM_COUNT(CODES))];
}

static void drop_held(struct carrier *c, unsigned i)
{
	c->held_count--;
	memmove(&c->held[i], &c->held[i + 1],
	    (c->held_count - i) * sizeof(c->held[0]));
}

void carrier_act(struct mail *m, struct carrier *c)
{
	unsigned i = c->held_count ? mail_below(m, c->held_count) : 0;
	struct carrier_held *h = &c->held[i];
	unsigned session = c->session;

	if (!carrier_is_up(c) || c->held_count == 0)
		return;
	if (mail_below(m, 2))
		take(m, c, h, h->is_reported ? 200 : some_refusal(m));
	else
		report(m, c, h, some_code(m));
	if (session == c->session && h->is_taken && h->is_reported &&
	    mail_below(m, 4))
		drop_held(c, i);
}

void carrier_settle(struct mail *m, struct carrier *c)
{
	for (unsigned i = 0; i < c->held_count && carrier_is_up(c); i++) {
		take(m, c, &c->held[i], 200);
		if (!c->held[i].is_reported)
			report(m, c, &c->held[i], 200);
	}
	c->held_count = 0;
}

/* ---- hearing ---- */

static void copy(char *to, size_t size, struct prim_slice from)
{
	(void)snprintf(to, size, "%.*s", PRIM_SLICE_ARG(from));
}

static void note_hand(struct mail *m, struct carrier *c,
    const struct prim_command *cmd, struct carrier_held *h)
{
	struct mail_message *t;

	h->message = mail_find(m, cmd);
	fate_handed(m, h->message, &c->ear, true);
	t = &m->messages[h->message];
	if (t->session != c->session)
		t->setback_at = 0;
	t->session = c->session;
	t->hand_at = h->at = c->consumed - cmd->head.len - cmd->body.len;
	fate_check_order(m, h->message, c->session);
}

static bool is_poison(const struct mail *m, const struct carrier_held *h)
{
	return h->message < MAIL_MESSAGES && !m->is_ending &&
	    m->messages[h->message].is_poison;
}

/* It died, or has nothing to do with it any more. */
static void do_something(struct mail *m, struct carrier *c,
    struct carrier_held *h)
{
	if (!mail_may(m, MAIL_LYING, 2)) {
		take(m, c, h, 200);
		report(m, c, h, 200);
	} else if (mail_below(m, 2)) {
		carrier_act(m, c);
	}
}

static void on_send(struct mail *m, struct carrier *c,
    const struct prim_command *cmd)
{
	struct carrier_held *h;

	if (c->held_count == MAIL_HELD) {
		take(m, c, &c->held[0], 200);
		drop_held(c, 0);
	}
	h = &c->held[c->held_count++];
	memset(h, 0, sizeof(*h));
	h->message = MAIL_MESSAGES;
	copy(h->hand, sizeof(h->hand), cmd->id);
	copy(h->delivery, sizeof(h->delivery),
	    prim_command_get(cmd, PRIM_HEADER_DELIVERY_ID));
	if (!fate_noticed(m, cmd))
		note_hand(m, c, cmd, h);
	if (is_poison(m, h) || mail_may(m, MAIL_DYING, 60))
		carrier_die(m, c);
	else
		do_something(m, c, h);
}

static void on_request(struct mail *m, struct carrier *c,
    const struct prim_command *cmd)
{
	struct prim_buf b = { 0 };

	if (cmd->method == PRIM_METHOD_CONFIG) {
		begin(m, c, cmd);
	} else if (cmd->method == PRIM_METHOD_PING) {
		prim_buf_putf(&b, "PRIM/1.0 %.*s 0 200 OK\r\n\r\n",
		    PRIM_SLICE_ARG(cmd->id));
		say(m, c, &b);
	} else if (cmd->method == PRIM_METHOD_SEND) {
		on_send(m, c, cmd);
	}
}

void carrier_hear(struct mail *m, struct carrier *c)
{
	static struct prim_command cmd; /* large */

	while (carrier_is_up(c) && mail_next(c->conn, &cmd)) {
		m->heard++;
		c->consumed += cmd.head.len + cmd.body.len;
		mail_trace(m, "carrier hears ", c->index, cmd.head);
		if (cmd.is_response)
			on_answer(m, c, &cmd);
		else
			on_request(m, c, &cmd);
	}
	mail_note_ear(m, &c->ear);
	mail_expect(m, !c->conn->is_ended || m->world.server->stopping,
	    "an adapter was killed");
}
