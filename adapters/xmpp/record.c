/* SPDX-License-Identifier: ISC */
/* What lasts about a contact. */

#include "adapters/xmpp/record.h"

#include "adapters/xmpp/digest.h"
#include "adapters/xmpp/roster.h"
#include "adapters/xmpp/text.h"
#include "prim/base.h"

#define VERSION  "1"
#define CODE_MAX 599
#define TIME_MAX (INT64_MAX / 2) /* so that something can be added */

static const char *const WORDS[] = {
	[XA_APPROVAL_NONE] = "none",
	[XA_APPROVAL_PENDING] = "pending",
	[XA_APPROVAL_GRANTED] = "granted",
	[XA_APPROVAL_DENIED] = "denied",
};

void xa_record_put_key(struct prim_buf *b, struct prim_slice ours,
    struct prim_slice theirs)
{
	const struct prim_slice parts[] = { ours, theirs };

	prim_buf_puts(b, XA_ROSTER_PREFIX);
	xa_digest_id(b, parts, PRIM_COUNT(parts));
}

/*
 * Writing.
 */

static void put_line(struct prim_buf *b, const char *name,
    struct prim_slice value)
{
	prim_buf_puts(b, name);
	prim_buf_putc(b, ' ');
	prim_buf_put(b, value);
	prim_buf_putc(b, '\n');
}

static void put_number(struct prim_buf *b, int64_t value)
{
	prim_buf_putc(b, ' ');
	prim_buf_put_number(b, value > 0 ? (uint64_t)value : 0);
}

void xa_record_put(struct prim_buf *b, const struct xa_record *r)
{
	prim_buf_puts(b, VERSION "\n");
	put_line(b, "ours", r->ours);
	put_line(b, "theirs", r->theirs);
	put_line(b, "principal", r->principal);
	put_line(b, "user", r->user);
	prim_buf_puts(b, "watch ");
	prim_buf_puts(b, WORDS[r->watch]);
	put_number(b, r->watch_code);
	put_number(b, r->watch_ms);
	put_number(b, r->asked_ms);
	put_number(b, r->used_ms);
	prim_buf_puts(b, "\nfollow ");
	prim_buf_puts(b, WORDS[r->follow]);
	put_number(b, r->follow_ms);
	prim_buf_putc(b, '\n');
	for (unsigned i = 0; i < r->told_count; i++)
		put_line(b, "told", r->told[i]);
}

/*
 * Reading.
 */

static bool cut_word(struct prim_slice *in, enum xa_approval *out)
{
	struct prim_slice word = prim_slice_cut(in, ' ');

	for (unsigned i = 0; i < PRIM_COUNT(WORDS); i++) {
		if (prim_slice_eq(word, prim_slice_of(WORDS[i]))) {
			*out = (enum xa_approval)i;
			return true;
		}
	}
	return false;
}

static bool cut_number(struct prim_slice *in, int64_t *out)
{
	uint64_t value;

	if (!prim_slice_number(prim_slice_cut(in, ' '), TIME_MAX, &value))
		return false;
	*out = (int64_t)value;
	return true;
}

static bool read_watch(struct xa_record *r, struct prim_slice value)
{
	int64_t code;

	if (!cut_word(&value, &r->watch) || !cut_number(&value, &code) ||
	    code > CODE_MAX)
		return false;
	r->watch_code = (unsigned)code;
	return cut_number(&value, &r->watch_ms) &&
	    cut_number(&value, &r->asked_ms) && cut_number(&value, &r->used_ms);
}

static bool read_follow(struct xa_record *r, struct prim_slice value)
{
	return cut_word(&value, &r->follow) &&
	    cut_number(&value, &r->follow_ms);
}

static bool read_told(struct xa_record *r, struct prim_slice value)
{
	if (r->told_count == XA_RESOURCES_MAX || !xa_text_ok(value))
		return false;
	r->told[r->told_count++] = value;
	return true;
}

/* An item that this version does not know is passed over. */
static bool read_line(struct xa_record *r, struct prim_slice line)
{
	struct prim_slice name = prim_slice_cut(&line, ' ');

	const struct {
		const char *name;
		struct prim_slice *value;
	} names[] = {
		{"ours",       &r->ours     },
		{ "theirs",    &r->theirs   },
		{ "principal", &r->principal},
		{ "user",      &r->user     },
	};

	for (size_t i = 0; i < PRIM_COUNT(names); i++) {
		if (prim_slice_eq(name, prim_slice_of(names[i].name))) {
			*names[i].value = line;
			return xa_text_ok(line);
		}
	}
	if (prim_slice_eq(name, PRIM_SLICE("watch")))
		return read_watch(r, line);
	if (prim_slice_eq(name, PRIM_SLICE("follow")))
		return read_follow(r, line);
	if (prim_slice_eq(name, PRIM_SLICE("told")))
		return read_told(r, line);
	return true;
}

bool xa_record_parse(struct prim_slice text, struct xa_record *out)
{
	struct xa_record r = { .watch = XA_APPROVAL_NONE };

	if (!prim_slice_eq(prim_slice_cut(&text, '\n'), PRIM_SLICE(VERSION)))
		return false;
	while (text.len > 0) {
		if (!read_line(&r, prim_slice_cut(&text, '\n')))
			return false;
	}
	if (r.ours.len == 0 || r.theirs.len == 0 || r.principal.len == 0 ||
	    r.user.len == 0)
		return false;
	*out = r;
	return true;
}
