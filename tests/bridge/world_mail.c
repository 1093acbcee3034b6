/* SPDX-License-Identifier: ISC */
/* A world in which messages are sent at random: the server, and what is sent. */

#include "tests/bridge/world_mail.h"

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "bridge/log.h"
#include "bridge/metric.h"
#include "bridge/outbox_private.h"
#include "prim/base.h"

#define LARGE (200U * 1024)

static const struct {
	const char *address;
	unsigned carrier;
} PLACES[MAIL_PLACES] = {
	{"alice@prim.example",   MAIL_CARRIERS},
	{ "bob@prim.example",    MAIL_CARRIERS},
	{ "carol@prim.example",  MAIL_CARRIERS},
	{ "nobody@prim.example", MAIL_CARRIERS},
	{ "dan@far.example",     0            },
	{ "eve@far.example",     0            },
	{ "rob@far.example",     0            },
	{ "sue@net.example",     0            },
	{ "may@off.example",     1            },
	{ "zoe@off.example",     1            },
};

/* ---- the world ---- */

static void put_config(struct mail *m, struct prim_buf *b)
{
	m->keeps = mail_below(m, 4) > 0;
	m->always = mail_below(m, 4) > 0;
	m->ever_always |= m->always;
	m->ever_asked_only |= !m->always;
	prim_buf_puts(b,
	    "domains: [prim.example]\n"
	    "data_dir: /nonexistent\n"
	    "auth: { mechanisms: [SCRAM-SHA-256, PLAIN],\n"
	    "  allow_plaintext: true }\n"
	    "adapters:\n"
	    "  - { name: far, plugin: far,\n"
	    "      options: { domain: far.example } }\n"
	    "  - { name: off, plugin: off,\n"
	    "      options: { domain: off.example } }\n"
	    "routes:\n"
	    "  - { domain: net.example, via: far, queue: false }\n"
	    "  - { domain: off.example, via: off, relay: [far.example] }\n");
	prim_buf_putf(b, "delivery: { offline_store: %s, notices: %s }\n",
	    m->keeps ? "true" : "false", m->always ? "always" : "asked");
	if (m->temper & MAIL_FULL)
		prim_buf_puts(b,
		    "limits: { offline_messages: 4, queue_messages: 100 }\n");
}

/* Many things at once hide each other: half of the worlds have few. */
static unsigned some_temper(struct mail *m)
{
	unsigned temper = mail_below(m, MAIL_TEMPERS);

	if (m->seed % 4 == 0)
		temper = 0;
	else if (m->seed % 4 == 1)
		temper &= mail_below(m, MAIL_TEMPERS) &
		    mail_below(m, MAIL_TEMPERS);
	/* With large ones everything takes long. */
	if (mail_below(m, 4))
		temper &= ~(unsigned)MAIL_LARGE;
	return temper;
}

void mail_open(struct mail *m, unsigned seed)
{
	struct prim_buf config = { 0 };
	struct br_err err = { 0 };

	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->random.state = seed;
	m->epoch = 1;
	m->is_traced = br_log_wants(BR_LOG_DEBUG);
	m->temper = some_temper(m);
	put_config(m, &config);
	mail_expect(m,
	    talk_world_open(&m->world, prim_buf_slice(&config), &err),
	    err.text);
	prim_buf_fini(&config);
	br_metric_set(BR_METRIC_OUTBOX_QUARANTINED, 0);
	m->started_ms = mail_now(m);
	m->world.server->outbox->random = seed | 1;
	for (unsigned i = 0; i < MAIL_PEOPLE; i++)
		m->has_account[i] = true;
	for (unsigned i = 0; i < MAIL_PLACES; i++)
		m->owner[i] = MAIL_PEOPLE;
}

void mail_close(struct mail *m)
{
	talk_world_close(&m->world);
}

void mail_reload(struct mail *m)
{
	struct prim_buf config = { 0 };
	struct br_err err = { 0 };

	put_config(m, &config);
	mail_expect(m,
	    talk_world_reload(&m->world, prim_buf_slice(&config), &err),
	    err.text);
	prim_buf_fini(&config);
}

unsigned mail_below(struct mail *m, unsigned limit)
{
	return (unsigned)t_random_below(&m->random, limit);
}

bool mail_may(struct mail *m, enum mail_temper temper, unsigned in)
{
	return !m->is_ending && (m->temper & temper) && mail_below(m, in) == 0;
}

int64_t mail_now(const struct mail *m)
{
	return br_server_now(m->world.server);
}

void mail_expect(const struct mail *m, bool ok, const char *what)
{
	if (!ok)
		fail_msg("PRIM_RANDOM=%u (temper %#x), step %u: %s", m->seed,
		    m->temper, m->step, what);
}

void mail_turn(struct mail *m)
{
	talk_world_turn(&m->world);
	m->epoch++;
	m->is_still = true;
}

void mail_nudge(struct mail *m)
{
	m->is_still = false;
	talk_world_nudge(&m->world);
}

void mail_note_ear(const struct mail *m, struct mail_ear *ear)
{
	if (!m->is_still)
		return;
	ear->epoch = m->epoch;
	ear->ms = mail_now(m);
}

const char *mail_address(unsigned place)
{
	return PLACES[place].address;
}

struct prim_slice mail_name(unsigned who)
{
	struct prim_slice rest = prim_slice_of(PLACES[who].address);

	return prim_slice_cut(&rest, '@');
}

unsigned mail_carrier_of(unsigned place)
{
	return PLACES[place].carrier;
}

void mail_trace(const struct mail *m, const char *end, unsigned index,
    struct prim_slice text)
{
	if (m->is_traced)
		print_message("[%u, %lld ms] %s%u %.*s\n", m->step,
		    (long long)(mail_now(m) - TALK_START_MS), end, index,
		    PRIM_SLICE_ARG(text));
}

bool mail_next(struct talk_conn *c, struct prim_command *out)
{
	const struct prim_slice in = talk_conn_unread(c);
	size_t scanned = 0;

	if (in.len == 0 ||
	    prim_command_head(in, &scanned, out) != PRIM_COMMAND_HEAD ||
	    in.len - out->head.len < out->body_len) {
		if (in.len == 0)
			c->in.len = c->taken = 0;
		return false;
	}
	out->body = prim_slice_make(in.ptr + out->head.len,
	    (size_t)out->body_len);
	c->taken += out->head.len + out->body.len;
	return true;
}

/* ---- messages ---- */

struct mail_message *mail_new(struct mail *m)
{
	static const int64_t TIMES[] = { 3000, 10000, 300000, 3600000 };
	struct mail_message *t = &m->messages[m->count];

	if (m->count == MAIL_MESSAGES)
		return NULL;
	m->count++;
	*t = (struct mail_message){
		.recipient = mail_below(m, MAIL_PLACES),
		.conversation = mail_below(m, 2),
		.carrier = MAIL_CARRIERS,
		.at_ms = mail_now(m),
		.is_poison = mail_may(m, MAIL_DYING, 20),
	};
	if (mail_below(m, 16) == 0) /* dates know no milliseconds */
		t->expires_ms = (t->at_ms / 1000 +
				    TIMES[mail_below(m, PRIM_COUNT(TIMES))] /
					1000) *
		    1000;
	return t;
}

static size_t body_len(const struct mail *m, unsigned index)
{
	return (m->temper & MAIL_LARGE) && index % 3 == 0 ? LARGE + index : 5;
}

void mail_put_body(struct mail *m, struct prim_buf *b, unsigned index)
{
	size_t len = body_len(m, index);

	memset(prim_buf_room(b, len), 'x', len);
	prim_buf_grow(b, len);
}

static void put_expires(struct prim_buf *b, const struct mail_message *t)
{
	struct br_clock clock;

	if (!t->expires_ms)
		return;
	br_clock_init_by_hand(&clock, t->expires_ms);
	prim_buf_puts(b, "Expires: ");
	prim_buf_put(b, br_clock_date(&clock));
	prim_buf_puts(b, "\r\n");
}

void mail_put(struct mail *m, struct prim_buf *b, unsigned index,
    struct prim_slice start)
{
	const struct mail_message *t = &m->messages[index];

	prim_buf_put(b, start);
	prim_buf_putf(b, " %zu\r\nTo: im:%s\r\nMessage-ID: m%u:im:%s\r\n",
	    body_len(m, index), mail_address(t->recipient), index,
	    mail_address(t->sender));
	prim_buf_putf(b, "Conversation-ID: talk%u\r\n", t->conversation);
	prim_buf_puts(b, "Content-Type: text/plain\r\n");
	put_expires(b, t);
	if (t->carrier < MAIL_CARRIERS)
		prim_buf_putf(b,
		    "Date: Mon, 29 Oct 2001 12:00:00 +0000\r\n"
		    "AStrength: medium\r\nReturn: token-m%u\r\n",
		    index);
}

unsigned mail_find(const struct mail *m, const struct prim_command *c)
{
	struct prim_slice id = prim_command_get(c, PRIM_HEADER_MESSAGE_ID);
	uint64_t number = MAIL_MESSAGES;

	if (prim_slice_starts(id, PRIM_SLICE("m")))
		(void)prim_slice_number(prim_slice_from(prim_slice_cut(&id,
							    ':'),
					    1),
		    MAIL_MESSAGES - 1, &number);
	mail_expect(m, number < m->count, "who has written that?");
	return (unsigned)number;
}
