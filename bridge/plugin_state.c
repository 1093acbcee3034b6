/* SPDX-License-Identifier: ISC */
/* What a plugin keeps in the core's store. One request is asked at a time, so
 * that they take effect in their order, also when one has to be repeated. */

#include <event2/event.h>

#include "bridge/plugin_private.h"
#include "bridge/store.h"
#include "prim/address.h"

#define RETRY_SECONDS 1
#define WAITING_MAX   ((size_t)16 * 1024 * 1024) /* octets */

enum operation { OP_PUT, OP_DELETE, OP_GET, OP_LIST };

struct plugin_state_request {
	STAILQ_ENTRY(plugin_state_request) next;
	enum operation operation;
	struct prim_buf key; /* of a list: the last one that we know */
	struct prim_buf value;
};

static size_t cost(const struct plugin_state_request *r)
{
	return sizeof(*r) + r->key.len + r->value.len;
}

static void say(struct bridge *b, const struct plugin_state_request *r)
{
	static const char *const NAMES[] = {
		[OP_PUT] = "put",
		[OP_DELETE] = "delete",
		[OP_GET] = "get",
		[OP_LIST] = "list",
	};
	const struct br_ask ask = { .kind = PLUGIN_ASK_STATE };
	struct prim_buf *out = br_plugin_request(b, PRIM_METHOD_STATE, &ask,
	    r->value.len);

	prim_command_put_header(out, PRIM_HEADER_OPERATION,
	    prim_slice_of(NAMES[r->operation]));
	if (r->key.len > 0) {
		prim_buf_puts(out, "Key: ");
		prim_address_escape(out, prim_buf_slice(&r->key));
		prim_buf_puts(out, "\r\n");
	}
	if (r->value.len > 0)
		prim_command_put_header(out, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("application/octet-stream"));
	br_plugin_send(b, prim_buf_slice(&r->value));
}

static void say_first(struct bridge *b)
{
	if (!STAILQ_EMPTY(&b->states))
		say(b, STAILQ_FIRST(&b->states));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	say_first(arg);
}

static void request_free(struct plugin_state_request *r)
{
	prim_buf_fini(&r->key);
	prim_buf_fini(&r->value);
	prim_free(r);
}

void br_plugin_state_init(struct bridge *b)
{
	STAILQ_INIT(&b->states);
	b->state_retry = evtimer_new(b->base, on_retry, b);
}

void br_plugin_state_fini(struct bridge *b)
{
	struct plugin_state_request *r;

	while ((r = STAILQ_FIRST(&b->states))) {
		STAILQ_REMOVE_HEAD(&b->states, next);
		request_free(r);
	}
	event_free(b->state_retry);
}

/* Takes a number and the separator behind it, then so many octets and a
 * comma, off the front of `in`. */
static bool cut_netstring(struct prim_slice *in, struct prim_slice *out)
{
	struct prim_slice rest = *in;
	struct prim_slice digits = prim_slice_cut(&rest, ':');
	uint64_t len;

	if (!prim_slice_number(digits, BR_STATE_VALUE_MAX, &len) ||
	    rest.len <= len || rest.ptr[len] != ',')
		return false;
	*out = prim_slice_make(rest.ptr, (size_t)len);
	*in = prim_slice_from(rest, (size_t)len + 1);
	return true;
}

static void tell(struct bridge *b, const struct prim_slice *key,
    const struct prim_slice *value)
{
	if (b->plugin.adapter->state_value)
		b->plugin.adapter->state_value(b->state, key, value);
}

static bool tell_entries(struct bridge *b, struct prim_slice list,
    struct prim_slice *out_last)
{
	struct prim_slice value;

	while (list.len > 0) {
		if (!cut_netstring(&list, out_last) ||
		    !cut_netstring(&list, &value))
			return false;
		tell(b, out_last, &value);
	}
	return true;
}

/* Is `last` the key behind which the core says there is more? */
static bool is_last(struct prim_slice last, const struct prim_command *c)
{
	struct prim_buf key = { 0 };
	const bool is = prim_address_unescape(&key,
			    prim_command_get(c, PRIM_HEADER_KEY)) &&
	    prim_slice_eq(prim_buf_slice(&key), last);

	prim_buf_fini(&key);
	return is;
}

/* A list that is cut short would be taken for the whole. */
static bool tell_page(struct bridge *b, struct plugin_state_request *r,
    const struct prim_command *c, bool has_more)
{
	struct prim_slice last = PRIM_SLICE_NONE;

	if (!tell_entries(b, c->body, &last))
		return false;
	if (!has_more) {
		tell(b, NULL, NULL);
		return true;
	}
	/* Or we would turn in a circle. */
	if (last.len == 0 || !is_last(last, c) ||
	    prim_slice_eq(last, prim_buf_slice(&r->key)))
		return false;
	b->state_octets -= cost(r);
	prim_buf_reset(&r->key);
	prim_buf_put(&r->key, last);
	b->state_octets += cost(r);
	say(b, r);
	return true;
}

static void tell_value(struct bridge *b, const struct plugin_state_request *r,
    const struct prim_command *c)
{
	const struct prim_slice key = prim_buf_slice(&r->key);

	if (r->operation == OP_GET)
		tell(b, &key, c->code == PRIM_OK ? &c->body : NULL);
}

static void repeat_later(struct bridge *b)
{
	const struct timeval pause = { .tv_sec = RETRY_SECONDS };

	bridge_log(b, BRIDGE_WARN,
	    "the store does not answer, asked again pause_s=%d", RETRY_SECONDS);
	event_add(b->state_retry, &pause);
}

void br_plugin_state_answer(struct bridge *b, const struct prim_command *c)
{
	struct plugin_state_request *r = STAILQ_FIRST(&b->states);
	const bool absent = c->code == PRIM_NOT_FOUND && r->operation == OP_GET;
	const bool has_more = r->operation == OP_LIST &&
	    prim_command_has(c, PRIM_HEADER_KEY);
	bool ok = true;

	if (c->code != PRIM_OK && !absent) {
		repeat_later(b);
		return;
	}
	if (!has_more) {
		STAILQ_REMOVE_HEAD(&b->states, next);
		b->state_octets -= cost(r);
		say_first(b);
	}
	if (r->operation == OP_LIST)
		ok = tell_page(b, r, c, has_more);
	else
		tell_value(b, r, c);
	if (!has_more)
		request_free(r);
	if (!ok)
		br_plugin_end(b, PLUGIN_EXIT_CORE);
	br_plugin_later(b);
}

static void ask(struct bridge *b, enum operation operation,
    struct prim_slice key, struct prim_slice value)
{
	struct plugin_state_request *r;
	const bool is_first = STAILQ_EMPTY(&b->states);

	if (key.len > BR_STATE_KEY_MAX || value.len > BR_STATE_VALUE_MAX ||
	    (key.len == 0) != (operation == OP_LIST)) {
		bridge_log(b, BRIDGE_ERROR,
		    "state with a bad key or value key=%s len=%zu",
		    bridge_quote(key), value.len);
		return;
	}
	r = prim_new(struct plugin_state_request);
	r->operation = operation;
	prim_buf_put(&r->key, key);
	prim_buf_put(&r->value, value);
	STAILQ_INSERT_TAIL(&b->states, r, next);
	b->state_octets += cost(r);
	if (is_first)
		say(b, r);
	if (b->state_octets > WAITING_MAX) {
		/* Begun anew it has what was stored, and no gap in it. */
		bridge_log(b, BRIDGE_ERROR, "the store is too slow for us");
		br_plugin_end(b, PLUGIN_EXIT_PLUGIN);
	}
}

void bridge_state_put(struct bridge *b, struct prim_slice key,
    struct prim_slice value)
{
	ask(b, OP_PUT, key, value);
}

void bridge_state_drop(struct bridge *b, struct prim_slice key)
{
	ask(b, OP_DELETE, key, PRIM_SLICE_NONE);
}

void bridge_state_get(struct bridge *b, struct prim_slice key)
{
	ask(b, OP_GET, key, PRIM_SLICE_NONE);
}

void bridge_state_list(struct bridge *b)
{
	ask(b, OP_LIST, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}
