/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORE_PAGE_H
#define BRIDGE_STORE_PAGE_H

/*
 * A damaged queue.db, as far as its pages can still be read: the format of
 * SQLite files, which SQLite itself stops reading at the first page that is
 * wrong. Here nothing is expected of one page because of what another says.
 *
 *	pages    the file with the log of writes over it (store_page.c), and
 *	         which of them are in use (store_survey.c)
 *	records  the rows on one page (store_cell.c)
 *
 * What is read may be anything; whoever takes a row compares its sum first. The
 * files are only read.
 */

#include "bridge/err.h"
#include "prim/buf.h"
#include "prim/slice.h"

#define BR_PAGE        4096 /* octets; we never made any other */
#define BR_COLUMNS_MAX 32

enum br_page_mark {
	BR_PAGE_REACHED = 1, /* our tables lead there */
	BR_PAGE_FREE = 2,
	BR_PAGE_CHAINED = 4, /* it continues a row */
};

struct br_pages {
	int fd, log;     /* owned; `log` may be -1 */
	uint32_t count;  /* pages are numbered from 1 to this */
	uint32_t *frame; /* owned; by page: its place in the log, 0: none */
	uint8_t *marks;  /* owned; by page: of enum br_page_mark */
	bool
	    has_log_damage; /* commits are hidden behind a damaged part of it */
	bool has_free_list; /* it is known of every page whether it is free */
	int fault;          /* errno: the disk did not answer; then nothing
	                        that was read counts */
};

/* Opens `path` and, if it is there, its log. `out` is to be closed in any case.
 * False with a sentence. */
bool br_pages_open(struct br_pages *out, const char *path, struct br_err *err);
void br_pages_close(struct br_pages *p);

/* Only the log: has it lost commits that returned? What the end of power tore is
 * not damage: that commit never returned. */
bool br_pages_log_is_damaged(const char *path);

/* Is there nothing but a log with commits? SQLite would delete it. */
bool br_pages_is_log_alone(const char *path);

/* Reads page `number`; what is behind the end of the file is zero. False: there
 * is no such page, or `fault` is set. */
bool br_pages_read(struct br_pages *p, uint32_t number,
    uint8_t out_page[BR_PAGE]);

/* Finds out which pages are in use. Before the two below. */
void br_pages_survey(struct br_pages *p);
/* Is it a free one? What stands there has been deleted. */
bool br_pages_is_free(const struct br_pages *p, uint32_t number);
/* Or is that open? */
bool br_pages_is_doubtful(const struct br_pages *p, uint32_t number);
/* Do our tables lead there? */
bool br_pages_is_reached(const struct br_pages *p, uint32_t number);

/* ---- rows ---- */

enum br_value_kind {
	BR_VALUE_NULL,
	BR_VALUE_NUMBER,
	BR_VALUE_TEXT,
	BR_VALUE_BLOB
};

struct br_value {
	enum br_value_kind kind;
	int64_t number;
	struct prim_slice octets; /* borrowed during the callback */
};

struct br_record {
	bool is_row;      /* of a table; else of an index or a table without
	                     rowid */
	bool is_searched; /* no pointer led to it: it may be garbage, or old */
	bool is_doubtful; /* its page may be a free one */
	int64_t rowid;
	unsigned count;
	struct br_value values[BR_COLUMNS_MAX];
};

/* False: this is nothing that was stored; then the page is searched for rows
 * octet by octet, too. */
typedef bool (*br_record_fn)(void *arg, const struct br_record *r);
/* Every row on the page. One may come more than once. False: p->fault. */
bool br_pages_records(struct br_pages *p, uint32_t number, br_record_fn each,
    void *arg);

/* What is in a page. */
uint32_t br_page_number(const uint8_t octets[4]);
/* Where the head of the tree's page begins: the first page has the head of the
 * file before it. */
unsigned br_page_head(uint32_t number);

#define BR_PAGE_INDEX_NODE 0x02
#define BR_PAGE_TABLE_NODE 0x05
#define BR_PAGE_INDEX_LEAF 0x0a
#define BR_PAGE_TABLE_LEAF 0x0d

#endif
