/* SPDX-License-Identifier: ISC */
/* The method matrix. */

#include "prim/method.h"

#include <assert.h>
#include <string.h>

#define LONGEST  18
#define SAME_LEN 10 /* most names that share a length */

#define NAME(text)                                     \
	{                                              \
		.ptr = (text), .len = sizeof(text) - 1 \
	}
#define BIT(id) PRIM_HEADER_BIT(PRIM_HEADER_##id)

#define C_S PRIM_CLIENT_TO_SERVER
#define S_C PRIM_SERVER_TO_CLIENT
#define S_S PRIM_SERVER_TO_SERVER

/* The same in both worlds. */
#define REQUIRES(bits) .required_cs = (bits), .required_ss = (bits)
#define BODY(rule)     .body_cs = (rule), .body_ss = (rule)

#define FROM_TO (BIT(FROM) | BIT(TO))

/* What is left out is 0: no direction, no answer, no body, no header.
 * Directions of the client-server texts include the server to server ones that
 * these texts had (spec A.3). */
static const struct prim_method_info METHODS[PRIM_METHOD_COUNT] = {
	/* General. From or Domain is the session's choice (PRIM-112). */
	[PRIM_METHOD_LOGIN] = {
		.name = NAME("LOGIN"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = C_S | S_S,
		.server_server = S_S,
		.answered = true,
		BODY(PRIM_BODY_ALLOWED),
		REQUIRES(BIT(AUTH_STATE) | BIT(SASL_MECH)),
		.echoed = BIT(FROM) | BIT(DOMAIN) | BIT(AUTH_STATE) |
		    BIT(SASL_MECH) | BIT(MAX_CONTENT_LENGTH),
	},
	[PRIM_METHOD_STARTTLS] = {
		.name = NAME("STARTTLS"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = C_S | S_S,
		.server_server = S_S,
		.answered = true,
	},
	[PRIM_METHOD_LOGOUT] = {
		.name = NAME("LOGOUT"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = C_S | S_S,
		.server_server = S_S,
	},
	[PRIM_METHOD_PING] = {
		.name = NAME("PING"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = C_S | S_C | S_S,
		.server_server = S_S,
	},
	[PRIM_METHOD_VERIFYSERVER] = {
		.name = NAME("VERIFYSERVER"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = S_S,
		.server_server = S_S,
		.answered = true,
		REQUIRES(BIT(SERVER_ADDRESS)),
		.echoed = BIT(SERVER_ADDRESS),
	},
	[PRIM_METHOD_SETACL] = {
		.name = NAME("SETACL"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = C_S,
		.answered = true,
		BODY(PRIM_BODY_REQUIRED),
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	/* PRIM-262: the body of GETACL is ignored, D1 asked for one. */
	[PRIM_METHOD_GETACL] = {
		.name = NAME("GETACL"),
		.service = PRIM_SERVICE_GENERAL,
		.client_server = C_S,
		.answered = true,
		.read_only = true,
		BODY(PRIM_BODY_ALLOWED),
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	/* Presence. */
	[PRIM_METHOD_SUBSCRIBE] = {
		.name = NAME("SUBSCRIBE"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S | S_S,
		.server_server = S_S,
		.answered = true,
		.body_cs = PRIM_BODY_NONE,
		.body_ss = PRIM_BODY_ALLOWED,
		.required_cs = FROM_TO | BIT(DURATION),
		.required_ss = FROM_TO | BIT(DURATION) | BIT(SUBSCRIPTION_ID) |
		    BIT(DATE),
		.echoed = FROM_TO | BIT(DURATION) | BIT(SUBSCRIPTION_ID),
	},
	[PRIM_METHOD_UNSUBSCRIBE] = {
		.name = NAME("UNSUBSCRIBE"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S | S_S,
		.server_server = S_S,
		.answered = true,
		REQUIRES(FROM_TO),
		.echoed = FROM_TO,
	},
	/* S0 has no FETCH; from a peer it is served all the same (PRIM-178). */
	[PRIM_METHOD_FETCH] = {
		.name = NAME("FETCH"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S | S_S,
		.server_server = S_S,
		.answered = true,
		.read_only = true,
		REQUIRES(FROM_TO),
		.echoed = FROM_TO,
	},
	[PRIM_METHOD_CANCELSUBSCRIPTION] = {
		.name = NAME("CANCELSUBSCRIPTION"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = S_C | S_S,
		REQUIRES(FROM_TO),
	},
	/* Bodies may be missing (ERR-85, ERR-93); with one, PRIM-017 asks for
	 * the Content-Type. */
	[PRIM_METHOD_NOTIFY] = {
		.name = NAME("NOTIFY"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = S_C | S_S,
		.server_server = S_S,
		.answered = true,
		BODY(PRIM_BODY_ALLOWED),
		.required_cs = FROM_TO,
		.required_ss = FROM_TO | BIT(SUBSCRIPTION_ID) | BIT(DATE),
		.echoed = FROM_TO,
	},
	/* ERR-96: renew and revert need no body. */
	[PRIM_METHOD_PUBLISH] = {
		.name = NAME("PUBLISH"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S,
		.answered = true,
		BODY(PRIM_BODY_ALLOWED),
		REQUIRES(BIT(FROM) | BIT(PI_TYPE) | BIT(TUPLE_ID)),
		.echoed = BIT(FROM) | BIT(PI_TYPE) | BIT(DURATION) |
		    BIT(TUPLE_ID) | BIT(CLASS),
	},
	[PRIM_METHOD_REMOVE] = {
		.name = NAME("REMOVE"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S,
		.answered = true,
		REQUIRES(BIT(FROM) | BIT(TUPLE_ID)),
		.echoed = BIT(FROM) | BIT(TUPLE_ID) | BIT(CLASS),
	},
	[PRIM_METHOD_SETCLASSTABLE] = {
		.name = NAME("SETCLASSTABLE"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S,
		.answered = true,
		BODY(PRIM_BODY_REQUIRED),
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	[PRIM_METHOD_GETCLASSTABLE] = {
		.name = NAME("GETCLASSTABLE"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S,
		.answered = true,
		.read_only = true,
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	[PRIM_METHOD_STARTWATCHERNOTIFY] = {
		.name = NAME("STARTWATCHERNOTIFY"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S,
		.answered = true,
		.read_only = true,
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	[PRIM_METHOD_STOPWATCHERNOTIFY] = {
		.name = NAME("STOPWATCHERNOTIFY"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = C_S,
		.answered = true,
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	[PRIM_METHOD_WATCHERNOTIFY] = {
		.name = NAME("WATCHERNOTIFY"),
		.service = PRIM_SERVICE_PRESENCE,
		.client_server = S_C,
		.answered = true,
		REQUIRES(FROM_TO | BIT(WATCHER_TYPE)),
		.echoed = FROM_TO,
	},
	/* Instant messages. */
	[PRIM_METHOD_LISTEN] = {
		.name = NAME("LISTEN"),
		.service = PRIM_SERVICE_IM,
		.client_server = C_S,
		.answered = true,
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	[PRIM_METHOD_SILENCE] = {
		.name = NAME("SILENCE"),
		.service = PRIM_SERVICE_IM,
		.client_server = C_S,
		.answered = true,
		REQUIRES(BIT(FROM)),
		.echoed = BIT(FROM),
	},
	[PRIM_METHOD_SEND] = {
		.name = NAME("SEND"),
		.service = PRIM_SERVICE_IM,
		.client_server = C_S | S_C | S_S,
		.server_server = S_S,
		.answered = true,
		BODY(PRIM_BODY_REQUIRED),
		.required_cs = FROM_TO | BIT(MESSAGE_ID) |
		    BIT(CONVERSATION_ID),
		.required_ss = FROM_TO | BIT(MESSAGE_ID) |
		    BIT(CONVERSATION_ID) | BIT(DATE) | BIT(CONTENT_TYPE),
		.echoed = FROM_TO | BIT(MESSAGE_ID) | BIT(CONVERSATION_ID),
	},
	/* Adapter links. */
	[PRIM_METHOD_CONFIG] = {
		.name = NAME("CONFIG"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		.answered = true,
		BODY(PRIM_BODY_ALLOWED),
	},
	[PRIM_METHOD_READY] = {
		.name = NAME("READY"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
	},
	[PRIM_METHOD_WINDOW] = {
		.name = NAME("WINDOW"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		REQUIRES(BIT(WINDOW)),
	},
	[PRIM_METHOD_REPORT] = {
		.name = NAME("REPORT"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		BODY(PRIM_BODY_ALLOWED),
		REQUIRES(BIT(DELIVERY_ID) | BIT(CODE)),
	},
	[PRIM_METHOD_STATE] = {
		.name = NAME("STATE"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		.answered = true,
		BODY(PRIM_BODY_ALLOWED),
		REQUIRES(BIT(OPERATION)),
	},
	/* From an adapter it has a From, to one a To. */
	[PRIM_METHOD_LINK] = {
		.name = NAME("LINK"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		.answered = true,
	},
	[PRIM_METHOD_DRAIN] = {
		.name = NAME("DRAIN"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
	},
	[PRIM_METHOD_LOG] = {
		.name = NAME("LOG"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		BODY(PRIM_BODY_ALLOWED),
		REQUIRES(BIT(LEVEL)),
	},
	[PRIM_METHOD_METRIC] = {
		.name = NAME("METRIC"),
		.service = PRIM_SERVICE_LOCAL,
		.server_server = S_S,
		REQUIRES(BIT(NAME) | BIT(VALUE)),
	},
};

/* The methods whose names have a length; the likeliest first. Out of
 * clang-format's hands, which scatters such rows. */
/* clang-format off */
static const uint8_t BY_LEN[LONGEST + 1][SAME_LEN] = {
	[3] = { PRIM_METHOD_LOG },
	[4] = { PRIM_METHOD_SEND, PRIM_METHOD_PING, PRIM_METHOD_LINK },
	[5] = { PRIM_METHOD_FETCH, PRIM_METHOD_LOGIN, PRIM_METHOD_STATE,
		PRIM_METHOD_READY, PRIM_METHOD_DRAIN },
	[6] = { PRIM_METHOD_NOTIFY, PRIM_METHOD_REPORT, PRIM_METHOD_LISTEN,
		PRIM_METHOD_LOGOUT, PRIM_METHOD_REMOVE, PRIM_METHOD_WINDOW,
		PRIM_METHOD_METRIC, PRIM_METHOD_CONFIG, PRIM_METHOD_SETACL,
		PRIM_METHOD_GETACL },
	[7] = { PRIM_METHOD_PUBLISH, PRIM_METHOD_SILENCE },
	[8] = { PRIM_METHOD_STARTTLS },
	[9] = { PRIM_METHOD_SUBSCRIBE },
	[11] = { PRIM_METHOD_UNSUBSCRIBE },
	[12] = { PRIM_METHOD_VERIFYSERVER },
	[13] = { PRIM_METHOD_WATCHERNOTIFY, PRIM_METHOD_SETCLASSTABLE,
		PRIM_METHOD_GETCLASSTABLE },
	[17] = { PRIM_METHOD_STOPWATCHERNOTIFY },
	[18] = { PRIM_METHOD_CANCELSUBSCRIPTION,
		PRIM_METHOD_STARTWATCHERNOTIFY },
};

/* clang-format on */

enum prim_method prim_method_find(struct prim_slice name)
{
	if (name.len == 0 || name.len > LONGEST)
		return PRIM_METHOD_UNKNOWN;
	for (unsigned i = 0; i < SAME_LEN && BY_LEN[name.len][i]; i++) {
		enum prim_method method = BY_LEN[name.len][i];

		if (memcmp(METHODS[method].name.ptr, name.ptr, name.len) == 0)
			return method;
	}
	return PRIM_METHOD_UNKNOWN;
}

const struct prim_method_info *prim_method_info(enum prim_method method)
{
	assert(method > PRIM_METHOD_UNKNOWN && method < PRIM_METHOD_COUNT);
	return &METHODS[method];
}

static const struct prim_slice FAMILIES[] = {
	[PRIM_FAMILY_PP] = NAME("PP"),
	[PRIM_FAMILY_IMP] = NAME("IMP"),
	[PRIM_FAMILY_PRIM_PR] = NAME("PRIM-PR"),
	[PRIM_FAMILY_PRIM_IM] = NAME("PRIM-IM"),
	[PRIM_FAMILY_PRIM] = NAME("PRIM"),
	[PRIM_FAMILY_UNKNOWN] = NAME("PRIM"),
};

struct prim_slice prim_family_name(enum prim_family family)
{
	return FAMILIES[family];
}

enum prim_family prim_family_find(struct prim_slice name)
{
	for (unsigned i = 0; i < PRIM_FAMILY_UNKNOWN; i++) {
		if (prim_slice_eq(name, FAMILIES[i]))
			return i;
	}
	return PRIM_FAMILY_UNKNOWN;
}

enum prim_service prim_family_service(enum prim_family family)
{
	switch (family) {
	case PRIM_FAMILY_PP:
	case PRIM_FAMILY_PRIM_PR:
		return PRIM_SERVICE_PRESENCE;
	case PRIM_FAMILY_IMP:
	case PRIM_FAMILY_PRIM_IM:
		return PRIM_SERVICE_IM;
	case PRIM_FAMILY_PRIM:
	case PRIM_FAMILY_UNKNOWN:
		break;
	}
	return PRIM_SERVICE_GENERAL;
}

/* PRIM takes the methods of clients too: that a server has no business with
 * them is 402 (ERR-22), not a misfit. */
bool prim_method_fits(enum prim_method method, enum prim_family family)
{
	enum prim_service service = prim_method_info(method)->service;

	if (family == PRIM_FAMILY_PRIM)
		return true;
	return service == PRIM_SERVICE_GENERAL ||
	    service == prim_family_service(family);
}
