/* SPDX-License-Identifier: ISC */
/* The rows on one page of a damaged file. */

#include "bridge/store_page.h"

#include <string.h>

#include "prim/base.h"

/* How much of a row stands on its page, and on each that continues it. */
#define LOCAL_MIN 489
#define TABLE_MAX (BR_PAGE - 35)
#define INDEX_MAX 1002
#define MORE      (BR_PAGE - 4)
#define ROW_MAX   ((uint64_t)256 << 20)
#define HEAD_MAX  (9 * (BR_COLUMNS_MAX + 1))

/* As many columns our tables have (store_schema.c), and sqlite_schema. */
static const unsigned ROW_COUNTS[] = { 31, 12, 11, 5, 4 };
static const unsigned ENTRY_COUNTS[] = { 4, 2 };

struct search {
	struct br_pages *p; /* borrowed */
	const uint8_t *page;
	bool is_searched, is_doubtful;
	unsigned used;        /* octets that rows take on the page so far */
	uint64_t chain_max;   /* pages that its rows may still go on to */
	struct prim_buf room; /* owned; a row that is longer than its page */
};

/* What stands from `at` on. */
struct octets {
	const uint8_t *ptr; /* borrowed */
	size_t at, len;
	bool is_short;
};

static uint64_t take_varint(struct octets *o)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 9; i++) {
		uint8_t octet;

		if (o->at >= o->len) {
			o->is_short = true;
			return 0;
		}
		octet = o->ptr[o->at++];
		if (i == 8)
			return value << 8 | octet;
		value = value << 7 | (octet & 0x7f);
		if (!(octet & 0x80))
			break;
	}
	return value;
}

static size_t local_len(uint64_t len, bool is_row)
{
	uint64_t most = is_row ? TABLE_MAX : INDEX_MAX, part;

	if (len <= most)
		return (size_t)len;
	part = LOCAL_MIN + (len - LOCAL_MIN) % MORE;
	return (size_t)(part <= most ? part : LOCAL_MIN);
}

/* ---- what a row consists of ---- */

/* Octets that a value has; UINT64_MAX: there is no such type. */
static uint64_t value_len(uint64_t type)
{
	static const uint8_t LENS[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };

	if (type < PRIM_COUNT(LENS))
		return type == 7 ? UINT64_MAX : LENS[type];
	if (type < 12)
		return UINT64_MAX;
	return (type - 12) / 2;
}

static bool is_count(unsigned count, bool is_row)
{
	const unsigned *all = is_row ? ROW_COUNTS : ENTRY_COUNTS;
	size_t len = is_row ? PRIM_COUNT(ROW_COUNTS) : PRIM_COUNT(ENTRY_COUNTS);

	for (size_t i = 0; i < len; i++)
		if (all[i] == count)
			return true;
	return false;
}

struct shape {
	uint64_t types[BR_COLUMNS_MAX];
	unsigned count;
	size_t head; /* octets before the first value */
};

/* Reads the head of a row that has `len` octets, of which `local` are here. Of
 * what is no row its lengths rarely add up. */
static bool shape_read(struct shape *shape, const uint8_t *octets, size_t local,
    uint64_t len, bool is_row)
{
	struct octets o = { .ptr = octets, .len = local };
	uint64_t head = take_varint(&o), total = head;

	shape->count = 0;
	if (o.is_short || head > local || head > HEAD_MAX)
		return false;
	o.len = (size_t)head;
	while (o.at < o.len) {
		uint64_t type = take_varint(&o), value = value_len(type);

		if (o.is_short || value > ROW_MAX ||
		    shape->count == BR_COLUMNS_MAX)
			return false;
		shape->types[shape->count++] = type;
		total += value;
	}
	shape->head = (size_t)head;
	return total == len && is_count(shape->count, is_row);
}

static int64_t take_number(const uint8_t *octets, uint64_t len)
{
	uint64_t value = len && (octets[0] & 0x80) ? UINT64_MAX : 0;

	for (uint64_t i = 0; i < len; i++)
		value = value << 8 | octets[i];
	return (int64_t)value;
}

static struct br_value value_take(uint64_t type, const uint8_t *octets)
{
	struct br_value v = { .kind = BR_VALUE_NUMBER };
	uint64_t len = value_len(type);

	if (type == 0)
		v.kind = BR_VALUE_NULL;
	else if (type == 8 || type == 9)
		v.number = (int64_t)type - 8;
	else if (type < 12)
		v.number = take_number(octets, len);
	else
		v.kind = type % 2 ? BR_VALUE_TEXT : BR_VALUE_BLOB;
	if (type >= 12)
		v.octets = prim_slice_make((const char *)octets, (size_t)len);
	return v;
}

static void values_take(struct br_record *r, const struct shape *shape,
    const uint8_t *octets)
{
	octets += shape->head;
	r->count = shape->count;
	for (unsigned i = 0; i < shape->count; i++) {
		r->values[i] = value_take(shape->types[i], octets);
		octets += value_len(shape->types[i]);
	}
}

/* ---- where it stands ---- */

/* The rest of a row is on a chain of pages. No two rows of a page share one; what
 * says that it is longer than the file has pages is none. */
static bool rest_read(struct search *s, uint32_t next, uint64_t left)
{
	const uint64_t pages = (left + MORE - 1) / MORE;
	uint8_t page[BR_PAGE];

	if (pages > s->chain_max)
		return false;
	s->chain_max -= pages;
	while (left > 0) {
		size_t part = left < MORE ? (size_t)left : MORE;

		if (!br_pages_read(s->p, next, page))
			return false;
		if (!s->is_searched)
			s->p->marks[next] |= BR_PAGE_CHAINED;
		prim_buf_put(&s->room,
		    prim_slice_make((const char *)page + 4, part));
		next = br_page_number(page);
		left -= part;
	}
	return true;
}

/* What a row takes on its page; no cell has fewer than four octets. */
static unsigned cell_len(size_t before, size_t local, uint64_t len)
{
	size_t all = before + local + (local < len ? 4 : 0);

	return all < 4 ? 4 : (unsigned)all;
}

/* The row whose length stands at `at`. */
static bool record_read(struct search *s, unsigned at, bool is_row,
    struct br_record *r)
{
	struct octets o = { .ptr = s->page, .at = at, .len = BR_PAGE };
	uint64_t len = take_varint(&o);
	struct shape shape;
	const uint8_t *octets;
	size_t local;

	r->is_row = is_row;
	r->rowid = is_row ? (int64_t)take_varint(&o) : 0;
	if (o.is_short || len < 2 || len > ROW_MAX)
		return false;
	local = local_len(len, is_row);
	octets = s->page + o.at;
	if (o.at + local + (local < len ? 4 : 0) > BR_PAGE ||
	    !shape_read(&shape, octets, local, len, is_row))
		return false;
	if (local < len) {
		prim_buf_reset(&s->room);
		prim_buf_put(&s->room,
		    prim_slice_make((const char *)octets, local));
		if (!rest_read(s, br_page_number(octets + local), len - local))
			return false;
		octets = (const uint8_t *)s->room.ptr;
	}
	s->used += cell_len(o.at - at, local, len);
	values_take(r, &shape, octets);
	r->is_searched = s->is_searched;
	r->is_doubtful = s->is_doubtful;
	return true;
}

static unsigned take_pair(const uint8_t *octets)
{
	return (unsigned)octets[0] << 8 | octets[1];
}

/* From where the rows begin, every octet is part of one or counted as free: so it
 * shows that pointers are missing. */
static bool is_accounted_for(const struct search *s, unsigned head)
{
	const unsigned start = take_pair(s->page + head + 5);
	unsigned free = s->page[head + 7];
	unsigned block = take_pair(s->page + head + 1);

	while (block >= start && block + 4 <= BR_PAGE && free < BR_PAGE) {
		free += take_pair(s->page + block + 2);
		if (take_pair(s->page + block) <= block)
			break;
		block = take_pair(s->page + block);
	}
	return start + s->used + free == BR_PAGE;
}

/* False: something on the page is not as it was written. */
static bool pointers_follow(struct search *s, uint32_t number,
    br_record_fn each, void *arg)
{
	const unsigned head = br_page_head(number);
	const uint8_t type = s->page[head];
	const bool is_node = type == BR_PAGE_INDEX_NODE;
	const unsigned count = take_pair(s->page + head + 3);
	struct br_record r;
	bool is_whole = true;

	if (type != BR_PAGE_TABLE_LEAF && type != BR_PAGE_INDEX_LEAF &&
	    type != BR_PAGE_INDEX_NODE)
		return false;
	for (unsigned i = 0; i < count; i++) {
		unsigned at = head + (is_node ? 12 : 8) + 2 * i, cell;

		if (at + 2 > BR_PAGE)
			return false;
		cell = take_pair(s->page + at);
		s->used += is_node ? 4 : 0;
		is_whole = record_read(s, cell + (is_node ? 4 : 0),
			       type == BR_PAGE_TABLE_LEAF, &r) &&
		    each(arg, &r) && is_whole;
	}
	return is_whole && is_accounted_for(s, head);
}

static bool is_tree_type(uint8_t type)
{
	return type == BR_PAGE_TABLE_LEAF || type == BR_PAGE_INDEX_LEAF ||
	    type == BR_PAGE_TABLE_NODE || type == BR_PAGE_INDEX_NODE;
}

/* A row may begin at any octet. Which kind of page it was is what the damage may
 * have hit; one bit makes a leaf a node. */
static void octets_search(struct search *s, br_record_fn each, void *arg)
{
	struct br_record r;

	s->is_searched = true;
	s->chain_max = s->p->count;
	for (unsigned at = 0; at < BR_PAGE; at++) {
		if (record_read(s, at, true, &r))
			(void)each(arg, &r);
		if (record_read(s, at, false, &r))
			(void)each(arg, &r);
	}
}

bool br_pages_records(struct br_pages *p, uint32_t number, br_record_fn each,
    void *arg)
{
	uint8_t page[BR_PAGE];
	struct search s = { .p = p,
		.page = page,
		.chain_max = p->count,
		.is_doubtful = br_pages_is_doubtful(p, number) };

	if (!br_pages_read(p, number, page))
		return !p->fault;
	if (br_pages_is_reached(p, number) ||
	    is_tree_type(page[br_page_head(number)])) {
		if (!pointers_follow(&s, number, each, arg))
			octets_search(&s, each, arg);
	}
	prim_buf_fini(&s.room);
	return !p->fault;
}
