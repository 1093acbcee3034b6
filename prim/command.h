/* SPDX-License-Identifier: ISC */
#ifndef PRIM_COMMAND_H
#define PRIM_COMMAND_H

/*
 * Commands on the wire: where one ends in a stream of octets, what its parts
 * are, and how one is written. Nothing here knows what a command means; that
 * is session.h. Nothing here allocates, except prim_command_* writers into the
 * prim_buf they are given.
 *
 * Wire form (PRIM-003, PRIM-004):
 *	method SP version SP id SP content-length CRLF *(header CRLF) CRLF body
 *	version SP id SP content-length SP code SP phrase CRLF *(header CRLF) CRLF body
 *
 * Reading is done in two steps, so that a command that will be refused costs
 * no memory for its body: prim_command_head() as soon as the head is there,
 * then, when the caller has waited for all `body_len` octets behind it,
 * it takes the body itself.
 */

#include "prim/buf.h"
#include "prim/header.h"
#include "prim/method.h"
#include "prim/slice.h"
#include "prim/status.h"

/* ERR-25. Lengths in octets, without CRLF. */
#define PRIM_START_LINE_MAX  8192
#define PRIM_HEADER_LINE_MAX 16384
#define PRIM_HEADERS_MAX     128
/* The whole head with all its CRLFs. */
#define PRIM_HEAD_MAX 131072
#define PRIM_ID_MAX   255 /* ERR-05 */
/* Longest content-length we even read; above it the number is broken. */
#define PRIM_BODY_LEN_MAX 999999999999999999U
/* Empty lines that may stand before a start line (ERR-10). */
#define PRIM_EMPTY_LINES_MAX 16

enum prim_command_status {
	/* `out` is set; all its slices borrow from `in`. */
	PRIM_COMMAND_HEAD,
	/* The head is not complete: `out` is void, nothing is consumed. */
	PRIM_COMMAND_MORE,
	/* The stream is broken: answer 400 if out->id is not empty and not "-"
	 * (out->is_response tells that there is nothing to answer), then close.
	 * Set are: is_response, family, id; everything else is void. Causes: a
	 * start line that does not parse; an over-long line or head or too many
	 * headers (PRIM-020); NUL, a bare CR or a bare LF, a folded line, in
	 * every dialect (DESIGN 11). */
	PRIM_COMMAND_BROKEN,
};

struct prim_command {
	bool is_response;
	/* A header line without colon or with a bad name, two different values
	 * of a single-valued header (ERR-18), a Content-Length header that
	 * contradicts the start line (ERR-23), text that is not UTF-8, a
	 * control other than HTAB: the length is known, so this is 400 and the
	 * connection stays. */
	bool is_malformed;
	enum prim_family family;
	unsigned major, minor;     /* of the version */
	struct prim_slice version; /* as spelled, "PRIM-IM/1.0" */
	enum prim_method method;   /* requests; UNKNOWN if not in the matrix */
	struct prim_slice method_name;
	struct prim_slice id;     /* "-" or 1..255 of ALPHA / DIGIT */
	uint64_t body_len;        /* octets that follow the head */
	unsigned code;            /* responses: 100..999 */
	struct prim_slice phrase; /* responses: may be empty (ERR-26) */
	struct prim_slice head;   /* start line to empty line, all of it */
	struct prim_slice lines;  /* the header lines, each with its CRLF */
	struct prim_slice body;   /* empty until the caller sets it */
	uint64_t present;         /* PRIM_HEADER_BIT of every known header */
	unsigned header_count;
	struct prim_header headers[PRIM_HEADERS_MAX];
	uint8_t first[PRIM_HEADER_COUNT]; /* index + 1 in `headers`; valid where
	                                     `present` has the bit */
};

/* Looks for a complete head at the front of `in` (after skipped empty lines,
 * which are counted into out->head).
 * `scanned`: in/out, how far earlier calls on the same head looked; 0 for a
 * new one, otherwise ours alone (it is no plain offset). It makes reading octet
 * by octet linear. The caller sets it to 0 after it consumed a head.
 * Cost: linear in the head, never in the body. */
enum prim_command_status prim_command_head(struct prim_slice in,
    size_t *scanned, struct prim_command *out);

/* Reads header lines (each with CRLF, as in prim_command.lines) into `out`, as
 * prim_command_head() would. False if they are broken or malformed. For heads
 * that were stored. */
bool prim_command_lines(struct prim_slice lines, struct prim_command *out);

/* The value of the first header with `id`, or the empty slice. */
struct prim_slice prim_command_get(const struct prim_command *c,
    enum prim_header_id id);

static inline bool prim_command_has(const struct prim_command *c,
    enum prim_header_id id)
{
	return (c->present & PRIM_HEADER_BIT(id)) != 0;
}

/* Appends the Message-ID as messages compare by it: "abc12:im:a@b" also for the
 * literal form "Message-IDabc12: im:a@b" (ERR-44). Nothing without one. */
void prim_command_put_message_id(struct prim_buf *b,
    const struct prim_command *c);

/*
 * Writing. A head is start line, then any number of headers, then
 * prim_command_end(), then body_len octets of body.
 */
void prim_command_put_request(struct prim_buf *b, enum prim_method method,
    enum prim_family family, struct prim_slice id, uint64_t body_len);
/* With the phrase of status.h. `family` UNKNOWN writes PRIM/1.0. */
void prim_command_put_response(struct prim_buf *b, enum prim_family family,
    struct prim_slice id, unsigned code, uint64_t body_len);
void prim_command_put_header(struct prim_buf *b, enum prim_header_id id,
    struct prim_slice value);
/* A header line as it came (prim_header.line), octet for octet. */
void prim_command_put_line(struct prim_buf *b, struct prim_slice line);
void prim_command_end(struct prim_buf *b);

/* May `value` stand in a header: no CR, LF, NUL or other control octet but
 * HTAB, UTF-8, at most PRIM_HEADER_LINE_MAX - 64 octets? Whoever builds a
 * header from foreign text asks first. */
bool prim_command_value_ok(struct prim_slice value);

#endif
