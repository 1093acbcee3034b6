/* SPDX-License-Identifier: ISC */
/* The clients of a world that is played at random. */

#include "tests/bridge/world_client.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"
#include "tests/bridge/world_model.h"

static bool is_up(const struct play_client *c)
{
	return c->conn->fd >= 0 && !c->conn->is_ended;
}

bool client_is_good(const struct play_client *c)
{
	return is_up(c) && c->is_in && !c->is_leaving;
}

/* Its account has gone, and nobody may have noticed yet. */
static bool is_stale(const struct play *p, const struct play_client *c)
{
	return c->came < p->people[c->who].gone;
}

/* ---- asking ---- */

static bool watches_or_leaves(enum prim_method method)
{
	return method == PRIM_METHOD_SUBSCRIBE ||
	    method == PRIM_METHOD_UNSUBSCRIBE;
}

static bool publishes(enum prim_method method)
{
	return method == PRIM_METHOD_PUBLISH || method == PRIM_METHOD_REMOVE;
}

static struct play_asked *asked_new(struct play *p, struct play_client *c,
    enum prim_method method)
{
	struct play_asked *a = &c->asked[c->asked_count++];

	*a = (struct play_asked){
		.number = ++p->number,
		.method = method,
		.at_ms = play_now(p),
	};
	return a;
}

static void begin(struct prim_buf *b, const struct play_client *c,
    const struct play_asked *a, size_t body_len)
{
	struct prim_slice name = prim_method_info(a->method)->name;

	prim_buf_putf(b, "%.*s PRIM-PR/1.0 r%u %zu\r\nFrom: pres:%s\r\n",
	    PRIM_SLICE_ARG(name), a->number, body_len, play_address(c->who));
}

static void say(const struct play *p, struct play_client *c, struct prim_buf *b)
{
	play_trace(p, "client says ", c->index, prim_buf_slice(b));
	talk_conn_put(c->conn, prim_buf_slice(b));
	prim_buf_fini(b);
}

/* Does anybody of the same name but `besides` wait for an answer about it? */
static bool is_asked(const struct play *p, const struct play_client *besides,
    unsigned target, enum prim_method method)
{
	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		const struct play_client *c = &p->clients[i];

		if (c->who != besides->who || c == besides)
			continue;
		for (unsigned k = 0; k < c->asked_count; k++) {
			if (c->asked[k].target == target &&
			    c->asked[k].method == method)
				return true;
		}
	}
	return false;
}

/* Whoever subscribes may be notified again, on all connections. */
static void not_over(struct play *p, unsigned who, unsigned target)
{
	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		struct play_client *c = &p->clients[i];

		if (c->who != who)
			continue;
		c->is_over[target] = false;
		for (unsigned k = 0; k < c->asked_count; k++) {
			if (c->asked[k].target == target)
				c->asked[k].is_crossed = true;
		}
	}
}

void client_ask(struct play *p, struct play_client *c, enum prim_method method,
    unsigned target, int64_t seconds)
{
	struct prim_buf b = { 0 };
	struct play_asked *a;

	if (!is_up(c) || c->asked_count == PLAY_ASKED)
		return;
	if (watches_or_leaves(method) &&
	    (is_stale(p, c) || play_still_asked(p, c->who, target)))
		p->pairs[c->who][target].is_crossed = true;
	if (method == PRIM_METHOD_SUBSCRIBE)
		not_over(p, c->who, target);
	a = asked_new(p, c, method);
	a->is_crossed = is_asked(p, c, target, PRIM_METHOD_SUBSCRIBE);
	a->target = target;
	a->seconds = seconds;
	begin(&b, c, a, 0);
	prim_buf_putf(&b, "To: pres:%s\r\n", play_address(target));
	if (method == PRIM_METHOD_SUBSCRIBE)
		prim_buf_putf(&b, "Duration: %lld\r\n", (long long)seconds);
	prim_buf_puts(&b, "\r\n");
	say(p, c, &b);
}

bool client_publishes(const struct play *p, unsigned who,
    const struct play_client *c)
{
	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		const struct play_client *other = &p->clients[i];

		if (other == c || other->who != who)
			continue;
		for (unsigned k = 0; k < other->asked_count; k++) {
			if (publishes(other->asked[k].method))
				return true;
		}
	}
	return false;
}

static void put_publication(struct prim_buf *b, const struct play_client *c,
    const struct play_asked *a, struct prim_slice body)
{
	static const char *const NAMES[] = {
		[PRIM_PUBLISH_LEASED] = "leased",
		[PRIM_PUBLISH_PERMANENT] = "permanent",
		[PRIM_PUBLISH_RENEW] = "renew",
		[PRIM_PUBLISH_REVERT] = "revert",
	};

	begin(b, c, a, body.len);
	if (a->method == PRIM_METHOD_PUBLISH)
		prim_buf_putf(b,
		    "PI-Type: %s\r\nDuration: %lld\r\n"
		    "Content-Type: application/pidf+xml\r\n",
		    NAMES[a->kind], (long long)a->seconds);
	prim_buf_putf(b, "Tuple-ID: t%u\r\n\r\n", a->tuple);
	prim_buf_put(b, body);
}

unsigned client_publish(struct play *p, struct play_client *c,
    enum prim_publication_kind kind, unsigned tuple, int64_t seconds)
{
	bool removes = kind == PRIM_PUBLISH_REMOVE;
	struct prim_buf b = { 0 }, body = { 0 };
	struct play_asked *a;

	if (!is_up(c) || c->asked_count == PLAY_ASKED)
		return 0;
	if (is_stale(p, c) || client_publishes(p, c->who, c))
		p->people[c->who].is_unknown = true;
	a = asked_new(p, c, removes ? PRIM_METHOD_REMOVE : PRIM_METHOD_PUBLISH);
	a->kind = kind;
	a->target = PLAY_NOBODY;
	a->tuple = tuple;
	a->value = a->number;
	a->seconds = seconds;
	if (!removes)
		play_put_document(&body, c->who, a->value);
	put_publication(&b, c, a, prim_buf_slice(&body));
	prim_buf_fini(&body);
	say(p, c, &b);
	return a->value;
}

/* ---- coming and going ---- */

static void lose(struct play *p, struct play_client *c)
{
	for (unsigned i = 0; i < c->asked_count; i++)
		play_lost(p, c->who, &c->asked[i]);
	c->asked_count = 0;
	c->is_in = false;
}

bool client_come(struct play *p, struct play_client *c, unsigned who)
{
	struct prim_buf b = { 0 };
	int name_len = (int)strcspn(play_address(who), "@");
	int credentials_len = (int)(strlen(play_address(who)) + name_len) + 9;
	char address[32];

	if (c->conn->fd >= 0)
		client_go(p, c, false);
	c->conn->in.len = c->conn->taken = c->conn->out.len = 0;
	c->conn->is_deaf = c->is_leaving = false;
	memset(c->is_over, 0, sizeof(c->is_over));
	c->who = who;
	c->came = ++p->number;
	/* Nobody is slowed down for what others of his place did. */
	(void)snprintf(address, sizeof(address), "192.0.2.%u", p->number % 250);
	talk_conn_open(&p->world, c->conn, address);
	prim_buf_putf(&b, "LOGIN PRIM-PR/1.0 r%u %d\r\nFrom: pres:%s\r\n",
	    asked_new(p, c, PRIM_METHOD_LOGIN)->number, credentials_len,
	    play_address(who));
	prim_buf_puts(&b, "Auth-State: init\r\nSASL-Mech: PLAIN\r\n\r\n");
	prim_buf_putf(&b, "%s\r\n%.*s secret", play_address(who), name_len,
	    play_address(who));
	say(p, c, &b);
	talk_world_turn(&p->world);
	client_hear(p, c);
	return c->is_in;
}

void client_go(struct play *p, struct play_client *c, bool half)
{
	if (c->conn->fd < 0)
		return;
	c->is_leaving = true;
	if (!half) {
		lose(p, c);
		c->conn->in.len = c->conn->taken = 0; /* never read */
	}
	talk_conn_close(&p->world, c->conn, half);
}

void client_logout(struct play *p, struct play_client *c)
{
	(void)p;
	if (!is_up(c))
		return;
	c->is_leaving = true;
	talk_conn_put(c->conn, PRIM_SLICE("LOGOUT PRIM-PR/1.0 - 0\r\n\r\n"));
}

/* ---- hearing ---- */

static void show(struct play *p, struct play_client *c, unsigned target,
    const struct play_view *view)
{
	struct play_pair *pair = &p->pairs[c->who][target];

	pair->is_shown[c->index] = true;
	pair->shown[c->index] = *view;
	pair->is_missed = false;
}

static void on_watch_answer(struct play *p, struct play_client *c,
    const struct play_asked *a, const struct prim_command *cmd)
{
	bool is_taken = cmd->code == PRIM_OK ||
	    cmd->code == PRIM_DURATION_ADJUSTED;
	struct play_view view;

	play_subscribed(p, c->who, a, cmd->code);
	play_read(p, cmd->body, &view);
	if (is_taken && a->method == PRIM_METHOD_SUBSCRIBE && a->seconds > 0)
		show(p, c, a->target, &view);
	if (is_taken && a->method == PRIM_METHOD_UNSUBSCRIBE &&
	    !p->pairs[c->who][a->target].is_haunted && !a->is_crossed)
		c->is_over[a->target] = true;
}

static struct play_asked take_asked(struct play *p, struct play_client *c,
    struct prim_slice id)
{
	struct play_asked a;
	uint64_t number = 0;
	unsigned i = 0;

	(void)prim_slice_number(prim_slice_from(id, 1), UINT32_MAX, &number);
	while (i < c->asked_count && c->asked[i].number != number)
		i++;
	play_expect(p, i < c->asked_count, "a client was answered twice");
	a = c->asked[i];
	c->asked_count--;
	memmove(&c->asked[i], &c->asked[i + 1],
	    (c->asked_count - i) * sizeof(a));
	return a;
}

static void on_answer(struct play *p, struct play_client *c,
    const struct prim_command *cmd)
{
	const struct play_asked a = take_asked(p, c, cmd->id);

	p->answers++;
	if (a.method == PRIM_METHOD_LOGIN)
		c->is_in = cmd->code == PRIM_OK;
	else if (publishes(a.method))
		play_published(p, c->who, &a, cmd->code);
	else if (watches_or_leaves(a.method))
		on_watch_answer(p, c, &a, cmd);
	else
		play_read(p, cmd->body, &c->fetched);
}

static void on_notify(struct play *p, struct play_client *c,
    const struct prim_command *cmd)
{
	unsigned target = play_target(prim_command_get(cmd, PRIM_HEADER_FROM));
	const char *answer = "200 OK";
	struct prim_buf b = { 0 };
	struct play_view view;

	p->notifies++;
	play_expect(p, target < PLAY_NOBODY, "a NOTIFY about a stranger");
	play_expect(p, !c->is_over[target],
	    "a NOTIFY after UNSUBSCRIBE was answered");
	play_read(p, cmd->body, &view);
	show(p, c, target, &view);
	if (play_may(p, PLAY_RUDE, 10))
		return;
	if (play_may(p, PLAY_RUDE, 10)) {
		answer = "404 Subscription Not Found";
		play_unsure(p, c->who, target);
	}
	prim_buf_putf(&b, "PRIM-PR/1.0 %.*s 0 %s\r\n\r\n",
	    PRIM_SLICE_ARG(cmd->id), answer);
	if (is_up(c))
		say(p, c, &b);
	prim_buf_fini(&b);
}

static void on_cancel(struct play *p, struct play_client *c,
    const struct prim_command *cmd)
{
	unsigned target = play_target(prim_command_get(cmd, PRIM_HEADER_FROM));

	play_expect(p, target < PLAY_NOBODY, "a stranger cancelled");
	play_unsure(p, c->who, target);
}

void client_hear(struct play *p, struct play_client *c)
{
	static struct prim_command cmd; /* large */

	while (play_next(c->conn, &cmd)) {
		p->heard++;
		play_trace(p, "client hears ", c->index, cmd.head);
		if (cmd.is_response)
			on_answer(p, c, &cmd);
		else if (cmd.method == PRIM_METHOD_NOTIFY)
			on_notify(p, c, &cmd);
		else if (cmd.method == PRIM_METHOD_CANCELSUBSCRIPTION)
			on_cancel(p, c, &cmd);
	}
	if (c->conn->is_ended && c->asked_count > 0)
		lose(p, c);
}
