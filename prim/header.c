/* SPDX-License-Identifier: ISC */
/* From the name of a header to its number and back. */

#include "prim/header.h"

#include <string.h>

#include "prim/octet.h"

#define LONGEST  25
#define SAME_LEN 5 /* most names that share a length */

#define NAME(text)                                     \
	{                                              \
		.ptr = (text), .len = sizeof(text) - 1 \
	}

static const struct prim_slice NAMES[PRIM_HEADER_COUNT] = {
	[PRIM_HEADER_FROM] = NAME("From"),
	[PRIM_HEADER_TO] = NAME("To"),
	[PRIM_HEADER_DOMAIN] = NAME("Domain"),
	[PRIM_HEADER_AUTH_STATE] = NAME("Auth-State"),
	[PRIM_HEADER_SASL_MECH] = NAME("SASL-Mech"),
	[PRIM_HEADER_MAX_CONTENT_LENGTH] = NAME("Max-Content-Length"),
	[PRIM_HEADER_USER_AGENT_ID] = NAME("User-Agent-ID"),
	[PRIM_HEADER_REDIRECT] = NAME("Redirect"),
	[PRIM_HEADER_SERVER_ADDRESS] = NAME("Server-Address"),
	[PRIM_HEADER_DATE] = NAME("Date"),
	[PRIM_HEADER_ASTRENGTH] = NAME("AStrength"),
	[PRIM_HEADER_DURATION] = NAME("Duration"),
	[PRIM_HEADER_SUBSCRIPTION_ID] = NAME("Subscription-ID"),
	[PRIM_HEADER_PI_TYPE] = NAME("PI-Type"),
	[PRIM_HEADER_TUPLE_ID] = NAME("Tuple-ID"),
	[PRIM_HEADER_CLASS] = NAME("Class"),
	[PRIM_HEADER_WATCHER_TYPE] = NAME("Watcher-Type"),
	[PRIM_HEADER_MESSAGE_ID] = NAME("Message-ID"),
	[PRIM_HEADER_CONVERSATION_ID] = NAME("Conversation-ID"),
	[PRIM_HEADER_REPLY_TO] = NAME("Reply-To"),
	[PRIM_HEADER_CONTENT_TYPE] = NAME("Content-Type"),
	[PRIM_HEADER_CONTENT_LENGTH] = NAME("Content-Length"),
	[PRIM_HEADER_CONTENT_TRANSFER_ENCODING] =
	    NAME("Content-Transfer-Encoding"),
	[PRIM_HEADER_BRIDGE_HOPS] = NAME("Bridge-Hops"),
	[PRIM_HEADER_BRIDGE_ORIGINAL_FROM] = NAME("Bridge-Original-From"),
	[PRIM_HEADER_BRIDGE_ORIGINAL_TO] = NAME("Bridge-Original-To"),
	[PRIM_HEADER_DELIVERY_ID] = NAME("Delivery-ID"),
	[PRIM_HEADER_ATTEMPT] = NAME("Attempt"),
	[PRIM_HEADER_EXPIRES] = NAME("Expires"),
	[PRIM_HEADER_RETURN] = NAME("Return"),
	[PRIM_HEADER_WINDOW] = NAME("Window"),
	[PRIM_HEADER_KEY] = NAME("Key"),
	[PRIM_HEADER_OPERATION] = NAME("Operation"),
	[PRIM_HEADER_CODE] = NAME("Code"),
	[PRIM_HEADER_LEVEL] = NAME("Level"),
	[PRIM_HEADER_NAME] = NAME("Name"),
	[PRIM_HEADER_VALUE] = NAME("Value"),
	[PRIM_HEADER_RETRY] = NAME("Retry"),
	[PRIM_HEADER_DELAY] = NAME("Delay"),
};

/* The ids whose names have a length; the likeliest first, OTHER ends a row.
 * Out of clang-format's hands, which scatters such rows. */
/* clang-format off */
static const uint8_t BY_LEN[LONGEST + 1][SAME_LEN] = {
	[2] = { PRIM_HEADER_TO },
	[3] = { PRIM_HEADER_KEY },
	[4] = { PRIM_HEADER_FROM, PRIM_HEADER_DATE, PRIM_HEADER_CODE,
		PRIM_HEADER_NAME },
	[5] = { PRIM_HEADER_CLASS, PRIM_HEADER_LEVEL, PRIM_HEADER_VALUE,
		PRIM_HEADER_RETRY, PRIM_HEADER_DELAY },
	[6] = { PRIM_HEADER_DOMAIN, PRIM_HEADER_RETURN, PRIM_HEADER_WINDOW },
	[7] = { PRIM_HEADER_PI_TYPE, PRIM_HEADER_ATTEMPT,
		PRIM_HEADER_EXPIRES },
	[8] = { PRIM_HEADER_DURATION, PRIM_HEADER_REPLY_TO,
		PRIM_HEADER_TUPLE_ID, PRIM_HEADER_REDIRECT },
	[9] = { PRIM_HEADER_ASTRENGTH, PRIM_HEADER_SASL_MECH,
		PRIM_HEADER_OPERATION },
	[10] = { PRIM_HEADER_MESSAGE_ID, PRIM_HEADER_AUTH_STATE },
	[11] = { PRIM_HEADER_DELIVERY_ID, PRIM_HEADER_BRIDGE_HOPS },
	[12] = { PRIM_HEADER_CONTENT_TYPE, PRIM_HEADER_WATCHER_TYPE },
	[13] = { PRIM_HEADER_USER_AGENT_ID },
	[14] = { PRIM_HEADER_CONTENT_LENGTH, PRIM_HEADER_SERVER_ADDRESS },
	[15] = { PRIM_HEADER_CONVERSATION_ID, PRIM_HEADER_SUBSCRIPTION_ID },
	[18] = { PRIM_HEADER_MAX_CONTENT_LENGTH,
		PRIM_HEADER_BRIDGE_ORIGINAL_TO },
	[20] = { PRIM_HEADER_BRIDGE_ORIGINAL_FROM },
	[25] = { PRIM_HEADER_CONTENT_TRANSFER_ENCODING },
};

/* clang-format on */

static bool begins(struct prim_slice s, struct prim_slice prefix)
{
	return s.len >= prefix.len &&
	    prim_slice_eq_nocase(prim_slice_make(s.ptr, prefix.len), prefix);
}

/* ERR-44: "Message-IDabc12", the token in the name. */
static bool is_literal_message_id(struct prim_slice name)
{
	struct prim_slice id = NAMES[PRIM_HEADER_MESSAGE_ID];

	if (!begins(name, id))
		return false;
	for (size_t i = id.len; i < name.len; i++) {
		if (!prim_octet_is_alnum(name.ptr[i]))
			return false;
	}
	return true;
}

/* Names that are not one fixed text, or not the text we send. */
static enum prim_header_id find_odd(struct prim_slice name)
{
	if (begins(name, PRIM_SLICE("Bridge-")))
		return PRIM_HEADER_BRIDGE_OTHER;
	if (prim_slice_eq_nocase(name, PRIM_SLICE("SASL-Mechanism")))
		return PRIM_HEADER_SASL_MECH;
	if (is_literal_message_id(name))
		return PRIM_HEADER_MESSAGE_ID;
	return PRIM_HEADER_OTHER;
}

/* No two names differ only in case, so one pass does for ERR-12. */
enum prim_header_id prim_header_find(struct prim_slice name)
{
	if (name.len == 0 || name.len > LONGEST)
		return find_odd(name);
	for (unsigned i = 0; i < SAME_LEN && BY_LEN[name.len][i]; i++) {
		enum prim_header_id id = BY_LEN[name.len][i];
		const char *text = NAMES[id].ptr;

		if ((text[0] ^ name.ptr[0]) & ~0x20)
			continue;
		if (memcmp(text, name.ptr, name.len) == 0 ||
		    prim_slice_eq_nocase(NAMES[id], name))
			return id;
	}
	return find_odd(name);
}

struct prim_slice prim_header_name(enum prim_header_id id)
{
	return NAMES[id];
}
