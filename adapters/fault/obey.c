/* SPDX-License-Identifier: ISC */
/* What an order does to a message. */

#include <sys/socket.h>

#include "adapters/fault/escape.h"
#include "adapters/fault/fault.h"
#include "adapters/fault/misdeed.h"
#include "prim/base.h"

static void keep_state(struct fault *f, const struct bridge_message *m)
{
	prim_buf_reset(&f->state_id);
	prim_buf_put(&f->state_id, m->delivery_id);
	prim_buf_reset(&f->state_value);
	prim_buf_put(&f->state_value, m->body);
	bridge_state_put(f->bridge, m->to, m->body);
	bridge_state_get(f->bridge, m->to);
	bridge_state_list(f->bridge);
}

/* False: what it says cannot even be written. */
static bool claim(struct fault *f, const struct fa_order *order,
    const struct bridge_message *m)
{
	struct prim_slice real = prim_buf_slice(&order->address);
	const struct prim_slice from = prim_slice_cut(&real, '=');
	struct prim_buf original = { 0 };
	bool ok;

	if (order->verb == FA_LINK)
		return fa_ask(&f->submit, m, prim_buf_slice(&order->address));
	if (order->verb == FA_AS && real.len == 0)
		prim_buf_put(&original, m->to);
	else if (order->verb == FA_AS)
		prim_buf_putf(&original, "im:%.*s", PRIM_SLICE_ARG(real));
	ok = fa_claim(&f->submit, m,
	    order->verb == FA_AS ? from : prim_buf_slice(&order->address),
	    prim_buf_slice(&original));
	prim_buf_fini(&original);
	return ok;
}

static unsigned escape(struct fault *f, struct prim_slice what)
{
	const int error = fa_escape(what);

	bridge_log(f->bridge, BRIDGE_INFO, "tried what=%s errno=%d",
	    bridge_quote(what), error);
	return error ? PRIM_NOT_FOUND : PRIM_OK;
}

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return fd >= 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

/* The code that an order reports at once; 0: none. */
static unsigned report_of(struct fault *f, const struct fa_order *order)
{
	switch (order->verb) {
	case FA_OK:
	case FA_FLOOD:
	case FA_DUP:
	case FA_GRANT:
	case FA_END:
		return PRIM_OK;
	case FA_DIE:
		return f->deliveries < order->number ? PRIM_OK : 0;
	case FA_REPORT:
		return order->number;
	case FA_BOUNCE:
		return PRIM_UNKNOWN_DELIVERY;
	case FA_TRANSIENT:
		return PRIM_GATEWAY_TIMEOUT;
	case FA_SOCKET:
		return is_listening(f->listener) ? PRIM_OK : PRIM_NOT_FOUND;
	case FA_TRY:
		return escape(f, prim_buf_slice(&order->address));
	case FA_REFUSE:
	case FA_SILENCE:
	case FA_LATE:
	case FA_HANG:
	case FA_GARBAGE:
	case FA_LIE:
	case FA_DIEAFTER:
	case FA_SPOOF:
	case FA_AS:
	case FA_LINK:
	case FA_DOWN:
	case FA_STATE:
	case FA_WATCH:
	case FA_FORGET:
	case FA_UNWATCH:
	case FA_VERBS:
		break;
	}
	return 0;
}

static void act_later(struct fault *f, const struct fa_order *order,
    struct prim_slice id)
{
	if (order->verb == FA_LATE) {
		fa_delay(&f->delays, order->number, FA_AFTER_REPORT, id,
		    PRIM_OK);
	} else if (order->verb == FA_BOUNCE) {
		fa_delay(&f->delays, order->ms, FA_AFTER_WORD, id,
		    order->number);
	} else if (order->verb == FA_DIEAFTER) {
		fa_delay(&f->delays, order->number, FA_AFTER_DEATH, id, 0);
	} else {
		bridge_window(f->bridge, 0);
		fa_delay(&f->delays, order->number, FA_AFTER_WINDOW, id,
		    FA_WINDOW);
	}
}

/* What an order does. Returns 0, or the code to refuse with. */
static unsigned misbehave(struct fault *f, const struct fa_order *order,
    const struct bridge_message *m)
{
	switch (order->verb) {
	case FA_REFUSE:
		return order->number;
	case FA_LATE:
	case FA_BOUNCE:
	case FA_DIEAFTER:
	case FA_DOWN:
		act_later(f, order, m->delivery_id);
		break;
	case FA_HANG:
		fa_hang();
		break;
	case FA_DIE:
		if (f->deliveries >= order->number)
			fa_die();
		break;
	case FA_GARBAGE:
		fa_rubbish("HELO garbage\r\n\r\n\001\002\003");
		break;
	case FA_LIE:
		fa_rubbish("PRIM/1.0 999999 0 200 OK\r\n\r\n");
		break;
	case FA_FLOOD:
	case FA_DUP:
		fa_flood(&f->submit, m, order->number, order->verb == FA_DUP);
		break;
	case FA_SPOOF:
	case FA_AS:
	case FA_LINK:
		if (!claim(f, order, m))
			return PRIM_BAD_REQUEST;
		break;
	case FA_STATE:
		keep_state(f, m);
		break;
	case FA_WATCH:
	case FA_FORGET:
		return fa_presence_watch(&f->presence, m, order->number);
	case FA_UNWATCH:
		return fa_presence_unwatch(&f->presence, m);
	case FA_OK:
	case FA_REPORT:
	case FA_TRANSIENT:
	case FA_SILENCE:
	case FA_SOCKET:
	case FA_TRY:
	case FA_GRANT:
	case FA_END:
	case FA_VERBS:
		break;
	}
	return 0;
}

unsigned fa_obey(struct fault *f, const struct fa_order *order,
    const struct bridge_message *m)
{
	const unsigned report = report_of(f, order);
	const unsigned count = order->verb == FA_DUP ? 2 : 1;
	unsigned refused;

	fa_record_got(&f->record, m,
	    order->verb == FA_REFUSE ? order->number : report);
	refused = misbehave(f, order, m);
	for (unsigned i = 0; i < count && !refused && report; i++)
		bridge_report(f->bridge, m->delivery_id, report, "as ordered");
	return refused;
}
