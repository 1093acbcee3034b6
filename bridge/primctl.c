/* SPDX-License-Identifier: ISC */
/*
 * primctl: the operator's tool. Asks the primd of the data folder, or opens
 * the store itself when none runs.
 */

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/lock.h"
#include "bridge/log.h"
#include "bridge/password.h"
#include "bridge/store.h"
#include "bridge/user.h"
#include "prim/base.h"
#include "prim/buf.h"

#define EXIT_USAGE   2
#define LOCK_TRIES   20 /* a primd that starts or stops has the lock only */
#define LOCK_WAIT_MS 100

#define PASSWORD_HELP                                                        \
	"The password is read from standard input, one line; on a terminal " \
	"you are asked."

struct command {
	const char *words;
	const char *argument; /* how its argument is called, or NULL */
	const char *member;   /* what the request calls it */
	bool has_password;
	bool has_no_store; /* works without the store, so without its lock */
	const char *help;  /* one line */
	const char *more;  /* what --help says below it */
};

struct cli {
	const char *file; /* borrowed: -c, or NULL */
	bool json;
	bool help;
	const struct command *command;
	const char *argument; /* borrowed */
};

static const struct command COMMANDS[] = {
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
         .words = "status",
         .has_no_store = true,
         .help = "show what runs and what waits",
         .more = "Domains, listeners, connections, messages in the outbox, "
		    "and the adapters with\ntheir state, process and deaths.",					    },
	{
         .words = "trace",
         .argument = "MESSAGE-ID",
         .member = "message_id",
         .help = "tell the story of one message",
         .more = "What the store remembers (until two days after the "
		    "message's end) and the newest\nlog lines of the running "
		    "primd, in the order of time. The Message-ID is spelled\n"
		    "as in the log (id=...).", },
};

static void usage(FILE *out)
{
	fprintf(out,
	    "usage: primctl [-c FILE] [--json] COMMAND [ARGUMENT]\n\n");
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		const struct command *c = &COMMANDS[i];
		int width = fprintf(out, "  %s%s%s", c->words,
		    c->argument ? " " : "", c->argument ? c->argument : "");

		fprintf(out, "%*s%s\n", 28 - width, "", c->help);
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

static void usage_command(FILE *out, const struct command *c)
{
	fprintf(out, "usage: primctl [-c FILE] [--json] %s%s%s\n\n%s.\n%s\n",
	    c->words, c->argument ? " " : "", c->argument ? c->argument : "",
	    c->help, c->more);
}

static void usage_any(FILE *out, const struct command *c)
{
	if (c)
		usage_command(out, c);
	else
		usage(out);
}

static int fail(int code, const char *text)
{
	fprintf(stderr, "primctl: %s\n", text);
	return code;
}

/* ---- arguments ---- */

/* How many of `words` are the words of `c`; 0: it is another command. */
static int command_fits(const struct command *c, char *const *words, int count)
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

static bool find_command(struct cli *cli, char *const *words, int count)
{
	const struct command *found = NULL;
	int used = 0;

	for (size_t i = 0; i < PRIM_COUNT(COMMANDS) && !found; i++) {
		used = command_fits(&COMMANDS[i], words, count);
		if (used > 0)
			found = &COMMANDS[i];
	}
	cli->command = found;
	if (cli->help)
		return true;
	if (!found)
		return false;
	if (found->argument && count > used)
		cli->argument = words[used++];
	return count == used && !cli->argument == !found->argument;
}

static const struct option OPTIONS[] = {
	{"config",   required_argument, NULL, 'c'},
	{ "json",    no_argument,       NULL, 'j'},
	{ "help",    no_argument,       NULL, 'h'},
	{ "version", no_argument,       NULL, 'V'},
	{ NULL,      0,                 NULL, 0  },
};

static bool parse_options(struct cli *cli, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", OPTIONS, NULL)) !=
	    -1) {
		switch (option) {
		case 'c':
			cli->file = optarg;
			break;
		case 'j':
			cli->json = true;
			break;
		case 'h':
			cli->help = true;
			break;
		case 'V':
			printf("primctl " PRIMBRIDGE_VERSION "\n");
			exit(EXIT_SUCCESS);
		default:
			return false;
		}
	}
	return true;
}

/* ---- the request ---- */

static json_t *request_new(const struct cli *cli, struct br_err *err)
{
	json_t *request = json_pack("{s:s}", "command", cli->command->words);
	char password[BR_PASSWORD_SIZE];
	bool ok = true;

	if (cli->argument &&
	    json_object_set_new(request, cli->command->member,
		json_string(cli->argument)) != 0)
		ok = br_err_set(err, "the argument is not UTF-8");
	if (ok && cli->command->has_password) {
		ok = br_password_read(password, err);
		if (ok &&
		    json_object_set_new(request, "password",
			json_string(password)) != 0)
			ok = br_err_set(err, "the password is not UTF-8");
		explicit_bzero(password, sizeof(password));
	}
	if (ok)
		return request;
	json_decref(request);
	return NULL;
}

/* ---- running it ---- */

static void on_answer(void *arg, const json_t *answer)
{
	json_t **out_answer = arg;

	*out_answer = json_deep_copy(answer);
}

/* No primd runs. With the lock, or the command needs no store. */
static json_t *run_here(const struct br_config *config, const char *store_dir,
    const json_t *request, struct br_err *err)
{
	struct event_base *base = event_base_new();
	struct br_control control = { .config = config };
	json_t *answer = NULL;

	if (!base) {
		br_err_set(err, "no event loop");
		return NULL;
	}
	if (store_dir)
		control.store = br_store_open(base, store_dir, err);
	if (control.store || !store_dir)
		br_control_run(&control, request, on_answer, &answer);
	if (control.store) {
		br_store_settle(control.store);
		br_store_close(control.store);
	}
	event_base_free(base);
	return answer;
}

static void pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static json_t *run_locked(const struct br_config *config, const json_t *request,
    struct br_lock *lock, struct br_err *err)
{
	json_t *answer = run_here(config, config->data_dir, request, err);

	br_lock_close(lock);
	return answer;
}

/* The socket first; without one the lock. Who has the lock and no socket is
 * about to start or to end: look again. */
static json_t *run(const struct cli *cli, const struct br_config *config,
    const json_t *request, struct br_err *err)
{
	json_t *answer = NULL;
	struct br_lock *lock;

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		switch (br_control_call(config->data_dir, request, &answer,
		    err)) {
		case BR_CONTROL_ANSWERED:
			return answer;
		case BR_CONTROL_FAILED:
			return NULL;
		case BR_CONTROL_NO_SERVER:
			break;
		}
		/* Asking again and again must not keep a primd from starting. */
		if (cli->command->has_no_store)
			return run_here(config, NULL, request, err);
		lock = br_lock_open(config->data_dir, err);
		if (lock)
			return run_locked(config, request, lock, err);
		pause_ms(LOCK_WAIT_MS);
	}
	return NULL;
}

static int show(const struct cli *cli, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (!json_is_true(json_object_get(answer, "ok")))
		return fail(EXIT_FAILURE,
		    error ? error : "the answer of primd is broken");
	if (cli->json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		br_control_show(stdout, cli->command->words, result);
	}
	if (fflush(stdout) != 0)
		return fail(EXIT_FAILURE, "cannot write the result");
	return EXIT_SUCCESS;
}

static int run_command(const struct cli *cli, const struct br_config *config)
{
	struct br_err err = { .text = "" };
	json_t *request;
	json_t *answer;
	int code = EXIT_FAILURE;

	if (!br_user_become(config, &err))
		return fail(EXIT_USAGE, err.text);
	request = request_new(cli, &err);
	if (!request)
		return fail(EXIT_FAILURE, err.text);
	answer = run(cli, config, request, &err);
	json_decref(request);
	code = answer ? show(cli, answer) : fail(EXIT_FAILURE, err.text);
	json_decref(answer);
	return code;
}

int main(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct br_config *config;
	struct br_err err;
	int code;

	br_log_guard();
	if (!parse_options(&cli, argc, argv) ||
	    !find_command(&cli, argv + optind, argc - optind)) {
		if (!cli.command && optind < argc)
			fprintf(stderr, "primctl: unknown command '%s'\n\n",
			    argv[optind]);
		usage_any(stderr, cli.command);
		return EXIT_USAGE;
	}
	if (cli.help) {
		usage_any(stdout, cli.command);
		return EXIT_SUCCESS;
	}
	config = br_config_read(cli.file, NULL, &err);
	if (!config)
		return fail(EXIT_USAGE, err.text);
	code = run_command(&cli, config);
	br_config_free(config);
	return code;
}
