/* SPDX-License-Identifier: ISC */
/* The pages of a damaged file: the newest of each. */

#include "bridge/store_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prim/base.h"

#define LOG_HEAD   32
#define FRAME_HEAD 24
#define FRAME      (FRAME_HEAD + BR_PAGE)
#define PATH       4096

uint32_t br_page_number(const uint8_t octets[4])
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	    (uint32_t)octets[2] << 8 | octets[3];
}

unsigned br_page_head(uint32_t number)
{
	return number == 1 ? 100 : 0;
}

/* How much was there. */
static size_t read_at(int fd, uint8_t *to, size_t len, off_t at, int *fault)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, to + done, len - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*fault = errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* ---- the log of writes ---- */

struct frame {
	uint8_t octets[FRAME];
};

struct log {
	int fd; /* borrowed */
	int fault;
	uint8_t salts[8];
	uint8_t before[8]; /* the sum of the frame before, as it stands there */
	uint32_t at;       /* the next frame, from 0 */
	bool is_good;      /* the one that was read last */
};

/* As SQLite does it; a log is read by the machine that wrote it. */
static void sum(uint32_t s[2], const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint32_t word[2];

		memcpy(word, octets + i, sizeof(word));
		s[0] += word[0] + s[1];
		s[1] += word[1] + s[0];
	}
}

static bool sum_is(const uint32_t s[2], const uint8_t stored[8])
{
	return s[0] == br_page_number(stored) &&
	    s[1] == br_page_number(stored + 4);
}

/* Each frame is compared on its own: from what the one before has for its sum,
 * not from what that should be. */
static bool frame_next(struct log *l, struct frame *f)
{
	const off_t at = LOG_HEAD + (off_t)l->at * FRAME;
	uint32_t s[2] = { br_page_number(l->before),
		br_page_number(l->before + 4) };

	if (read_at(l->fd, f->octets, FRAME, at, &l->fault) != FRAME)
		return false;
	sum(s, f->octets, 8);
	sum(s, f->octets + FRAME_HEAD, BR_PAGE);
	l->is_good = sum_is(s, f->octets + 16) &&
	    memcmp(f->octets + 8, l->salts, sizeof(l->salts)) == 0 &&
	    br_page_number(f->octets) != 0;
	memcpy(l->before, f->octets + 16, sizeof(l->before));
	l->at++;
	return true;
}

/* The head is on disk before the first frame. If it is damaged, the second frame
 * has the salts, too. */
static bool log_begin(struct log *l, bool *out_head)
{
	uint8_t head[LOG_HEAD];
	uint8_t second[FRAME_HEAD];
	uint32_t s[2] = { 0, 0 };

	l->at = 0;
	if (read_at(l->fd, head, sizeof(head), 0, &l->fault) != sizeof(head))
		return false;
	sum(s, head, 24);
	*out_head = sum_is(s, head + 24);
	memcpy(l->salts, head + 16, sizeof(l->salts));
	memcpy(l->before, head + 24, sizeof(l->before));
	if (*out_head)
		return true;
	if (read_at(l->fd, second, sizeof(second), LOG_HEAD + FRAME,
		&l->fault) != sizeof(second))
		return false;
	memcpy(l->salts, second + 8, sizeof(l->salts));
	return true;
}

struct log_sight {
	uint32_t seen;   /* frames that SQLite reads: up to the last commit */
	uint32_t usable; /* up to the last good commit, and what is good */
	bool is_damaged;
	uint32_t top; /* the highest page in it */
};

/* A commit that is followed by anything had returned. If SQLite does not see it
 * because something before it is wrong, that is damage. */
static struct log_sight log_look(struct log *l)
{
	struct frame f;
	struct log_sight sight = { 0 };
	bool has_head = false, is_whole, hides = false;

	if (!log_begin(l, &has_head))
		return sight;
	is_whole = has_head;
	while (frame_next(l, &f)) {
		bool commits = l->is_good && br_page_number(f.octets + 4) != 0;

		is_whole = is_whole && l->is_good;
		if (l->is_good && hides)
			sight.is_damaged = true;
		if (commits && !is_whole)
			hides = true;
		if (commits)
			sight.usable = l->at;
		if (commits && is_whole)
			sight.seen = l->at;
		if (l->is_good && br_page_number(f.octets) > sight.top)
			sight.top = br_page_number(f.octets);
	}
	if (!sight.is_damaged)
		sight.usable = sight.seen;
	return sight;
}

static void frames_note(struct br_pages *p, struct log *l, uint32_t usable)
{
	struct frame f;
	bool has_head;

	if (!usable || !log_begin(l, &has_head))
		return;
	while (l->at < usable && frame_next(l, &f)) {
		uint32_t number = br_page_number(f.octets);

		if (l->is_good && number <= p->count)
			p->frame[number] = l->at;
	}
}

static int log_open(const char *path)
{
	char name[PATH + 8];

	(void)snprintf(name, sizeof(name), "%s-wal", path);
	return open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

bool br_pages_is_log_alone(const char *path)
{
	struct log l = { .fd = -1 };
	struct stat st;
	bool is_so;

	if (stat(path, &st) == 0 ? st.st_size > 0 : errno != ENOENT)
		return false;
	l.fd = log_open(path);
	if (l.fd < 0)
		return false;
	is_so = log_look(&l).usable > 0;
	close(l.fd);
	return is_so;
}

bool br_pages_log_is_damaged(const char *path)
{
	struct log l = { .fd = log_open(path) };
	struct log_sight sight;

	if (l.fd < 0)
		return false;
	sight = log_look(&l);
	close(l.fd);
	return sight.is_damaged && !l.fault;
}

/* ---- the file ---- */

static uint32_t pages_in(off_t size)
{
	off_t count = (size + BR_PAGE - 1) / BR_PAGE;

	return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX - 1;
}

bool br_pages_open(struct br_pages *out, const char *path, struct br_err *err)
{
	struct br_pages *p = out;
	struct log l = { .fd = log_open(path) };
	struct log_sight sight = { 0 };
	struct stat st;

	*p = (struct br_pages){ .fd = -1, .log = l.fd };
	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p->fd < 0 || fstat(p->fd, &st) != 0)
		return br_err_set(err, "cannot read %s: %s", path,
		    strerror(errno));
	if (l.fd >= 0)
		sight = log_look(&l);
	p->count = pages_in(st.st_size);
	if (sight.usable && sight.top > p->count)
		p->count = sight.top < p->count + l.at ? sight.top
						       : p->count + l.at;
	p->has_log_damage = sight.is_damaged;
	p->frame = prim_alloc(((size_t)p->count + 1) * sizeof(*p->frame));
	p->marks = prim_alloc((size_t)p->count + 1);
	frames_note(p, &l, sight.usable);
	p->fault = l.fault;
	return true;
}

void br_pages_close(struct br_pages *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->log >= 0)
		close(p->log);
	p->fd = -1;
	p->log = -1;
	p->frame = prim_free(p->frame);
	p->marks = prim_free(p->marks);
}

bool br_pages_read(struct br_pages *p, uint32_t number,
    uint8_t out_page[BR_PAGE])
{
	uint32_t frame;
	size_t len;

	if (number == 0 || number > p->count || p->fault)
		return false;
	frame = p->frame[number];
	if (frame)
		len = read_at(p->log, out_page, BR_PAGE,
		    LOG_HEAD + (off_t)(frame - 1) * FRAME + FRAME_HEAD,
		    &p->fault);
	else
		len = read_at(p->fd, out_page, BR_PAGE,
		    (off_t)(number - 1) * BR_PAGE, &p->fault);
	memset(out_page + len, 0, BR_PAGE - len);
	return !p->fault;
}
