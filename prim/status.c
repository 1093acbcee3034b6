/* SPDX-License-Identifier: ISC */
/* What the status codes are called and how they rank. */

#include "prim/status.h"

#include <stddef.h>

#include "prim/base.h"

static const struct {
	enum prim_status code;
	const char *phrase;
} PHRASES[] = {
	{PRIM_AUTHENTICATION_CONTINUED, "Authentication Continued"},
	{ PRIM_UNKNOWN_DELIVERY,        "Unknown Delivery Status" },
	{ PRIM_OK,		      "OK"                      },
	{ PRIM_DURATION_ADJUSTED,       "Duration Adjusted"       },
	{ PRIM_REDIRECT,                "Redirect"                },
	{ PRIM_BAD_REQUEST,             "Bad Request"             },
	{ PRIM_UNAUTHORIZED,            "Unauthorized"            },
	{ PRIM_FORBIDDEN,               "Forbidden"               },
	{ PRIM_NOT_FOUND,               "Resource Not Found"      },
	{ PRIM_SUBSCRIPTION_NOT_FOUND,  "Subscription Not Found"  },
	{ PRIM_AUTHENTICATION_FAILED,   "Authentication Failed"   },
	{ PRIM_TIMEOUT,                 "Timeout"                 },
	{ PRIM_INBOX_CLOSED,            "Inbox Is Closed"         },
	{ PRIM_ALREADY_AUTHENTICATED,   "Already Authenticated"   },
	{ PRIM_ASTRENGTH_TOO_WEAK,      "AStrength Too Weak"      },
	{ PRIM_INTERNAL_ERROR,          "Internal Server Error"   },
	{ PRIM_NOT_IMPLEMENTED,         "Not Implemented"         },
	{ PRIM_BAD_GATEWAY,             "Bad Gateway"             },
	{ PRIM_VERSION_NOT_SUPPORTED,   "Version Not Supported"   },
	{ PRIM_GATEWAY_TIMEOUT,         "Gateway Timeout"         },
	{ PRIM_TOO_MANY_SUBSCRIPTIONS,  "Too Many Subscriptions"  },
};

/* ERR-26: a code nobody assigned is what its first digit says. */
static const char *const CLASSES[] = {
	[1] = "Continued",
	[2] = "Success",
	[3] = "Redirection",
	[4] = "Request Failed",
	[5] = "Server Failed",
};

const char *prim_status_phrase(unsigned code)
{
	const char *phrase = NULL;

	for (size_t i = 0; i < PRIM_COUNT(PHRASES); i++) {
		if ((unsigned)PHRASES[i].code == code)
			return PHRASES[i].phrase;
	}
	if (code / 100 < PRIM_COUNT(CLASSES))
		phrase = CLASSES[code / 100];
	return phrase ? phrase : "Unknown";
}

/* 0 is best. A redirect nobody followed is a failure that says more than a
 * fault does. */
static unsigned rank(unsigned code)
{
	switch (code / 100) {
	case 1:
		return 1;
	case 2:
		return 0;
	case 3:
		return 4;
	case 4:
		return code == PRIM_INBOX_CLOSED ? 3 : 2;
	case 5:
		return 5;
	default:
		return 6;
	}
}

bool prim_status_better(unsigned a, unsigned b)
{
	return rank(a) < rank(b);
}

bool prim_status_is_final(unsigned code)
{
	switch (code / 100) {
	case 1:
	case 2:
		return true;
	case 4:
		return code != PRIM_TIMEOUT;
	default:
		return code == PRIM_NOT_IMPLEMENTED;
	}
}
