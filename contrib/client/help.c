/* SPDX-License-Identifier: ISC */
/* The manual, short enough to be read. */

#include "contrib/client/help.h"

#include "prim/base.h"

static const char *const LINES[] = {
	"prim - instant messages and presence over PRIM",
	"",
	"usage: prim --server HOST[:PORT] --user ADDRESS [OPTION...] COMMAND",
	"",
	"Commands",
	"  send TO [TEXT]      send one message; without TEXT, standard input",
	"                      is the text. Prints what became of it.",
	"  listen              print what comes in, as 'FROM: text'; further",
	"                      lines of a message are indented; what became of",
	"                      a message of yours, as '-- TIME WHO-SAYS-SO: ...'",
	"  chat TO             listen, and send each line of standard input",
	"  watch ADDRESS...    print how they are, a line for each change:",
	"                      time, address, open, closed or offline, a note",
	"                      in quotes, (away, dnd, xa or chat)",
	"  publish open        say that you are there, as long as prim runs;",
	"  publish closed      or that you are not",
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
	"  --receipt           ask to be told when it is delivered, not only if",
	"                      it fails (send, chat); `listen` shows it",
	"",
	"Presence (publish)",
	"  --note TEXT         what you want to say about it",
	"  --show WORD         away, dnd (do not disturb), xa (away for long) or",
	"                      chat (glad to talk); with open only",
	"  --tuple ID          the name of this place of yours (default prim);",
	"                      each name is published for itself",
	"  --lease SECONDS     what others see if prim dies lasts so long",
	"                      (default 300); ended in time, it is taken back",
	"  --permanent         publish, and end: it stays, and is what others see",
	"                      while nothing is leased",
	"",
	"More",
	"  --count N           listen: end after N messages; watch: end after N",
	"                      changes, each with a line for each place; chat:",
	"                      at the end of the input, wait until N messages",
	"                      have come",
	"  --timeout SECONDS   send, chat: wait so long for the server",
	"                      (default 20); listen, watch, publish: end after so",
	"                      long",
	"  --json              one JSON object a line",
	"  -q, --quiet         no remarks on standard error, only errors",
	"  -h, --help          this text",
	"  -V, --version       the version",
	"",
	"Exit codes",
	"  0  sent: delivered (200), or accepted and not yet delivered (101):",
	"     you will be told if it fails;",
	"     listen, watch: all N came, or the time given is over without",
	"     --count; chat: all lines were delivered or accepted;",
	"     publish: published, and taken back at the end",
	"  1  not so; the reason is printed",
	"  2  wrong usage",
	"",
	"listen, chat, watch and publish connect again by themselves when the",
	"connection is lost. A message counts as delivered when it has been",
	"printed; one that cannot be shown as text is refused with 501, except",
	"with --json.",
};

void cl_help_print(FILE *out, bool version_only)
{
	if (version_only) {
		fprintf(out, "prim %s\n", PRIMBRIDGE_VERSION);
		return;
	}
	for (size_t i = 0; i < PRIM_COUNT(LINES); i++)
		fprintf(out, "%s\n", LINES[i]);
}
