/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PIDF_READER_H
#define PRIM_PIDF_READER_H

/*
 * Reading PIDF, in two files: pidf.c follows the document, pidf_element.c
 * knows what each kind of element means for the model.
 */

#include "prim/pidf_private.h"
#include "prim/pidf_words.h"

/* What extensions say, until it is known that they are not void. */
struct prim_pidf_stage {
	unsigned activities;
	bool is_idle;
	int64_t idle_since_ms;
	unsigned first; /* so many of the notes are of activities */
	unsigned note_count;
	struct prim_pidf_note notes[PRIM_PIDF_NOTES_MAX];
};

/* An open element. */
struct prim_pidf_frame {
	enum prim_pidf_kind kind;
	bool must;    /* mustUnderstand */
	bool is_void; /* something in it had to be understood */
	struct prim_slice language;
	size_t text_at;      /* where its text begins */
	unsigned activities; /* of an ACTIVITY */
	int priority;        /* of a CONTACT */
	int64_t when;        /* of a USER_INPUT */
};

struct prim_pidf_reader {
	struct prim_pidf *p;                 /* borrowed */
	const struct prim_pidf_space *space; /* borrowed */
	struct prim_pidf_tuple *tuple; /* borrowed; the open one, or NULL */
	unsigned seen;                 /* kinds that come once: bits */
	bool has_show;                 /* the tuple's show is not from IM */
	unsigned document_first; /* notes of activities, before the others */
	unsigned tuple_first;    /* notes of the tuple, before those of its
	                            activities */
	struct prim_pidf_stage person, activities;
	size_t depth; /* 0 before the root */
	struct prim_pidf_frame frames[PRIM_PIDF_DEPTH_MAX];
};

static inline struct prim_pidf_frame *prim_pidf_top(struct prim_pidf_reader *r)
{
	return &r->frames[r->depth - 1];
}

/* What a kind of element does; each may be NULL, and returns NULL or what is
 * wrong. */
struct prim_pidf_element {
	/* Its frame is on top; only attributes are known yet. */
	const char *(*open)(struct prim_pidf_reader *r,
	    const struct prim_xml_element *e);
	/* `f` is off the stack and its parent on top; `text` was in it. */
	const char *(*close)(struct prim_pidf_reader *r,
	    const struct prim_pidf_frame *f, struct prim_slice text);
	bool has_text;   /* is read */
	bool keeps_text; /* may be borrowed by the model */
};

extern const struct prim_pidf_element prim_pidf_elements[PRIM_PIDF_KIND_COUNT];

#endif
