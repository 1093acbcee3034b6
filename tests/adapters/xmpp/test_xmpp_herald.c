/* SPDX-License-Identifier: ISC */
/* Presence as stanzas on one side and requests on the other. */

#include "tests/lib/t.h"

#include "adapters/xmpp/herald.h"
#include "adapters/xmpp/stanza.h"
#include "tests/adapters/xmpp/fake_bridge.h"

#define DOCUMENT(entity)                                                      \
	"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='" entity       \
	"'><tuple id='ID-phone'><status><basic>open</basic></status></tuple>" \
	"</presence>"

/* Legs that are never connected: what they would send collects in them. */
struct world {
	struct bridge bridge;
	xmpp_ctx_t *xmpp;
	struct xa_leg legs[2];
	struct xa_herald herald;
};

static void leg_up(void *ctx, struct xa_leg *leg)
{
	(void)ctx;
	(void)leg;
}

static bool leg_message(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message)
{
	(void)ctx;
	(void)leg;
	(void)message;
	return true;
}

static void leg_report(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text)
{
	(void)ctx;
	(void)delivery_id;
	(void)code;
	(void)text;
}

static const struct xa_leg_ops LEG_OPS = {
	.up = leg_up,
	.down = leg_up,
	.message = leg_message,
	.report = leg_report,
};

static bool routes(void *ctx, struct prim_slice domain)
{
	return bridge_routes(ctx, domain);
}

static void init_leg(struct world *w, unsigned i, const char *host)
{
	const struct xa_leg_setup setup = {
		.bridge = &w->bridge,
		.xmpp = w->xmpp,
		.ops = &LEG_OPS,
		.ctx = w,
		.server = PRIM_SLICE("127.0.0.1:1"),
		.host = prim_slice_of(host),
		.secret = PRIM_SLICE("test"),
	};

	xa_leg_init(&w->legs[i], &setup);
}

static int setup(void **state)
{
	struct world *w = prim_new(struct world);
	struct xa_herald_setup s = {
		.bridge = &w->bridge,
		.legs = w->legs,
		.leg_count = 2,
		.way = {
			.domain = PRIM_SLICE("prim.example"),
			.gateway = PRIM_SLICE("gw.example"),
			.routes = routes,
			.ctx = &w->bridge,
		},
	};

	w->bridge.base = event_base_new();
	w->bridge.now_ms = INT64_C(1793004800000);
	w->bridge.room = 256;
	w->bridge.routed = "jabber.example";
	s.xmpp = w->xmpp = xa_stanza_context();
	init_leg(w, 0, "prim.example");
	init_leg(w, 1, "gw.example");
	xa_herald_init(&w->herald, &s);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	xa_herald_fini(&w->herald);
	xa_leg_fini(&w->legs[0]);
	xa_leg_fini(&w->legs[1]);
	xmpp_ctx_free(w->xmpp);
	event_base_free(w->bridge.base);
	fake_fini(&w->bridge);
	prim_free(w);
	return 0;
}

static void begin(struct world *w)
{
	assert_true(xa_herald_state(&w->herald, NULL, NULL));
	xa_herald_up(&w->herald, &w->legs[0]);
	xa_herald_up(&w->herald, &w->legs[1]);
}

static void hear(struct world *w, unsigned leg, const char *xml)
{
	xmpp_stanza_t *s = xmpp_stanza_new_from_string(w->xmpp, xml);

	assert_non_null(s);
	xa_herald_hear(&w->herald, &w->legs[leg], s);
	xmpp_stanza_release(s);
}

static const char *or_none(const char *value)
{
	return value ? value : "-";
}

/* Without the number that it ends with, if it is one of ours. */
static int id_len(const char *id)
{
	const char *end = strchr(id, '-');

	return (int)(end ? end + 1 - id : (ptrdiff_t)strlen(id));
}

/* What the leg said since it was asked last: "type from to id", or nothing. */
static void assert_heard(struct world *w, unsigned leg, const char *text)
{
	struct prim_buf *b = &w->legs[leg].unsent;
	xmpp_stanza_t *s = NULL;
	char said[256] = "";
	const char *id;

	if (b->len) {
		s = xmpp_stanza_new_from_string(w->xmpp, fake_text(b));
		assert_non_null(s);
		id = or_none(xmpp_stanza_get_id(s));
		snprintf(said, sizeof(said), "%s %s %s %.*s",
		    or_none(xmpp_stanza_get_type(s)),
		    or_none(xmpp_stanza_get_from(s)),
		    or_none(xmpp_stanza_get_to(s)), id_len(id), id);
		xmpp_stanza_release(s);
	}
	assert_string_equal(said, text);
	prim_buf_reset(b);
}

static void assert_asked(struct world *w, const char *text)
{
	struct prim_buf *b = &w->bridge.presence;

	if (!strstr(fake_text(b), text))
		fail_msg("%s\nhas no %s", b->ptr, text);
	prim_buf_reset(b);
}

static void outcome(struct world *w, const char *watcher,
    const char *presentity, unsigned code)
{
	const struct bridge_presence_outcome o = {
		.kind = BRIDGE_SUBSCRIBE,
		.watcher = prim_slice_of(watcher),
		.presentity = prim_slice_of(presentity),
		.id = prim_buf_slice(&w->bridge.id),
		.code = code,
		.duration_s = 3600,
	};

	xa_herald_outcome(&w->herald, &o);
}

static unsigned notify(struct world *w, const char *watcher,
    const char *presentity, const char *body)
{
	const struct bridge_notification n = {
		.watcher = prim_slice_of(watcher),
		.presentity = prim_slice_of(presentity),
		.id = prim_buf_slice(&w->bridge.id),
		.content_type = PRIM_SLICE("application/pidf+xml"),
		.body = prim_slice_of(body),
		.duration_s = 3600,
	};

	return xa_herald_notify(&w->herald, &n);
}

static unsigned subscribe(struct world *w, const char *watcher,
    const char *presentity)
{
	const struct bridge_subscription s = {
		.watcher = prim_slice_of(watcher),
		.presentity = prim_slice_of(presentity),
		.id = PRIM_SLICE("s1"),
		.duration_s = 3600,
	};
	uint32_t granted_s;

	return xa_herald_subscribe(&w->herald, &s, &granted_s);
}

static void a_user_follows_a_principal(void **state)
{
	struct world *w = *state;

	begin(w);
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='subscribe' "
	    "id='7' from='Juliet@jabber.example/balcony' "
	    "to='Romeo@PRIM.example'/>");
	assert_asked(w,
	    "subscribe pres:juliet@jabber.example "
	    "pres:romeo@prim.example 3600\n");
	outcome(w, "pres:juliet@jabber.example", "pres:romeo@prim.example",
	    200);
	assert_heard(w, 0,
	    "subscribed romeo@prim.example juliet@jabber.example -");
	assert_int_equal(notify(w, "pres:juliet@jabber.example",
			     "pres:romeo@prim.example",
			     DOCUMENT("pres:romeo@prim.example")),
	    200);
	assert_heard(w, 0,
	    "- romeo@prim.example/phone juliet@jabber.example -");
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='probe' id='8' "
	    "from='juliet@jabber.example/desk' to='romeo@prim.example'/>");
	assert_heard(w, 0,
	    "- romeo@prim.example/phone juliet@jabber.example/desk 8");
	assert_int_equal(notify(w, "pres:juliet@jabber.example",
			     "pres:romeo@prim.example",
			     DOCUMENT("pres:tybalt@prim.example")),
	    400);
}

static void a_refusal_carries_the_id_of_the_request(void **state)
{
	struct world *w = *state;

	begin(w);
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='subscribe' "
	    "id='7' from='juliet@jabber.example' to='romeo@prim.example'/>");
	outcome(w, "pres:juliet@jabber.example", "pres:romeo@prim.example",
	    403);
	assert_non_null(strstr(fake_text(&w->legs[0].unsent), "id=\"7\""));
	assert_non_null(strstr(fake_text(&w->legs[0].unsent),
	    "<item-not-found"));
}

static void the_gateway_stands_for_other_domains(void **state)
{
	struct world *w = *state;

	begin(w);
	hear(w, 1,
	    "<presence xmlns='jabber:component:accept' type='subscribe' "
	    "from='benvolio@far.example/x' "
	    "to='mercutio\\40verona.example@gw.example'/>");
	assert_asked(w,
	    "subscribe pres:benvolio%40far.example@gw.example "
	    "pres:mercutio@verona.example 3600\n");
	outcome(w, "pres:benvolio%40far.example@gw.example",
	    "pres:mercutio@verona.example", 200);
	assert_heard(w, 0, "");
	assert_heard(w, 1,
	    "subscribed mercutio\\40verona.example@gw.example benvolio@far.example -");
}

static void a_principal_watches_a_user(void **state)
{
	struct world *w = *state;

	begin(w);
	assert_int_equal(subscribe(w, "pres:o'malley@prim.example",
			     "pres:tsch%C3%BCss@jabber.example"),
	    200);
	assert_heard(w, 0,
	    "subscribe o\\27malley@prim.example tsch\xc3\xbcss@jabber.example subscribe-");
	assert_asked(w,
	    "notify pres:o'malley@prim.example "
	    "pres:tsch%C3%BCss@jabber.example s1\n");
	assert_non_null(strstr(fake_text(&w->bridge.document),
	    "<basic>closed</basic>"));
}

static void what_has_no_counterpart_is_refused(void **state)
{
	struct world *w = *state;

	begin(w);
	assert_int_equal(subscribe(w, "pres:romeo@prim.example",
			     "pres:a%20@jabber.example"),
	    403);
	assert_int_equal(subscribe(w, "pres:romeo@prim.example",
			     "pres:x@prim.example"),
	    403);
	assert_int_equal(notify(w, "pres:juliet@jabber.example",
			     "pres:romeo@prim.example",
			     DOCUMENT("pres:romeo@prim.example")),
	    403);
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='subscribe' "
	    "from='juliet@jabber.example' to='\\20x@prim.example'/>");
	assert_non_null(strstr(fake_text(&w->legs[0].unsent),
	    "<jid-malformed"));
	assert_int_equal(w->bridge.presence.len, 0);
}

static void the_bridge_itself_has_no_presence(void **state)
{
	struct world *w = *state;

	begin(w);
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='probe' "
	    "from='juliet@jabber.example/x' to='prim.example'/>");
	assert_heard(w, 0, "");
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='subscribe' "
	    "from='juliet@jabber.example' to='prim.example'/>");
	assert_heard(w, 0, "unsubscribed prim.example juliet@jabber.example -");
}

/* Two bridges at one server, or a server that lies. */
static void who_is_of_our_domains_is_no_user(void **state)
{
	static const char *const CASES[] = {
		"<presence xmlns='jabber:component:accept' type='probe' "
		"from='romeo@PRIM.example/x' to='tybalt@prim.example'/>",
		"<presence xmlns='jabber:component:accept' type='subscribe' "
		"from='a\\40b.example@gw.example' to='romeo@prim.example'/>",
	};
	struct world *w = *state;

	begin(w);
	hear(w, 0, CASES[0]);
	assert_heard(w, 0, "");
	hear(w, 0, CASES[1]);
	assert_non_null(strstr(fake_text(&w->legs[0].unsent),
	    "<jid-malformed"));
	assert_int_equal(w->bridge.presence.len, 0);
}

/* Nothing of it may be answered, nor remembered. */
static void nonsense_is_passed_over(void **state)
{
	static const char *const CASES[] = {
		"<presence xmlns='jabber:component:accept'/>",
		"<presence xmlns='jabber:component:accept' from='a@b'/>",
		"<presence xmlns='jabber:component:accept' from='a@b' to='/'/>",
		"<presence xmlns='jabber:component:accept' type='dance' "
		"from='a@b' to='romeo@prim.example'/>",
		"<presence xmlns='jabber:component:accept' from='b' "
		"to='romeo@prim.example' type='subscribed'/>",
		"<presence xmlns='jabber:component:accept' from='a@b/c' "
		"to='romeo@elsewhere.example'/>",
		"<presence xmlns='jabber:component:accept' from='a@b/c' "
		"to='romeo@prim.example'><show>mad</show></presence>",
		"<presence xmlns='jabber:component:accept' type='error' "
		"from='a@b/c' to='romeo@prim.example'/>",
		"<presence xmlns='jabber:component:accept' "
		"type='unsubscribe' from='a@b' to='romeo@prim.example'/>",
	};
	struct world *w = *state;
	struct xa_counts counts = { .values = { 0 } };

	begin(w);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		hear(w, 0, CASES[i]);
	assert_heard(w, 0, "");
	assert_int_equal(w->bridge.presence.len, 0);
	xa_herald_count(&w->herald, &counts);
	assert_int_equal(counts.values[XA_COUNT_CONTACTS], 0);
	assert_int_equal(counts.values[XA_COUNT_PRESENCE_IN],
	    PRIM_COUNT(CASES));
}

static void records_of_others_and_of_later_are_left_alone(void **state)
{
	struct world *w = *state;
	const struct prim_slice other = PRIM_SLICE("mood/1");
	const struct prim_slice later = PRIM_SLICE("presence/1");
	const struct prim_slice value = PRIM_SLICE("2\n");

	assert_false(xa_herald_state(&w->herald, &other, &value));
	assert_int_equal(w->herald.unread, 0);
	assert_false(xa_herald_state(&w->herald, &later, &value));
	assert_int_equal(w->herald.unread, 1);
	begin(w);
	hear(w, 0,
	    "<presence xmlns='jabber:component:accept' type='probe' "
	    "from='juliet@jabber.example/x' to='romeo@prim.example'/>");
	assert_heard(w, 0, "");
	assert_int_equal(w->bridge.presence.len, 0);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_user_follows_a_principal),
		TEST(a_refusal_carries_the_id_of_the_request),
		TEST(the_gateway_stands_for_other_domains),
		TEST(a_principal_watches_a_user),
		TEST(what_has_no_counterpart_is_refused),
		TEST(the_bridge_itself_has_no_presence),
		TEST(who_is_of_our_domains_is_no_user),
		TEST(nonsense_is_passed_over),
		TEST(records_of_others_and_of_later_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
