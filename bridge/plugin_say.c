/* SPDX-License-Identifier: ISC */
/* What a plugin says to the core: the bridge_*() calls that state something. */

#include <stdio.h>
#include <string.h>

#include "bridge/clock.h"
#include "bridge/log.h"
#include "bridge/message.h"
#include "bridge/plugin_private.h"

#define REPORT_TEXT_MAX 200
#define LOG_TEXT_MAX    2048
#define WINDOW_MAX      1024  /* DESIGN 7 */
#define PAUSE_MAX       86400 /* seconds, of a schedule */
#define FENCES_MAX      1024  /* unanswered */

/* Requests. */

struct prim_buf *br_plugin_request(struct bridge *b, enum prim_method method,
    const struct br_ask *ask, size_t body_len)
{
	char text[BR_ASK_ID_MAX];
	struct prim_slice id = PRIM_SLICE("-");

	if (ask)
		id = br_ask_id(br_asks_put(&b->asks, ask), text);
	prim_buf_reset(&b->scratch);
	prim_command_put_request(&b->scratch, method, PRIM_FAMILY_PRIM, id,
	    body_len);
	return &b->scratch;
}

void br_plugin_put_number(struct prim_buf *out, enum prim_header_id id,
    uint64_t value)
{
	char text[BR_ASK_ID_MAX];

	prim_command_put_header(out, id, br_ask_id(value, text));
}

void br_plugin_send(struct bridge *b, struct prim_slice body)
{
	prim_command_end(&b->scratch);
	if (b->held) {
		prim_buf_put(b->held, prim_buf_slice(&b->scratch));
		prim_buf_put(b->held, body);
		return;
	}
	br_link_send(&b->link, prim_buf_slice(&b->scratch));
	br_link_send(&b->link, body);
}

static void put_text_type(struct prim_buf *out, struct prim_slice text)
{
	if (text.len > 0)
		prim_command_put_header(out, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("text/plain; charset=UTF-8"));
}

/* At most `max` octets of `text`, and no half character. */
static struct prim_slice cut_text(struct prim_slice text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return prim_slice_make(text.ptr, max);
}

/* Deliveries that wait for their report. Their ids come from a keyed hash, so
 * any eight octets will do. */

static uint64_t hash_of(const struct prim_digest *id)
{
	uint64_t hash;

	memcpy(&hash, id->octets, sizeof(hash));
	return hash;
}

static struct plugin_delivery *find_delivery(struct bridge *b,
    const struct prim_digest *id)
{
	struct prim_table_node *n = prim_table_first(&b->deliveries,
	    hash_of(id));

	for (; n; n = prim_table_next(n)) {
		struct plugin_delivery *d = PRIM_CONTAINER(n,
		    struct plugin_delivery, node);

		if (prim_digest_eq(&d->id, id))
			return d;
	}
	return NULL;
}

void br_plugin_delivery_put(struct bridge *b, const struct prim_digest *id)
{
	struct plugin_delivery *d = find_delivery(b, id);

	if (d)
		return;
	d = prim_new(struct plugin_delivery);
	d->id = *id;
	prim_table_put(&b->deliveries, &d->node, hash_of(id));
}

void br_plugin_delivery_drop(struct bridge *b, const struct prim_digest *id)
{
	struct plugin_delivery *d = find_delivery(b, id);

	if (!d)
		return;
	prim_table_drop(&b->deliveries, &d->node);
	prim_free(d);
	br_plugin_later(b);
}

static void drop_visited(struct prim_table_node *n, void *arg)
{
	prim_table_drop(arg, n);
	prim_free(PRIM_CONTAINER(n, struct plugin_delivery, node));
}

void br_plugin_delivery_drop_all(struct bridge *b)
{
	prim_table_each(&b->deliveries, drop_visited, &b->deliveries);
}

/* The calls. */

struct event_base *bridge_base(struct bridge *b)
{
	return b->base;
}

const char *bridge_name(const struct bridge *b)
{
	return b->name;
}

int64_t bridge_now_ms(const struct bridge *b)
{
	return b->clock_offset_ms + br_clock_steady_ms();
}

int bridge_socket(struct bridge *b, unsigned index)
{
	int fd;

	if (index >= b->socket_count)
		return -1;
	fd = b->sockets[index];
	b->sockets[index] = -1;
	return fd;
}

static unsigned in_bounds(unsigned seconds)
{
	return seconds < PAUSE_MAX ? seconds : PAUSE_MAX;
}

static void say_window(struct bridge *b, unsigned window)
{
	br_plugin_put_number(br_plugin_request(b, PRIM_METHOD_WINDOW, NULL, 0),
	    PRIM_HEADER_WINDOW, window);
	br_plugin_send(b, PRIM_SLICE_NONE);
}

void bridge_retry(struct bridge *b, const unsigned pauses_s[BRIDGE_RETRY_MAX],
    unsigned delay_notice_s)
{
	prim_buf_reset(&b->retry);
	for (unsigned i = 0; i < BRIDGE_RETRY_MAX && pauses_s[i] > 0; i++)
		prim_buf_putf(&b->retry, i == 0 ? "%u" : " %u",
		    in_bounds(pauses_s[i]));
	b->delay_notice_s = in_bounds(delay_notice_s);
}

void bridge_ready(struct bridge *b)
{
	struct prim_buf *out;

	if (b->ready)
		return;
	b->ready = true;
	out = br_plugin_request(b, PRIM_METHOD_READY, NULL, 0);
	if (b->retry.len > 0)
		prim_command_put_header(out, PRIM_HEADER_RETRY,
		    prim_buf_slice(&b->retry));
	if (b->delay_notice_s > 0)
		br_plugin_put_number(out, PRIM_HEADER_DELAY, b->delay_notice_s);
	br_plugin_send(b, PRIM_SLICE_NONE);
	if (b->window > 0)
		say_window(b, b->window);
}

/* Behind WINDOW 0 goes a PING: what arrives before its answer was sent before
 * the core knew, and is the core's again. */
static void raise_fence(struct bridge *b)
{
	const struct br_ask ask = { .kind = PLUGIN_ASK_FENCE };

	if (b->fences >= FENCES_MAX) {
		bridge_log(b, BRIDGE_ERROR,
		    "the window opens and closes wildly");
		br_plugin_end(b, PLUGIN_EXIT_PLUGIN);
		return;
	}
	br_plugin_request(b, PRIM_METHOD_PING, &ask, 0);
	br_plugin_send(b, PRIM_SLICE_NONE);
	b->fences++;
}

void bridge_window(struct bridge *b, unsigned deliveries)
{
	const bool goes_down = b->window > 0 && deliveries == 0;

	if (deliveries > WINDOW_MAX)
		deliveries = WINDOW_MAX;
	b->window = deliveries;
	if (!b->ready)
		return;
	say_window(b, deliveries);
	if (!goes_down)
		return;
	raise_fence(b);
	br_plugin_delivery_drop_all(b);
	br_plugin_later(b);
}

static void say_report(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text)
{
	struct prim_slice what = cut_text(prim_slice_of(text), REPORT_TEXT_MAX);
	struct prim_digest id;
	struct prim_buf *out;

	if (!br_message_parse_delivery(delivery_id, &id))
		return;
	out = br_plugin_request(b, PRIM_METHOD_REPORT, NULL, what.len);
	prim_command_put_header(out, PRIM_HEADER_DELIVERY_ID, delivery_id);
	br_plugin_put_number(out, PRIM_HEADER_CODE, code);
	put_text_type(out, what);
	br_plugin_send(b, what);
	br_plugin_delivery_drop(b, &id);
}

void bridge_report(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text)
{
	if (code != PRIM_OK && code != PRIM_UNKNOWN_DELIVERY &&
	    (code < 400 || code > 599)) {
		bridge_log(b, BRIDGE_ERROR, "a report of a strange code=%u",
		    code);
		code = PRIM_INTERNAL_ERROR;
	}
	say_report(b, delivery_id, code, text);
}

void bridge_report_late(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text)
{
	if (!b->ready || (code != PRIM_OK && (code < 400 || code > 499)))
		bridge_log(b, BRIDGE_ERROR,
		    "a late report too early or of a strange code=%u", code);
	else
		say_report(b, delivery_id, code, text);
}

void bridge_log(struct bridge *b, enum bridge_level level, const char *format,
    ...)
{
	static const char *const LEVELS[] = {
		[BRIDGE_ERROR] = "error",
		[BRIDGE_WARN] = "warn",
		[BRIDGE_INFO] = "info",
		[BRIDGE_DEBUG] = "debug",
	};
	char text[LOG_TEXT_MAX + 8];
	struct prim_slice line;
	struct prim_buf *out;
	va_list args;

	if (br_link_waiting(&b->link) > PLUGIN_LOG_BACKLOG)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	line = cut_text(prim_slice_of(text), LOG_TEXT_MAX);
	out = br_plugin_request(b, PRIM_METHOD_LOG, NULL, line.len);
	prim_command_put_header(out, PRIM_HEADER_LEVEL,
	    prim_slice_of(LEVELS[level]));
	put_text_type(out, line);
	br_plugin_send(b, line);
}

const char *bridge_quote(struct prim_slice s)
{
	return br_quote(s);
}

/* Is `name` one of ours, or may it become one? */
static bool know_metric(struct bridge *b, const char *name)
{
	const size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_");

	if (len == 0 || len > PLUGIN_METRIC_LEN || name[len])
		return false;
	for (size_t i = 0; i < PLUGIN_METRICS_MAX; i++) {
		if (!b->metrics[i][0])
			memcpy(b->metrics[i], name, len + 1);
		if (strcmp(b->metrics[i], name) == 0)
			return true;
	}
	return false;
}

void bridge_metric(struct bridge *b, const char *name, int64_t value)
{
	char text[24];
	struct prim_buf *out;

	if (!know_metric(b, name)) {
		bridge_log(b, BRIDGE_ERROR,
		    "a metric with a bad name, or one too many, name=%s",
		    br_quote(prim_slice_of(name)));
		return;
	}
	snprintf(text, sizeof(text), "%lld", (long long)value);
	out = br_plugin_request(b, PRIM_METHOD_METRIC, NULL, 0);
	prim_command_put_header(out, PRIM_HEADER_NAME, prim_slice_of(name));
	prim_command_put_header(out, PRIM_HEADER_VALUE, prim_slice_of(text));
	br_plugin_send(b, PRIM_SLICE_NONE);
}
