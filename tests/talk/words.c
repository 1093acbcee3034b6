/* SPDX-License-Identifier: ISC */
/* What the lines of a conversation do that are no speech. */

#include "tests/talk/talk.h"

#include "bridge/outbox.h"
#include "bridge/value.h"
#include "prim/base.h"
#include "tests/talk/adapter.h"
#include "tests/talk/proof.h"

#define AWAIT_STEP_MS 100

/* The connection that `args` begins with, taken off; 1 when it is missing. "A2"
 * is the second adapter's. */
static unsigned take_conn(struct prim_slice *args)
{
	struct prim_slice word = prim_slice_cut(args, ' ');
	uint64_t number = 1;

	if (!prim_slice_starts(word, PRIM_SLICE("A"))) {
		(void)prim_slice_number(word, TALK_CONNS - 1, &number);
		return (unsigned)number;
	}
	(void)prim_slice_number(prim_slice_from(word, 1),
	    TALK_ENDS - TALK_CONNS, &number);
	return TALK_CONNS + (unsigned)number - 1;
}

static bool take_time(struct talk *t, struct prim_slice args, int64_t *out_ms)
{
	char *text = prim_slice_copy(args);
	uint64_t ms = 0;
	bool ok = br_value_duration(text, &ms);

	prim_free(text);
	*out_ms = (int64_t)ms;
	return ok || talk_fail(t, "how long? 500ms, 5s, 24h");
}

static bool do_advance(struct talk *t, struct prim_slice args)
{
	int64_t ms;
	bool ok = take_time(t, args, &ms);

	if (ok)
		talk_world_advance(&t->world, ms);
	return ok;
}

/* "await 1 2m": as long as nothing comes, but no longer. */
static bool do_await(struct talk *t, struct prim_slice args)
{
	struct talk_conn *c = talk_conn(t, take_conn(&args));
	int64_t ms, step;
	bool ok = take_time(t, args, &ms);

	for (; ok && ms > 0; ms -= step) {
		step = ms < AWAIT_STEP_MS ? ms : AWAIT_STEP_MS;
		talk_world_advance(&t->world, step);
		talk_pings(t, c);
		if (talk_conn_unread(c).len > 0)
			return true;
	}
	return ok && talk_fail(t, "nothing came");
}

static bool do_open(struct talk *t, struct prim_slice args)
{
	unsigned c = take_conn(&args);
	char *address = prim_slice_copy(args);

	talk_conn_open(&t->world, &t->world.conns[c], address);
	prim_free(address);
	return true;
}

static bool do_close(struct talk *t, struct prim_slice args)
{
	talk_conn_close(&t->world, talk_conn(t, take_conn(&args)), false);
	return true;
}

static bool do_half_close(struct talk *t, struct prim_slice args)
{
	talk_conn_close(&t->world, talk_conn(t, take_conn(&args)), true);
	return true;
}

static bool do_quiet(struct talk *t, struct prim_slice args)
{
	struct talk_conn *c = talk_conn(t, take_conn(&args));

	talk_world_turn(&t->world);
	talk_pings(t, c);
	if (talk_conn_unread(c).len > 0)
		return talk_differs(t, PRIM_SLICE("nothing"),
		    talk_conn_unread(c));
	return !c->is_ended || talk_fail(t, "closed by the server");
}

static bool do_end(struct talk *t, struct prim_slice args)
{
	struct talk_conn *c = talk_conn(t, take_conn(&args));

	talk_pings(t, c);
	if (talk_conn_unread(c).len > 0)
		return talk_differs(t, PRIM_SLICE("the end"),
		    talk_conn_unread(c));
	return c->is_ended || talk_fail(t, "still open");
}

static bool do_patient(struct talk *t, struct prim_slice args)
{
	(void)args;
	t->skips_pings = true;
	return true;
}

static bool do_deaf(struct talk *t, struct prim_slice args)
{
	talk_conn(t, take_conn(&args))->is_deaf = true;
	return true;
}

static bool do_hear(struct talk *t, struct prim_slice args)
{
	talk_conn(t, take_conn(&args))->is_deaf = false;
	talk_world_turn(&t->world);
	return true;
}

static bool do_forget(struct talk *t, struct prim_slice args)
{
	struct talk_conn *c = talk_conn(t, take_conn(&args));

	c->taken = c->in.len;
	return true;
}

static bool do_adapter(struct talk *t, struct prim_slice args)
{
	struct talk_conn *c = talk_conn(t, take_conn(&args));

	return talk_adapter_open(&t->world, c, args) ||
	    talk_fail(t, "no such adapter is configured");
}

static bool do_reload(struct talk *t, struct prim_slice args)
{
	struct br_err err = { "" };

	talk_config_change(t, args);
	return talk_world_reload(&t->world, prim_buf_slice(&t->config), &err) ||
	    talk_fail(t, err.text);
}

static bool do_account(struct talk *t, struct prim_slice args)
{
	struct prim_slice name = prim_slice_cut(&args, ' ');

	return talk_world_account(&t->world, name, args) ||
	    talk_fail(t, "no such account can be made");
}

static bool do_remove(struct talk *t, struct prim_slice args)
{
	talk_world_remove(&t->world, args);
	return true;
}

static bool do_link(struct talk *t, struct prim_slice args)
{
	struct prim_slice name = prim_slice_cut(&args, ' ');

	return talk_world_link(&t->world, name, args) ||
	    talk_fail(t, "no such link can be made");
}

static bool do_unlink(struct talk *t, struct prim_slice args)
{
	struct prim_slice name = prim_slice_cut(&args, ' ');

	return talk_world_unlink(&t->world, name, args) ||
	    talk_fail(t, "there is no such link");
}

static bool do_order(struct talk *t, struct prim_slice args)
{
	struct prim_slice name = prim_slice_cut(&args, ' ');

	return talk_world_order(&t->world, name, args) ||
	    talk_fail(t, "no such order can be set");
}

static void on_ordered(void *arg, const char *why)
{
	*(bool *)arg = why == NULL;
}

/* "outbox drop 1", "outbox retry 1", "outbox quarantine 1": the number is that of
 * the stored message, from 1. */
static bool do_outbox(struct talk *t, struct prim_slice args)
{
	static const char *const VERBS[] = { [BR_OUTBOX_RETRY] = "retry",
		[BR_OUTBOX_DROP] = "drop",
		[BR_OUTBOX_QUARANTINE] = "quarantine" };
	struct prim_slice verb = prim_slice_cut(&args, ' ');
	uint64_t seq = 0;
	bool ok = false;

	(void)prim_slice_number(args, UINT32_MAX, &seq);
	for (unsigned i = 0; i < PRIM_COUNT(VERBS); i++) {
		if (prim_slice_eq(verb, prim_slice_of(VERBS[i])))
			br_outbox_order(t->world.server->outbox, (int64_t)seq,
			    (enum br_outbox_verb)i, on_ordered, &ok);
	}
	br_store_settle(t->world.server->store);
	talk_world_turn(&t->world);
	return ok || talk_fail(t, "this cannot be done");
}

static bool do_challenge(struct talk *t, struct prim_slice args)
{
	char *challenge = prim_slice_copy(args);

	br_auth_set_challenge(t->world.server->auth, challenge);
	prim_free(t->world.challenge);
	t->world.challenge = challenge;
	return true;
}

static bool do_stop(struct talk *t, struct prim_slice args)
{
	(void)args;
	br_server_stop(t->world.server);
	talk_world_turn(&t->world);
	return true;
}

static bool do_certify(struct talk *t, struct prim_slice args)
{
	struct br_err err = { "" };

	(void)args;
	return talk_world_certify(&t->world, &err) || talk_fail(t, err.text);
}

static bool do_secure(struct talk *t, struct prim_slice args)
{
	return talk_conn_secure(&t->world, talk_conn(t, take_conn(&args))) ||
	    talk_fail(t, "no TLS");
}

static bool do_prove(struct talk *t, struct prim_slice args)
{
	return talk_proof(&t->names, args) || talk_fail(t, "no proof");
}

static bool do_keep(struct talk *t, struct prim_slice args)
{
	struct prim_slice name = prim_slice_cut(&args, ' ');
	struct prim_buf value = { 0 };
	bool ok = talk_expand(&t->names, args, &value);

	if (ok)
		ok = talk_names_put(&t->names, name, prim_buf_slice(&value));
	prim_buf_fini(&value);
	return ok || talk_fail(t, "cannot read this line");
}

/* Appends `line` with `number` for every '#'. */
static void put_numbered(struct prim_buf *b, struct prim_slice line,
    uint64_t number)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] == '#')
			prim_buf_put_number(b, number);
		else
			prim_buf_putc(b, line.ptr[i]);
	}
}

/* "times 20 LINE": the line twenty times, with the number for its '#'. */
static bool do_times(struct talk *t, struct prim_slice args)
{
	struct prim_slice number = prim_slice_cut(&args, ' ');
	struct prim_buf line = { 0 };
	uint64_t times;
	bool ok = prim_slice_number(number, 1U << 20, &times) &&
	    prim_slice_find(args, '#') >= 0;

	if (!ok)
		(void)talk_fail(t, "times COUNT LINE-WITH-#");
	for (uint64_t i = 1; ok && i <= times; i++) {
		prim_buf_reset(&line);
		put_numbered(&line, args, i);
		ok = talk_line(t, prim_buf_slice(&line));
	}
	prim_buf_fini(&line);
	return ok;
}

static const struct word {
	struct prim_slice name;
	bool (*act)(struct talk *t, struct prim_slice args);
} WORDS[] = {
	{{ "open", 4 },         do_open      },
	{ { "close", 5 },       do_close     },
	{ { "half-close", 10 }, do_half_close},
	{ { "quiet", 5 },       do_quiet     },
	{ { "end", 3 },         do_end       },
	{ { "advance", 7 },     do_advance   },
	{ { "patient", 7 },     do_patient   },
	{ { "await", 5 },       do_await     },
	{ { "deaf", 4 },        do_deaf      },
	{ { "hear", 4 },        do_hear      },
	{ { "forget", 6 },      do_forget    },
	{ { "times", 5 },       do_times     },
	{ { "account", 7 },     do_account   },
	{ { "adapter", 7 },     do_adapter   },
	{ { "reload", 6 },      do_reload    },
	{ { "remove", 6 },      do_remove    },
	{ { "link", 4 },        do_link      },
	{ { "unlink", 6 },      do_unlink    },
	{ { "order", 5 },       do_order     },
	{ { "outbox", 6 },      do_outbox    },
	{ { "challenge", 9 },   do_challenge },
	{ { "stop", 4 },        do_stop      },
	{ { "certify", 7 },     do_certify   },
	{ { "secure", 6 },      do_secure    },
	{ { "prove", 5 },       do_prove     },
	{ { "keep", 4 },        do_keep      },
};

static const struct word *find(struct prim_slice line)
{
	struct prim_slice name = prim_slice_cut(&line, ' ');

	for (size_t i = 0; i < PRIM_COUNT(WORDS); i++) {
		if (prim_slice_eq(WORDS[i].name, name))
			return &WORDS[i];
	}
	return NULL;
}

bool talk_word_is(struct prim_slice line)
{
	return find(line) != NULL;
}

bool talk_word(struct talk *t, struct prim_slice line)
{
	const struct word *word = find(line);

	(void)prim_slice_cut(&line, ' ');
	t->in_a_hurry = word->act == do_close;
	return talk_speech_end(t) && word->act(t, line);
}
