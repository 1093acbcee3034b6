/* SPDX-License-Identifier: ISC */
/* Writing the history log: lines of JSON, and what to do when the disk is full.
 */

#include "bridge/history.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/log.h"
#include "prim/base.h"
#include "prim/utf8.h"

#define WAITING_MAX ((size_t)256 * 1024) /* written before the turn is over */
#define FILE_MODE   0600

#define FNV_START 0xcbf29ce484222325U
#define FNV_PRIME 0x100000001b3U

struct br_history {
	struct br_log log;
	char *file; /* owned */
	int fd;
	bool ends_torn;        /* what stands in the file does not end a line */
	uint64_t lost;         /* lines since the last that could be written */
	struct br_clock clock; /* of lines about ourselves */
	struct prim_buf waiting;
};

static const char *const EVENTS[] = {
	[BR_HISTORY_ACCEPT] = "accept",
	[BR_HISTORY_COMMIT] = "commit",
	[BR_HISTORY_HAND] = "hand",
	[BR_HISTORY_REPORT] = "report",
	[BR_HISTORY_ANSWER] = "answer",
	[BR_HISTORY_END] = "end",
	[BR_HISTORY_NOTICE] = "notice",
};

/* ---- JSON ---- */

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static void put_unit(struct prim_buf *b, uint32_t unit)
{
	const uint8_t octets[] = { (uint8_t)(unit >> 8), (uint8_t)unit };

	prim_buf_puts(b, "\\u");
	prim_buf_put_hex(b, octets, sizeof(octets));
}

/* All but printable ASCII by its number: then the file can be looked at on any
 * terminal, too. */
static void put_char(struct prim_buf *b, uint32_t c)
{
	if (c == '"' || c == '\\') {
		prim_buf_putc(b, '\\');
		prim_buf_putc(b, (char)c);
	} else if (c < 0x10000) {
		put_unit(b, c);
	} else {
		put_unit(b, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(b, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

/* What is not UTF-8 has no number: it reads \xHH, as prim/visible.h has it. */
static void put_octet(struct prim_buf *b, char octet)
{
	prim_buf_putf(b, "\\\\x%02X", (unsigned)(unsigned char)octet);
}

static void put_string(struct prim_buf *b, struct prim_slice text)
{
	size_t plain;
	uint32_t c;

	prim_buf_putc(b, '"');
	while (text.len > 0) {
		for (plain = 0; plain < text.len && is_plain(text.ptr[plain]);
		     plain++)
			;
		prim_buf_put(b, prim_slice_make(text.ptr, plain));
		text = prim_slice_from(text, plain);
		if (text.len == 0)
			break;
		if (prim_utf8_next(&text, &c)) {
			put_char(b, c);
		} else {
			put_octet(b, text.ptr[0]);
			text = prim_slice_from(text, 1);
		}
	}
	prim_buf_putc(b, '"');
}

static void put_name(struct prim_buf *b, const char *name)
{
	prim_buf_puts(b, ",\"");
	prim_buf_puts(b, name);
	prim_buf_puts(b, "\":");
}

static void put_text(struct prim_buf *b, const char *name,
    struct prim_slice text)
{
	if (text.len == 0)
		return;
	put_name(b, name);
	put_string(b, text);
}

static void put_count(struct prim_buf *b, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	put_name(b, name);
	prim_buf_put_number(b, value);
}

static void put_digest(struct prim_buf *b, const char *name,
    const struct prim_digest *digest)
{
	if (!digest)
		return;
	put_name(b, name);
	prim_buf_putc(b, '"');
	prim_buf_put_hex(b, digest->octets, sizeof(digest->octets));
	prim_buf_putc(b, '"');
}

static void put_hash(struct prim_buf *b, const struct prim_slice *body)
{
	uint64_t hash = FNV_START;

	if (!body)
		return;
	for (size_t i = 0; i < body->len; i++)
		hash = (hash ^ (unsigned char)body->ptr[i]) * FNV_PRIME;
	put_name(b, "hash");
	prim_buf_putf(b, "\"%016" PRIx64 "\"", hash);
}

static void put_begin(struct prim_buf *b, int64_t now_ms, const char *event)
{
	prim_buf_putf(b, "{\"t\":%" PRId64 ",\"event\":\"", now_ms);
	prim_buf_puts(b, event);
	prim_buf_putc(b, '"');
}

static void put_end(struct prim_buf *b)
{
	prim_buf_puts(b, "}\n");
}

static void put_line(struct prim_buf *b, int64_t now_ms,
    const struct br_history_line *line)
{
	put_begin(b, now_ms, EVENTS[line->event]);
	put_digest(b, "delivery", line->delivery);
	put_text(b, "id", line->id);
	put_text(b, "from", line->from);
	put_text(b, "to", line->to);
	put_text(b, "origin", line->origin);
	put_text(b, "conversation", line->conversation);
	put_hash(b, line->body);
	put_count(b, "hops", line->hops);
	if (line->seq > 0)
		put_count(b, "seq", (uint64_t)line->seq);
	put_text(b, "dest", prim_slice_of(line->dest));
	put_count(b, "attempt", line->attempt);
	put_count(b, "code", line->code);
	put_text(b, "kind", line->kind);
	put_text(b, "reason", line->reason);
	put_digest(b, "about", line->about);
	put_end(b);
}

/* A line about ourselves. */
static void put_own(struct br_history *h, struct prim_buf *b, const char *event,
    uint64_t lines)
{
	put_begin(b, br_clock_update(&h->clock), event);
	put_count(b, "lines", lines);
	put_end(b);
}

/* ---- the file ---- */

/* As much as can be written; the octets that were. `errno` says why not all. */
static size_t write_some(struct br_history *h, struct prim_slice text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text.len) {
		n = write(h->fd, text.ptr + done, text.len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (done > 0)
		h->ends_torn = text.ptr[done - 1] != '\n';
	return done;
}

static uint64_t count_lines(struct prim_slice text)
{
	uint64_t count = 0;

	for (ptrdiff_t at; (at = prim_slice_find(text, '\n')) >= 0; count++)
		text = prim_slice_from(text, (size_t)at + 1);
	return count;
}

/* Whoever reads the file learns that something is missing, and where; what is
 * left of the line that was cut gets an end. */
static bool mend(struct br_history *h)
{
	struct prim_buf b = { 0 };
	bool ok;

	if (h->ends_torn)
		prim_buf_putc(&b, '\n');
	if (h->lost > 0)
		put_own(h, &b, "lost", h->lost);
	ok = write_some(h, prim_buf_slice(&b)) == b.len;
	prim_buf_fini(&b);
	if (ok && h->lost > 0) {
		br_warn(&h->log, "history is written again lost_lines=%" PRIu64,
		    h->lost);
		h->lost = 0;
	}
	return ok;
}

static void lose(struct br_history *h, struct prim_slice text)
{
	if (h->lost == 0)
		br_error(&h->log,
		    "cannot write the history, lines are lost: %s",
		    strerror(errno));
	h->lost += count_lines(text);
}

void br_history_flush(struct br_history *h)
{
	struct prim_slice text;
	size_t done = 0;

	if (!h || h->waiting.len == 0)
		return;
	text = prim_buf_slice(&h->waiting);
	if (mend(h))
		done = write_some(h, text);
	if (done < text.len)
		lose(h, prim_slice_from(text, done));
	prim_buf_reset(&h->waiting);
}

/* A process that was killed may have left half a line. */
static bool is_torn(int fd)
{
	struct stat about;
	char last = '\n';

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
	    about.st_size == 0)
		return false;
	return pread(fd, &last, 1, about.st_size - 1) == 1 && last != '\n';
}

/* Not blocking: a pipe that nobody reads must not stop us. */
static int open_file(const char *file, struct br_err *err)
{
	const int fd = open(file,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    FILE_MODE);

	if (fd < 0)
		br_err_set(err, "cannot open the history `%s`: %s", file,
		    strerror(errno));
	return fd;
}

struct br_history *br_history_open(const char *file, struct br_err *err)
{
	const int fd = open_file(file, err);
	struct br_history *h;

	if (fd < 0)
		return NULL;
	h = prim_new(struct br_history);
	br_log_init(&h->log, NULL, "history");
	h->file = prim_copy(file, strlen(file));
	h->fd = fd;
	h->ends_torn = is_torn(fd);
	br_clock_init(&h->clock);
	put_own(h, &h->waiting, "start", 0);
	br_history_flush(h);
	return h;
}

struct br_history *br_history_close(struct br_history *h)
{
	if (!h)
		return NULL;
	put_own(h, &h->waiting, "stop", 0);
	br_history_flush(h);
	close(h->fd);
	prim_buf_fini(&h->waiting);
	prim_free(h->file);
	prim_free(h);
	return NULL;
}

bool br_history_reopen(struct br_history *h, struct br_err *err)
{
	int fd;

	br_history_flush(h);
	fd = open_file(h->file, err);
	if (fd < 0)
		return false;
	close(h->fd);
	h->fd = fd;
	h->ends_torn = is_torn(fd);
	return true;
}

/* The writer thread does not wait for the end of the turn, nor does a connection
 * that is writable anyway. */
static bool is_urgent(enum br_history_event event)
{
	return event == BR_HISTORY_ACCEPT || event == BR_HISTORY_HAND ||
	    event == BR_HISTORY_ANSWER || event == BR_HISTORY_END;
}

void br_history_put(struct br_history *h, int64_t now_ms,
    const struct br_history_line *line)
{
	if (!h)
		return;
	assert(line->delivery);
	put_line(&h->waiting, now_ms, line);
	if (is_urgent(line->event) || h->waiting.len >= WAITING_MAX)
		br_history_flush(h);
}
