/* SPDX-License-Identifier: ISC */
/* What the user gets to see. */

#include "contrib/client/show.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prim/base.h"
#include "prim/utf8.h"
#include "prim/visible.h"

#define INDENT       "    "
#define REMINDER_MAX 40 /* octets of a text we quote back */

bool cl_show_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

bool cl_show_json(struct json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (text)
		printf("%s\n", text);
	free(text);
	json_decref(line);
	return cl_show_flush();
}

void cl_show_set(struct json_t *object, const char *name, struct prim_slice s)
{
	if (s.len > 0)
		json_object_set_new(object, name, json_stringn(s.ptr, s.len));
}

static void set_base64(json_t *object, const char *name, struct prim_slice s)
{
	size_t size = (s.len + 2) / 3 * 4 + 1;
	unsigned char *text = prim_alloc(size);

	EVP_EncodeBlock(text, (const unsigned char *)s.ptr, (int)s.len);
	json_object_set_new(object, name, json_string((const char *)text));
	prim_free(text);
}

static bool is_json_text(const struct cl_incoming *m)
{
	return m->kind == CL_MESSAGE_TEXT && prim_utf8_ok(m->content);
}

static bool incoming_json(const struct cl_incoming *m)
{
	json_t *line = json_pack("{s:s}", "event", "message");

	cl_show_set(line, "from", m->from);
	cl_show_set(line, "to", m->to);
	cl_show_set(line, "message_id", m->message_id);
	cl_show_set(line, "conversation_id", m->conversation);
	cl_show_set(line, "content_type", m->type);
	cl_show_set(line, "subject", prim_buf_slice(&m->subject));
	if (is_json_text(m))
		json_object_set_new(line, "text",
		    json_stringn(m->content.ptr ? m->content.ptr : "",
			m->content.len));
	else
		set_base64(line, "body_base64", m->content);
	return cl_show_json(line);
}

bool cl_show_incoming(const struct cl_options *options,
    const struct cl_incoming *m)
{
	struct prim_buf b = { 0 };

	if (options->json)
		return incoming_json(m);
	prim_visible_put(&b, m->from);
	prim_buf_puts(&b, ": ");
	if (m->subject.len > 0) {
		prim_buf_putc(&b, '[');
		prim_visible_put(&b, prim_buf_slice(&m->subject));
		prim_buf_puts(&b, "] ");
	}
	prim_visible_put_lines(&b, m->content, INDENT);
	prim_buf_putc(&b, '\n');
	fwrite(b.ptr, 1, b.len, stdout);
	prim_buf_fini(&b);
	return cl_show_flush();
}

static bool fate_json(const struct cl_options *options, const struct cl_sent *m)
{
	json_t *line = json_pack("{s:s, s:i, s:s}", "event", "sent", "code",
	    (int)m->code, "meaning", cl_message_fate(options, m->code));

	cl_show_set(line, "message_id", m->message_id);
	if (options->receipt)
		cl_show_set(line, "imdn_message_id",
		    cl_message_imdn_id(m->message_id));
	cl_show_set(line, "conversation_id", m->conversation);
	cl_show_set(line, "reason", m->reason);
	return cl_show_json(line);
}

/* In the server's words, if it has any. A code that has no sentence of its own is
 * named. */
static void print_fate(const struct cl_options *options,
    const struct cl_sent *m)
{
	const char *fate = cl_message_fate(options, m->code);
	struct prim_buf b = { 0 };

	if (m->reason.len && !cl_message_is_sent(m->code)) {
		prim_visible_put(&b, m->reason);
		printf("not delivered: %.*s (%u)",
		    PRIM_SLICE_ARG(prim_buf_slice(&b)), m->code);
		prim_buf_fini(&b);
		return;
	}
	printf("%s", fate);
	if (m->code != PRIM_OK && fate[strlen(fate) - 1] != ')')
		printf(": %s (%u)", prim_status_phrase(m->code), m->code);
}

bool cl_show_fate(const struct cl_options *options, const struct cl_sent *m)
{
	if (options->json)
		return fate_json(options, m);
	print_fate(options, m);
	printf("\n");
	return cl_show_flush();
}

/* The beginning of a text, cut between characters. */
static void print_reminder(struct prim_slice text)
{
	struct prim_buf b = { 0 };
	size_t len = text.len;

	if (len > REMINDER_MAX) {
		len = REMINDER_MAX;
		while (len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
			len--;
	}
	prim_visible_put(&b, prim_slice_make(text.ptr, len));
	printf("%.*s%s", PRIM_SLICE_ARG(prim_buf_slice(&b)),
	    len < text.len ? "..." : "");
	prim_buf_fini(&b);
}

bool cl_show_chat_fate(const struct cl_options *options,
    const struct cl_sent *m)
{
	if (options->json)
		return fate_json(options, m);
	if (m->code == PRIM_OK)
		return true;
	printf("-- ");
	print_fate(options, m);
	printf(": ");
	print_reminder(m->text);
	printf("\n");
	return cl_show_flush();
}
