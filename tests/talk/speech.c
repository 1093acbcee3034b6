/* SPDX-License-Identifier: ISC */
/* "C1:" and "S1:": what a client says, and what it hears. */

#include <ctype.h>
#include <string.h>

#include "tests/talk/talk.h"

/* "C1: text" in parts. */
struct speech {
	char who;  /* 'C' or 'S', also for 'A' and 'B' */
	char kind; /* ':' a line, '|' a line of the body, '>' octets */
	unsigned conn;
	struct prim_slice text;
};

/* Of the adapters there are few. */
static unsigned adapter_conn(unsigned number)
{
	const unsigned count = TALK_ENDS - TALK_CONNS;

	return TALK_CONNS + (number + count - 1) % count;
}

static bool parse(struct prim_slice line, struct speech *out)
{
	size_t at = 1;

	if (line.len < 2 || !strchr("CSAB", line.ptr[0]))
		return false;
	out->who = strchr("CA", line.ptr[0]) ? 'C' : 'S';
	out->conn = 1;
	if (isdigit((unsigned char)line.ptr[at]))
		out->conn = (unsigned)(line.ptr[at++] - '0');
	if (strchr("AB", line.ptr[0]))
		out->conn = adapter_conn(out->conn);
	if (at >= line.len || !strchr(":|>", line.ptr[at]))
		return false;
	out->kind = line.ptr[at++];
	if (at < line.len && line.ptr[at] == ' ')
		at++;
	out->text = prim_slice_from(line, at);
	return true;
}

bool talk_speech_is(struct prim_slice line)
{
	struct speech s;

	return parse(line, &s);
}

/* ---- what a client says ---- */

static void move(struct prim_buf *to, struct prim_buf *from)
{
	prim_buf_put(to, prim_buf_slice(from));
	prim_buf_reset(from);
}

/* The command so far is complete: its length is known. */
static void join(struct talk *t)
{
	if (t->has_hole)
		prim_buf_put_number(&t->before, t->body.len);
	move(&t->before, &t->after);
	move(&t->before, &t->body);
	t->has_hole = t->has_body = false;
}

static bool say_body(struct talk *t, struct prim_slice text)
{
	if (t->has_body)
		prim_buf_puts(&t->body, "\r\n");
	t->has_body = true;
	if (!talk_expand(&t->names, text, &t->body))
		return talk_fail(t, "cannot read this line");
	return true;
}

/* Where "@" stands for a length in `text`, or -1. */
static ptrdiff_t find_hole(struct prim_slice text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] == '@' && text.ptr[i - 1] == ' ' &&
		    (i + 1 == text.len || text.ptr[i + 1] == ' '))
			return (ptrdiff_t)i;
	}
	return -1;
}

static bool say_octets(struct talk *t, struct prim_slice text)
{
	return talk_expand(&t->names, text,
		   t->has_hole ? &t->after : &t->before) ||
	    talk_fail(t, "cannot read this line");
}

static bool say_line(struct talk *t, struct prim_slice text)
{
	ptrdiff_t hole = find_hole(text);

	if (t->has_body || hole >= 0)
		join(t);
	if (hole >= 0) {
		if (!say_octets(t, prim_slice_make(text.ptr, (size_t)hole)))
			return false;
		t->has_hole = true;
		text = prim_slice_from(text, (size_t)hole + 1);
	}
	if (!say_octets(t, text))
		return false;
	prim_buf_puts(t->has_hole ? &t->after : &t->before, "\r\n");
	return true;
}

static bool say_raw(struct talk *t, struct prim_slice text)
{
	if (t->has_body)
		join(t);
	return say_octets(t, text);
}

static bool say_end(struct talk *t)
{
	struct talk_conn *c = talk_conn(t, t->conn);

	join(t);
	if (t->in_a_hurry)
		talk_conn_put(c, prim_buf_slice(&t->before));
	else
		talk_conn_say(&t->world, c, prim_buf_slice(&t->before));
	prim_buf_reset(&t->before);
	return true;
}

/* ---- what it hears ---- */

/* The line that came next, with its CRLF. False: there is none. */
static bool next_line(const struct talk_conn *c, struct prim_slice *out)
{
	struct prim_slice unread = talk_conn_unread(c);
	ptrdiff_t end = prim_slice_find(unread, '\n');

	if (end < 0)
		return false;
	*out = prim_slice_make(unread.ptr, (size_t)end + 1);
	return true;
}

/* " @" stands for the number of octets in the body, which is looked at later. */
static void put_pattern(struct prim_buf *b, struct prim_slice text)
{
	ptrdiff_t hole = find_hole(text);

	if (hole >= 0) {
		prim_buf_put(b, prim_slice_make(text.ptr, (size_t)hole));
		prim_buf_puts(b, "{*}");
		text = prim_slice_from(text, (size_t)hole + 1);
	}
	prim_buf_put(b, text);
	prim_buf_puts(b, "\\r\\n");
}

static bool hear_body(struct talk *t)
{
	struct talk_conn *c = talk_conn(t, t->conn);
	struct talk_hearing *h = &t->hearings[t->conn];
	struct prim_slice pattern = prim_buf_slice(&h->body);
	struct prim_slice got = talk_conn_unread(c);
	bool ok = true;

	if (got.len > h->body_len)
		got.len = h->body_len;
	if (got.len < h->body_len || !talk_match(&t->names, pattern, got))
		ok = talk_differs(t, pattern, got);
	c->taken += got.len;
	h->body_len = 0;
	h->has_body = false;
	prim_buf_reset(&h->body);
	return ok;
}

static bool hear_end(struct talk *t)
{
	struct talk_hearing *h = &t->hearings[t->conn];

	return h->in_head || (!h->has_body && h->body_len == 0) || hear_body(t);
}

static bool hear_body_line(struct talk *t, struct prim_slice text)
{
	struct talk_hearing *h = &t->hearings[t->conn];

	if (h->has_body)
		prim_buf_puts(&h->body, "\\r\\n");
	prim_buf_put(&h->body, text);
	h->has_body = true;
	return true;
}

static bool hear_line(struct talk *t, struct prim_slice text)
{
	struct talk_conn *c = talk_conn(t, t->conn);
	struct talk_hearing *h = &t->hearings[t->conn];
	struct prim_buf pattern = { 0 };
	struct prim_slice got = talk_conn_unread(c);
	bool ok;

	if (!hear_end(t))
		return false;
	put_pattern(&pattern, text);
	if (!h->in_head)
		talk_pings(t, c);
	if (!next_line(c, &got) ||
	    !talk_match(&t->names, prim_buf_slice(&pattern), got)) {
		ok = talk_differs(t, text, got);
	} else {
		ok = h->in_head || talk_length_find(got, &h->body_len) ||
		    talk_fail(t, "no length in this start line");
		c->taken += got.len;
		h->in_head = text.len > 0;
	}
	prim_buf_fini(&pattern);
	return ok;
}

/* ---- lines ---- */

bool talk_speech_end(struct talk *t)
{
	char who = t->who;

	t->who = 0;
	if (who == 'C')
		return say_end(t);
	return who == 0 || hear_end(t);
}

bool talk_speech(struct talk *t, struct prim_slice line)
{
	struct speech s;

	if (!parse(line, &s))
		return false;
	if ((t->who != s.who || t->conn != s.conn) && !talk_speech_end(t))
		return false;
	t->who = s.who;
	t->conn = s.conn;
	if (s.who == 'S')
		return s.kind == '|' ? hear_body_line(t, s.text)
				     : hear_line(t, s.text);
	if (s.kind == '>')
		return say_raw(t, s.text);
	return s.kind == '|' ? say_body(t, s.text) : say_line(t, s.text);
}
