/* SPDX-License-Identifier: ISC */
/* primctl's commands and their help. */

#include "bridge/ctl_command.h"

#include "prim/base.h"

#define ADDRESS                                        \
	{                                              \
		.name = "ADDRESS", .member = "address" \
	}
#define MAYBE_ADDRESS                                                       \
	{                                                                   \
		.name = "ADDRESS", .member = "address", .is_optional = true \
	}
#define FOREIGN                                        \
	{                                              \
		.name = "FOREIGN", .member = "foreign" \
	}
#define ID                                   \
	{                                    \
		.name = "ID", .member = "id" \
	}

#define PASSWORD_HELP                                                        \
	"The password is read from standard input, one line; on a terminal " \
	"you are asked."

/* clang-format off */
const struct br_ctl_command br_ctl_commands[] = {
	{
		.words = "account add",
		.arguments = { ADDRESS },
		.has_password = true,
		.help = "make an account",
		.more = "ADDRESS is local@domain, in a domain that 'domains' "
		    "lists. " PASSWORD_HELP,
	},
	{
		.words = "account list",
		.help = "show all accounts",
		.more = "One line each: address and day of creation.",
	},
	{
		.words = "account passwd",
		.arguments = { ADDRESS },
		.has_password = true,
		.help = "give an account a new password",
		.more = PASSWORD_HELP " Connections that are open stay open.",
	},
	{
		.words = "account remove",
		.arguments = { ADDRESS },
		.help = "remove an account",
		.more = "Its links go with it, and the messages that wait for "
		    "it, each with a notice to its sender.",
	},
	{
		.words = "backup",
		.kind = BR_CTL_BACKUP,
		.arguments = { { .name = "DIR", .member = "dir" } },
		.help = "copy accounts, links and presence",
		.more = "Writes DIR/primd.db, also while primd runs; DIR is "
		    "made if it is not there. Started by root the copy "
		    "belongs to the user of primd. It holds what primd knows "
		    "of users and adapters, secrets included. It does not "
		    "hold messages that wait (queue.db), so that a restored "
		    "copy never sends old ones again, nor the configuration "
		    "and the files it names.",
	},
	{
		.words = "link add",
		.arguments = { ADDRESS, FOREIGN },
		.help = "make a foreign address somebody's own",
		.more = "Messages from FOREIGN appear as ADDRESS, an account, "
		    "and those for ADDRESS can follow to FOREIGN where nobody "
		    "listens. It holds at once, without a code: make sure "
		    "that FOREIGN is theirs.",
	},
	{
		.words = "link list",
		.arguments = { MAYBE_ADDRESS },
		.help = "show links",
		.more = "With ADDRESS only those of that account, and where it "
		    "is looked for, in which order. Asked: a code went to "
		    "the other side and did not come back yet.",
	},
	{
		.words = "link order",
		.arguments = {
			ADDRESS,
			{ .name = "WORD", .member = "order",
			    .is_optional = true, .is_rest = true },
		},
		.help = "show or set where somebody is looked for",
		.more = "Each WORD is 'prim', the inbox here, or a linked "
		    "address; what is not named gets nothing. The one word "
		    "'usual' brings back the usual order: prim, then the "
		    "links as they were verified. Without a WORD the order "
		    "is shown.",
	},
	{
		.words = "link remove",
		.arguments = { ADDRESS, FOREIGN },
		.help = "end a link",
		.more = "What waits for FOREIGN in place of ADDRESS waits for "
		    "ADDRESS again.",
	},
	{
		.words = "link verify",
		.arguments = {
			ADDRESS, FOREIGN,
			{ .name = "CODE", .member = "code",
			    .is_optional = true },
		},
		.help = "confirm a link that was asked for",
		.more = "With the CODE that went to the other side, or without "
		    "it on your own word.",
	},
	{
		.words = "outbox drop",
		.arguments = { ID },
		.help = "end a message that waits",
		.more = "It is not delivered, and its sender gets a notice, "
		    "if he has none yet.",
	},
	{
		.words = "outbox list",
		.arguments = { MAYBE_ADDRESS },
		.list = "messages",
		.help = "show messages that wait",
		.more = "With ADDRESS only those from it or for it. ID is what "
		    "the other outbox commands want. '-> ADDRESS' behind the "
		    "recipient: it goes to that linked address instead. "
		    "NEXT TRY is a time, or what it waits for: adapter (it "
		    "does not run, and is started again), link (the adapter "
		    "is cut off from its network), listener (nobody listens to "
		    "that inbox), turn (others are before it), primd (none "
		    "runs); '-': it is under way, and its fate is not known "
		    "yet. WHY is what was heard of it last. Quarantined: it is "
		    "not tried any more, its sender was told, and it stays "
		    "for 30 days.",
	},
	{
		.words = "outbox quarantine",
		.arguments = { ID },
		.help = "take a message out of circulation",
		.more = "It is not tried any more, and its sender gets a "
		    "notice that it failed. It stays for 30 days; 'outbox "
		    "retry' puts it back.",
	},
	{
		.words = "outbox retry",
		.arguments = { ID },
		.help = "try a message now",
		.more = "Without waiting for its time. What waits for something "
		    "else, as 'outbox list' shows it, or is under way, cannot "
		    "be tried: that is said. One that is quarantined "
		    "goes back to its place; its sender was told that it "
		    "failed, and is not told again, however it ends. Without "
		    "a primd it takes effect when primd starts.",
	},
	{
		.words = "outbox show",
		.arguments = { ID },
		.option = "body",
		.option_help = "what it says, too; the first MiB of it",
		.help = "show all about one message",
		.more = "Its headers, its times, how often it was tried and "
		    "what was heard. What it says is shown only if you ask: "
		    "it is between its sender and its recipient.",
	},
	{
		.words = "presence show",
		.arguments = { ADDRESS },
		.help = "show what is published for an account",
		.more = "Each tuple with what is leased (it is what watchers "
		    "see until the lease ends) and what is permanent: state, "
		    "notes, when it was published.",
	},
	{
		.words = "restore",
		.kind = BR_CTL_RESTORE,
		.arguments = { { .name = "DIR", .member = "dir" } },
		.help = "go back to a copy that backup made",
		.more = "Puts DIR/primd.db in the place of the primd.db there "
		    "is, which is kept as primd.db.before-restore, or with "
		    ".2, .3 behind it where that is taken; primd must not "
		    "run. Messages that wait stay as they are: what was "
		    "delivered since is not sent again.",
	},
	{
		.words = "route test",
		.arguments = {
			{ .name = "FROM", .member = "from" },
			{ .name = "TO", .member = "to" },
		},
		.help = "tell what would become of a message",
		.more = "Every step of the decision, down to the answer that "
		    "its sender would get. Nothing is sent. What only a "
		    "running primd knows is unknown without one.",
	},
	{
		.words = "status",
		.kind = BR_CTL_STATUS,
		.help = "show what runs and what waits",
		.more = "Domains, listeners, connections, messages in the "
		    "outbox, and the adapters with their state, process, "
		    "deaths and what waits for them. Cut off: the adapter "
		    "runs and has no link to its network; up: it has one.",
	},
	{
		.words = "subscription list",
		.arguments = { MAYBE_ADDRESS },
		.list = "subscriptions",
		.help = "show who watches whom",
		.more = "With ADDRESS only what it watches and who watches it. "
		    "Outgoing: the watcher is ours, the presentity lives "
		    "elsewhere.",
	},
	{
		.words = "trace",
		.arguments = {
			{ .name = "MESSAGE-ID", .member = "message_id" },
		},
		.help = "tell the story of one message",
		.more = "What the store remembers (until two days after the "
		    "message's end) and the newest log lines of the running "
		    "primd, in the order of time. The Message-ID is spelled "
		    "as in the log (id=...).",
	},
};

/* clang-format on */

const size_t br_ctl_command_count = PRIM_COUNT(br_ctl_commands);
