/* SPDX-License-Identifier: ISC */
/* Writing the log: lines, where they collect, and what is remembered. */

#include "bridge/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/metric.h"
#include "prim/base.h"

#define LINE_MAX_LEN  4096
#define WAITING_MAX   ((size_t)64 * 1024)
#define RING_LEN      ((size_t)4 * 1024 * 1024)
#define STAMP_LEN     24 /* 2026-11-22T07:37:48.123Z */
#define STAMP_MS      20 /* where its milliseconds begin */
#define PARENTS_MAX   16
#define STUCK_WAIT_MS 100 /* for a standard error that takes no more */

static const char *const LEVELS[] = {
	[BR_LOG_ERROR] = "error",
	[BR_LOG_WARN] = "warn",
	[BR_LOG_INFO] = "info",
	[BR_LOG_DEBUG] = "debug",
};

/* A line while it is put together; what does not fit is left out. */
struct line {
	char text[LINE_MAX_LEN];
	size_t len;
};

static enum br_level wanted = BR_LOG_INFO;
static br_log_sink_fn sink;
static void *sink_arg;
static br_log_clock_fn now_ms;

static char waiting[WAITING_MAX]; /* lines with their ends, to be written */
static size_t waiting_len;

static char ring[RING_LEN]; /* lines with their ends */
static uint64_t ring_total; /* octets ever put into it */

static char stamp[STAMP_LEN + 1];
static int64_t stamp_second = INT64_MIN;

void br_log_guard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void br_log_init(struct br_log *log, const struct br_log *parent,
    const char *name)
{
	size_t i;

	log->parent = parent;
	for (i = 0; i < BR_LOG_NAME_MAX - 1 && name[i]; i++) {
		log->name[i] = name[i];
		if (name[i] <= ' ' || name[i] >= 0x7f)
			log->name[i] = '?';
	}
	log->name[i] = '\0';
}

bool br_log_wants(enum br_level level)
{
	return level <= wanted;
}

void br_log_set_level(enum br_level level)
{
	wanted = level;
}

bool br_log_level_find(const char *name, enum br_level *out_level)
{
	for (size_t i = 0; i < PRIM_COUNT(LEVELS); i++) {
		if (strcmp(LEVELS[i], name) == 0) {
			*out_level = (enum br_level)i;
			return true;
		}
	}
	return false;
}

const char *br_log_level_name(enum br_level level)
{
	return LEVELS[level];
}

void br_log_set_sink(br_log_sink_fn new_sink, void *arg)
{
	sink = new_sink;
	sink_arg = arg;
}

void br_log_set_clock(br_log_clock_fn clock)
{
	now_ms = clock;
}

/* Taking a second apart costs more than the rest of a line, so it is done once
 * a second; only the milliseconds are new in every line. */
static const char *make_stamp(void)
{
	const int64_t now = now_ms ? now_ms() : br_clock_wall_ms();
	int64_t second = now / 1000, ms = now % 1000;

	if (ms < 0) {
		ms += 1000;
		second--;
	}
	if (second != stamp_second) {
		const time_t when = (time_t)second;
		struct tm parts;

		gmtime_r(&when, &parts);
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S.000Z",
		    &parts);
		stamp_second = second;
	}
	stamp[STAMP_MS] = (char)('0' + ms / 100);
	stamp[STAMP_MS + 1] = (char)('0' + ms / 10 % 10);
	stamp[STAMP_MS + 2] = (char)('0' + ms % 10);
	return stamp;
}

static void line_put(struct line *line, const char *text)
{
	const size_t room = LINE_MAX_LEN - line->len;
	size_t len = strlen(text);

	if (len > room)
		len = room;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

/* "xmpp/alice", the eldest first; objects without a name add nothing. */
static void line_put_who(struct line *line, const struct br_log *log)
{
	const struct br_log *chain[PARENTS_MAX];
	size_t count = 0, named = 0;

	for (; log && count < PARENTS_MAX; log = log->parent)
		chain[count++] = log;
	while (count > 0) {
		const char *name = chain[--count]->name;

		if (!name[0])
			continue;
		line_put(line, named++ ? "/" : " ");
		line_put(line, name);
	}
	line_put(line, named ? ": " : " ");
}

/* A control character that came past br_quote() must still not end a line or
 * steer a terminal. */
static void line_tame(struct line *line, size_t from)
{
	for (size_t i = from; i < line->len; i++)
		if ((unsigned char)line->text[i] < ' ' || line->text[i] == 0x7f)
			line->text[i] = '?';
}

static void __attribute__((format(printf, 2, 0)))
line_put_message(struct line *line, const char *format, va_list args)
{
	const size_t from = line->len, room = LINE_MAX_LEN - from;
	const int len = vsnprintf(line->text + from, room, format, args);

	if (len < 0)
		return;
	if ((size_t)len < room) {
		line->len += (size_t)len;
	} else {
		line->len = LINE_MAX_LEN - 3;
		line_put(line, "...");
	}
	line_tame(line, from);
}

static void ring_put(const char *text, size_t len)
{
	while (len > 0) {
		const size_t at = ring_total % RING_LEN;
		const size_t part = len < RING_LEN - at ? len : RING_LEN - at;

		memcpy(ring + at, text, part);
		ring_total += part;
		text += part;
		len -= part;
	}
}

static void wait_put(struct prim_slice line)
{
	if (waiting_len + line.len + 1 > WAITING_MAX)
		br_log_flush();
	memcpy(waiting + waiting_len, line.ptr, line.len);
	waiting_len += line.len;
	waiting[waiting_len++] = '\n';
}

static void line_write(const struct line *line, enum br_level level)
{
	const struct prim_slice text = prim_slice_make(line->text, line->len);

	br_metric_add(BR_METRIC_LOG_LINES, 1);
	if (level <= BR_LOG_INFO) {
		ring_put(text.ptr, text.len);
		ring_put("\n", 1);
	}
	if (sink) {
		sink(sink_arg, text);
		return;
	}
	wait_put(text);
	if (level == BR_LOG_ERROR)
		br_log_flush();
}

void br_log_put(const struct br_log *log, enum br_level level,
    const char *format, ...)
{
	struct line line;
	va_list args;

	if (!br_log_wants(level))
		return;
	line.len = 0;
	line_put(&line, make_stamp());
	line_put(&line, " ");
	line_put(&line, LEVELS[level]);
	line_put_who(&line, log);
	va_start(args, format);
	line_put_message(&line, format, args);
	va_end(args);
	line_write(&line, level);
}

/* One that was stuck before is not waited for again. */
static bool is_writable(void)
{
	static bool was_stuck;
	struct pollfd poller = { .fd = STDERR_FILENO, .events = POLLOUT };

	was_stuck = poll(&poller, 1, was_stuck ? 0 : STUCK_WAIT_MS) <= 0;
	return !was_stuck;
}

/* What cannot be written is lost: a log nobody reads must not stop us. The pipe
 * behind standard error is others' too, so it may block: it does not when it
 * says that it takes something and this is no more than PIPE_BUF. */
void br_log_flush(void)
{
	size_t done = 0, len;
	ssize_t n;

	while (done < waiting_len && is_writable()) {
		len = waiting_len - done;
		n = write(STDERR_FILENO, waiting + done,
		    len < PIPE_BUF ? len : PIPE_BUF);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	waiting_len = 0;
}

static bool contains(const char *text, size_t len, struct prim_slice needle)
{
	const char *at = text;

	if (needle.len == 0)
		return true;
	while (len >= needle.len) {
		const char *hit = memchr(at, needle.ptr[0],
		    len - needle.len + 1);

		if (!hit)
			return false;
		if (memcmp(hit, needle.ptr, needle.len) == 0)
			return true;
		len -= (size_t)(hit + 1 - at);
		at = hit + 1;
	}
	return false;
}

/* Copies the line at `from` out of the ring and returns where the next one
 * begins. Lines are never longer than LINE_MAX_LEN: a longer run is what is
 * left of one that was overwritten. */
static uint64_t ring_line(uint64_t from, struct line *out)
{
	out->len = 0;
	while (from < ring_total) {
		const char c = ring[from++ % RING_LEN];

		if (c == '\n')
			break;
		if (out->len < LINE_MAX_LEN)
			out->text[out->len++] = c;
	}
	return from;
}

void br_log_search(struct prim_slice needle, br_log_sink_fn visit, void *arg)
{
	const uint64_t end = ring_total;
	struct line line;
	uint64_t at = 0;

	if (ring_total > RING_LEN)
		at = ring_line(ring_total - RING_LEN, &line);
	while (at < end) {
		at = ring_line(at, &line);
		if (contains(line.text, line.len, needle))
			visit(arg, prim_slice_make(line.text, line.len));
	}
}
