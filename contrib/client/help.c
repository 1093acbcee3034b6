/* SPDX-License-Identifier: ISC */
/* The manual, short enough to be read. */

#include "contrib/client/help.h"

#include <string.h>

#include "prim/base.h"

static const char *const COMMANDS[] = { "send", "listen", "chat" };

static const char *const LINES[] = {
	"prim - send and receive instant messages over PRIM",
	"",
	"usage: prim --server HOST[:PORT] --user ADDRESS [OPTION...] COMMAND",
	"",
	"Commands",
	"  send TO [TEXT]      send one message; without TEXT, standard input",
	"                      is the text. Prints what became of it.",
	"  listen              print what comes in, as 'FROM: text'; further",
	"                      lines of a message are indented",
	"  chat TO             listen, and send each line of standard input",
	"",
	"Who and where",
	"  --server HOST:PORT  the PRIM server; port 7746 if left out",
	"  --user ADDRESS      who you are: alice@example.org",
	"  --password-file F   its first line is the password; - is standard",
	"                      input; without it you are asked",
	"",
	"Trust",
	"  TLS is begun with STARTTLS and the certificate must be good for HOST",
	"  or for the domain of ADDRESS, by the certificates of this system.",
	"  A server on this very machine (127.0.0.1, ::1) may have any",
	"  certificate; you are told, unless --ca or --pin is given.",
	"  --ca FILE           trust the certificates in FILE (PEM) instead",
	"  --pin sha256:HEX    trust exactly this public key or certificate",
	"  --tls               TLS from the first octet (port 7747)",
	"  --plain             no TLS; only to this very machine",
	"",
	"Messages",
	"  --subject TEXT      give it a subject (send, chat)",
	"  --conversation ID   the conversation it belongs to",
	"  --count N           listen: end after N messages; chat: at the end of",
	"                      the input, wait until N messages have come",
	"  --timeout SECONDS   send, chat: wait so long for the server",
	"                      (default 20); listen: end after so long",
	"  --json              one JSON object a line",
	"  -q, --quiet         no remarks on standard error, only errors",
	"  -h, --help          this text",
	"  -V, --version       the version",
	"",
	"Exit codes",
	"  0  sent: delivered (200) or accepted and not yet delivered (101);",
	"     listen: all N messages came, or the time given is over without",
	"     --count; chat: all lines were delivered or accepted",
	"  1  not so; the reason is printed",
	"  2  wrong usage",
	"",
	"listen and chat connect again by themselves when the connection is",
	"lost. A message counts as delivered when it has been printed; one that",
	"cannot be shown as text is refused with 501, except with --json.",
};

bool cl_help_knows(const char *command)
{
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		if (strcmp(COMMANDS[i], command) == 0)
			return true;
	}
	return false;
}

void cl_help_print(FILE *out, bool version_only)
{
	if (version_only) {
		fprintf(out, "prim %s\n", PRIMBRIDGE_VERSION);
		return;
	}
	for (size_t i = 0; i < PRIM_COUNT(LINES); i++)
		fprintf(out, "%s\n", LINES[i]);
}
