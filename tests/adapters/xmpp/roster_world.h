/* SPDX-License-Identifier: ISC */
#ifndef TESTS_ADAPTERS_XMPP_ROSTER_WORLD_H
#define TESTS_ADAPTERS_XMPP_ROSTER_WORLD_H

/*
 * A roster with nothing around it: a clock that is turned by hand, and a list
 * of what it says to XMPP, to the core and to STATE. Tests are rows of words:
 * what happens, and what is said then, in short:
 *
 *	subscribe, probe, ...  a stanza between the bare JIDs
 *	+phone away, -phone    presence of a resource; "-" the bare JID's; with
 *	                       ">desk" when it goes to one resource only
 *	SUBSCRIBE, UNSUBSCRIBE asked of the core
 *	NOTIFY s1 +phone -desk a document; "end" behind it when it is the last
 *	keep, forget           STATE (not said unless `shows_state`)
 *
 * To be included by one file of a test program, after tests/lib/t.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/xmpp/record.h"
#include "adapters/xmpp/roster.h"
#include "prim/base.h"
#include "prim/pidf.h"
#include "prim/status.h"

#define BEGIN_MS   INT64_C(1793004800000)
#define RECORD_MAX 8

struct record {
	char *key, *value; /* owned */
};

struct world {
	const struct xa_roster_ops *ops;
	struct xa_roster *roster;
	int64_t now_ms;
	uint64_t random;
	struct prim_buf said;
	unsigned room;
	bool is_busy; /* the leg has much to send */
	bool is_gateway_clear;
	bool shows_state;
	bool is_refused;    /* the bridge takes no SUBSCRIBE */
	char sub_id[64];    /* of the last SUBSCRIBE of ours */
	char notify_id[64]; /* of the last NOTIFY of ours */
	char word_id[64];   /* of the last stanza with an id of ours */
	struct record records[RECORD_MAX];
	unsigned record_count;
	unsigned written; /* records put or dropped, ever */
	struct prim_pidf pidf;
	unsigned shown;
	char logged[96]; /* the last line */
};

static const struct xa_pair PAIR = {
	.ours = {"romeo@prim.example",          18},
	.theirs = { "juliet@jabber.example",      21},
	.principal = { "pres:romeo@prim.example",    23},
	.user = { "pres:juliet@jabber.example", 26},
};

static void put_word(struct world *w, const char *text)
{
	if (w->said.len)
		prim_buf_puts(&w->said, "; ");
	prim_buf_puts(&w->said, text);
}

static void fake_say(void *ctx, unsigned leg, const struct xa_word *word)
{
	struct world *w = ctx;

	(void)leg;
	put_word(w, word->type);
	if (word->id && !word->error)
		snprintf(w->word_id, sizeof(w->word_id), "%s", word->id);
	if (word->error) {
		prim_buf_puts(&w->said, " ");
		prim_buf_puts(&w->said, word->error->condition);
	}
	w->shown++;
}

static void fake_show(void *ctx, unsigned leg, const struct xa_presence *p,
    const struct xa_presence_route *route)
{
	static const char *const SHOWS[] = { "", " chat", " away", " xa",
		" dnd" };
	struct world *w = ctx;
	const char *to = strchr(route->to, '/');

	(void)leg;
	put_word(w, p->is_available ? "+" : "-");
	if (p->resource)
		prim_buf_puts(&w->said, p->resource);
	prim_buf_puts(&w->said, SHOWS[p->show]);
	if (p->status_count)
		prim_buf_putf(&w->said, " '%s'", p->statuses[0].text);
	if (to)
		prim_buf_putf(&w->said, ">%s", to + 1);
	w->shown++;
}

static bool fake_is_clear(void *ctx, unsigned leg)
{
	const struct world *w = ctx;

	return !w->is_busy || (leg == 1 && w->is_gateway_clear);
}

static void keep_id(char to[64], struct prim_slice id)
{
	snprintf(to, 64, "%.*s", PRIM_SLICE_ARG(id));
}

static bool fake_subscribe(void *ctx, const struct bridge_subscription *s)
{
	struct world *w = ctx;
	char old[64];

	if (w->is_refused)
		return false;
	memcpy(old, w->sub_id, sizeof(old));
	keep_id(w->sub_id, s->id);
	put_word(w,
	    strcmp(old, w->sub_id) == 0 ? "SUBSCRIBE again" : "SUBSCRIBE");
	assert_int_equal(s->duration_s, 3600);
	w->room--;
	return true;
}

static bool fake_unsubscribe(void *ctx, const struct bridge_subscription *s)
{
	struct world *w = ctx;

	(void)s;
	put_word(w, "UNSUBSCRIBE");
	w->room--;
	return true;
}

static void put_document(struct world *w, struct prim_slice body)
{
	const char *why = NULL;

	if (!prim_pidf_parse(&w->pidf, body, &why))
		fail_msg("%s: %.*s", why, PRIM_SLICE_ARG(body));
	assert_true(w->pidf.tuple_count > 0);
	for (unsigned i = 0; i < w->pidf.tuple_count; i++) {
		const struct prim_pidf_tuple *t = &w->pidf.tuples[i];

		prim_buf_putf(&w->said, " %s%.*s",
		    t->basic == PRIM_BASIC_OPEN ? "+" : "-",
		    PRIM_SLICE_ARG(prim_slice_from(t->id, 3)));
		if (t->show.len)
			prim_buf_putf(&w->said, " %.*s",
			    PRIM_SLICE_ARG(t->show));
		if (t->note_count)
			prim_buf_putf(&w->said, " '%.*s'",
			    PRIM_SLICE_ARG(t->notes[0].text));
	}
}

static bool fake_notify(void *ctx, const struct bridge_notification *n)
{
	struct world *w = ctx;

	keep_id(w->notify_id, n->id);
	put_word(w, "NOTIFY");
	prim_buf_putf(&w->said, " %.*s", PRIM_SLICE_ARG(n->id));
	put_document(w, n->body);
	if (n->is_end)
		prim_buf_puts(&w->said, " end");
	w->room--;
	return true;
}

static unsigned fake_room(void *ctx)
{
	return ((struct world *)ctx)->room;
}

static struct record *record_of(struct world *w, struct prim_slice key)
{
	for (unsigned i = 0; i < w->record_count; i++) {
		if (prim_slice_eq(prim_slice_of(w->records[i].key), key))
			return &w->records[i];
	}
	return NULL;
}

static void fake_keep(void *ctx, struct prim_slice key, struct prim_slice value)
{
	struct world *w = ctx;
	struct record *r = record_of(w, key);

	w->written++;
	if (!r && w->record_count < RECORD_MAX) {
		r = &w->records[w->record_count++];
		r->key = prim_slice_copy(key);
		r->value = NULL;
	}
	if (!r)
		return;
	prim_free(r->value);
	r->value = prim_slice_copy(value);
	if (w->shows_state)
		put_word(w, "keep");
}

static void fake_forget(void *ctx, struct prim_slice key)
{
	struct world *w = ctx;
	struct record *r = record_of(w, key);

	w->written++;
	if (!r)
		return;
	prim_free(r->key);
	prim_free(r->value);
	*r = w->records[--w->record_count];
	if (w->shows_state)
		put_word(w, "forget");
}

static int fake_leg_of(void *ctx, struct prim_slice ours)
{
	(void)ctx;
	if (prim_slice_ends(ours, PRIM_SLICE("@prim.example")))
		return 0;
	return prim_slice_ends(ours, PRIM_SLICE("@gw.example")) ? 1 : -1;
}

static uint64_t fake_random(void *ctx)
{
	struct world *w = ctx;

	/* Always the middle of the jitter of renewals, and never the same. */
	w->random += UINT64_C(17000051);
	return w->random + 8;
}

static void fake_log(void *ctx, enum bridge_level level, const char *what,
    const struct xa_pair *pair)
{
	struct world *w = ctx;

	(void)level;
	(void)pair;
	snprintf(w->logged, sizeof(w->logged), "%s", what);
}

static const struct xa_roster_ops FAKE_OPS = {
	.say = fake_say,
	.show = fake_show,
	.is_clear = fake_is_clear,
	.subscribe = fake_subscribe,
	.unsubscribe = fake_unsubscribe,
	.notify = fake_notify,
	.room = fake_room,
	.keep = fake_keep,
	.forget = fake_forget,
	.leg_of = fake_leg_of,
	.random = fake_random,
	.log = fake_log,
};

/*
 * What happens.
 */

static void do_restore(struct world *w)
{
	w->roster = xa_roster_new(w->ops, w, w->now_ms);
	for (unsigned i = 0; i < w->record_count; i++)
		assert_true(xa_roster_restore(w->roster,
		    prim_slice_of(w->records[i].key),
		    prim_slice_of(w->records[i].value)));
}

static void put_code(struct world *w, unsigned code)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", code);
	put_word(w, text);
}

static void do_subscribe(struct world *w, const char *id, uint32_t duration_s)
{
	const struct bridge_subscription s = {
		.watcher = PAIR.principal,
		.presentity = PAIR.user,
		.id = prim_slice_of(id),
		.duration_s = duration_s,
	};
	uint32_t granted_s = duration_s;
	unsigned code = xa_roster_subscribe(w->roster, &PAIR, &s, &granted_s,
	    w->now_ms);

	put_code(w, code);
	if (granted_s != duration_s)
		prim_buf_putf(&w->said, " %u", granted_s);
}

static void do_unsubscribe(struct world *w, const char *id)
{
	const struct bridge_subscription s = {
		.watcher = PAIR.principal,
		.presentity = PAIR.user,
		.id = prim_slice_of(id),
	};

	put_code(w, xa_roster_unsubscribe(w->roster, &PAIR, &s, w->now_ms));
}

static void do_outcome(struct world *w, enum bridge_presence_kind kind,
    unsigned code, uint32_t duration_s)
{
	const bool is_notify = kind == BRIDGE_NOTIFY;
	const struct bridge_presence_outcome o = {
		.kind = kind,
		.watcher = is_notify ? PAIR.principal : PAIR.user,
		.presentity = is_notify ? PAIR.user : PAIR.principal,
		.id = prim_slice_of(is_notify ? w->notify_id : w->sub_id),
		.code = code,
		.duration_s = duration_s,
	};

	w->room++;
	xa_roster_outcome(w->roster, &PAIR, &o, w->now_ms);
}

/* "+phone +desk away" and the like; the others are closed. */
static void put_tuples(struct prim_buf *b, char *list)
{
	char *word = list;

	for (char *next; word && *word; word = next) {
		bool is_open = word[0] == '+';

		next = strchr(word, ' ');
		if (next)
			*next++ = '\0';
		prim_buf_putf(b, "<tuple id='ID-%s'><status><basic>%s</basic>",
		    word + 1, is_open ? "open" : "closed");
		if (next && next[0] != '+' && next[0] != '-') {
			word = next;
			next = strchr(word, ' ');
			if (next)
				*next++ = '\0';
			prim_buf_putf(b,
			    "<show xmlns='jabber:client'>%s</show>", word);
		}
		prim_buf_puts(b, "</status></tuple>");
	}
}

/* `id` "same": that of our last SUBSCRIBE. */
static void do_notify(struct world *w, const char *id, char *tuples,
    uint32_t duration_s)
{
	struct prim_buf body = { 0 };
	struct bridge_notification n = {
		.watcher = PAIR.user,
		.presentity = PAIR.principal,
		.id = prim_slice_of(strcmp(id, "same") ? id : w->sub_id),
		.content_type = PRIM_SLICE("application/pidf+xml"),
		.is_end = duration_s == 0,
		.duration_s = duration_s,
	};

	if (tuples && tuples[0] == '?') {
		n.content_type = PRIM_SLICE("application/pkcs7-mime");
		prim_buf_puts(&body, "0");
	} else if (tuples) {
		prim_buf_puts(&body,
		    "<presence xmlns='urn:ietf:params:xml:ns:pidf' "
		    "entity='pres:romeo@prim.example'>");
		put_tuples(&body, tuples);
		prim_buf_puts(&body, "</presence>");
	}
	n.body = prim_buf_slice(&body);
	put_code(w, xa_roster_notify(w->roster, &PAIR, &n, w->now_ms));
	prim_buf_fini(&body);
}

static enum xa_show show_of(const char *word)
{
	if (!word)
		return XA_SHOW_NONE;
	return strcmp(word, "away") == 0 ? XA_SHOW_AWAY : XA_SHOW_DND;
}

/* "+phone", "+phone away", "-phone", "-". */
static void do_presence(struct world *w, char *what)
{
	char *show = strchr(what, ' ');
	struct xa_presence p = {
		.is_available = what[0] == '+',
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = w->now_ms,
	};
	struct xa_heard h = {
		.kind = XA_HEARD_PRESENCE,
		.from = PRIM_SLICE("juliet@jabber.example/any"),
		.presence = &p,
	};

	if (show)
		*show++ = '\0';
	p.show = show_of(show);
	if (what[1])
		p.resource = prim_slice_copy(prim_slice_of(what + 1));
	xa_roster_hear(w->roster, &PAIR, &h, w->now_ms);
}

static void do_hear(struct world *w, enum xa_heard_kind kind, const char *arg)
{
	char from[128];
	struct xa_heard h = {
		.kind = kind,
		.id = PRIM_SLICE("x1"),
	};

	snprintf(from, sizeof(from), "juliet@jabber.example%s%s",
	    arg[0] ? "/" : "", arg);
	h.from = prim_slice_of(from);
	xa_roster_hear(w->roster, &PAIR, &h, w->now_ms);
}

/* To what we said last with an id; or to something else. */
static void do_error(struct world *w, const char *condition, bool is_mirrored)
{
	const struct xa_heard h = {
		.kind = XA_HEARD_ERROR,
		.from = PRIM_SLICE("juliet@jabber.example"),
		.id = is_mirrored ? prim_slice_of(w->word_id) : PRIM_SLICE_NONE,
		.condition = condition,
	};

	xa_roster_hear(w->roster, &PAIR, &h, w->now_ms);
}

static void do_probe_of(struct world *w, const char *resource)
{
	const struct xa_heard h = {
		.kind = XA_HEARD_PROBE,
		.from = PRIM_SLICE("juliet@jabber.example/phone"),
		.asked = prim_slice_of(resource),
	};

	xa_roster_hear(w->roster, &PAIR, &h, w->now_ms);
}

/* Turns the clock as the loop would. */
static void do_wait(struct world *w, int64_t ms)
{
	int64_t end = w->now_ms + ms, at;

	while ((at = xa_roster_deadline(w->roster)) <= end) {
		w->now_ms = at > w->now_ms ? at : w->now_ms + 1;
		xa_roster_go(w->roster, w->now_ms);
	}
	w->now_ms = end;
}

static int64_t duration_of(const char *text)
{
	char *unit;
	int64_t n = strtoll(text, &unit, 10);

	if (strcmp(unit, "ms") == 0)
		return n;
	return n *
	    (unit[0] == 's'          ? 1000
		    : unit[0] == 'h' ? 3600000
				     : 86400000);
}

static bool hear_word(struct world *w, const char *verb, const char *arg)
{
	static const struct {
		const char *verb;
		enum xa_heard_kind kind;
	} WORDS[] = {
		{"subscribe",     XA_HEARD_SUBSCRIBE   },
		{ "subscribed",   XA_HEARD_SUBSCRIBED  },
		{ "unsubscribe",  XA_HEARD_UNSUBSCRIBE },
		{ "unsubscribed", XA_HEARD_UNSUBSCRIBED},
		{ "probe",        XA_HEARD_PROBE       },
	};

	for (size_t i = 0; i < PRIM_COUNT(WORDS); i++) {
		if (strcmp(WORDS[i].verb, verb) == 0) {
			do_hear(w, WORDS[i].kind, arg);
			return true;
		}
	}
	return false;
}

/* "SUBSCRIBE s1 3600" */
static void core_subscribes(struct world *w, char *arg)
{
	char *duration = strchr(arg, ' ');

	*duration++ = '\0';
	do_subscribe(w, arg, (uint32_t)strtoul(duration, NULL, 10));
}

/* "NOTIFY same +phone", "NOTIFY same end" */
static void core_notifies(struct world *w, char *arg)
{
	char *tuples = strchr(arg, ' ');

	*tuples++ = '\0';
	if (strcmp(tuples, "end") == 0)
		do_notify(w, arg, NULL, 0);
	else
		do_notify(w, arg, tuples, 3600);
}

/* "answer 200", "answer 201 60" */
static void core_answers_us(struct world *w, char *arg)
{
	char *end;
	unsigned code = (unsigned)strtoul(arg, &end, 10);
	uint32_t duration_s = 3600;

	if (*end)
		duration_s = (uint32_t)strtoul(end, NULL, 10);
	do_outcome(w, BRIDGE_SUBSCRIBE, code, duration_s);
}

static bool do_core(struct world *w, const char *verb, char *arg)
{
	if (strcmp(verb, "SUBSCRIBE") == 0)
		core_subscribes(w, arg);
	else if (strcmp(verb, "UNSUBSCRIBE") == 0)
		do_unsubscribe(w, arg);
	else if (strcmp(verb, "NOTIFY") == 0)
		core_notifies(w, arg);
	else if (strcmp(verb, "answer") == 0)
		core_answers_us(w, arg);
	else if (strcmp(verb, "took") == 0)
		do_outcome(w, BRIDGE_NOTIFY, (unsigned)strtoul(arg, NULL, 10),
		    0);
	else
		return false;
	return true;
}

static void do_world(struct world *w, const char *verb, const char *arg)
{
	if (strcmp(verb, "wait") == 0) {
		do_wait(w, duration_of(arg));
	} else if (strcmp(verb, "up") == 0) {
		xa_roster_up(w->roster, 0, w->now_ms);
	} else if (strcmp(verb, "down") == 0) {
		xa_roster_down(w->roster, 0, w->now_ms);
	} else if (strcmp(verb, "drain") == 0) {
		xa_roster_drain(w->roster, w->now_ms);
	} else if (strcmp(verb, "die") == 0) {
		xa_roster_free(w->roster);
		do_restore(w);
		w->room = 256;
	} else if (strcmp(verb, "restored") == 0) {
		xa_roster_restored(w->roster, true, w->now_ms);
	} else if (strcmp(verb, "refuse-all") == 0) {
		w->is_refused = true;
	} else if (strcmp(verb, "probe-of") == 0) {
		do_probe_of(w, arg);
	} else if (strcmp(verb, "sign") == 0) {
		xa_roster_sign(w->roster, &PAIR, w->now_ms);
	} else if (strcmp(verb, "error") == 0) {
		do_error(w, arg, true);
	} else if (strcmp(verb, "bounce") == 0) {
		do_error(w, arg, false);
	} else {
		fail_msg("what is %s?", verb);
	}
}

/* What happens, and what is said then. */
static void run_step(struct world *w, const char *what)
{
	char text[128], *arg;

	snprintf(text, sizeof(text), "%s", what);
	prim_buf_reset(&w->said);
	if (text[0] == '+' || text[0] == '-') {
		do_presence(w, text);
	} else {
		arg = text + strcspn(text, " ");
		if (*arg)
			*arg++ = '\0';
		if (!do_core(w, text, arg) && !hear_word(w, text, arg))
			do_world(w, text, arg);
	}
	xa_roster_go(w->roster, w->now_ms);
}

struct step {
	const char *what;
	const char *said;
};

#define STEPS_MAX 32

struct row {
	const char *name;
	struct step steps[STEPS_MAX];
};

static void world_init_with(struct world *w, const struct xa_roster_ops *ops)
{
	memset(w, 0, sizeof(*w));
	w->ops = ops;
	w->now_ms = BEGIN_MS;
	w->room = 256;
	w->roster = xa_roster_new(ops, w, w->now_ms);
}

static inline void world_init(struct world *w)
{
	world_init_with(w, &FAKE_OPS);
}

static void world_fini(struct world *w)
{
	xa_roster_free(w->roster);
	for (unsigned i = 0; i < w->record_count; i++) {
		prim_free(w->records[i].key);
		prim_free(w->records[i].value);
	}
	prim_buf_fini(&w->said);
	prim_pidf_fini(&w->pidf);
}

/* In a world that was just begun. */
static inline bool run_row_in(struct world *w, const struct row *row)
{
	xa_roster_restored(w->roster, true, w->now_ms);
	xa_roster_up(w->roster, 0, w->now_ms);
	for (unsigned i = 0; i < STEPS_MAX && row->steps[i].what; i++) {
		const struct step *s = &row->steps[i];

		run_step(w, s->what);
		prim_buf_putc(&w->said, '\0');
		if (strcmp(w->said.ptr, s->said) != 0) {
			print_error("%s: step %u, %s: \"%s\", not \"%s\"\n",
			    row->name, i + 1, s->what, w->said.ptr, s->said);
			return false;
		}
	}
	return true;
}

static inline bool run_row(const struct row *row)
{
	struct world w;
	bool ok;

	world_init(&w);
	ok = run_row_in(&w, row);
	world_fini(&w);
	return ok;
}

#endif
