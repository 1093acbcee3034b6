/* SPDX-License-Identifier: ISC */
#ifndef XA_ERRORS_H
#define XA_ERRORS_H

/*
 * What a failure is called on either side. The numbers of PRIM look like those
 * of HTTP and SIP and are not, so both tables go by meaning.
 */

struct xa_error {
	const char *condition; /* RFC 6120 8.3.3 */
	const char *type;      /* cancel, modify, wait, auth */
};

extern const struct xa_error xa_error_bad_request;
extern const struct xa_error xa_error_jid_malformed;
extern const struct xa_error xa_error_not_acceptable;
extern const struct xa_error xa_error_policy_violation;
extern const struct xa_error xa_error_service_unavailable;
extern const struct xa_error xa_error_item_not_found;
extern const struct xa_error xa_error_not_allowed;
extern const struct xa_error xa_error_registration_required;
extern const struct xa_error xa_error_resource_constraint;
extern const struct xa_error xa_error_wait;

/* What the sender of a message learns of the PRIM status `code`; NULL when it
 * is no failure. */
const struct xa_error *xa_error_of_code(unsigned code);

/* What the sender of a SEND learns of a stanza error. */
unsigned xa_error_code(const char *condition);

#endif
