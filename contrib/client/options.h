/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

/*
 * What the user asked for.
 */

#include <stdint.h>

#include "contrib/client/err.h"
#include "prim/address.h"

#define CL_PIN_LEN      32 /* SHA-256 */
#define CL_PORT         "7746"
#define CL_TLS_PORT     "7747"
#define CL_PASSWORD_MAX 1024

enum cl_options_outcome {
	CL_OPTIONS_OK,
	CL_OPTIONS_DONE,  /* help or version was printed */
	CL_OPTIONS_WRONG, /* `err` says what */
};

struct cl_options {
	const char *command; /* borrowed: "send", "watch", ... */
	char *host;          /* owned: without brackets */
	char *port;          /* owned */
	char *user;          /* owned: "alice@example.org" */
	char *from;          /* owned: "im:alice@example.org", or pres:
                                      when it is about presence */
	char *domain;        /* owned: of the user */
	char *password;      /* owned; wiped when freed */
	char *to;            /* owned: "im:bob@example.org", or NULL */
	char **watched;      /* owned: "pres:bob@example.org", each */
	size_t watched_count;
	const char *text;          /* borrowed: of `send`, or NULL */
	const char *password_file; /* borrowed, or NULL */
	const char *ca;            /* borrowed, or NULL */
	const char *conversation;  /* borrowed, or NULL */
	const char *subject;       /* borrowed, or NULL */
	const char *note;          /* borrowed, of `publish`, or NULL */
	const char *show;          /* borrowed: "away", ..., or NULL */
	const char *tuple;         /* borrowed */
	uint64_t lease_s;          /* of `publish`; 0: not given */
	bool receipt;              /* ask to be told that it was delivered */
	bool open;                 /* publish open */
	bool permanent;
	uint8_t pin[CL_PIN_LEN];
	bool has_pin;
	bool is_presence; /* the command is about presence, not messages */
	bool plain;       /* no TLS, to this machine only */
	bool tls;         /* TLS from the first octet */
	bool json;
	bool quiet;
	uint64_t count;     /* messages or changes to wait for; 0: no end */
	int64_t timeout_ms; /* 0: not given */
};

/* Reads the arguments and the password. Release with cl_options_fini(),
 * whatever came out. */
enum cl_options_outcome cl_options_parse(int argc, char **argv,
    struct cl_options *out, struct cl_err *err);
void cl_options_fini(struct cl_options *o);

#endif
