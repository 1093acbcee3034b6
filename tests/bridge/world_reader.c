/* SPDX-License-Identifier: ISC */
/* The clients of a world in which messages are sent at random. */

#include "tests/bridge/world_reader.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "prim/base.h"
#include "tests/bridge/world_fate.h"

#define AT_ONCE_MS 4000 /* a listener has five seconds */

void readers_init(struct reader readers[MAIL_READERS], struct mail *m)
{
	for (unsigned i = 0; i < MAIL_READERS; i++) {
		struct reader *r = &readers[i];

		memset(r, 0, sizeof(*r));
		r->conn = &m->world.conns[i];
		r->index = i;
	}
}

static bool is_up(const struct reader *r)
{
	return r->conn->fd >= 0 && !r->conn->is_ended;
}

bool reader_is_good(const struct reader *r)
{
	return is_up(r) && r->is_in;
}

static void say(const struct mail *m, struct reader *r, struct prim_buf *b)
{
	mail_trace(m, "reader says ", r->index,
	    prim_slice_make(b->ptr, b->len < 400 ? b->len : 400));
	talk_conn_put(r->conn, prim_buf_slice(b));
	prim_buf_fini(b);
}

static unsigned ask(struct mail *m, struct reader *r, unsigned message)
{
	r->asked[r->asked_count++] = (struct reader_asked){
		.number = ++m->number,
		.message = message,
		.at_ms = mail_now(m),
	};
	return m->number;
}

int64_t reader_waits_ms(const struct mail *m, const struct reader *r)
{
	return r->asked_count > 0 && is_up(r) ? mail_now(m) - r->asked[0].at_ms
					      : 0;
}

/* ---- coming and going ---- */

static void lose(struct mail *m, struct reader *r)
{
	for (unsigned i = 0; i < r->asked_count; i++) {
		if (r->asked[i].message < MAIL_MESSAGES)
			m->messages[r->asked[i].message].is_lost = true;
	}
	if (r->is_counted)
		m->connections[r->who]--;
	r->asked_count = r->held_count = 0;
	r->is_in = r->is_counted = r->listens = false;
	r->conn->is_deaf = false;
	fate_unsure(m, m->epoch);
}

bool reader_come(struct mail *m, struct reader *r, unsigned who)
{
	const char *address = mail_address(who);
	int name_len = (int)strcspn(address, "@");
	int credentials_len = (int)strlen(address) + name_len + 9;
	struct prim_buf b = { 0 };
	char from[32];

	reader_go(m, r);
	r->conn->in.len = r->conn->taken = r->conn->out.len = 0;
	r->who = who;
	r->serial = ++m->number;
	r->is_counted = true;
	m->connections[who]++;
	/* Nobody is slowed down for what others of his place did. */
	(void)snprintf(from, sizeof(from), "192.0.2.%u", m->number % 250);
	talk_conn_open(&m->world, r->conn, from);
	prim_buf_putf(&b, "LOGIN PRIM-IM/1.0 r%u %d\r\nFrom: im:%s\r\n",
	    ask(m, r, MAIL_MESSAGES), credentials_len, address);
	prim_buf_puts(&b, "Auth-State: init\r\nSASL-Mech: PLAIN\r\n\r\n");
	prim_buf_putf(&b, "%s\r\n%.*s secret", address, name_len, address);
	say(m, r, &b);
	mail_turn(m);
	reader_hear(m, r);
	return r->is_in;
}

void reader_go(struct mail *m, struct reader *r)
{
	if (r->conn->fd < 0)
		return;
	lose(m, r);
	r->conn->in.len = r->conn->taken = 0; /* never read */
	talk_conn_close(&m->world, r->conn, false);
}

void reader_forsaken(struct mail *m, struct reader *r)
{
	lose(m, r);
	if (r->conn->fd >= 0)
		close(r->conn->fd);
	r->conn->fd = -1;
	r->conn->was_opened = false;
	r->conn->in.len = r->conn->taken = r->conn->out.len = 0;
	r->conn->waiting = 0;
}

void reader_deafen(struct reader *r, bool is_deaf)
{
	r->conn->is_deaf = is_deaf && is_up(r);
}

void reader_listen(struct mail *m, struct reader *r, bool listens)
{
	struct prim_buf b = { 0 };

	if (!reader_is_good(r) || r->asked_count == MAIL_ASKED)
		return;
	r->listens = listens;
	prim_buf_putf(&b, "%s PRIM-IM/1.0 r%u 0\r\nFrom: im:%s\r\n\r\n",
	    listens ? "LISTEN" : "SILENCE", ask(m, r, MAIL_MESSAGES),
	    mail_address(r->who));
	say(m, r, &b);
}

/* ---- sending ---- */

static void send_it(struct mail *m, struct reader *r, unsigned index)
{
	struct mail_message *t = &m->messages[index];
	struct prim_buf start = { 0 }, b = { 0 };

	t->asked++;
	prim_buf_putf(&start, "SEND PRIM-IM/1.0 r%u", ask(m, r, index));
	mail_put(m, &b, index, prim_buf_slice(&start));
	prim_buf_fini(&start);
	prim_buf_putf(&b, "From: im:%s\r\n\r\n", mail_address(r->who));
	mail_put_body(m, &b, index);
	say(m, r, &b);
}

void reader_send(struct mail *m, struct reader *r)
{
	struct mail_message *t;

	if (!reader_is_good(r) || r->asked_count == MAIL_ASKED)
		return;
	t = mail_new(m);
	if (!t)
		return;
	t->sender = r->who;
	t->reader = r->index;
	t->serial = r->serial;
	t->is_excused = !m->has_account[r->who];
	send_it(m, r, m->count - 1);
}

void reader_repeat(struct mail *m, struct reader *r)
{
	unsigned index = m->count ? mail_below(m, m->count) : 0;

	if (!reader_is_good(r) || r->asked_count == MAIL_ASKED || !m->count ||
	    m->messages[index].carrier < MAIL_CARRIERS ||
	    m->messages[index].sender != r->who)
		return;
	m->messages[index].is_repeated = true;
	send_it(m, r, index);
}

/* ---- hearing ---- */

static void on_answer(struct mail *m, struct reader *r,
    const struct prim_command *c)
{
	uint64_t number = 0;
	unsigned i = 0;

	(void)prim_slice_number(prim_slice_from(c->id, 1), UINT32_MAX, &number);
	while (i < r->asked_count && r->asked[i].number != number)
		i++;
	mail_expect(m, i < r->asked_count, "a reader was answered twice");
	if (r->asked[i].message < MAIL_MESSAGES)
		fate_answered(m, r->asked[i].message, c->code);
	else if (!r->is_in)
		r->is_in = c->code == 200;
	r->asked_count--;
	memmove(&r->asked[i], &r->asked[i + 1],
	    (r->asked_count - i) * sizeof(r->asked[0]));
}

/* `at_once`: it has only just been offered, and is heard. */
static void answer(struct mail *m, struct reader *r,
    const struct reader_held *h, const char *what, bool at_once)
{
	struct prim_buf b = { 0 };

	if (h->message < MAIL_MESSAGES && what[0] == '2')
		fate_taken(m, h->message,
		    at_once && r->listens &&
			mail_now(m) - r->ear.ms < AT_ONCE_MS);
	if (h->message < MAIL_MESSAGES && what[0] == '1')
		m->messages[h->message].passed++;
	prim_buf_putf(&b, "PRIM-IM/1.0 %llu 0 %s\r\n\r\n",
	    (unsigned long long)h->id, what);
	say(m, r, &b);
}

void reader_settle(struct mail *m, struct reader *r)
{
	for (unsigned i = 0; i < r->held_count && reader_is_good(r); i++)
		answer(m, r, &r->held[i], "200 OK", false);
	r->held_count = 0;
}

static void on_message(struct mail *m, struct reader *r,
    const struct prim_command *c)
{
	static const char *const RUDE[] = { "408 Inbox Closed",
		"500 Internal Server Error", "403 Resource Not Found",
		"101 Unknown Delivery Status", "" };
	struct reader_held h = { .message = MAIL_MESSAGES };
	const char *what = "200 OK";
	unsigned rudeness = 5;

	(void)prim_slice_number(c->id, UINT64_MAX, &h.id);
	if (!fate_noticed(m, c)) {
		rudeness = 3;
		h.message = mail_find(m, c);
		fate_handed(m, h.message, &r->ear, m->connections[r->who] == 1);
	}
	if (mail_may(m, MAIL_RUDE, rudeness))
		what = RUDE[mail_below(m, PRIM_COUNT(RUDE))];
	if (what[0])
		answer(m, r, &h, what, true);
	else if (r->held_count < MAIL_HELD)
		r->held[r->held_count++] = h;
}

void reader_hear(struct mail *m, struct reader *r)
{
	static struct prim_command c; /* large */

	while (r->conn->fd >= 0 && mail_next(r->conn, &c)) {
		m->heard++;
		mail_trace(m, "reader hears ", r->index, c.head);
		if (c.is_response)
			on_answer(m, r, &c);
		else if (c.method == PRIM_METHOD_SEND)
			on_message(m, r, &c);
	}
	if (!r->conn->is_deaf)
		mail_note_ear(m, &r->ear);
	if (r->conn->fd >= 0 && r->conn->is_ended)
		lose(m, r);
}
