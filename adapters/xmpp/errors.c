/* SPDX-License-Identifier: ISC */
/* What a failure is called on either side. */

#include "adapters/xmpp/errors.h"

#include <stddef.h>
#include <string.h>

#include "prim/base.h"
#include "prim/status.h"

const struct xa_error xa_error_bad_request = { "bad-request", "modify" };
const struct xa_error xa_error_jid_malformed = { "jid-malformed", "modify" };
const struct xa_error xa_error_not_acceptable = { "not-acceptable", "modify" };
const struct xa_error xa_error_policy_violation = { "policy-violation",
	"modify" };
const struct xa_error xa_error_service_unavailable = { "service-unavailable",
	"cancel" };
const struct xa_error xa_error_item_not_found = { "item-not-found", "cancel" };
const struct xa_error xa_error_not_allowed = { "not-allowed", "cancel" };
const struct xa_error xa_error_registration_required = {
	"registration-required", "auth"
};
const struct xa_error xa_error_resource_constraint = { "resource-constraint",
	"wait" };
const struct xa_error xa_error_wait = { "remote-server-timeout", "wait" };

/* 401 and 406 are between servers: "not-authorized" would send the user
 * looking for a password. 408 hides whether somebody is there. */
static const struct {
	unsigned code;
	struct xa_error error;
} OF_CODE[] = {
	{PRIM_REDIRECT,                { "remote-server-not-found", "cancel" }},
	{ PRIM_BAD_REQUEST,            { "bad-request", "modify" }            },
	{ PRIM_UNAUTHORIZED,           { "remote-server-timeout", "cancel" }  },
	{ PRIM_FORBIDDEN,              { "forbidden", "auth" }                },
	{ PRIM_NOT_FOUND,              { "item-not-found", "cancel" }         },
	{ PRIM_AUTHENTICATION_FAILED,  { "remote-server-timeout", "cancel" }  },
	{ PRIM_TIMEOUT,                { "remote-server-timeout", "wait" }    },
	{ PRIM_INBOX_CLOSED,           { "service-unavailable", "cancel" }    },
	{ PRIM_ASTRENGTH_TOO_WEAK,     { "policy-violation", "modify" }       },
	{ PRIM_INTERNAL_ERROR,         { "internal-server-error", "cancel" }  },
	{ PRIM_NOT_IMPLEMENTED,        { "feature-not-implemented", "cancel" }},
	{ PRIM_BAD_GATEWAY,            { "remote-server-not-found", "cancel" }},
	{ PRIM_VERSION_NOT_SUPPORTED,  { "not-acceptable", "modify" }         },
	{ PRIM_GATEWAY_TIMEOUT,        { "remote-server-timeout", "wait" }    },
	{ PRIM_TOO_MANY_SUBSCRIPTIONS, { "resource-constraint", "wait" }      },
};

static const struct xa_error OF_CLASS[] = {
	[3] = {"remote-server-not-found", "cancel"},
	[4] = { "bad-request",            "modify"},
	[5] = { "internal-server-error",  "cancel"},
};

/* "not-authorized" is no 401: that would order a server to log in again.
 * "service-unavailable" is said for offline, unknown and blocked alike, and so
 * is 408. */
static const struct {
	const char *condition;
	unsigned code;
} CODE_OF[] = {
	{"bad-request",              PRIM_BAD_REQUEST    },
	{ "conflict",                PRIM_BAD_REQUEST    },
	{ "feature-not-implemented", PRIM_NOT_IMPLEMENTED},
	{ "forbidden",               PRIM_FORBIDDEN      },
	{ "gone",		    PRIM_NOT_FOUND      },
	{ "internal-server-error",   PRIM_INTERNAL_ERROR },
	{ "item-not-found",          PRIM_NOT_FOUND      },
	{ "jid-malformed",           PRIM_BAD_REQUEST    },
	{ "not-acceptable",          PRIM_BAD_REQUEST    },
	{ "not-allowed",             PRIM_FORBIDDEN      },
	{ "not-authorized",          PRIM_FORBIDDEN      },
	{ "policy-violation",        PRIM_FORBIDDEN      },
	{ "recipient-unavailable",   PRIM_INBOX_CLOSED   },
	{ "redirect",                PRIM_NOT_FOUND      },
	{ "registration-required",   PRIM_FORBIDDEN      },
	{ "remote-server-not-found", PRIM_BAD_GATEWAY    },
	{ "remote-server-timeout",   PRIM_GATEWAY_TIMEOUT},
	{ "resource-constraint",     PRIM_INTERNAL_ERROR },
	{ "service-unavailable",     PRIM_INBOX_CLOSED   },
	{ "subscription-required",   PRIM_FORBIDDEN      },
	{ "undefined-condition",     PRIM_INTERNAL_ERROR },
	{ "unexpected-request",      PRIM_BAD_REQUEST    },
};

const struct xa_error *xa_error_of_code(unsigned code)
{
	unsigned class = code / 100;

	for (size_t i = 0; i < PRIM_COUNT(OF_CODE); i++) {
		if (OF_CODE[i].code == code)
			return &OF_CODE[i].error;
	}
	if (class < PRIM_COUNT(OF_CLASS) && OF_CLASS[class].condition)
		return &OF_CLASS[class];
	return class <= 2 ? NULL : &OF_CLASS[5];
}

unsigned xa_error_code(const char *condition)
{
	for (size_t i = 0; i < PRIM_COUNT(CODE_OF); i++) {
		if (strcmp(CODE_OF[i].condition, condition) == 0)
			return CODE_OF[i].code;
	}
	return PRIM_INTERNAL_ERROR;
}
