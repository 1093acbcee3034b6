/* SPDX-License-Identifier: ISC */
/* The vocabulary of PIDF. */

#include "prim/pidf_words.h"

#include "prim/base.h"
#include "prim/octet.h"
#include "prim/pidf_private.h"

#define LATER (PRIM_PIDF_CPIM | PRIM_PIDF_RFC)
#define ANY   (PRIM_PIDF_FIRST | LATER)

/* RFC 3863 4.1.1 and -05 show theirs with one colon more, once (CPIM-083). */
static const struct prim_pidf_space SPACES[] = {
	{PRIM_PIDF_NS,			 PRIM_PIDF_RFC  },
	{ PRIM_PIDF_NS ":",                    PRIM_PIDF_RFC  },
	{ "urn:ietf:params:xml:ns:cpim-pidf",  PRIM_PIDF_CPIM },
	{ "urn:ietf:params:xml:ns:cpim-pidf:", PRIM_PIDF_CPIM },
	{ "urn:ietf:params:cpim-presence:",    PRIM_PIDF_FIRST},
};

#define NS_IM      "urn:ietf:params:xml:ns:pidf:im"
#define NS_CPIM_IM "urn:ietf:params:xml:ns:cpim-pidf:im"

/* Types of status values in -01. */
#define TYPE_BASIC "urn:ietf:params:cpim-presence:status-type:basic"
#define TYPE_IM    "urn:ietf:params:cpim-presence:status-type:im"

/* What may stand where. */
struct rule {
	enum prim_pidf_kind parent;
	const char *ns; /* NULL: the document's own */
	const char *name;
	enum prim_pidf_kind kind;
	unsigned dialects;
};

/* clang-format off */
static const struct rule RULES[] = {
	{ PRIM_PIDF_DOCUMENT, NULL, "tuple", PRIM_PIDF_TUPLE, ANY },
	{ PRIM_PIDF_DOCUMENT, NULL, "note", PRIM_PIDF_NOTE, ANY },
	{ PRIM_PIDF_DOCUMENT, NULL, "presentity", PRIM_PIDF_PRESENTITY,
	    PRIM_PIDF_FIRST },
	{ PRIM_PIDF_DOCUMENT, PRIM_PIDF_NS_MODEL, "person", PRIM_PIDF_PERSON,
	    ANY },
	{ PRIM_PIDF_TUPLE, NULL, "status", PRIM_PIDF_STATUS, ANY },
	{ PRIM_PIDF_TUPLE, NULL, "contact", PRIM_PIDF_CONTACT, ANY },
	{ PRIM_PIDF_TUPLE, NULL, "note", PRIM_PIDF_NOTE, ANY },
	{ PRIM_PIDF_TUPLE, NULL, "timestamp", PRIM_PIDF_TIMESTAMP, ANY },
	{ PRIM_PIDF_TUPLE, PRIM_PIDF_NS_RPID, "activities",
	    PRIM_PIDF_ACTIVITIES, ANY },
	{ PRIM_PIDF_TUPLE, PRIM_PIDF_NS_RPID, "user-input",
	    PRIM_PIDF_USER_INPUT, ANY },
	{ PRIM_PIDF_STATUS, NULL, "basic", PRIM_PIDF_BASIC, LATER },
	{ PRIM_PIDF_STATUS, PRIM_PIDF_NS_SHOW, "show", PRIM_PIDF_SHOW, ANY },
	{ PRIM_PIDF_STATUS, NS_IM, "im", PRIM_PIDF_IM, ANY },
	{ PRIM_PIDF_STATUS, NS_CPIM_IM, "im", PRIM_PIDF_IM, ANY },
	{ PRIM_PIDF_PERSON, PRIM_PIDF_NS_RPID, "activities",
	    PRIM_PIDF_ACTIVITIES, ANY },
	{ PRIM_PIDF_PERSON, PRIM_PIDF_NS_RPID, "user-input",
	    PRIM_PIDF_USER_INPUT, ANY },
	{ PRIM_PIDF_PERSON, PRIM_PIDF_NS_MODEL, "note",
	    PRIM_PIDF_PERSON_NOTE, ANY },
	{ PRIM_PIDF_ACTIVITIES, PRIM_PIDF_NS_RPID, "note",
	    PRIM_PIDF_ACTIVITIES_NOTE, ANY },
};

/* clang-format on */

const struct prim_pidf_space *
prim_pidf_space_of(const struct prim_xml_element *e)
{
	if (!prim_slice_eq(e->name, PRIM_SLICE("presence")))
		return NULL;
	for (size_t i = 0; i < PRIM_COUNT(SPACES); i++) {
		if (prim_slice_eq(e->ns, prim_slice_of(SPACES[i].ns)))
			return &SPACES[i];
	}
	return NULL;
}

/* In -01 each status is a <value/>, of the basic type unless it says which. */
static enum prim_pidf_kind value_kind(const struct prim_xml_element *e)
{
	struct prim_slice type;

	if (!prim_xml_attribute(e, NULL, "type", &type) ||
	    prim_slice_eq(type, PRIM_SLICE(TYPE_BASIC)))
		return PRIM_PIDF_BASIC;
	if (prim_slice_eq(type, PRIM_SLICE(TYPE_IM)))
		return PRIM_PIDF_IM;
	return PRIM_PIDF_IGNORED;
}

static bool is_in(const struct prim_xml_element *e, const char *ns)
{
	return prim_slice_eq(e->ns, prim_slice_of(ns));
}

enum prim_pidf_kind prim_pidf_kind_of(const struct prim_pidf_space *space,
    enum prim_pidf_kind parent, const struct prim_xml_element *e)
{
	unsigned activities;

	if (parent == PRIM_PIDF_ACTIVITIES && is_in(e, PRIM_PIDF_NS_RPID) &&
	    prim_rpid_activity(e->name, &activities))
		return PRIM_PIDF_ACTIVITY;
	if (parent == PRIM_PIDF_STATUS && space->dialect == PRIM_PIDF_FIRST &&
	    is_in(e, space->ns) && prim_slice_eq(e->name, PRIM_SLICE("value")))
		return value_kind(e);
	for (size_t i = 0; i < PRIM_COUNT(RULES); i++) {
		const struct rule *rule = &RULES[i];

		if (rule->parent == parent &&
		    (rule->dialects & space->dialect) &&
		    prim_slice_eq(e->name, prim_slice_of(rule->name)) &&
		    is_in(e, rule->ns ? rule->ns : space->ns))
			return rule->kind;
	}
	return PRIM_PIDF_IGNORED;
}

bool prim_pidf_must(const struct prim_pidf_space *space,
    const struct prim_xml_element *e)
{
	struct prim_slice value;

	if (!prim_xml_attribute(e, space->ns, "mustUnderstand", &value))
		return false;
	value = prim_xml_trim(value);
	if (space->dialect == PRIM_PIDF_FIRST)
		return prim_slice_eq(value, PRIM_SLICE("YES"));
	return prim_slice_eq(value, PRIM_SLICE("true")) ||
	    prim_slice_eq(value, PRIM_SLICE("1"));
}

/* 0 to 1 with three digits at most (CPIM-091, with erratum 1606). */
static int decimal(struct prim_slice s)
{
	int worth = 100;
	int value;

	if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1') ||
	    (s.len > 1 && s.ptr[1] != '.'))
		return PRIM_PIDF_NO_PRIORITY;
	value = s.ptr[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < s.len; i++, worth /= 10) {
		if (!prim_octet_is_digit(s.ptr[i]))
			return PRIM_PIDF_NO_PRIORITY;
		value += (s.ptr[i] - '0') * worth;
	}
	return value <= 1000 ? value : PRIM_PIDF_NO_PRIORITY;
}

/* 0 to 255, and 0 is best (A.5). */
static int rank(struct prim_slice s)
{
	uint64_t value;

	if (!prim_slice_number(s, 255, &value))
		return PRIM_PIDF_NO_PRIORITY;
	return (int)((255 - value) * 1000 / 255);
}

int prim_pidf_priority(const struct prim_pidf_space *space,
    struct prim_slice value)
{
	value = prim_xml_trim(value);
	return space->dialect == PRIM_PIDF_FIRST ? rank(value) : decimal(value);
}

const char *prim_basic_name(enum prim_basic basic)
{
	switch (basic) {
	case PRIM_BASIC_OPEN:
		return "open";
	case PRIM_BASIC_CLOSED:
		return "closed";
	case PRIM_BASIC_NONE:
		break;
	}
	return "unknown";
}

enum prim_basic prim_pidf_basic(const struct prim_pidf_space *space,
    struct prim_slice value)
{
	bool (*eq)(struct prim_slice, struct prim_slice) = prim_slice_eq;

	/* CPIM-089 */
	if (space->dialect == PRIM_PIDF_FIRST)
		eq = prim_slice_eq_nocase;
	value = prim_xml_trim(value);
	if (eq(value, PRIM_SLICE("open")))
		return PRIM_BASIC_OPEN;
	if (eq(value, PRIM_SLICE("closed")))
		return PRIM_BASIC_CLOSED;
	return PRIM_BASIC_NONE;
}

struct prim_slice prim_pidf_im(struct prim_slice value)
{
	value = prim_xml_trim(value);
	if (prim_slice_eq_nocase(value, PRIM_SLICE("busy")))
		return PRIM_SLICE("dnd");
	if (prim_slice_eq_nocase(value, PRIM_SLICE("away")))
		return PRIM_SLICE("away");
	return PRIM_SLICE_NONE;
}
