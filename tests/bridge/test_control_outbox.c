/* SPDX-License-Identifier: ISC */
/* outbox list, show, retry, drop and quarantine. */
#include "tests/bridge/control_world.h"

#include "bridge/clock.h"

#define HOUR 3600000
#define LIST "outbox list"
#define SHOW "outbox show"

/* ---- what is in the store ---- */

static void on_put(void *arg, const struct br_store_put_result *r)
{
	int64_t *seq = arg;

	assert_int_equal(r->outcome, BR_STORE_DONE);
	*seq = r->seq;
}

static int64_t put(struct world *w, const struct br_store_message *m)
{
	int64_t seq = 0;

	br_store_message_put(w->control.store, m, on_put, &seq);
	br_store_settle(w->control.store);
	assert_true(seq > 0);
	return seq;
}

static struct br_store_message message(unsigned number)
{
	struct br_store_message m = {
		.destination = PRIM_SLICE("adapter:xmpp"),
		.origin = PRIM_SLICE("client"),
		.sender = PRIM_SLICE("ann@example.org"),
		.recipient = PRIM_SLICE("romeo@jabber.example"),
		.message_id = PRIM_SLICE("m1"),
		.head = PRIM_SLICE("Message-ID: m1\r\n"
				   "From: im:ann@example.org\r\n"
				   "To: im:romeo@jabber.example\r\n"
				   "Conversation-ID: c\r\n"
				   "Subject: \x1b[2J\r\n"),
		.body = PRIM_SLICE("the secret\x1b[2J"),
		.hops = 1,
		.accepted_ms = br_clock_wall_ms() - 2 * HOUR,
		.expires_ms = br_clock_wall_ms() + 22 * HOUR + 500,
		.notice_from = PRIM_SLICE("im:postmaster@example.org"),
	};

	memcpy(m.key.octets, &number, sizeof(number));
	memcpy(m.delivery.octets, &number, sizeof(number));
	m.octets = m.head.len + m.body.len;
	return m;
}

static int64_t put_one(struct world *w, unsigned number)
{
	struct br_store_message m = message(number);

	return put(w, &m);
}

static void on_done(void *arg, enum br_store_outcome outcome)
{
	assert_int_equal(outcome, BR_STORE_DONE);
	++*(unsigned *)arg;
}

/* It was tried twice and is tried again in a while. */
static void attempt(struct world *w, int64_t seq)
{
	const struct br_store_attempt a = {
		.seq = seq,
		.attempts = 2,
		.next_try_ms = br_clock_wall_ms() + 250 * 1000 + 900,
		.deaths = 1,
		.last_code = 504,
		.last_reason = PRIM_SLICE("no route\x1b to host"),
	};
	unsigned done = 0;

	br_store_message_attempt(w->control.store, &a, on_done, &done);
	br_store_settle(w->control.store);
	assert_int_equal(done, 1);
}

static void quarantine(struct world *w, int64_t seq)
{
	const struct br_store_end end = { .code = 500,
		.reason = PRIM_SLICE("poison") };
	unsigned done = 0;

	br_store_message_quarantine(w->control.store, seq, &end, on_done,
	    &done);
	br_store_settle(w->control.store);
	assert_int_equal(done, 1);
}

/* ---- asking ---- */

static void ask_list(struct world *w, const char *address)
{
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", LIST, "address", address,
		"after", ""));
}

static void ask_id(struct world *w, const char *command, int64_t seq)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)seq);
	ask_json(w, json_pack("{s:s, s:s}", "command", command, "id", id));
}

static void ask_show(struct world *w, int64_t seq, const char *body)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%lld", (long long)seq);
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", SHOW, "id", id, "body",
		body));
}

static const json_t *listed(const struct world *w, size_t i)
{
	return json_array_get(result(w, "messages"), i);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return text;
}

static long long number_of(const json_t *object, const char *name)
{
	const json_t *number = json_object_get(object, name);

	assert_true(json_is_integer(number));
	return (long long)json_integer_value(number);
}

/* ---- outbox list ---- */

static void an_empty_outbox_is_said(void **state)
{
	struct world *w = *state;

	ask_list(w, "");
	assert_int_equal(json_array_size(result(w, "messages")), 0);
	assert_shown(w, LIST, "Nothing waits.\n");
	assert_not_shown(w, LIST, "NEXT TRY");
}

static void a_list_tells_how_each_message_fares(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message(1);
	int64_t first = put(w, &m);
	int64_t third;

	attempt(w, first);
	m = message(2);
	m.destination = PRIM_SLICE("inbox:bob@example.org");
	m.recipient = PRIM_SLICE("bob@example.org");
	put(w, &m);
	m = message(3);
	m.recipient = PRIM_SLICE("bob@example.org");
	m.target = PRIM_SLICE("bob@friend.example");
	third = put(w, &m);
	quarantine(w, third);
	ask_list(w, "");
	assert_int_equal(number_of(listed(w, 0), "id"), first);
	assert_string_equal(text_of(listed(w, 0), "state"), "waiting");
	assert_string_equal(text_of(listed(w, 0), "via"), "xmpp");
	assert_int_equal(number_of(listed(w, 0), "tries"), 2);
	assert_int_equal(number_of(listed(w, 0), "last_code"), 504);
	assert_in_range(number_of(listed(w, 0), "next_try_in_s"), 240, 251);
	assert_in_range(number_of(listed(w, 0), "age_s"), 7199, 7260);
	assert_string_equal(text_of(listed(w, 1), "why"), "nobody listens");
	assert_string_equal(text_of(listed(w, 1), "waits_for"), "listener");
	assert_null(json_object_get(listed(w, 1), "next_try_in_s"));
	assert_string_equal(text_of(listed(w, 2), "state"), "quarantined");
	assert_string_equal(text_of(listed(w, 2), "target"),
	    "bob@friend.example");
	assert_shown(w, LIST, "NEXT TRY");
	assert_shown(w, LIST, " 504 no route\\x1B to host\n");
	assert_shown(w, LIST, " 2h0m ");
	assert_shown(w, LIST, "listener  waiting      nobody listens\n");
	assert_shown(w, LIST, "bob@example.org -> bob@friend.example ");
	assert_shown(w, LIST, "never     quarantined");
}

/* Waiting, quarantined, and the notice that quarantine made. */
static void a_list_ends_with_counts(void **state)
{
	struct world *w = *state;
	long long waiting;

	put_one(w, 1);
	quarantine(w, put_one(w, 2));
	ask_list(w, "");
	waiting = json_integer_value(result(w, "waiting"));
	assert_int_equal(json_integer_value(result(w, "quarantined")), 1);
	assert_int_equal(waiting + 1, json_array_size(result(w, "messages")));
	assert_true(waiting >= 1);
	assert_shown(w, LIST, " waiting, 1 quarantined.\n");
}

static void a_list_for_an_address_has_what_it_sends_and_gets(void **state)
{
	static const struct {
		const char *address;
		unsigned count;
	} CASES[] = {
		{"ann@example.org",       1},
		{ "im:ANN@example.org",   1},
		{ "romeo@jabber.example", 2},
		{ "bea@example.org",      2},
		{ "bea@friend.example",   1},
		{ "nobody@far.example",   0},
	};
	struct world *w = *state;
	struct br_store_message m = message(1);

	put(w, &m);
	m = message(2);
	m.sender = PRIM_SLICE("bea@example.org");
	put(w, &m);
	m = message(3);
	m.sender = PRIM_SLICE("carl@example.org");
	m.recipient = PRIM_SLICE("bea@example.org");
	m.target = PRIM_SLICE("bea@friend.example");
	put(w, &m);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		print_message("%s\n", CASES[i].address);
		ask_list(w, CASES[i].address);
		assert_int_equal(json_array_size(result(w, "messages")),
		    CASES[i].count);
		assert_int_equal(json_integer_value(result(w, "waiting")),
		    CASES[i].count);
	}
	assert_shown(w, LIST,
	    "Nothing waits from or for nobody@far.example.\n");
}

/* What waits from an account that is gone is still to be found. */
static void a_list_for_nobody_is_refused(void **state)
{
	struct world *w = *state;

	ask_list(w, "nobody@example.org");
	assert_error(w, "there is no account nobody@example.org; 'primctl");
	ask_list(w, "postmaster@example.org");
	assert_true(is_ok(w));
	make_account(w, "bob@example.org");
	ask_list(w, "bob@example.org");
	assert_shown(w, LIST, "Nothing waits from or for bob@example.org.\n");
	put_one(w, 1);
	ask_list(w, "ann@example.org");
	assert_int_equal(json_array_size(result(w, "messages")), 1);
}

static unsigned turn_pages(struct world *w, const char *address,
    unsigned *out_pages)
{
	json_t *after = json_string("");
	unsigned count = 0;

	for (*out_pages = 0; after; ++*out_pages) {
		ask_json(w,
		    json_pack("{s:s, s:s, s:o}", "command", LIST, "address",
			address, "after", after));
		assert_int_equal(json_is_true(result(w, "first")),
		    *out_pages == 0);
		count += (unsigned)json_array_size(result(w, "messages"));
		after = json_incref(json_object_get(json_object_get(w->answer,
							"result"),
		    "after"));
	}
	return count;
}

static void a_long_list_comes_in_pages_and_counts_all(void **state)
{
	static const struct {
		unsigned count, pages, pages_of_one;
	} CASES[] = {
		{499,   1, 1},
		{ 500,  1, 1},
		{ 501,  2, 1},
		{ 1200, 3, 1},
		{ 4001, 9, 2},
	};
	struct world *w = *state;
	struct br_store_message m;
	int64_t seq = 0;
	unsigned made = 0, pages;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		for (; made < CASES[i].count; made++) {
			m = message(made);
			if (made % 3 == 0)
				m.sender = PRIM_SLICE("bea@example.org");
			br_store_message_put(w->control.store, &m, on_put,
			    &seq);
		}
		br_store_settle(w->control.store);
		assert_int_equal(turn_pages(w, "", &pages), CASES[i].count);
		assert_int_equal(pages, CASES[i].pages);
		assert_int_equal(json_integer_value(result(w, "waiting")),
		    CASES[i].count);
		assert_int_equal(turn_pages(w, "bea@example.org", &pages),
		    (CASES[i].count + 2) / 3);
		assert_int_equal(pages, CASES[i].pages_of_one);
	}
}

/* ---- outbox show ---- */

static void a_message_is_shown_without_what_it_says(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 7);
	const json_t *headers;

	attempt(w, seq);
	ask_show(w, seq, "");
	headers = result(w, "headers");
	assert_int_equal(json_array_size(headers), 5);
	assert_string_equal(json_string_value(json_array_get(headers, 3)),
	    "Conversation-ID: c");
	assert_null(result(w, "body"));
	assert_int_equal(json_integer_value(result(w, "body_octets")), 14);
	assert_int_equal(json_integer_value(result(w, "deaths")), 1);
	assert_true(json_is_false(result(w, "told")));
	assert_shown(w, SHOW, "to          romeo@jabber.example\n");
	assert_shown(w, SHOW, "via         adapter:xmpp\n");
	assert_shown(w, SHOW, "Z (2h0m ago)\n");
	assert_shown(w, SHOW, "Z (in 22h0m)\n");
	assert_shown(w, SHOW, "state       waiting, next try in 4m1");
	assert_shown(w, SHOW,
	    "tries       2, 1 of them the death of the adapter\n");
	assert_shown(w, SHOW, "last word   504 no route\\x1B to host\n");
	assert_shown(w, SHOW, "sender      it has heard of no failure\n");
	assert_shown(w, SHOW, "Delivery-ID 07000000");
	assert_shown(w, SHOW, "  Subject: \\x1B[2J\n");
	assert_not_shown(w, SHOW, "secret");
}

static void what_it_says_is_shown_when_asked_for(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 7);
	struct br_store_message m = message(8);

	ask_show(w, seq, "yes");
	assert_shown(w, SHOW, "\n  the secret\\x1B[2J\n");
	m.body = PRIM_SLICE("a\0b");
	ask_show(w, put(w, &m), "yes");
	assert_shown(w, SHOW, "\n  a\\x00b\n");
}

/* A body is cut between characters. */
static void a_long_body_is_cut(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message(9);
	size_t len = (1 << 20) + 2;
	char *text = prim_alloc(len);
	const char *shown_body;

	memset(text, 'x', len);
	memcpy(text + (1 << 20) - 1, "\xc3\xa9", 2);
	m.body = prim_slice_make(text, len);
	ask_show(w, put(w, &m), "yes");
	shown_body = json_string_value(result(w, "body"));
	assert_int_equal(strlen(shown_body), (1 << 20) - 1);
	assert_true(json_is_true(result(w, "body_is_cut")));
	prim_free(text);
}

static void it_is_told_what_a_sender_knows(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message(1);
	int64_t seq;

	m.reports = BR_REPORT_POSITIVE | BR_REPORT_NEGATIVE;
	seq = put(w, &m);
	quarantine(w, seq);
	ask_show(w, seq, "");
	assert_shown(w, SHOW, "sender      it was told that this failed\n");
	assert_shown(w, SHOW, "asked for   delivery, failure\n");
	assert_shown(w, SHOW, "state       quarantined, kept for 30 days\n");
	assert_not_shown(w, SHOW, "expires");
	m = message(2);
	m.notice_from = PRIM_SLICE_NONE;
	ask_show(w, put(w, &m), "");
	assert_shown(w, SHOW, "sender      it cannot be told\n");
	m = message(3);
	m.notice_from = PRIM_SLICE_NONE;
	m.is_notice = true;
	ask_show(w, put(w, &m), "");
	assert_shown(w, SHOW, "sender      this is a notice itself");
}

/* ---- by the running server ---- */

static struct {
	int64_t seq;
	enum br_outbox_verb verb;
	unsigned orders;
	const char *why;
	bool under_way;
	const char *state; /* of the adapter; NULL: it is up */
	unsigned listeners;
	bool is_due;      /* no time is set for it */
	int64_t ahead_ms; /* of the wall clock */
} server;

static void server_outbox(void *ctx, int64_t seq, enum br_outbox_verb verb,
    br_outbox_done_fn done, void *arg)
{
	(void)ctx;
	server.seq = seq;
	server.verb = verb;
	server.orders++;
	done(arg, server.why);
}

static void server_outbox_state(void *ctx, int64_t seq, bool in_detail,
    json_t *into)
{
	(void)ctx;
	(void)seq;
	json_object_set_new(into, "under_way", json_boolean(server.under_way));
	if (!server.is_due)
		json_object_set_new(into, "next_try_in_s", json_integer(70));
	if (in_detail) {
		json_object_set_new(into, "position", json_integer(3));
		json_object_set_new(into, "lane", json_integer(7));
	}
}

static void server_route_state(void *ctx, const struct br_control_way *way,
    json_t *into)
{
	(void)ctx;
	if (!way->adapter) {
		json_object_set_new(into, "listeners",
		    json_integer(server.listeners));
		return;
	}
	assert_string_equal(way->adapter->name, "xmpp");
	json_object_set_new(into, "up", json_boolean(!server.state));
	json_object_set_new(into, "state",
	    json_string(server.state ? server.state : "up"));
}

static int64_t server_now(void *ctx)
{
	(void)ctx;
	return br_clock_wall_ms() + server.ahead_ms;
}

static const struct br_control_ops SERVER = {
	.now_ms = server_now,
	.route_state = server_route_state,
	.outbox = server_outbox,
	.outbox_state = server_outbox_state,
};

static int setup_server(void **state)
{
	struct world *w;

	setup(state);
	w = *state;
	w->control.ops = &SERVER;
	w->control.ctx = w;
	memset(&server, 0, sizeof(server));
	return 0;
}

/* After a jump of the wall clock it goes by another. */
static void times_are_seen_from_the_clock_of_the_server(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	server.ahead_ms = HOUR;
	ask_list(w, "");
	assert_in_range(number_of(listed(w, 0), "age_s"), 3 * 3600 - 1,
	    3 * 3600 + 60);
	ask_show(w, seq, "");
	assert_in_range(number_of(json_object_get(w->answer, "result"),
			    "expires_in_s"),
	    21 * 3600 - 60, 21 * 3600 + 1);
}

static void a_server_says_what_is_under_way(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	attempt(w, seq);
	ask_list(w, "");
	assert_shown(w, LIST, "1m10s     waiting");
	server.state = "ready";
	ask_list(w, "");
	assert_shown(w, LIST, "link      waiting      504 no route");
	ask_show(w, seq, "");
	assert_shown(w, SHOW,
	    "state       waiting for the link of its adapter, 3 of 7 in");
	server.under_way = true;
	ask_list(w, "");
	assert_string_equal(text_of(listed(w, 0), "state"), "under way");
	assert_null(json_object_get(listed(w, 0), "next_try_in_s"));
	assert_null(json_object_get(listed(w, 0), "position"));
	assert_shown(w, LIST, "-         under way");
	ask_show(w, seq, "");
	assert_shown(w, SHOW, "state       under way, 3 of 7 in its lane\n");
}

/* The link went down, or the adapter with it. */
static void lose(struct world *w, int64_t seq)
{
	const struct br_store_attempt a = { .seq = seq,
		.attempts = 1,
		.last_reason = PRIM_SLICE("link lost") };
	unsigned done = 0;

	br_store_message_attempt(w->control.store, &a, on_done, &done);
	br_store_settle(w->control.store);
}

static void it_is_told_which_part_of_the_way_is_missing(void **state)
{
	static const struct {
		const char *state; /* of the adapter */
		const char *shown, *in_detail;
	} CASES[] = {
		{"ready",     "link      waiting      link lost\n",
                 "waiting for the link of its adapter"							     },
		{ "stopped",
                 "adapter   waiting      its adapter does not run\n", "waiting for its adapter, which does not run"},
		{ "starting",
                 "adapter   waiting      its adapter does not run\n", "waiting for its adapter, which does not run"},
		{ NULL,       "turn      waiting      link lost\n",
                 "waiting for its turn"									    },
	};
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	server.is_due = true;
	server.state = "ready";
	ask_list(w, "");
	assert_shown(w, LIST,
	    "link      waiting      its adapter is cut off\n");
	lose(w, seq);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		server.state = CASES[i].state;
		ask_list(w, "");
		assert_shown(w, LIST, CASES[i].shown);
		ask_show(w, seq, "");
		assert_shown(w, SHOW, CASES[i].in_detail);
	}
}

/* Its first target refused it: it was tried once, and now it waits here. */
static void what_came_back_to_an_inbox_waits_for_a_listener(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message(1);
	const struct br_store_attempt tried = { .attempts = 1 };
	struct br_store_attempt a = tried;
	unsigned done = 0;

	m.destination = PRIM_SLICE("inbox:bob@example.org");
	m.recipient = PRIM_SLICE("bob@example.org");
	a.seq = put(w, &m);
	br_store_message_attempt(w->control.store, &a, on_done, &done);
	br_store_settle(w->control.store);
	server.is_due = true;
	ask_list(w, "");
	assert_shown(w, LIST, "1  listener  waiting      nobody listens\n");
	ask_show(w, a.seq, "");
	assert_shown(w, SHOW, "state       waiting for somebody who listens");
	server.listeners = 1;
	ask_list(w, "");
	assert_shown(w, LIST, "1  turn      waiting      no word of it yet\n");
	server.under_way = true;
	ask_list(w, "");
	assert_shown(w, LIST, "1  -         under way    no word of it yet\n");
}

static void a_server_is_given_the_order(void **state)
{
	static const struct {
		const char *command;
		enum br_outbox_verb verb;
		const char *shown;
	} CASES[] = {
		{"outbox retry",       BR_OUTBOX_RETRY,      "is tried now.\n"},
		{ "outbox drop",       BR_OUTBOX_DROP,
                 "is dropped. Its sender gets a notice.\n"                    },
		{ "outbox quarantine", BR_OUTBOX_QUARANTINE,
                 "is quarantined. Its sender gets a notice.\n"                },
	};
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	make_account(w, "ann@example.org");
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		ask_id(w, CASES[i].command, seq);
		assert_shown(w, CASES[i].command, CASES[i].shown);
		assert_int_equal(server.orders, i + 1);
		assert_int_equal(server.seq, seq);
		assert_int_equal(server.verb, CASES[i].verb);
	}
	server.why = "it is just being handed over";
	ask_id(w, "outbox drop", seq);
	assert_error(w, "it is just being handed over");
}

/* ---- in the store ---- */

static void without_a_server_a_retry_waits_for_none(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	attempt(w, seq);
	ask_id(w, "outbox retry", seq);
	assert_shown(w, "outbox retry", "is tried when primd starts.\n");
	ask_show(w, seq, "");
	assert_null(result(w, "next_try_in_s"));
	assert_int_equal(json_integer_value(result(w, "tries")), 2);
	assert_int_equal(json_integer_value(result(w, "deaths")), 1);
	assert_string_equal(json_string_value(result(w, "why")),
	    "no route\x1b to host");
	assert_shown(w, SHOW, "state       waiting for primd to start\n");
	ask_list(w, "");
	assert_shown(w, LIST, "primd     waiting      504 ");
}

static void without_a_server_nobody_listens(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message(1);
	int64_t seq;

	m.destination = PRIM_SLICE("inbox:bob@example.org");
	m.recipient = PRIM_SLICE("bob@example.org");
	seq = put(w, &m);
	ask_id(w, "outbox retry", seq);
	assert_error(w, "cannot be tried: it waits for somebody who listens");
	quarantine(w, seq);
	ask_id(w, "outbox retry", seq);
	assert_shown(w, "outbox retry",
	    "is back in the outbox and waits for somebody who listens. Its "
	    "sender was told already");
}

static void without_a_server_a_quarantined_one_comes_back(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	quarantine(w, seq);
	ask_id(w, "outbox retry", seq);
	assert_shown(w, "outbox retry",
	    "is back in the outbox and is tried when primd starts. Its sender "
	    "was told already that it failed, and is not told again");
	ask_show(w, seq, "");
	assert_string_equal(json_string_value(result(w, "state")), "waiting");
	assert_in_range(json_integer_value(result(w, "expires_in_s")), 86000,
	    86401);
}

/* The rest is a notice about it. */
static void without_a_server_one_is_dropped(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	make_account(w, "ann@example.org");
	ask_id(w, "outbox drop", seq);
	assert_shown(w, "outbox drop", "Its sender gets a notice.\n");
	ask_show(w, seq, "");
	assert_error(w, "there is no message");
	ask_list(w, "");
	assert_int_equal(json_array_size(result(w, "messages")), 1);
	assert_string_equal(text_of(listed(w, 0), "to"), "ann@example.org");
	assert_string_equal(text_of(listed(w, 0), "from"),
	    "postmaster@example.org");
}

static void without_a_server_one_is_quarantined_once(void **state)
{
	struct world *w = *state;
	int64_t seq = put_one(w, 1);

	ask_id(w, "outbox quarantine", seq);
	assert_true(is_ok(w));
	ask_show(w, seq, "");
	assert_string_equal(json_string_value(result(w, "state")),
	    "quarantined");
	ask_id(w, "outbox quarantine", seq);
	assert_error(w, "is quarantined already");
	ask_id(w, "outbox drop", seq);
	assert_shown(w, "outbox drop",
	    "is dropped. Its sender was told before that it failed.\n");
	ask_list(w, "");
	assert_int_equal(json_array_size(result(w, "messages")), 1);
}

static void who_has_the_name_of_a_sender_now_is_not_told(void **state)
{
	static const struct {
		const char *name;
		int64_t age; /* of the account; 0: there is none */
		const char *shown;
	} CASES[] = {
		{"gone@example.org",   0,        "Its sender cannot be told.\n"},
		{ "again@example.org", HOUR,     "Its sender cannot be told.\n"},
		{ "there@example.org", 3 * HOUR,
                 "Its sender gets a notice.\n"                                 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct br_store_account a = {
			.key = prim_slice_of(CASES[i].name),
			.address = prim_slice_of(CASES[i].name),
			.created_ms = br_clock_wall_ms() - CASES[i].age,
			.iterations = 4096,
		};
		struct br_store_message m = message((unsigned)i);

		print_message("%s\n", CASES[i].name);
		m.sender = a.key;
		if (CASES[i].age)
			br_store_account_put(w->control.store, &a, NULL, NULL);
		br_store_settle(w->control.store);
		ask_id(w, "outbox drop", put(w, &m));
		assert_shown(w, "outbox drop", CASES[i].shown);
	}
}

/* ---- what is wrong ---- */

/* clang-format off */
#define LONG "0123456789012345678901234567890123456789"

static const struct {
	const char *name;
	const char *command;
	const char *id;
	const char *error; /* part of it */
} REFUSED[] = {
	{ "no number", "outbox retry", "m1", "'m1' is not the ID" },
	{ "nothing", "outbox drop", "", "'' is not the ID" },
	{ "nought", "outbox drop", "0", "'0' is not the ID" },
	{ "a negative one", "outbox quarantine", "-1", "is not the ID" },
	{ "too long", "outbox retry", "9999999999999999999", "is not the ID" },
	{ "hostile", "outbox drop", LONG LONG LONG,
	    "'" LONG LONG "...' is not the ID" },
	{ "unknown to retry", "outbox retry", "99", "no message 99" },
	{ "unknown to drop", "outbox drop", "99", "no message 99" },
	{ "unknown to quarantine", "outbox quarantine", "9223372036854775807",
	    "there is no message 9223372036854775807 in the outbox" },
};

/* clang-format on */

static void an_unknown_message_is_refused(void **state)
{
	struct world *w = *state;

	put_one(w, 1);
	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		print_message("%s\n", REFUSED[i].name);
		ask_json(w,
		    json_pack("{s:s, s:s}", "command", REFUSED[i].command, "id",
			REFUSED[i].id));
		assert_error(w, REFUSED[i].error);
	}
	ask_show(w, 99, "");
	assert_error(w, "there is no message 99 in the outbox");
	ask_list(w, "ann");
	assert_error(w, "is not an address");
	assert_int_equal(server.orders, 0);
}

static void a_mark_of_somebody_else_is_refused(void **state)
{
	static const char *const MARKS[] = { "x", "1", "1 2", "1 2 x",
		"1 2 3 4", " 1 2 3", "-1 0 0" };
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(MARKS); i++) {
		ask_json(w,
		    json_pack("{s:s, s:s, s:s}", "command", LIST, "address", "",
			"after", MARKS[i]));
		assert_error(w, "what the page before said");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SERVER_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_server, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_outbox_is_said),
		TEST(a_list_tells_how_each_message_fares),
		TEST(a_list_ends_with_counts),
		TEST(a_list_for_an_address_has_what_it_sends_and_gets),
		TEST(a_list_for_nobody_is_refused),
		TEST(a_long_list_comes_in_pages_and_counts_all),
		TEST(a_message_is_shown_without_what_it_says),
		TEST(what_it_says_is_shown_when_asked_for),
		TEST(a_long_body_is_cut),
		TEST(it_is_told_what_a_sender_knows),
		SERVER_TEST(times_are_seen_from_the_clock_of_the_server),
		SERVER_TEST(a_server_says_what_is_under_way),
		SERVER_TEST(it_is_told_which_part_of_the_way_is_missing),
		SERVER_TEST(what_came_back_to_an_inbox_waits_for_a_listener),
		SERVER_TEST(a_server_is_given_the_order),
		TEST(without_a_server_a_retry_waits_for_none),
		TEST(without_a_server_nobody_listens),
		TEST(without_a_server_a_quarantined_one_comes_back),
		TEST(without_a_server_one_is_dropped),
		TEST(without_a_server_one_is_quarantined_once),
		TEST(who_has_the_name_of_a_sender_now_is_not_told),
		SERVER_TEST(an_unknown_message_is_refused),
		TEST(a_mark_of_somebody_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
