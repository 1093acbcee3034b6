/* SPDX-License-Identifier: ISC */
/* Arguments in, options out. */

#include "contrib/client/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "contrib/client/help.h"
#include "contrib/client/password.h"
#include "contrib/client/words.h"
#include "prim/base.h"
#include "prim/command.h"
#include "prim/octet.h"

#define COUNT_MAX   1000000000
#define SECONDS_MAX 100000000

enum {
	OPT_CA = 256,
	OPT_CONVERSATION,
	OPT_COUNT,
	OPT_JSON,
	OPT_LEASE,
	OPT_NOTE,
	OPT_PASSWORD_FILE,
	OPT_PERMANENT,
	OPT_PIN,
	OPT_PLAIN,
	OPT_RECEIPT,
	OPT_SERVER,
	OPT_SHOW,
	OPT_SUBJECT,
	OPT_TIMEOUT,
	OPT_TLS,
	OPT_TUPLE,
	OPT_USER,
};

static const struct option OPTIONS[] = {
	{"ca",             required_argument, NULL, OPT_CA           },
	{ "conversation",  required_argument, NULL, OPT_CONVERSATION },
	{ "count",         required_argument, NULL, OPT_COUNT        },
	{ "help",          no_argument,       NULL, 'h'              },
	{ "json",          no_argument,       NULL, OPT_JSON         },
	{ "lease",         required_argument, NULL, OPT_LEASE        },
	{ "note",          required_argument, NULL, OPT_NOTE         },
	{ "password-file", required_argument, NULL, OPT_PASSWORD_FILE},
	{ "permanent",     no_argument,       NULL, OPT_PERMANENT    },
	{ "pin",           required_argument, NULL, OPT_PIN          },
	{ "plain",         no_argument,       NULL, OPT_PLAIN        },
	{ "quiet",         no_argument,       NULL, 'q'              },
	{ "receipt",       no_argument,       NULL, OPT_RECEIPT      },
	{ "server",        required_argument, NULL, OPT_SERVER       },
	{ "show",          required_argument, NULL, OPT_SHOW         },
	{ "subject",       required_argument, NULL, OPT_SUBJECT      },
	{ "timeout",       required_argument, NULL, OPT_TIMEOUT      },
	{ "tls",           no_argument,       NULL, OPT_TLS          },
	{ "tuple",         required_argument, NULL, OPT_TUPLE        },
	{ "user",          required_argument, NULL, OPT_USER         },
	{ "version",       no_argument,       NULL, 'V'              },
	{ NULL,            0,                 NULL, 0                },
};

/* What stands on the command line before anything is understood. */
struct raw {
	const char *server;
	const char *user;
	const char *pin;
	const char *count;
	const char *timeout;
	const char *lease;
	bool help;
	bool version;
};

static bool take_flag(struct cl_options *o, struct raw *raw, int option)
{
	switch (option) {
	case OPT_JSON:
		return o->json = true;
	case OPT_PERMANENT:
		return o->permanent = true;
	case OPT_PLAIN:
		return o->plain = true;
	case OPT_RECEIPT:
		return o->receipt = true;
	case OPT_TLS:
		return o->tls = true;
	case 'q':
		return o->quiet = true;
	case 'h':
		return raw->help = true;
	case 'V':
		return raw->version = true;
	default:
		return false;
	}
}

static const char **place_of(struct cl_options *o, struct raw *raw, int option)
{
	switch (option) {
	case OPT_CA:
		return &o->ca;
	case OPT_CONVERSATION:
		return &o->conversation;
	case OPT_PASSWORD_FILE:
		return &o->password_file;
	case OPT_NOTE:
		return &o->note;
	case OPT_SHOW:
		return &o->show;
	case OPT_TUPLE:
		return &o->tuple;
	case OPT_LEASE:
		return &raw->lease;
	case OPT_SUBJECT:
		return &o->subject;
	case OPT_SERVER:
		return &raw->server;
	case OPT_USER:
		return &raw->user;
	case OPT_PIN:
		return &raw->pin;
	case OPT_COUNT:
		return &raw->count;
	case OPT_TIMEOUT:
		return &raw->timeout;
	default:
		return NULL;
	}
}

static bool read_options(struct cl_options *o, struct raw *raw, int argc,
    char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "hqV", OPTIONS, NULL)) != -1) {
		const char **place = place_of(o, raw, option);

		if (place)
			*place = optarg;
		else if (!take_flag(o, raw, option))
			return false;
	}
	return true;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool take_server(struct cl_options *o, const char *text,
    struct cl_err *err)
{
	struct prim_slice host = prim_slice_of(text);
	struct prim_slice port = prim_slice_of(o->tls ? CL_TLS_PORT : CL_PORT);
	ptrdiff_t colon = prim_slice_find_last(host, ':');
	uint64_t number;

	if (host.len > 0 && host.ptr[host.len - 1] == ']')
		colon = -1;
	if (colon >= 0) {
		port = prim_slice_from(host, (size_t)colon + 1);
		host.len = (size_t)colon;
	}
	if (prim_slice_starts(host, PRIM_SLICE("[")) &&
	    prim_slice_ends(host, PRIM_SLICE("]")))
		host = prim_slice_make(host.ptr + 1, host.len - 2);
	else if (prim_slice_find(host, ':') >= 0)
		return cl_err_set(err,
		    "--server %s: write an IPv6 address in brackets, as in "
		    "[::1]:7746",
		    text);
	if (host.len == 0 || !prim_slice_number(port, 65535, &number) ||
	    number == 0)
		return cl_err_set(err,
		    "--server %s: it should look like chat.example.org:7746",
		    text);
	o->host = prim_slice_copy(host);
	o->port = prim_slice_copy(port);
	return true;
}

static bool take_user(struct cl_options *o, const char *text,
    struct cl_err *err)
{
	struct prim_address a;

	if (!cl_words_address(text, &a, "--user", err))
		return false;
	o->user = cl_words_copy(&a, "");
	o->from = cl_words_copy(&a, o->is_presence ? "pres:" : "im:");
	o->domain = prim_slice_copy(a.domain);
	return true;
}

/* sha256:HEX; colons between the digits are fine. */
static bool parse_pin(struct prim_slice s, uint8_t out_pin[CL_PIN_LEN])
{
	size_t digits = 0;

	if (prim_slice_starts(s, PRIM_SLICE("sha256:")))
		s = prim_slice_from(s, 7);
	for (size_t i = 0; i < s.len; i++) {
		int value = prim_octet_hex(s.ptr[i]);
		uint8_t *octet = &out_pin[digits / 2];

		if (s.ptr[i] == ':')
			continue;
		if (value < 0 || digits == (size_t)2 * CL_PIN_LEN)
			return false;
		*octet = (uint8_t)(*octet << 4 | value);
		digits++;
	}
	return digits == (size_t)2 * CL_PIN_LEN;
}

static bool take_pin(struct cl_options *o, const char *text, struct cl_err *err)
{
	o->has_pin = parse_pin(prim_slice_of(text), o->pin);
	return o->has_pin ||
	    cl_err_set(err,
		"--pin %s: it should be sha256: and 64 hexadecimal digits",
		text);
}

static bool take_number(const char *name, const char *text, uint64_t max,
    uint64_t *out, struct cl_err *err)
{
	if (!text)
		return true;
	if (prim_slice_number(prim_slice_of(text), max, out) && *out > 0)
		return true;
	return cl_err_set(err, "%s %s: it should be a number from 1 to %llu",
	    name, text, (unsigned long long)max);
}

static bool take_values(struct cl_options *o, const struct raw *raw,
    struct cl_err *err)
{
	uint64_t seconds = 0;

	if (!raw->server)
		return cl_err_set(err, "--server HOST:PORT is missing");
	if (!raw->user)
		return cl_err_set(err, "--user ADDRESS is missing");
	if (o->plain && (o->tls || o->has_pin || o->ca))
		return cl_err_set(err,
		    "--plain does not go with --tls, --pin and --ca");
	if (o->conversation &&
	    (!*o->conversation ||
		!prim_command_value_ok(prim_slice_of(o->conversation))))
		return cl_err_set(err,
		    "--conversation: control characters do not go there");
	if (!take_server(o, raw->server, err) ||
	    !take_user(o, raw->user, err) ||
	    !take_number("--count", raw->count, COUNT_MAX, &o->count, err) ||
	    !take_number("--lease", raw->lease, SECONDS_MAX, &o->lease_s,
		err) ||
	    !take_number("--timeout", raw->timeout, SECONDS_MAX, &seconds, err))
		return false;
	o->timeout_ms = (int64_t)seconds * 1000;
	return !raw->pin || take_pin(o, raw->pin, err);
}

enum cl_options_outcome cl_options_parse(int argc, char **argv,
    struct cl_options *out, struct cl_err *err)
{
	struct raw raw = { 0 };

	*out = (struct cl_options){ 0 };
	if (!read_options(out, &raw, argc, argv)) {
		cl_err_set(err, "'prim --help' shows the options");
		return CL_OPTIONS_WRONG;
	}
	if (raw.help || raw.version) {
		cl_help_print(stdout, raw.version);
		return CL_OPTIONS_DONE;
	}
	if (optind == argc) {
		cl_err_set(err, "what to do? 'prim --help' lists the commands");
		return CL_OPTIONS_WRONG;
	}
	out->command = argv[optind];
	if (!cl_words_take(out, argv + optind + 1, argc - optind - 1, err) ||
	    !take_values(out, &raw, err) || !cl_words_check(out, err))
		return CL_OPTIONS_WRONG;
	out->password = cl_password_read(out->password_file, err);
	return out->password ? CL_OPTIONS_OK : CL_OPTIONS_WRONG;
}

void cl_options_fini(struct cl_options *o)
{
	o->host = prim_free(o->host);
	o->port = prim_free(o->port);
	o->user = prim_free(o->user);
	o->from = prim_free(o->from);
	o->domain = prim_free(o->domain);
	cl_words_fini(o);
	o->password = cl_password_free(o->password);
}
