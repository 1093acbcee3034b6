/* SPDX-License-Identifier: ISC */
/* What an XMPP server sends: cut as the first octet says, then read, and every
 * message in it translated. However it is cut, it must mean the same. */

#include "tests/fuzz/fuzz.h"

#include "adapters/xmpp/in.h"
#include "adapters/xmpp/iq.h"
#include "adapters/xmpp/register.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/stream.h"
#include "prim/base.h"
#include "prim/cpim.h"

#define OPEN                                                              \
	"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='1'>"

struct reader {
	xmpp_ctx_t *xmpp;
	struct xa_in in;
	struct prim_buf told;
};

static bool routes(void *ctx, struct prim_slice domain)
{
	(void)ctx;
	return domain.len % 2 == 0;
}

static void on_opened(void *ctx, struct prim_slice id)
{
	struct reader *r = ctx;

	prim_buf_put(&r->told, id);
}

static void translate(struct reader *r, xmpp_stanza_t *stanza)
{
	const struct xa_in_context c = {
		.host = PRIM_SLICE("p.example"),
		.gateway = PRIM_SLICE("g.example"),
		.now_ms = 1,
		.routes = routes,
	};
	struct prim_cpim cpim;

	if (xa_in_translate(&r->in, &c, stanza) != XA_IN_SUBMIT)
		return;
	FUZZ_CHECK(prim_cpim_parse(r->in.message.body, &cpim, NULL));
	prim_buf_put(&r->told, r->in.message.body);
}

/* Registration: what a form says is one line of words that a command has. */
static void enrol(struct reader *r, xmpp_stanza_t *iq)
{
	struct xa_register words = { 0 };

	if (xa_register_is(iq) &&
	    xa_register_read(&words, iq, PRIM_SLICE("im:a@p.example")) ==
		XA_REGISTER_SAY) {
		prim_buf_put(&r->told, prim_buf_slice(&words.words));
		FUZZ_CHECK(prim_slice_find(prim_buf_slice(&words.words), '\n') <
		    0);
	}
	xa_register_fini(&words);
}

static void on_stanza(void *ctx, xmpp_stanza_t *stanza)
{
	struct reader *r = ctx;
	xmpp_stanza_t *answer = NULL;

	prim_buf_puts(&r->told, xmpp_stanza_get_name(stanza));
	if (xa_stanza_is_core(stanza, "message"))
		translate(r, stanza);
	else if (xa_stanza_is_core(stanza, "iq"))
		answer = xa_iq_answer(r->xmpp, stanza);
	if (xa_stanza_is_core(stanza, "iq"))
		enrol(r, stanza);
	FUZZ_CHECK(xa_stanza_size(stanza) > 0);
	if (!answer)
		return;
	xa_stanza_put(&r->told, answer);
	xmpp_stanza_release(answer);
}

static const struct xa_stream_ops OPS = {
	.opened = on_opened,
	.stanza = on_stanza,
	.refused = on_stanza,
};

/* How the stream ended; `step` octets are fed at a time. */
static enum xa_stream_status read_all(struct reader *r, struct prim_slice all,
    size_t step)
{
	struct xa_stream *s = xa_stream_new(r->xmpp, &OPS, r);
	enum xa_stream_status status = xa_stream_feed(s, PRIM_SLICE(OPEN));

	prim_buf_reset(&r->told);
	while (status == XA_STREAM_MORE && all.len) {
		struct prim_slice chunk = all;

		if (chunk.len > step)
			chunk.len = step;
		status = xa_stream_feed(s, chunk);
		all = prim_slice_from(all, chunk.len);
	}
	xa_stream_free(s);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = { 0 };
	struct prim_slice all;
	enum xa_stream_status status;
	char *once;

	if (size < 2)
		return 0;
	all = fuzz_slice(data + 1, size - 1);
	r.xmpp = xa_stanza_context();
	status = read_all(&r, all, size);
	once = prim_slice_copy(prim_buf_slice(&r.told));
	FUZZ_CHECK(read_all(&r, all, (size_t)data[0] + 1) == status);
	FUZZ_CHECK(prim_slice_eq(prim_slice_of(once), prim_buf_slice(&r.told)));
	prim_free(once);
	xa_in_fini(&r.in);
	prim_buf_fini(&r.told);
	xmpp_ctx_free(r.xmpp);
	return 0;
}
