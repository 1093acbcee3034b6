/* SPDX-License-Identifier: ISC */
/* STATE: what an adapter keeps in the store. */

#include "bridge/host_private.h"
#include "prim/address.h"
#include "prim/base.h"

/* A question to the store. It lives until the store answers, also when the
 * adapter that asked does not; the ticket knows. */
struct state_request {
	struct br_ticket ticket;
	char id[BR_ASK_ID_MAX];
	struct prim_buf list; /* netstrings: key, value, key, value... */
	struct prim_buf last; /* the last key of them */
};

static void settle(struct state_request *r, unsigned code,
    struct prim_slice body, bool has_more)
{
	struct prim_buf extra = { 0 };

	if (r->ticket.peer)
		PRIM_CONTAINER(r->ticket.peer, struct br_host, peer)->states--;
	if (has_more) {
		prim_buf_puts(&extra, "Key: ");
		prim_address_escape(&extra, prim_buf_slice(&r->last));
		prim_buf_puts(&extra, "\r\n");
	}
	if (body.len > 0)
		prim_buf_puts(&extra,
		    "Content-Type: application/octet-stream\r\n");
	br_ticket_settle(&r->ticket, code, prim_buf_slice(&extra), body);
	prim_buf_fini(&extra);
	prim_buf_fini(&r->list);
	prim_buf_fini(&r->last);
	prim_free(r);
}

/* What the store answers. */

static void on_written(void *arg, enum br_store_outcome outcome)
{
	/* Dropping what is not there is as good. */
	const bool ok = outcome == BR_STORE_DONE || outcome == BR_STORE_ABSENT;

	settle(arg, ok ? PRIM_OK : PRIM_INTERNAL_ERROR, PRIM_SLICE_NONE, false);
}

static void on_found(void *arg, const struct prim_slice *key,
    const struct prim_slice *value, bool failed)
{
	(void)key;
	if (failed)
		settle(arg, PRIM_INTERNAL_ERROR, PRIM_SLICE_NONE, false);
	else if (!value)
		settle(arg, PRIM_NOT_FOUND, PRIM_SLICE_NONE, false);
	else
		settle(arg, PRIM_OK, *value, false);
}

static void put_netstring(struct prim_buf *b, struct prim_slice s)
{
	prim_buf_put_number(b, s.len);
	prim_buf_putc(b, ':');
	prim_buf_put(b, s);
	prim_buf_putc(b, ',');
}

static void on_listed(void *arg, const struct prim_slice *key,
    const struct prim_slice *value, bool failed)
{
	struct state_request *r = arg;

	if (key) {
		put_netstring(&r->list, *key);
		put_netstring(&r->list, value ? *value : PRIM_SLICE_NONE);
		prim_buf_reset(&r->last);
		prim_buf_put(&r->last, *key);
	} else if (failed) {
		settle(r, PRIM_INTERNAL_ERROR, PRIM_SLICE_NONE, false);
	} else {
		settle(r, PRIM_OK, prim_buf_slice(&r->list), value != NULL);
	}
}

/* What the adapter asks. */

enum operation { OP_PUT, OP_GET, OP_DELETE, OP_LIST, OP_NONE };

static enum operation find_operation(struct prim_slice name)
{
	static const char *const NAMES[] = {
		[OP_PUT] = "put",
		[OP_GET] = "get",
		[OP_DELETE] = "delete",
		[OP_LIST] = "list",
	};
	size_t i = 0;

	while (i < OP_NONE && !prim_slice_eq(name, prim_slice_of(NAMES[i])))
		i++;
	return (enum operation)i;
}

static struct state_request *open_request(struct br_host *h,
    struct prim_slice id)
{
	struct state_request *r = prim_new(struct state_request);

	for (size_t i = 0; i < id.len; i++)
		r->id[i] = id.ptr[i];
	br_ticket_open(&r->ticket, &h->peer, PRIM_FAMILY_PRIM,
	    prim_slice_make(r->id, id.len), PRIM_SLICE_NONE);
	h->states++;
	return r;
}

static void ask(struct br_host *h, const struct prim_command *c,
    enum operation operation, struct prim_slice key)
{
	const struct prim_slice adapter = prim_slice_of(h->adapter->name);
	struct br_store *store = h->context.store;
	struct state_request *r = open_request(h, c->id);

	switch (operation) {
	case OP_PUT:
		br_store_state_put(store, adapter, key, c->body, on_written, r);
		break;
	case OP_DELETE:
		br_store_state_drop(store, adapter, key, on_written, r);
		break;
	case OP_GET:
		br_store_state_find(store, adapter, key, on_found, r);
		break;
	case OP_LIST:
	case OP_NONE:
		br_store_state_page(store, adapter, key, on_listed, r);
		break;
	}
}

const char *br_host_state_request(struct br_host *h,
    const struct prim_command *c)
{
	const enum operation operation = find_operation(prim_command_get(c,
	    PRIM_HEADER_OPERATION));
	const bool has_key = prim_command_has(c, PRIM_HEADER_KEY);
	struct prim_buf key = { 0 };
	bool ok;

	if (operation == OP_NONE)
		return "a bad Operation";
	if (c->body.len > (operation == OP_PUT ? BR_STATE_VALUE_MAX : 0))
		return "a value that is too long or out of place";
	if (!has_key && operation != OP_LIST)
		return "a Key that is missing";
	if (h->states >= HOST_STATES_MAX)
		return "too many unanswered STATEs";
	ok = prim_address_unescape(&key, prim_command_get(c, PRIM_HEADER_KEY));
	ok = ok && key.len <= BR_STATE_KEY_MAX && (key.len > 0) == has_key;
	if (ok)
		ask(h, c, operation, prim_buf_slice(&key));
	prim_buf_fini(&key);
	return ok ? NULL : "a bad Key";
}
