/* SPDX-License-Identifier: ISC */
/* The activities of RPID (RFC 4480 3.2), as spec/xmpp.md 4.3 sorts them. */

#include "prim/base.h"
#include "prim/pidf_private.h"

static const struct {
	const char *name;
	unsigned activities;
} ROWS[] = {
	{"appointment",        PRIM_ACTIVITY_AWAY},
	{ "away",              PRIM_ACTIVITY_AWAY},
	{ "breakfast",         PRIM_ACTIVITY_AWAY},
	{ "busy",              PRIM_ACTIVITY_BUSY},
	{ "dinner",            PRIM_ACTIVITY_AWAY},
	{ "holiday",           PRIM_ACTIVITY_XA  },
	{ "in-transit",        PRIM_ACTIVITY_AWAY},
	{ "looking-for-work",  0                 },
	{ "lunch",             PRIM_ACTIVITY_AWAY},
	{ "meal",              PRIM_ACTIVITY_AWAY},
	{ "meeting",           PRIM_ACTIVITY_BUSY},
	{ "on-the-phone",      PRIM_ACTIVITY_BUSY},
	{ "other",             0                 },
	{ "performance",       PRIM_ACTIVITY_BUSY},
	{ "permanent-absence", PRIM_ACTIVITY_XA  },
	{ "playing",           PRIM_ACTIVITY_AWAY},
	{ "presentation",      PRIM_ACTIVITY_BUSY},
	{ "shopping",          PRIM_ACTIVITY_AWAY},
	{ "sleeping",          PRIM_ACTIVITY_XA  },
	{ "spectator",         PRIM_ACTIVITY_AWAY},
	{ "steering",          PRIM_ACTIVITY_BUSY},
	{ "travel",            PRIM_ACTIVITY_AWAY},
	{ "tv",		PRIM_ACTIVITY_AWAY},
	{ "unknown",           0                 },
	{ "vacation",          PRIM_ACTIVITY_XA  },
	{ "working",           0                 },
	{ "worship",           PRIM_ACTIVITY_BUSY},
};

bool prim_rpid_activity(struct prim_slice name, unsigned *out_activities)
{
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		if (prim_slice_eq(name, prim_slice_of(ROWS[i].name))) {
			*out_activities = ROWS[i].activities;
			return true;
		}
	}
	return false;
}
