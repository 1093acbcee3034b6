/* SPDX-License-Identifier: ISC */
/* Finding the head of a command in a stream and taking it apart. */

#include "prim/command.h"

#include <string.h>

#include "prim/scan.h"
#include "prim/start.h"
#include "prim/utf8.h"

/* RFC 822 field-name. */
static bool header_name_ok(struct prim_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] < '!' || name.ptr[i] > '~')
			return false;
	}
	return name.len > 0;
}

/* ERR-18. */
#define SINGLE_VALUED                                                          \
	(PRIM_HEADER_BIT(PRIM_HEADER_FROM) | PRIM_HEADER_BIT(PRIM_HEADER_TO) | \
	    PRIM_HEADER_BIT(PRIM_HEADER_DOMAIN) |                              \
	    PRIM_HEADER_BIT(PRIM_HEADER_DURATION) |                            \
	    PRIM_HEADER_BIT(PRIM_HEADER_MESSAGE_ID) |                          \
	    PRIM_HEADER_BIT(PRIM_HEADER_AUTH_STATE) |                          \
	    PRIM_HEADER_BIT(PRIM_HEADER_SUBSCRIPTION_ID))

/* ERR-44 puts a part of a Message-ID into the name, so names count there. */
static bool contradicts(const struct prim_header *a,
    const struct prim_header *b)
{
	if (!prim_slice_eq(a->value, b->value))
		return true;
	return a->id == PRIM_HEADER_MESSAGE_ID &&
	    !prim_slice_eq_nocase(a->name, b->name);
}

static void index_header(struct prim_command *out, const struct prim_header *h)
{
	uint64_t bit = PRIM_HEADER_BIT(h->id);

	if (!(out->present & bit)) {
		out->present |= bit;
		out->first[h->id] = (uint8_t)out->header_count;
		return;
	}
	if ((SINGLE_VALUED & bit) &&
	    contradicts(h, &out->headers[out->first[h->id] - 1]))
		out->is_malformed = true;
}

/* There is room for it: the caller counts lines. */
static void add_header(struct prim_slice line, struct prim_command *out)
{
	struct prim_header *h = &out->headers[out->header_count];
	ptrdiff_t colon = prim_slice_find(line, ':');

	if (colon < 0) {
		out->is_malformed = true;
		return;
	}
	h->line = line;
	h->name = prim_slice_make(line.ptr, (size_t)colon);
	h->value = prim_slice_trim(prim_slice_from(line, (size_t)colon + 1));
	h->id = prim_header_find(h->name);
	/* A name we know is made of good octets. */
	if (h->id == PRIM_HEADER_OTHER || h->id == PRIM_HEADER_BRIDGE_OTHER) {
		if (!header_name_ok(h->name)) {
			out->is_malformed = true;
			return;
		}
	}
	out->header_count++;
	if (h->id != PRIM_HEADER_OTHER)
		index_header(out, h);
}

/* A walk over the lines of one head. */
struct walk {
	struct prim_scan scan;
	unsigned lines; /* seen so far: start line and headers */
	size_t start;   /* where the start line stands */
	bool collect;   /* write headers down, or only look for the end? */
};

enum step { STEP_NEXT, STEP_END, STEP_BROKEN };

static bool is_folded(struct prim_slice line)
{
	return line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
}

static enum step start_line(struct walk *w, struct prim_slice line,
    struct prim_command *out)
{
	if (line.len == 0) /* ERR-10 */
		return w->scan.line > 2 * (size_t)PRIM_EMPTY_LINES_MAX
		    ? STEP_BROKEN
		    : STEP_NEXT;
	if (line.len > PRIM_START_LINE_MAX || !prim_start_parse(line, out))
		return STEP_BROKEN;
	w->start = (size_t)(line.ptr - w->scan.in.ptr);
	w->lines = 1;
	out->is_malformed = false;
	out->present = 0;
	out->header_count = 0;
	return STEP_NEXT;
}

static enum step header_line(struct walk *w, struct prim_slice line,
    struct prim_command *out)
{
	if (line.len == 0)
		return STEP_END;
	if (line.len > PRIM_HEADER_LINE_MAX || is_folded(line) ||
	    w->lines > PRIM_HEADERS_MAX)
		return STEP_BROKEN;
	w->lines++;
	if (w->collect)
		add_header(line, out);
	return STEP_NEXT;
}

/* The line that is not complete yet, is it hopeless already? */
static bool is_hopeless(const struct walk *w)
{
	struct prim_slice part = prim_scan_partial(&w->scan);

	if (w->scan.in.len >= PRIM_HEAD_MAX)
		return true;
	if (w->lines == 0)
		return part.len > PRIM_START_LINE_MAX;
	return part.len > PRIM_HEADER_LINE_MAX || is_folded(part) ||
	    (part.len && w->lines > PRIM_HEADERS_MAX);
}

static enum prim_command_status walk(struct walk *w, struct prim_command *out)
{
	struct prim_slice line;

	for (;;) {
		enum step step = STEP_BROKEN;

		switch (prim_scan_line(&w->scan, &line)) {
		case PRIM_SCAN_MORE:
			return is_hopeless(w) ? PRIM_COMMAND_BROKEN
					      : PRIM_COMMAND_MORE;
		case PRIM_SCAN_BROKEN:
			break;
		case PRIM_SCAN_LINE:
			step = w->lines ? header_line(w, line, out)
					: start_line(w, line, out);
			break;
		}
		if (step == STEP_BROKEN)
			return PRIM_COMMAND_BROKEN;
		if (step == STEP_END)
			return PRIM_COMMAND_HEAD;
	}
}

static void walk_init(struct walk *w, struct prim_slice in, bool collect)
{
	if (in.len > PRIM_HEAD_MAX)
		in.len = PRIM_HEAD_MAX;
	prim_scan_init(&w->scan, in);
	w->lines = 0;
	w->start = 0;
	w->collect = collect;
}

/* What later calls need to go on, in one number: how far we looked, where the
 * line there begins, how many lines stand before it. */
#define POSITION_BITS 20
#define POSITION_MASK (((size_t)1 << POSITION_BITS) - 1)

_Static_assert(PRIM_HEAD_MAX < POSITION_MASK, "positions fit");
_Static_assert(sizeof(size_t) >= 8, "two positions and a count fit");

static size_t walk_save(const struct walk *w)
{
	return w->scan.at | w->scan.line << POSITION_BITS |
	    (size_t)w->lines << (2 * POSITION_BITS);
}

static void walk_restore(struct walk *w, size_t saved)
{
	w->scan.at = saved & POSITION_MASK;
	w->scan.line = saved >> POSITION_BITS & POSITION_MASK;
	w->lines = (unsigned)(saved >> (2 * POSITION_BITS));
}

static void check_content_length(struct prim_command *out)
{
	uint64_t value;

	if (!prim_command_has(out, PRIM_HEADER_CONTENT_LENGTH))
		return;
	for (unsigned i = 0; i < out->header_count; i++) {
		const struct prim_header *h = &out->headers[i];

		if (h->id != PRIM_HEADER_CONTENT_LENGTH)
			continue;
		if (!prim_slice_number(h->value, UINT64_MAX, &value) ||
		    value != out->body_len)
			out->is_malformed = true;
	}
}

static void finish(const struct walk *w, struct prim_command *out)
{
	const struct prim_scan *s = &w->scan;
	const char *lines = memchr(s->in.ptr + w->start, '\n', s->at);

	out->head = prim_slice_make(s->in.ptr, s->at);
	lines++;
	/* Without the empty line that ended it. */
	out->lines = prim_slice_make(lines,
	    (size_t)(s->in.ptr + s->at - 2 - lines));
	out->body = PRIM_SLICE_NONE;
	if (s->has_control || (s->has_high && !prim_utf8_ok(out->head)))
		out->is_malformed = true;
	check_content_length(out);
}

enum prim_command_status prim_command_head(struct prim_slice in,
    size_t *scanned, struct prim_command *out)
{
	enum prim_command_status status;
	struct walk w;

	if (in.len == 0)
		return PRIM_COMMAND_MORE;
	walk_init(&w, in, *scanned == 0);
	walk_restore(&w, *scanned);
	status = walk(&w, out);
	if (status == PRIM_COMMAND_HEAD && !w.collect) {
		walk_init(&w, in, true);
		status = walk(&w, out);
	}
	switch (status) {
	case PRIM_COMMAND_HEAD:
		finish(&w, out);
		break;
	case PRIM_COMMAND_MORE:
		*scanned = walk_save(&w);
		break;
	case PRIM_COMMAND_BROKEN:
		prim_start_salvage(in, out);
		break;
	}
	return status;
}

bool prim_command_lines(struct prim_slice lines, struct prim_command *out)
{
	struct prim_slice line;
	struct walk w;

	walk_init(&w, lines, true);
	w.lines = 1;
	out->is_malformed = false;
	out->present = 0;
	out->header_count = 0;
	out->lines = lines;
	while (w.scan.at < lines.len) {
		if (prim_scan_line(&w.scan, &line) != PRIM_SCAN_LINE ||
		    header_line(&w, line, out) != STEP_NEXT)
			return false;
	}
	if (w.scan.has_control || (w.scan.has_high && !prim_utf8_ok(lines)))
		out->is_malformed = true;
	return !out->is_malformed;
}

struct prim_slice prim_command_get(const struct prim_command *c,
    enum prim_header_id id)
{
	if (!prim_command_has(c, id))
		return PRIM_SLICE_NONE;
	return c->headers[c->first[id] - 1].value;
}
