/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_DAMAGE_H
#define TESTS_BRIDGE_STORE_DAMAGE_H

/* Messages in a queue.db that somebody then damages, and what became of them. */

#include "tests/bridge/store_world.h"

#include "bridge/message.h"

#define NUMBERS  60
#define BODY_MAX 40000
#define FILE_MAX (8 << 20)
#define PAGE     4096

/* ---- what is stored, made anew from its number whenever it is compared ---- */

struct sample {
	struct br_store_message m;
	char id[32], sender[64], recipient[64], head[256], body[BODY_MAX];
};

static struct sample sample; /* large */
static struct br_message_keys sample_keys;

/* Its keys are those that a client's message would have. */
static inline void sample_derive(struct sample *s)
{
	struct br_message names = { .refs = 0 };

	names.origin = s->m.origin;
	names.sender = s->m.sender;
	names.recipient = s->m.recipient;
	names.message_id = s->m.message_id;
	br_message_derive(&names, PRIM_SLICE_NONE, &sample_keys);
	s->m.key = names.key;
	s->m.delivery = names.delivery;
	s->m.lane = names.lane;
}

static inline void sample_make(struct sample *s, unsigned number)
{
	static const size_t SIZES[] = { 40, 100, 300, 1000, 9000 };
	size_t len = SIZES[number % PRIM_COUNT(SIZES)] + number * 7;

	(void)snprintf(s->id, sizeof(s->id), "n%u:im:s%u@here.example", number,
	    number);
	(void)snprintf(s->sender, sizeof(s->sender), "s%u@here.example",
	    number);
	(void)snprintf(s->recipient, sizeof(s->recipient), "r%u@here.example",
	    number);
	(void)snprintf(s->head, sizeof(s->head),
	    "From: im:%s\r\nTo: im:%s\r\nMessage-ID: %s\r\n", s->sender,
	    s->recipient, s->id);
	for (size_t i = 0; i < len; i++)
		s->body[i] = (char)('a' + (i * 31 + number * 7) % 26);
	s->m = message_make(number + 1, prim_slice_of(s->id));
	s->m.sender = prim_slice_of(s->sender);
	s->m.recipient = prim_slice_of(s->recipient);
	s->m.head = prim_slice_of(s->head);
	s->m.body = prim_slice_make(s->body, len);
	sample_derive(s);
}

static inline void samples_key(struct world *w)
{
	uint8_t secret[32];

	br_store_secret(w->store, secret);
	br_message_keys_init(&sample_keys, secret);
}

/* Their seqs are their numbers, and one more. */
static inline void samples_store(struct world *w)
{
	samples_key(w);
	for (unsigned i = 0; i < NUMBERS; i++) {
		sample_make(&sample, i);
		assert_int_equal(message_store(w, &sample.m).seq, i + 1);
	}
}

/* ---- the files ---- */

struct image {
	char octets[FILE_MAX];
	size_t len;
};

static struct image queue;

static inline const char *queue_path(const struct world *w, const char *end)
{
	static char path[400];

	(void)snprintf(path, sizeof(path), "%s/queue.db%s", w->dir, end);
	return path;
}

static inline void image_load(struct image *image, const char *path)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	image->len = fread(image->octets, 1, sizeof(image->octets), file);
	assert_true(image->len > 0 && image->len < sizeof(image->octets));
	assert_int_equal(fclose(file), 0);
}

static inline void image_save(const struct image *image, const char *path)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(image->octets, 1, image->len, file),
	    image->len);
	assert_int_equal(fclose(file), 0);
}

/* Removes what a salvage keeps; how many files that were. */
static inline unsigned kept_sweep(const struct world *w)
{
	DIR *dir = opendir(w->dir);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".damaged-"))
			continue;
		count++;
		assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	}
	closedir(dir);
	return count;
}

/* The database is what `queue` holds, and nothing else. */
static inline void queue_save(const struct world *w)
{
	(void)unlink(queue_path(w, "-wal"));
	(void)unlink(queue_path(w, "-shm"));
	image_save(&queue, queue_path(w, ""));
}

/* ---- what is left ---- */

struct look {
	struct world *w;
	const char *what; /* was done to it */
	uint64_t where;
	bool is_whole[NUMBERS], is_aside[NUMBERS], is_told[NUMBERS];
	unsigned seqs;
	int64_t seq[4 * NUMBERS];
	char fault[160]; /* the first that a callback found; it may not fail */
};

static struct look look; /* large */

static inline void look_fail(const char *why, int64_t number)
{
	if (!look.fault[0])
		(void)snprintf(look.fault, sizeof(look.fault),
		    "%s at %llu: message %lld %s", look.what,
		    (unsigned long long)look.where, (long long)number, why);
}

/* Everything of it must be as it was, or it must not be handed out at all. */
static inline void on_content(void *arg, const struct br_store_message *m,
    bool failed)
{
	unsigned number;

	(void)arg;
	assert_false(failed);
	if (!m || m->is_notice)
		return;
	if (m->seq < 1 || m->seq > NUMBERS) {
		look_fail("has come back", m->seq - 1);
		return;
	}
	number = (unsigned)m->seq - 1;
	sample_make(&sample, number);
	if (!prim_slice_eq(m->body, sample.m.body) ||
	    !prim_slice_eq(m->head, sample.m.head) ||
	    !prim_slice_eq(m->recipient, sample.m.recipient) ||
	    !prim_slice_eq(m->sender, sample.m.sender) ||
	    !prim_slice_eq(m->message_id, sample.m.message_id) ||
	    !prim_slice_eq(m->destination, sample.m.destination) ||
	    m->expires_ms != sample.m.expires_ms)
		look_fail("is handed out, and is wrong", number);
	look.is_whole[number] = !m->is_quarantined;
}

static inline void on_row(void *arg, const struct br_store_message *m,
    bool failed)
{
	(void)arg;
	assert_false(failed);
	if (m && look.seqs < PRIM_COUNT(look.seq))
		look.seq[look.seqs++] = m->seq;
}

static inline void on_aside(void *arg, const struct br_store_message *m,
    bool failed)
{
	(void)arg;
	if (!m || failed || !m->is_quarantined)
		return;
	if (m->seq >= 1 && m->seq <= NUMBERS)
		look.is_aside[m->seq - 1] = true;
}

/* Whoever cannot be handed over is put aside, as the outbox does. */
static inline void put_aside(int64_t seq)
{
	const struct br_store_end end = end_make(500, "damaged");
	struct br_store *s = look.w->store;

	if (seq < 1 || seq > NUMBERS || look.is_whole[seq - 1])
		return;
	br_store_message_quarantine(s, seq, &end, NULL, NULL);
	br_store_settle(s);
}

static inline void on_told(void *arg, const struct br_store_message *m,
    bool failed)
{
	(void)arg;
	(void)failed;
	for (unsigned i = 0; i < NUMBERS; i++) {
		sample_make(&sample, i);
		if (memcmp(&m->about, &sample.m.delivery, sizeof(m->about)) !=
		    0)
			continue;
		if (look.is_told[i])
			look_fail("is told of twice", i);
		if (!prim_slice_eq(m->recipient, sample.m.sender))
			look_fail("is told of to somebody else", i);
		look.is_told[i] = true;
		return;
	}
	look_fail("is not there, and told of", 0);
}

static inline void look_through(void)
{
	struct br_store *s = look.w->store;

	br_store_on_notice(s, on_told, NULL);
	if (!br_store_message_each(s, on_row, NULL, NULL))
		return;
	br_store_settle(s);
	for (unsigned i = 0; i < look.seqs; i++)
		br_store_message_get(s, look.seq[i], on_content, NULL);
	br_store_settle(s);
	for (unsigned i = 0; i < look.seqs; i++)
		put_aside(look.seq[i]);
	br_store_message_page(s, 0, 4 * NUMBERS, on_aside, NULL);
	br_store_settle(s);
}

/* What became of all that were stored and had not ended. */
struct sums {
	unsigned runs, refused, salvaged;
	unsigned newer;              /* refused as made by a newer version */
	unsigned later;              /* found only when something was written */
	unsigned whole;              /* runs in which nobody was harmed */
	unsigned told, untold, lost; /* messages */
	unsigned worst;              /* harmed in one run */
};

static inline void judge(struct sums *sums)
{
	unsigned harmed = 0;

	if (look.fault[0])
		fail_msg("%s", look.fault);
	for (unsigned i = 0; i < NUMBERS; i++) {
		if (look.is_whole[i] && look.is_told[i])
			fail_msg("%s at %llu: message %u is handed out, and is "
				 "said to be lost",
			    look.what, (unsigned long long)look.where, i);
		if (look.is_whole[i])
			continue;
		harmed++;
		if (look.is_told[i])
			sums->told++;
		else if (look.is_aside[i])
			sums->untold++;
		else
			sums->lost++;
	}
	if (harmed == 0)
		sums->whole++;
	if (harmed > sums->worst)
		sums->worst = harmed;
}

/* One more comes and goes. */
static inline bool life_goes_on(struct world *w)
{
	const struct br_store_end end = end_make(200, "delivered");
	struct br_store_put_result put;
	struct heard heard = { 0 };

	sample_make(&sample, NUMBERS);
	put = message_store(w, &sample.m);
	if (put.outcome == BR_STORE_FAILED)
		return false;
	br_store_message_end(w->store, put.seq ? put.seq : NUMBERS + 1, &end,
	    on_done, &heard);
	br_store_settle(w->store);
	return heard.outcome != BR_STORE_FAILED;
}

/* If not, that was damage which shows only then, and the next start heals it. */
static inline void expect_life(struct world *w, struct sums *sums)
{
	if (life_goes_on(w))
		return;
	sums->later++;
	world_reopen(w);
	assert_true(life_goes_on(w));
}

/* Opens what was damaged and looks; false: it was refused. What was kept is
 * removed. */
static inline bool damage_look(struct world *w, const char *what,
    uint64_t where, struct sums *sums)
{
	struct br_err err = { "" };

	memset(&look, 0, sizeof(look));
	look.w = w;
	look.what = what;
	look.where = where;
	w->base = event_base_new();
	w->store = br_store_open(w->base, w->dir, &err);
	sums->runs++;
	if (!w->store) {
		if (strstr(err.text, "made by a newer version"))
			sums->newer++;
		else
			sums->refused++;
		assert_true(strlen(err.text) > 20);
		assert_non_null(strstr(err.text, "queue.db"));
		print_message("%s at %llu: %s\n", what,
		    (unsigned long long)where, err.text);
		event_base_free(w->base);
		w->base = NULL;
		return false;
	}
	look_through();
	judge(sums);
	expect_life(w, sums);
	world_close(w);
	if (kept_sweep(w) > 0)
		sums->salvaged++;
	return true;
}

static inline void sums_print(const char *what, const struct sums *s)
{
	print_message(
	    "%-28s %5u runs: %5u nobody harmed, %4u salvaged, %u "
	    "refused, %u as newer, %u found later; messages told %u, put aside "
	    "untold %u, lost %u; at worst %u in one run\n",
	    what, s->runs, s->whole, s->salvaged, s->refused, s->newer,
	    s->later, s->told, s->untold, s->lost, s->worst);
}

#endif
