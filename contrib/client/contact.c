/* SPDX-License-Identifier: ISC */
/* One subscription. */

#include "contrib/client/contact.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "contrib/client/message.h"
#include "contrib/client/show.h"
#include "prim/base.h"
#include "prim/date.h"

#define DURATION_S   3600
#define DURATION_MAX 4294967295U
#define RENEW_AT_MS  500 /* of each second granted */
#define RENEW_MIN_MS 5000
#define TRY_AGAIN_MS 60000
#define SCHEME       "pres:"

void cl_contact_init(struct cl_contact *c, const char *to)
{
	struct prim_address a;
	struct prim_key key;

	prim_address_parse(prim_slice_of(to), &a);
	prim_address_key(&a, &key);
	*c = (struct cl_contact){
		.to = to,
		.address = to + sizeof(SCHEME) - 1,
		.key = prim_slice_copy(prim_key_slice(&key)),
	};
}

void cl_contact_fini(struct cl_contact *c)
{
	c->key = prim_free(c->key);
	c->told = prim_free(c->told);
}

bool cl_contact_is(const struct cl_contact *c, struct prim_slice address)
{
	struct prim_address a;
	struct prim_key key;

	if (!prim_address_parse(address, &a))
		return false;
	prim_address_key(&a, &key);
	return prim_slice_eq(prim_key_slice(&key), prim_slice_of(c->key));
}

void cl_contact_restart(struct cl_contact *c)
{
	c->id[0] = '\0';
	c->due_ms = c->is_refused ? CL_CONTACT_NEVER : 0;
	c->is_renewal = false;
}

bool cl_contact_ask(struct cl_contact *c, struct cl_session *s,
    struct cl_err *err)
{
	struct prim_buf b = { 0 };
	bool ok;

	cl_session_id(s, c->id);
	c->due_ms = cl_link_now_ms() + CL_SESSION_ANSWER_MS;
	prim_command_put_request(&b, PRIM_METHOD_SUBSCRIBE, s->family,
	    prim_slice_of(c->id), 0);
	prim_command_put_header(&b, PRIM_HEADER_FROM,
	    prim_slice_of(s->options->from));
	prim_command_put_header(&b, PRIM_HEADER_TO, prim_slice_of(c->to));
	prim_buf_putf(&b, "Duration: %d\r\n", DURATION_S);
	prim_command_end(&b);
	ok = cl_session_write(s, &b, err);
	prim_buf_fini(&b);
	return ok;
}

/* ---- answers ---- */

static const struct {
	unsigned code;
	const char *why;
} REFUSALS[] = {
	{PRIM_FORBIDDEN,               "does not let you see their presence"    },
	{ PRIM_NOT_FOUND,              "does not exist"                         },
	{ PRIM_ASTRENGTH_TOO_WEAK,
         "cannot be watched: it is not sure enough that you are you"            },
	{ PRIM_NOT_IMPLEMENTED,        "cannot be watched: there is no presence"},
	{ PRIM_TOO_MANY_SUBSCRIPTIONS,
         "cannot be watched: there are too many subscriptions"                  },
};

/* Will the same later perhaps end otherwise? */
static bool is_passing(unsigned code)
{
	return code == PRIM_TIMEOUT ||
	    (code >= 500 && code != PRIM_NOT_IMPLEMENTED &&
		code != PRIM_TOO_MANY_SUBSCRIPTIONS);
}

static const char *reason(unsigned code)
{
	for (size_t i = 0; i < PRIM_COUNT(REFUSALS); i++) {
		if (REFUSALS[i].code == code)
			return REFUSALS[i].why;
	}
	return NULL;
}

/* Once for each reason, as it is tried every minute. */
static void complain(struct cl_contact *c, unsigned code)
{
	const char *why = reason(code);

	if (c->complained == code)
		return;
	c->complained = code;
	if (why)
		cl_err_note("%s %s (%u)", c->address, why, code);
	else
		cl_err_note("%s cannot be watched%s: %s (%u)", c->address,
		    is_passing(code) ? " now, trying again" : "",
		    prim_status_phrase(code), code);
}

static void refuse(struct cl_contact *c)
{
	c->is_refused = true;
	c->due_ms = CL_CONTACT_NEVER;
}

static bool grant(struct cl_contact *c, const struct prim_command *answer)
{
	uint64_t seconds = DURATION_S;
	bool is_new = !c->is_renewal;
	int64_t wait_ms;

	prim_slice_number(prim_command_get(answer, PRIM_HEADER_DURATION),
	    DURATION_MAX, &seconds);
	wait_ms = (int64_t)seconds * RENEW_AT_MS;
	if (wait_ms < RENEW_MIN_MS)
		wait_ms = RENEW_MIN_MS;
	c->due_ms = cl_link_now_ms() + wait_ms;
	c->complained = 0;
	c->is_renewal = true;
	/* ERR-83: the answer may leave the state to a NOTIFY. */
	return is_new || answer->body.len > 0;
}

bool cl_contact_answer(struct cl_contact *c, const struct cl_session *s)
{
	unsigned code = s->command.code;

	c->id[0] = '\0';
	if (code == PRIM_OK || code == PRIM_DURATION_ADJUSTED)
		return grant(c, &s->command);
	complain(c, code);
	if (is_passing(code))
		c->due_ms = cl_link_now_ms() + TRY_AGAIN_MS;
	else
		refuse(c);
	return false;
}

/* ---- showing ---- */

/* The time of day, to the second. */
static void put_time(struct prim_buf *b)
{
	prim_date_put_3339(b, cl_message_wall_ms() / 1000 * 1000);
}

static json_t *event(const struct cl_contact *c, const char *name)
{
	json_t *line = json_pack("{s:s}", "event", name);
	struct prim_buf time = { 0 };

	put_time(&time);
	cl_show_set(line, "time", prim_buf_slice(&time));
	cl_show_set(line, "from", prim_slice_of(c->address));
	prim_buf_fini(&time);
	return line;
}

static bool print_lines(struct prim_slice lines)
{
	struct prim_buf b = { 0 };

	while (lines.len > 0) {
		put_time(&b);
		prim_buf_putc(&b, ' ');
		prim_buf_put(&b, prim_slice_cut(&lines, '\n'));
		prim_buf_putc(&b, '\n');
	}
	fwrite(b.ptr, 1, b.len, stdout);
	prim_buf_fini(&b);
	return cl_show_flush();
}

static bool print_state(const struct cl_contact *c,
    const struct cl_options *options, const struct prim_pidf *p)
{
	json_t *line;

	if (!options->json)
		return print_lines(prim_slice_of(c->told));
	line = event(c, "presence");
	cl_state_set(line, p);
	return cl_show_json(line);
}

bool cl_contact_show(struct cl_contact *c, const struct cl_options *options,
    const struct prim_pidf *p, bool *out_ok)
{
	struct prim_buf lines = { 0 };

	*out_ok = true;
	cl_state_put(&lines, c->address, p);
	if (c->told &&
	    prim_slice_eq(prim_buf_slice(&lines), prim_slice_of(c->told))) {
		prim_buf_fini(&lines);
		return false;
	}
	prim_free(c->told);
	c->told = prim_buf_steal(&lines);
	*out_ok = print_state(c, options, p);
	return true;
}

bool cl_contact_cancel(struct cl_contact *c, const struct cl_options *options)
{
	struct prim_buf line = { 0 };
	bool ok;

	refuse(c);
	c->told = prim_free(c->told);
	if (options->json)
		return cl_show_json(event(c, "cancelled"));
	prim_buf_puts(&line, c->address);
	prim_buf_puts(&line, " cancelled: lets you see nothing any more\n");
	ok = print_lines(prim_buf_slice(&line));
	prim_buf_fini(&line);
	return ok;
}
