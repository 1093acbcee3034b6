/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PIDF_PRIVATE_H
#define PRIM_PIDF_PRIVATE_H

/*
 * What the readers of presence documents share: filling a model. pidf.c (PIDF),
 * native.c (the drafts' own), rpid.c (the words of RPID), pidf_model.c (these).
 */

#include "prim/pidf.h"
#include "prim/xml.h"

extern const struct prim_xml_bounds prim_pidf_bounds;

/* Empty, with nothing known, and with room for what a document of `len` octets
 * can hold: prim_pidf_keep() of each octet once never moves the text. */
void prim_pidf_reset(struct prim_pidf *p, size_t len);

/* A copy of `s` in the model's text. */
struct prim_slice prim_pidf_keep(struct prim_pidf *p, struct prim_slice s);

/* Adds a tuple of that id, with nothing known; `id` is kept already. NULL and
 * `out_tuple`, or what is wrong. */
const char *prim_pidf_add_tuple(struct prim_pidf *p, struct prim_slice id,
    struct prim_pidf_tuple **out_tuple);

/* Puts a note at place `at` of `notes`, which holds `*count`. NULL, or what is
 * wrong. */
const char *prim_pidf_add_note(struct prim_pidf_note *notes, unsigned *count,
    unsigned at, struct prim_pidf_note note);

/* What an element in <activities/> says, 0 for nothing that we tell apart.
 * False when RPID has none of that name. */
bool prim_rpid_activity(struct prim_slice name, unsigned *out_activities);

#endif
