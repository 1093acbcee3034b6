/* SPDX-License-Identifier: ISC */
/* An adapter that misbehaves to order, for tests. It keeps nothing. */

#include <stdio.h>
#include <unistd.h>

#include "adapters/fault/fault.h"
#include "prim/address.h"
#include "prim/imdn.h"

struct options {
	char *domain;
	char *mode;
	char *notice;
	unsigned retry, delay, record;
	char *listen;    /* primd binds it; see `socket` */
	char *some_file; /* can be read in the sandbox; see `try` */
};

static const cyaml_schema_field_t FIELDS[] = {
	CYAML_FIELD_STRING_PTR("domain", CYAML_FLAG_POINTER, struct options,
	    domain, 1, 253),
	CYAML_FIELD_STRING_PTR("mode", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct options, mode, 1, 1023),
	CYAML_FIELD_STRING_PTR("notice",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct options, notice, 1,
	    1023),
	CYAML_FIELD_UINT("retry", CYAML_FLAG_OPTIONAL, struct options, retry),
	CYAML_FIELD_UINT("delay", CYAML_FLAG_OPTIONAL, struct options, delay),
	CYAML_FIELD_UINT("record", CYAML_FLAG_OPTIONAL, struct options, record),
	CYAML_FIELD_STRING_PTR("listen",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct options, listen, 1,
	    255),
	CYAML_FIELD_STRING_PTR("some_file",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct options, some_file,
	    1, 4095),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t OPTIONS = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct options, FIELDS),
};

/* What the bridge calls. */

/* NULL leaves it `ok`. */
static bool read_order(const char *text, struct fa_order *out)
{
	return !text || fa_order_parse(prim_slice_of(text), out);
}

static bool fault_start(struct bridge *b, void *state, const void *options)
{
	const struct options *o = options;
	const unsigned pauses_s[BRIDGE_RETRY_MAX] = { o->retry };
	struct fault *f = state;

	f->bridge = f->presence.bridge = b;
	f->listener = bridge_socket(b, 0);
	fa_delays_init(&f->delays, b);
	fa_submit_init(&f->submit, b, &f->record);
	if (!fa_record_open(&f->record, b, o->record) ||
	    !read_order(o->mode, &f->presence.mode) ||
	    !read_order(o->notice, &f->notice))
		return false;
	bridge_retry(b, pauses_s, o->delay);
	bridge_ready(b);
	bridge_window(b, FA_WINDOW);
	return true;
}

static void fault_stop(void *state)
{
	struct fault *f = state;

	fa_delays_fini(&f->delays);
	fa_submit_fini(&f->submit);
	fa_record_close(&f->record);
	if (f->listener >= 0)
		close(f->listener);
	fa_presence_fini(&f->presence);
	fa_order_fini(&f->notice);
	prim_buf_fini(&f->state_id);
	prim_buf_fini(&f->state_value);
}

static bool is_order(const char *text)
{
	struct fa_order order = { 0 };
	const bool is = read_order(text, &order);

	fa_order_fini(&order);
	return is;
}

static bool fault_check(const void *options, char *why, size_t size)
{
	const struct options *o = options;
	const bool mode = is_order(o->mode), notice = is_order(o->notice);

	if (!mode || !notice)
		snprintf(why, size, "%s: there is no such misdeed",
		    mode ? "notice" : "mode");
	return mode && notice;
}

static void log_notice(struct fault *f, const struct bridge_message *m)
{
	bridge_log(f->bridge, BRIDGE_INFO,
	    "notice kind=%s return=%s about=%s to=%s code=%u attempt=%u",
	    fa_record_kind(m), bridge_quote(m->return_token),
	    bridge_quote(m->notice->message_id), bridge_quote(m->to),
	    m->notice->code, m->attempt);
}

/* A notice never obeys its recipient, who may have been an order once. */
static unsigned fault_deliver(void *state, const struct bridge_message *m)
{
	struct fault *f = state;
	struct prim_address to;
	struct fa_order order = { 0 };
	unsigned code;

	f->deliveries++;
	if (m->notice) {
		log_notice(f, m);
		return fa_obey(f, &f->notice, m);
	}
	if (prim_address_parse(m->to, &to) && fa_order_parse(to.local, &order))
		code = fa_obey(f, &order, m);
	else
		code = fa_obey(f, &f->presence.mode, m);
	fa_order_fini(&order);
	return code;
}

static void fault_outcome(void *state, const struct bridge_outcome *o)
{
	struct fault *f = state;

	fa_outcome(&f->submit, o);
}

static void fault_state_value(void *state, const struct prim_slice *key,
    const struct prim_slice *value)
{
	struct fault *f = state;
	const struct prim_slice wanted = prim_buf_slice(&f->state_value);
	const bool equal = value && prim_slice_eq(*value, wanted);

	/* The list ends it; whatever was not equal before has its report. */
	if (key && equal)
		return;
	if (f->state_id.len > 0)
		bridge_report(f->bridge, prim_buf_slice(&f->state_id),
		    key ? PRIM_BAD_REQUEST : PRIM_OK, "state");
	prim_buf_reset(&f->state_id);
}

static void fault_linked(void *state, const struct bridge_linked *l)
{
	struct fault *f = state;

	fa_linked(&f->submit, l);
}

static void fault_room(void *state)
{
	struct fault *f = state;

	fa_flood_on(&f->submit);
}

const struct br_adapter br_adapter_plugin = {
	.abi = BR_ADAPTER_ABI,
	.name = "fault",
	.options = &OPTIONS,
	.check = fault_check,
	.state_size = sizeof(struct fault),
	.descriptors = 7,
	.start = fault_start,
	.stop = fault_stop,
	.deliver = fault_deliver,
	.linked = fault_linked,
	.outcome = fault_outcome,
	.state_value = fault_state_value,
	.room = fault_room,
	.subscribe = fa_presence_subscribe,
	.unsubscribe = fa_presence_unsubscribe,
	.notify = fa_presence_notify,
	.presence_outcome = fa_presence_outcome,
};
