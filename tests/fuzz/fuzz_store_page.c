/* SPDX-License-Identifier: ISC */
/* A queue.db, with or without its log, in which the input changes what it likes:
 * the pages are read, and then the whole file is salvaged. Nothing that is brought
 * over may be other than it was stored. */

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/store_salvage.h"
#include "bridge/stored.h"
#include "prim/base.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

#define WAITING    8
#define ENDED      12
#define IMAGE_MAX  (1 << 20)
#define FRAME_HEAD 24
#define LOG_HEAD   32

/* What was stored: from its number it is known what it must be. */
static const size_t SIZES[] = { 40, 300, 1000, 5000 };
static char body[8192];

struct image {
	uint8_t octets[IMAGE_MAX];
	size_t len;
};

/* As it is closed, and as a crash leaves it. */
static struct image closed, crashed, crashed_log;
static struct image db, db_log; /* the same, changed */
static char dir[128];

static const char *path_of(char out_path[256], const char *name)
{
	(void)snprintf(out_path, 256, "%s/%s", dir, name);
	return out_path;
}

static size_t body_of(int64_t seq)
{
	size_t len = SIZES[(size_t)seq % PRIM_COUNT(SIZES)] + (size_t)seq;

	for (size_t i = 0; i < len; i++)
		body[i] = (char)('a' + (i * 31 + (size_t)seq * 7) % 26);
	return len;
}

/* ---- the files that are changed ---- */

static void on_put(void *arg, const struct br_store_put_result *result)
{
	(void)arg;
	FUZZ_CHECK(result->outcome == BR_STORE_DONE);
}

static void put(struct br_store *s, int64_t seq)
{
	char name[32];
	struct br_store_message m = {
		.content_hash = (uint64_t)seq,
		.destination = PRIM_SLICE("inbox:b@x.example"),
		.origin = PRIM_SLICE("client"),
		.sender = PRIM_SLICE("a@x.example"),
		.recipient = PRIM_SLICE("b@x.example"),
		.head = PRIM_SLICE("From: im:a@x.example\r\n"
				   "To: im:b@x.example\r\n"),
		.notice_from = PRIM_SLICE("im:postmaster@x.example"),
		.accepted_ms = 1000,
		.expires_ms = 2000,
	};

	(void)snprintf(name, sizeof(name), "m%lld", (long long)seq);
	m.message_id = prim_slice_of(name);
	memcpy(m.key.octets, &seq, sizeof(seq));
	memcpy(m.delivery.octets, &seq, sizeof(seq));
	m.body = prim_slice_make(body, body_of(seq));
	br_store_message_put(s, &m, on_put, NULL);
	br_store_settle(s);
}

static void fill(struct br_store *s)
{
	for (int64_t seq = 1; seq <= WAITING + ENDED; seq++)
		put(s, seq);
	for (int64_t i = 0; i < ENDED; i++) {
		const struct br_store_end end = { .code = 200,
			.reason = PRIM_SLICE("delivered"),
			.forget_ms = i % 2 ? INT64_MAX : 5000 };

		br_store_message_end(s, WAITING + 1 + i, &end, NULL, NULL);
		br_store_settle(s);
	}
	br_store_expire(s, 6000);
	br_store_settle(s);
}

static void image_load(struct image *image, const char *name)
{
	char path[256];
	int fd = open(path_of(path, name), O_RDONLY);
	ssize_t len = read(fd, image->octets, IMAGE_MAX);

	FUZZ_CHECK(fd >= 0 && len > 0 && len < IMAGE_MAX);
	image->len = (size_t)len;
	close(fd);
}

/* Its secret is always the same: what is found can be found again. */
static void make(const char *path)
{
	static const uint8_t secret[BR_SECRET_LEN] =
	    "0123456789abcdefghijklmnopq";
	const struct br_store_secrets none = { .count = 0 };
	struct br_store_db new = { .now_ms = 1000 };

	FUZZ_CHECK(sqlite3_open(path, &new.sql) == SQLITE_OK);
	FUZZ_CHECK(br_store_schema_run(new.sql, BR_STORE_QUEUE, path, NULL));
	FUZZ_CHECK(br_store_secret_write(&new, &none, secret));
	br_store_db_close(&new);
}

static void hush(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static void sweep(void)
{
	static const char *const NAMES[] = { "primd.db", "queue.db",
		"queue.key", "target", "" };
	char path[256];

	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++)
		br_store_copy_drop(path_of(path, NAMES[i]));
	(void)rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const int64_t now = 1000;
	const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm"
							   : "/tmp";
	struct event_base *base = event_base_new();
	struct br_store *s;
	char path[256];

	(void)argc;
	(void)argv;
	br_log_set_sink(hush, NULL);
	(void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 1, NULL);
	(void)snprintf(dir, sizeof(dir), "%s/fuzz-store-XXXXXX", parent);
	FUZZ_CHECK(mkdtemp(dir));
	(void)atexit(sweep);
	make(path_of(path, "queue.db"));
	s = br_store_open(base, dir, NULL);
	FUZZ_CHECK(s);
	br_store_set_clock(s, &now);
	fill(s);
	image_load(&crashed, "queue.db");
	image_load(&crashed_log, "queue.db-wal");
	(void)br_store_close(s);
	image_load(&closed, "queue.db");
	event_base_free(base);
	return 0;
}

static void image_copy(struct image *to, const struct image *from)
{
	memcpy(to->octets, from->octets, from->len);
	to->len = from->len;
}

/* ---- what the input does to them ---- */

struct input {
	const uint8_t *at, *end;
};

static uint32_t take(struct input *in, unsigned octets)
{
	uint32_t value = 0;

	while (octets-- > 0 && in->at < in->end)
		value = value << 8 | *in->at++;
	return value;
}

static void write_at(struct image *image, size_t at, struct input *in,
    size_t len)
{
	for (; len > 0 && in->at < in->end && at < image->len; len--)
		image->octets[at++] = *in->at++;
}

static size_t place_of(struct input *in, const struct image *image)
{
	return image->len ? take(in, 3) % image->len : 0;
}

static size_t page_of(struct input *in, const struct image *image)
{
	size_t pages = image->len / BR_PAGE;

	return pages ? take(in, 2) % pages * BR_PAGE : 0;
}

static void noise(uint8_t page[BR_PAGE], uint32_t state)
{
	for (unsigned i = 0; i < BR_PAGE; i++) {
		state = state * 1664525 + 1013904223;
		page[i] = (uint8_t)(state >> 24);
	}
}

static void change(struct input *in, struct image *image)
{
	const unsigned how = take(in, 1) % 8;
	size_t at;

	if (image->len < (size_t)2 * BR_PAGE)
		return;
	if (how < 2) {
		at = place_of(in, image);
		image->octets[at] ^= (uint8_t)(1U << take(in, 1) % 8);
	} else if (how < 4) {
		at = place_of(in, image);
		write_at(image, at, in, how == 2 ? 4 : take(in, 1));
	} else if (how == 4) {
		write_at(image, page_of(in, image), in, BR_PAGE);
	} else if (how == 5) {
		at = page_of(in, image);
		memmove(image->octets + at, image->octets + page_of(in, image),
		    BR_PAGE);
	} else if (how == 6) {
		at = page_of(in, image);
		noise(image->octets + at, take(in, 2));
	} else {
		image->len -= place_of(in, image) / 8;
	}
}

/* As SQLite makes them, so that a changed frame is read, too. */
static void sums_set(struct image *log)
{
	uint32_t s[2] = { 0, 0 };

	for (size_t at = 0; at + FRAME_HEAD + BR_PAGE <= log->len;
	     at += at ? FRAME_HEAD + BR_PAGE : LOG_HEAD) {
		size_t len = at ? FRAME_HEAD + BR_PAGE : LOG_HEAD;

		for (size_t i = 0; i < len; i += 8) {
			uint32_t word[2];

			/* Not the sum itself, nor the salts of a frame. */
			if (at ? i == 8 || i == 16 : i == 24)
				continue;
			memcpy(word, log->octets + at + i, sizeof(word));
			s[0] += word[0] + s[1];
			s[1] += word[1] + s[0];
		}
		for (unsigned i = 0; i < 8; i++)
			log->octets[at + (at ? 16 : 24) + i] =
			    (uint8_t)(s[i / 4] >> (24 - 8 * (i % 4)));
	}
}

static void save(const struct image *image, const char *name)
{
	char path[256];
	int fd = open(path_of(path, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 &&
	    write(fd, image->octets, image->len) == (ssize_t)image->len);
	close(fd);
}

/* ---- what comes of it ---- */

static unsigned seen;

/* Every octet of it can be read. */
static bool on_record(void *arg, const struct br_record *r)
{
	const bool *answer = arg;

	FUZZ_CHECK(r->count <= BR_COLUMNS_MAX);
	for (unsigned i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->values[i].octets.len; k++)
			seen += (uint8_t)r->values[i].octets.ptr[k];
	return *answer;
}

static void pages_read(const char *path, bool answer)
{
	struct br_pages p;

	if (br_pages_open(&p, path, NULL)) {
		br_pages_survey(&p);
		for (uint32_t i = 1; i <= p.count; i++)
			FUZZ_CHECK(br_pages_records(&p, i, on_record, &answer));
	}
	br_pages_close(&p);
	(void)br_pages_log_is_damaged(path);
}

/* Sums tell wrong content from right. */
static void check_content(sqlite3 *sql)
{
	sqlite3_stmt *st = NULL;

	FUZZ_CHECK(sqlite3_prepare_v2(sql,
		       "SELECT c.seq, c.body, m.is_notice FROM content AS c"
		       " JOIN message AS m ON m.seq = c.seq",
		       -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(st, 0);

		FUZZ_CHECK(seq > 0 && seq <= WAITING + ENDED);
		FUZZ_CHECK((size_t)sqlite3_column_bytes(st, 1) == body_of(seq));
		FUZZ_CHECK(memcmp(sqlite3_column_blob(st, 1), body,
			       body_of(seq)) == 0);
	}
	sqlite3_finalize(st);
}

static void check_target(const char *path)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *sql = NULL;

	FUZZ_CHECK(sqlite3_open(path, &sql) == SQLITE_OK);
	FUZZ_CHECK(sqlite3_prepare_v2(sql, "PRAGMA integrity_check", -1, &st,
		       NULL) == SQLITE_OK);
	FUZZ_CHECK(sqlite3_step(st) == SQLITE_ROW &&
	    strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0);
	sqlite3_finalize(st);
	check_content(sql);
	sqlite3_close(sql);
}

static void salvage(const char *path, bool has_key)
{
	char to[256], key[256];
	struct br_rescue r = { .from = path,
		.to = path_of(to, "target"),
		.key = path_of(key, has_key ? "queue.key" : "none"),
		.now_ms = 1000 };
	int fd;

	br_store_copy_drop(to);
	fd = open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0);
	close(fd);
	if (br_rescue_run(&r, NULL))
		check_target(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	const unsigned flags = take(&in, 1);
	const bool has_log = flags & 1;
	char path[256];

	image_copy(&db, has_log ? &crashed : &closed);
	if (has_log)
		image_copy(&db_log, &crashed_log);
	while (in.at < in.end)
		change(&in, has_log && (flags & 2) ? &db_log : &db);
	br_store_copy_drop(path_of(path, "queue.db"));
	save(&db, "queue.db");
	if (has_log && (flags & 4))
		sums_set(&db_log);
	if (has_log)
		save(&db_log, "queue.db-wal");
	if (flags & 8)
		pages_read(path, flags & 16);
	else
		salvage(path, flags & 16);
	return 0;
}
