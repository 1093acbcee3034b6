/* SPDX-License-Identifier: ISC */
/* Notices, in words. */

#include "contrib/client/notice.h"

#include <jansson.h>
#include <stdio.h>

#include "contrib/client/show.h"
#include "prim/date.h"
#include "prim/visible.h"

#define PART_MAX 200 /* octets of what others wrote, for eyes */

static const struct {
	const char *status; /* for programs */
	const char *claim;  /* what is said of "your message" */
	bool has_reason;    /* and why is worth saying */
} WORDS[] = {
	[PRIM_IMDN_DELIVERED] = {"delivered",  "was delivered",           false},
	[PRIM_IMDN_FAILED] = { "failed",    "failed",                  true },
	[PRIM_IMDN_STORED] = { "late",      "is late",                 true },
	[PRIM_IMDN_PROCESSED] = { "processed", "was passed on",           false},
	[PRIM_IMDN_DISPLAYED] = { "displayed", "was shown",               false},
	[PRIM_IMDN_FORBIDDEN] = { "forbidden", "will not be reported on",
				 true					  },
	[PRIM_IMDN_ERROR] = { "error",     "got lost from sight",     true },
};

/* Cut between characters, as long as they are some. */
static void put_part(struct prim_buf *b, struct prim_slice text)
{
	size_t len = text.len;

	if (len > PART_MAX) {
		len = PART_MAX;
		while (len > PART_MAX - 4 &&
		    ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
			len--;
	}
	prim_visible_put(b, prim_slice_make(text.ptr, len));
	if (len < text.len)
		prim_buf_puts(b, "...");
}

/* To the second. */
static void put_time(struct prim_buf *b, int64_t ms)
{
	prim_date_put_3339(b, ms - ms % 1000);
}

static int64_t time_of(const struct cl_incoming *m)
{
	int64_t ms;

	return prim_date_parse_1123(m->date, &ms) ? ms : cl_message_wall_ms();
}

/* As the user wrote it, if that is known. */
static struct prim_slice recipient_of(const struct prim_imdn *imdn)
{
	return cl_message_bare(imdn->original_recipient.len
		? imdn->original_recipient
		: imdn->recipient);
}

/* As `prim send` told it, and as the operator's `primctl trace` knows it. */
static struct prim_slice message_id_of(const struct prim_imdn *imdn)
{
	return imdn->prim_message_id.len ? imdn->prim_message_id
					 : imdn->message_id;
}

static void put_reason(struct prim_buf *b, const struct prim_imdn *imdn)
{
	if (!WORDS[imdn->status].has_reason)
		return;
	if (imdn->reason.len) {
		prim_buf_puts(b, ": ");
		put_part(b, imdn->reason);
	}
	if (imdn->code)
		prim_buf_putf(b, " (%u)", imdn->code);
}

/* "your message to bob@... of 2026-11-22T10:30:00Z failed: ... (408)". */
static void put_claim(struct prim_buf *b, const struct prim_imdn *imdn)
{
	int64_t ms;

	prim_buf_puts(b, "your message");
	if (recipient_of(imdn).len) {
		prim_buf_puts(b, " to ");
		put_part(b, recipient_of(imdn));
	}
	if (prim_date_parse_3339(imdn->date, &ms)) {
		prim_buf_puts(b, " of ");
		put_time(b, ms);
	}
	prim_buf_putc(b, ' ');
	prim_buf_puts(b, WORDS[imdn->status].claim);
	put_reason(b, imdn);
	prim_buf_puts(b, " [");
	put_part(b, message_id_of(imdn));
	prim_buf_putc(b, ']');
}

static bool show_json(const struct cl_incoming *m)
{
	const struct prim_imdn *imdn = &m->notice;
	json_t *line = json_pack("{s:s}", "event", "notice");
	json_t *about = json_object();

	cl_show_set(line, "from", m->from);
	cl_show_set(line, "to", m->to);
	cl_show_set(line, "message_id", m->message_id);
	cl_show_set(line, "conversation_id", m->conversation);
	cl_show_set(line, "status",
	    prim_slice_of(m->is_legible ? WORDS[imdn->status].status
					: "illegible"));
	if (m->is_legible) {
		cl_show_set(about, "message_id", imdn->message_id);
		cl_show_set(about, "prim_message_id", imdn->prim_message_id);
		cl_show_set(about, "date", imdn->date);
		cl_show_set(about, "to", recipient_of(imdn));
		cl_show_set(line, "reason", imdn->reason);
		if (imdn->code)
			json_object_set_new(line, "code",
			    json_integer((json_int_t)imdn->code));
	}
	json_object_set_new(line, "about", about);
	return cl_show_json(line);
}

bool cl_notice_show(const struct cl_options *options,
    const struct cl_incoming *m)
{
	struct prim_buf b = { 0 };

	if (options->json)
		return show_json(m);
	prim_buf_puts(&b, "-- ");
	put_time(&b, time_of(m));
	prim_buf_putc(&b, ' ');
	put_part(&b, m->from);
	prim_buf_puts(&b, ": ");
	if (m->is_legible)
		put_claim(&b, &m->notice);
	else
		prim_buf_puts(&b, "a notice that cannot be read");
	prim_buf_putc(&b, '\n');
	fwrite(b.ptr, 1, b.len, stdout);
	prim_buf_fini(&b);
	return cl_show_flush();
}
