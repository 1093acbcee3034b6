/* SPDX-License-Identifier: ISC */
/* Which pages of a damaged file are in use, and which are free. */

#include "bridge/store_page.h"

#include <string.h>

#include "prim/base.h"

#define DEPTH_MAX 12
#define LOCK_PAGE (0x40000000 / BR_PAGE + 1) /* SQLite puts nothing there */
#define TRUNK_MAX (BR_PAGE / 4 - 2)

static bool is_page(const struct br_pages *p, uint32_t number)
{
	return number > 0 && number <= p->count;
}

/* ---- what the tables lead to ---- */

static unsigned cell_count(const uint8_t *page, unsigned head)
{
	return (unsigned)page[head + 3] << 8 | page[head + 4];
}

/* Marks what is below `number`. */
static void tree_walk(struct br_pages *p, uint32_t number, unsigned depth)
{
	uint8_t page[BR_PAGE];
	unsigned head = br_page_head(number);

	if (depth > DEPTH_MAX || !is_page(p, number) ||
	    (p->marks[number] & BR_PAGE_REACHED) ||
	    !br_pages_read(p, number, page))
		return;
	p->marks[number] |= BR_PAGE_REACHED;
	if (page[head] != BR_PAGE_TABLE_NODE &&
	    page[head] != BR_PAGE_INDEX_NODE)
		return;
	for (unsigned i = 0; i < cell_count(page, head); i++) {
		unsigned at = head + 12 + 2 * i;
		unsigned cell;

		if (at + 2 > BR_PAGE)
			return;
		cell = (unsigned)page[at] << 8 | page[at + 1];
		if (cell + 4 <= BR_PAGE)
			tree_walk(p, br_page_number(page + cell), depth + 1);
	}
	tree_walk(p, br_page_number(page + head + 8), depth + 1);
}

static bool root_walk(void *arg, const struct br_record *r)
{
	const struct br_value *root = &r->values[3];

	if (!r->is_row || r->count != 5 || root->kind != BR_VALUE_NUMBER ||
	    root->number < 0 || root->number > UINT32_MAX)
		return false;
	tree_walk(arg, (uint32_t)root->number, 0);
	return true;
}

/* Where the tables begin is in the tree of the first page. */
static void roots_walk(struct br_pages *p)
{
	uint8_t *schema = prim_alloc((size_t)p->count + 1);

	tree_walk(p, 1, 0);
	memcpy(schema, p->marks, (size_t)p->count + 1);
	for (uint32_t i = 1; i <= p->count; i++)
		if (schema[i] & BR_PAGE_REACHED)
			(void)br_pages_records(p, i, root_walk, p);
	prim_free(schema);
}

static bool pass(void *arg, const struct br_record *r)
{
	(void)arg;
	(void)r;
	return true;
}

/* Reading a row marks the pages that continue it. */
static void chains_walk(struct br_pages *p)
{
	for (uint32_t i = 1; i <= p->count; i++)
		if (p->marks[i] & BR_PAGE_REACHED)
			(void)br_pages_records(p, i, pass, NULL);
}

/* ---- the free list ---- */

/* True: it is new to the list. */
static bool free_mark(struct br_pages *p, uint32_t number)
{
	bool is_new = is_page(p, number) && !(p->marks[number] & BR_PAGE_FREE);

	if (is_new)
		p->marks[number] |= BR_PAGE_FREE;
	return is_new;
}

/* A page of the free list names the next one and others. How many; those that it
 * cannot mean are not counted. */
static uint32_t trunk_mark(struct br_pages *p, const uint8_t page[BR_PAGE])
{
	uint32_t named = br_page_number(page + 4), count = 0;

	for (uint32_t i = 0; i < named && i < TRUNK_MAX; i++)
		count += free_mark(p, br_page_number(page + 8 + (size_t)4 * i));
	return count;
}

static bool is_trunk(const struct br_pages *p, const uint8_t page[BR_PAGE])
{
	uint32_t next = br_page_number(page), named = br_page_number(page + 4);

	if (next > p->count || named == 0 || named > TRUNK_MAX)
		return false;
	for (uint32_t i = 0; i < named; i++)
		if (!is_page(p, br_page_number(page + 8 + (size_t)4 * i)))
			return false;
	return true;
}

static bool has_head(const uint8_t page[BR_PAGE])
{
	return memcmp(page, "SQLite format 3", 16) == 0;
}

/* How many of the pages that have one of `marks` have the one `and`, too. */
static uint32_t marked(const struct br_pages *p, uint8_t marks, uint8_t and)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i <= p->count; i++)
		count += (p->marks[i] & marks) && (p->marks[i] & and);
	return count;
}

/* True: it is whole, and a page is used once. `*out_wanted`: how many pages it
 * should have; UINT32_MAX: who knows. */
static bool free_list_walk(struct br_pages *p, uint32_t *out_wanted)
{
	uint8_t page[BR_PAGE];
	uint32_t next, count = 0;

	*out_wanted = UINT32_MAX;
	if (!br_pages_read(p, 1, page) || !has_head(page))
		return false;
	next = br_page_number(page + 32);
	*out_wanted = br_page_number(page + 36);
	while (free_mark(p, next) && br_pages_read(p, next, page)) {
		count += 1 + trunk_mark(p, page);
		next = br_page_number(page);
	}
	return next == 0 && count == *out_wanted &&
	    !marked(p, BR_PAGE_REACHED | BR_PAGE_CHAINED, BR_PAGE_FREE);
}

/* What the list no longer leads to may still be seen to be part of it. */
static void free_list_search(struct br_pages *p)
{
	uint8_t page[BR_PAGE];

	for (uint32_t i = 2; i <= p->count; i++) {
		if (p->marks[i] || !br_pages_read(p, i, page) ||
		    !is_trunk(p, page))
			continue;
		(void)free_mark(p, i);
		(void)trunk_mark(p, page);
	}
}

/* If the tables lead to all pages but as many as should be free, those are. Not
 * where the list claims a page of a tree: then one of both is wrong. */
static bool free_list_deduce(struct br_pages *p, uint32_t wanted)
{
	const uint8_t used = BR_PAGE_REACHED | BR_PAGE_CHAINED;

	if (p->count - marked(p, used, used) != wanted ||
	    marked(p, BR_PAGE_REACHED, BR_PAGE_FREE))
		return false;
	for (uint32_t i = 1; i <= p->count; i++) {
		p->marks[i] &= (uint8_t)~BR_PAGE_FREE;
		if (!(p->marks[i] & used))
			p->marks[i] |= BR_PAGE_FREE;
	}
	return true;
}

/* ---- both ---- */

void br_pages_survey(struct br_pages *p)
{
	uint32_t wanted;
	bool is_whole;

	roots_walk(p);
	chains_walk(p);
	if (is_page(p, LOCK_PAGE))
		p->marks[LOCK_PAGE] |= BR_PAGE_CHAINED;
	is_whole = free_list_walk(p, &wanted);
	p->has_free_list = is_whole || free_list_deduce(p, wanted);
	if (!p->has_free_list)
		free_list_search(p);
}

static uint8_t mark_of(const struct br_pages *p, uint32_t number)
{
	return p->marks[number] & (BR_PAGE_REACHED | BR_PAGE_FREE);
}

bool br_pages_is_free(const struct br_pages *p, uint32_t number)
{
	return mark_of(p, number) == BR_PAGE_FREE;
}

bool br_pages_is_reached(const struct br_pages *p, uint32_t number)
{
	return p->marks[number] & BR_PAGE_REACHED;
}

bool br_pages_is_doubtful(const struct br_pages *p, uint32_t number)
{
	return mark_of(p, number) == (BR_PAGE_REACHED | BR_PAGE_FREE) ||
	    (mark_of(p, number) == 0 && !p->has_free_list);
}
