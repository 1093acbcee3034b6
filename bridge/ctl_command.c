/* SPDX-License-Identifier: ISC */
/* primctl's commands and their help. */

#include "bridge/ctl_command.h"

#include "prim/base.h"
#include "prim/slice.h"

#define PASSWORD_HELP                                                        \
	"The password is read from standard input, one line; on a terminal " \
	"you are asked."

/* clang-format off */
static const struct br_ctl_command COMMANDS[] = {
	{
		.words = "account add",
		.argument = "ADDRESS",
		.member = "address",
		.has_password = true,
		.help = "make an account",
		.more = "ADDRESS is local@domain, in a domain that 'domains' "
		    "lists.\n" PASSWORD_HELP,
	},
	{
		.words = "account list",
		.help = "show all accounts",
		.more = "One line each: address and day of creation.",
	},
	{
		.words = "account passwd",
		.argument = "ADDRESS",
		.member = "address",
		.has_password = true,
		.help = "give an account a new password",
		.more = PASSWORD_HELP "\nConnections that are open stay open.",
	},
	{
		.words = "account remove",
		.argument = "ADDRESS",
		.member = "address",
		.help = "remove an account",
		.more = "Messages that wait for it are removed with it.",
	},
	{
		.words = "presence show",
		.argument = "ADDRESS",
		.member = "address",
		.help = "show what is published for an account",
		.more = "Each tuple with what is leased (it is what watchers "
		    "see until the lease ends) and\nwhat is permanent: state, "
		    "notes, when it was published.",
	},
	{
		.words = "subscription list",
		.argument = "ADDRESS",
		.member = "address",
		.is_optional = true,
		.list = "subscriptions",
		.help = "show who watches whom",
		.more = "With ADDRESS only what it watches and who watches it. "
		    "Outgoing: the watcher is\nours, the presentity lives "
		    "elsewhere.",
	},
	{
		.words = "status",
		.has_no_store = true,
		.help = "show what runs and what waits",
		.more = "Domains, listeners, connections, messages in the "
		    "outbox, and the adapters with\ntheir state, process and "
		    "deaths.",
	},
	{
		.words = "trace",
		.argument = "MESSAGE-ID",
		.member = "message_id",
		.help = "tell the story of one message",
		.more = "What the store remembers (until two days after the "
		    "message's end) and the newest\nlog lines of the running "
		    "primd, in the order of time. The Message-ID is spelled\n"
		    "as in the log (id=...).",
	},
};

/* clang-format on */

/* Writes "WORDS ARGUMENT"; how many columns that took. */
static int put_synopsis(FILE *out, const struct br_ctl_command *c)
{
	if (!c->argument)
		return fprintf(out, "%s", c->words);
	return fprintf(out, c->is_optional ? "%s [%s]" : "%s %s", c->words,
	    c->argument);
}

static void usage_all(FILE *out)
{
	fprintf(out,
	    "usage: primctl [-c FILE] [--json] COMMAND [ARGUMENT]\n\n");
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		const struct br_ctl_command *c = &COMMANDS[i];
		int width;

		fprintf(out, "  ");
		width = put_synopsis(out, c);
		fprintf(out, "%*s%s\n", 29 - width, "", c->help);
	}
	fprintf(out,
	    "\n  -c, --config FILE   the configuration of primd; without it: "
	    "the built-in\n                      defaults (data in "
	    "./primd-data)\n"
	    "      --json          print the result as JSON\n"
	    "  -h, --help          this text, or that of the command\n"
	    "  -V, --version       the version\n\n"
	    "Exit codes: 0 done, 1 the command failed, 2 wrong usage or "
	    "configuration.\n");
}

static void usage_command(FILE *out, const struct br_ctl_command *c)
{
	fprintf(out, "usage: primctl [-c FILE] [--json] ");
	put_synopsis(out, c);
	fprintf(out, "\n\n%s.\n%s\n", c->help, c->more);
}

void br_ctl_usage(FILE *out, const struct br_ctl_command *command)
{
	if (command)
		usage_command(out, command);
	else
		usage_all(out);
}

/* How many of `words` are the words of `c`; 0: it is another command. */
static int command_fits(const struct br_ctl_command *c, char *const *words,
    int count)
{
	struct prim_slice rest = prim_slice_of(c->words);
	int used = 0;

	while (rest.len > 0) {
		struct prim_slice word = prim_slice_cut(&rest, ' ');

		if (used == count ||
		    !prim_slice_eq(word, prim_slice_of(words[used])))
			return 0;
		used++;
	}
	return used;
}

const struct br_ctl_command *br_ctl_command_find(char *const *words, int count,
    int *out_used)
{
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		int used = command_fits(&COMMANDS[i], words, count);

		if (used > 0) {
			*out_used = used;
			return &COMMANDS[i];
		}
	}
	return NULL;
}
