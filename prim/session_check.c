/* SPDX-License-Identifier: ISC */
/* May a request be acted upon? The order of checks of spec C.0, as far as it
 * needs no knowledge of ours. */

#include "prim/session_private.h"

static bool is_login_method(enum prim_method method)
{
	return method == PRIM_METHOD_LOGIN || method == PRIM_METHOD_STARTTLS ||
	    method == PRIM_METHOD_VERIFYSERVER || method == PRIM_METHOD_PING ||
	    method == PRIM_METHOD_LOGOUT;
}

static bool is_provided(const struct prim_session *s,
    const struct prim_method_info *info)
{
	return info->service == PRIM_SERVICE_IM ||
	    info->service == PRIM_SERVICE_GENERAL || s->policy->has_presence;
}

/* Steps 3, 4, 6 and 7. */
static unsigned check_method(const struct prim_session *s,
    const struct prim_command *c)
{
	bool is_any_bound = s->is_bound[0] || s->is_bound[1];
	const struct prim_method_info *info;

	/* DESIGN 11: before LOGIN everything else is 401, known or not. */
	if (!is_any_bound && !is_login_method(c->method))
		return PRIM_UNAUTHORIZED;
	if (c->method == PRIM_METHOD_UNKNOWN)
		return PRIM_NOT_IMPLEMENTED;
	info = prim_method_info(c->method);
	if (info->service == PRIM_SERVICE_LOCAL)
		return PRIM_NOT_IMPLEMENTED; /* not for this kind of peer */
	if (!prim_method_fits(c->method, c->family))
		return PRIM_BAD_REQUEST;
	if (!is_provided(s, info))
		return PRIM_NOT_IMPLEMENTED;
	if (prim_command_has(c, PRIM_HEADER_CONTENT_TRANSFER_ENCODING))
		return PRIM_BAD_REQUEST; /* step 5, PRIM-015 */
	if (info->service != PRIM_SERVICE_GENERAL &&
	    (c->family == PRIM_FAMILY_PRIM ||
		!prim_session_is_bound(s, info->service)))
		return PRIM_UNAUTHORIZED; /* PRIM/1.0 is for servers */
	if (c->method == PRIM_METHOD_VERIFYSERVER && is_any_bound)
		return PRIM_FORBIDDEN; /* ERR-22 */
	if (!(info->client_server & PRIM_CLIENT_TO_SERVER) &&
	    c->method != PRIM_METHOD_VERIFYSERVER)
		return PRIM_FORBIDDEN;
	return 0;
}

/* Step 8: headers and body, as far as no identifier is looked at. */
static unsigned check_form(const struct prim_command *c)
{
	const struct prim_method_info *info = prim_method_info(c->method);

	if (c->is_malformed)
		return PRIM_BAD_REQUEST;
	if ((c->present & info->required_cs) != info->required_cs)
		return PRIM_BAD_REQUEST;
	if (info->body_cs == PRIM_BODY_NONE && c->body_len)
		return PRIM_BAD_REQUEST; /* PRIM-014 */
	if (info->body_cs == PRIM_BODY_REQUIRED && !c->body_len)
		return PRIM_BAD_REQUEST;
	if (c->method != PRIM_METHOD_LOGIN)
		return 0;
	/* PRIM-112: From makes it a client. PRIM/1.0 is for servers, whose LOGIN
	 * carries Domain (DESIGN 11). */
	if (prim_command_has(c, PRIM_HEADER_FROM) ==
	    prim_command_has(c, PRIM_HEADER_DOMAIN))
		return PRIM_BAD_REQUEST;
	if (prim_command_has(c, PRIM_HEADER_FROM) ==
	    (c->family == PRIM_FAMILY_PRIM))
		return PRIM_BAD_REQUEST;
	return 0;
}

static uint64_t body_max(const struct prim_session *s)
{
	return s->is_bound[0] || s->is_bound[1] ? s->policy->body_max
						: PRIM_LOGIN_BODY_MAX;
}

/* 0 when `c` may be acted upon. */
unsigned prim_session_check(const struct prim_session *s,
    const struct prim_command *c)
{
	unsigned code;

	if (c->family == PRIM_FAMILY_UNKNOWN || c->major != 1)
		return PRIM_VERSION_NOT_SUPPORTED;
	code = check_method(s, c);
	if (!code)
		code = check_form(c);
	if (!code && c->body_len > body_max(s))
		code = PRIM_BAD_REQUEST; /* PRIM-020 */
	return code;
}
