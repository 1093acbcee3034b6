/* SPDX-License-Identifier: ISC */
/* The adapter to copy: what goes to anything@<domain> returns to its sender. */

#include "adapters/echo/content.h"

struct options {
	char *domain;
};

static const cyaml_schema_field_t FIELDS[] = {
	CYAML_FIELD_STRING_PTR("domain", CYAML_FLAG_POINTER, struct options,
	    domain, 1, 253),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t OPTIONS = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct options, FIELDS),
};

struct echo {
	struct bridge *bridge; /* borrowed: outlives us */
};

static bool echo_start(struct bridge *b, void *state, const void *options)
{
	struct echo *e = state;

	/* The core routes by `domain`; we need not look at it. */
	(void)options;
	e->bridge = b;
	bridge_ready(b);
	bridge_window(b, BRIDGE_SUBMIT_MAX);
	return true;
}

static void echo_stop(void *state)
{
	(void)state;
}

static unsigned echo_deliver(void *state, const struct bridge_message *m)
{
	struct echo *e = state;
	struct prim_buf body = { 0 };
	struct bridge_message echo = *m;
	bool sent = true;

	echo.from = m->to;
	echo.to = m->from;
	/* A second try is a duplicate. */
	echo.message_id = echo.return_token = m->delivery_id;
	echo.strength = PRIM_ASTRENGTH_NONE;  /* we checked nobody */
	echo.original_from = PRIM_SLICE_NONE; /* and nobody is behind us */
	if (ea_content_put(&body, m)) {
		echo.body = prim_buf_slice(&body);
		sent = bridge_submit(e->bridge, &echo);
	} else {
		bridge_report(e->bridge, m->delivery_id, PRIM_OK, "no echo");
	}
	prim_buf_fini(&body);
	return sent ? 0 : PRIM_INTERNAL_ERROR; /* full: it is tried again */
}

static void echo_outcome(void *state, const struct bridge_outcome *o)
{
	struct echo *e = state;

	bridge_report(e->bridge, o->return_token, /* the delivery's id */
	    o->code < 400 ? PRIM_OK : o->code, NULL);
}

static unsigned echo_subscribe(void *state, const struct bridge_subscription *s,
    uint32_t *granted_s)
{
	struct echo *e = state;
	struct prim_buf body = { 0 };
	bool sent;

	(void)granted_s;
	ea_content_put_open(&body, s->presentity);
	sent = bridge_notify(e->bridge,
	    &(struct bridge_notification){ s->watcher, s->presentity, s->id,
		.content_type = PRIM_SLICE("application/pidf+xml"),
		.body = prim_buf_slice(&body), .is_end = s->duration_s == 0 });
	prim_buf_fini(&body);
	return sent ? PRIM_OK : PRIM_INTERNAL_ERROR;
}

const struct br_adapter br_adapter_plugin = {
	.abi = BR_ADAPTER_ABI,
	.name = "echo",
	.options = &OPTIONS,
	.state_size = sizeof(struct echo),
	.start = echo_start,
	.stop = echo_stop,
	.deliver = echo_deliver,
	.outcome = echo_outcome,
	.subscribe = echo_subscribe,
};
