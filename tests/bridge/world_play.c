/* SPDX-License-Identifier: ISC */
/* A world that is played at random: what is said in it, and the model. */

#include "tests/bridge/world_play.h"

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "bridge/log.h"
#include "prim/base.h"

static const char *const ADDRESSES[PLAY_TARGETS] = { "alice@prim.example",
	"bob@prim.example", "carol@prim.example", "dan@far.example",
	"eve@far.example", "nobody@prim.example" };

#define CONFIG(own, all)                                \
	"domains: [prim.example]\n"                     \
	"data_dir: /nonexistent\n"                      \
	"auth: { mechanisms: [SCRAM-SHA-256, PLAIN],\n" \
	"  allow_plaintext: true }\n"                   \
	"adapters: [{ name: far, plugin: far,\n"        \
	"  options: { domain: far.example } }]\n"       \
	"default_acl: { own_domain: [" own "], everyone: [" all "] }\n"

static const char USUAL[] = CONFIG("fetch, subscribe",
    "fetch, subscribe, send");
static const char STRICT[] = CONFIG("", "");

void play_open(struct play *p, unsigned seed)
{
	struct br_err err = { 0 };

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->random.state = seed;
	p->is_traced = br_log_wants(BR_LOG_DEBUG);
	/* Every fourth is calm: all that is asked can be known. */
	p->temper = seed % 4 ? play_below(p, PLAY_TEMPERS) : 0;
	play_expect(p, talk_world_open(&p->world, prim_slice_of(USUAL), &err),
	    err.text);
	for (unsigned who = 0; who < PLAY_PEOPLE; who++) {
		p->people[who].has_account = true;
		for (unsigned i = 0; i < PLAY_TARGETS; i++)
			p->pairs[who][i].is_known = true;
	}
	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		p->clients[i].conn = &p->world.conns[i];
		p->clients[i].index = i;
	}
}

void play_close(struct play *p)
{
	talk_world_close(&p->world);
}

void play_rule(struct play *p, bool is_strict)
{
	struct br_err err = { 0 };

	play_expect(p,
	    talk_world_reload(&p->world,
		prim_slice_of(is_strict ? STRICT : USUAL), &err),
	    err.text);
}

unsigned play_below(struct play *p, unsigned limit)
{
	return (unsigned)t_random_below(&p->random, limit);
}

bool play_may(struct play *p, enum play_temper temper, unsigned in)
{
	return !p->is_ending && (p->temper & temper) && play_below(p, in) == 0;
}

int64_t play_now(const struct play *p)
{
	return br_server_now(p->world.server);
}

void play_expect(const struct play *p, bool ok, const char *what)
{
	if (!ok)
		fail_msg("world %u of temper %#x, step %u: %s", p->seed,
		    p->temper, p->step, what);
}

const char *play_address(unsigned target)
{
	return ADDRESSES[target];
}

unsigned play_target(struct prim_slice uri)
{
	struct prim_slice address = prim_slice_from(uri, strlen("pres:"));
	unsigned i = 0;

	while (i < PLAY_TARGETS &&
	    !prim_slice_eq(address, prim_slice_of(ADDRESSES[i])))
		i++;
	return i;
}

/* ---- what is said ---- */

void play_trace(const struct play *p, const char *end, unsigned index,
    struct prim_slice text)
{
	if (p->is_traced)
		print_message("[%u, %lld ms] %s%u %.*s\n", p->step,
		    (long long)(play_now(p) - TALK_START_MS), end, index,
		    PRIM_SLICE_ARG(text));
}

bool play_next(struct talk_conn *c, struct prim_command *out)
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

void play_put_document(struct prim_buf *b, unsigned target, unsigned value)
{
	prim_buf_putf(b,
	    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
	    "entity=\"pres:%s\"><tuple id=\"t%u\"><status><basic>open</basic>"
	    "</status><note>%u</note></tuple></presence>",
	    ADDRESSES[target], value, value);
}

/* The numbers of all notes. */
void play_read(const struct play *p, struct prim_slice body,
    struct play_view *out)
{
	static const struct prim_slice OPEN = { "note>", 5 };
	uint64_t value;

	out->count = 0;
	while (body.len > 0) {
		(void)prim_slice_cut(&body, '<');
		if (!prim_slice_starts(body, OPEN))
			continue;
		body = prim_slice_from(body, OPEN.len);
		play_expect(p,
		    out->count < PLAY_VALUES &&
			prim_slice_number(prim_slice_cut(&body, '<'),
			    UINT32_MAX, &value),
		    "a document that nobody published");
		out->values[out->count++] = (unsigned)value;
	}
}

bool play_view_has(const struct play_view *v, unsigned value)
{
	for (unsigned i = 0; i < v->count; i++) {
		if (v->values[i] == value)
			return true;
	}
	return false;
}

bool play_view_eq(const struct play_view *a, const struct play_view *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (!play_view_has(b, a->values[i]))
			return false;
	}
	return a->count == b->count;
}
