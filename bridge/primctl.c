/* SPDX-License-Identifier: ISC */
/*
 * primctl: the operator's tool. Asks the primd of the data folder, or opens
 * the store itself when none runs.
 */

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/ctl_command.h"
#include "bridge/log.h"
#include "bridge/password.h"
#include "bridge/user.h"

#define EXIT_USAGE 2

struct cli {
	const char *file; /* borrowed: -c, or NULL */
	bool json;
	bool help;
	const struct br_ctl_command *command; /* NULL: none was found */
	const char *argument;                 /* borrowed */
};

static int fail(int code, const char *text)
{
	fprintf(stderr, "primctl: %s\n", text);
	return code;
}

/* ---- arguments ---- */

static bool find_command(struct cli *cli, char *const *words, int count)
{
	const struct br_ctl_command *found;
	int used = 0;

	found = br_ctl_command_find(words, count, &used);
	cli->command = found;
	if (cli->help)
		return true;
	if (!found)
		return false;
	if (found->argument && count > used)
		cli->argument = words[used++];
	return count == used &&
	    (cli->argument || !found->argument || found->is_optional);
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

	if (cli->command->argument &&
	    json_object_set_new(request, cli->command->member,
		json_string(cli->argument ? cli->argument : "")) != 0)
		ok = br_err_set(err, "the argument is not UTF-8");
	if (cli->command->list)
		json_object_set_new(request, "after", json_string(""));
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

/* ---- the answer ---- */

static bool is_fine(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	(void)fail(EXIT_FAILURE,
	    error ? error : "the answer of primd is broken");
	return false;
}

static void show_result(const struct cli *cli, const json_t *result)
{
	if (cli->json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		br_control_show(stdout, cli->command->words, result);
	}
}

/* One page; `*count` elements were shown before. As JSON all pages are one
 * list, an element a line. */
static void show_page(const struct cli *cli, const json_t *result,
    size_t *count)
{
	const json_t *element;
	size_t i;

	if (!cli->json) {
		br_control_show(stdout, cli->command->words, result);
		return;
	}
	if (json_is_true(json_object_get(result, "first")))
		printf("{\n  \"%s\": [", cli->command->list);
	json_array_foreach(json_object_get(result, cli->command->list), i,
	    element)
	{
		printf(*count > 0 ? ",\n    " : "\n    ");
		json_dumpf(element, stdout, 0);
		++*count;
	}
}

static bool flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* ---- running it ---- */

static int run_once(const struct cli *cli, struct br_control_asker *asker,
    const json_t *request)
{
	struct br_err err = { .text = "" };
	json_t *answer = br_control_asker_ask(asker, request, &err);
	bool fine;

	if (!answer)
		return fail(EXIT_FAILURE, err.text);
	fine = is_fine(answer);
	if (fine)
		show_result(cli, json_object_get(answer, "result"));
	json_decref(answer);
	if (!fine)
		return EXIT_FAILURE;
	return flush() ? EXIT_SUCCESS
		       : fail(EXIT_FAILURE, "cannot write the result");
}

/* Shows one page and makes `request` that for the next. False: it failed, and
 * that was said. */
static bool run_page(const struct cli *cli, struct br_control_asker *asker,
    json_t *request, size_t *count)
{
	struct br_err err = { .text = "" };
	json_t *answer = br_control_asker_ask(asker, request, &err);
	const json_t *result = json_object_get(answer, "result");
	bool fine = answer && is_fine(answer);

	if (!answer)
		(void)fail(EXIT_FAILURE, err.text);
	json_object_del(request, "after");
	if (fine) {
		show_page(cli, result, count);
		json_object_set(request, "after",
		    json_object_get(result, "after"));
	}
	json_decref(answer);
	if (fine && !flush()) {
		(void)fail(EXIT_FAILURE, "cannot write the result");
		fine = false;
	}
	return fine;
}

/* A page is asked for when the one before was written: whoever reads slowly
 * holds up nobody but us. */
static int run_pages(const struct cli *cli, struct br_control_asker *asker,
    json_t *request)
{
	size_t count = 0;

	do
		if (!run_page(cli, asker, request, &count))
			return EXIT_FAILURE;
	while (json_object_get(request, "after"));
	if (cli->json)
		printf(count > 0 ? "\n  ]\n}\n" : "]\n}\n");
	return flush() ? EXIT_SUCCESS
		       : fail(EXIT_FAILURE, "cannot write the result");
}

static int run_command(const struct cli *cli, const struct br_config *config)
{
	struct br_err err = { .text = "" };
	struct br_control_asker *asker;
	json_t *request;
	int code;

	if (!br_user_become(config, &err))
		return fail(EXIT_USAGE, err.text);
	request = request_new(cli, &err);
	if (!request)
		return fail(EXIT_FAILURE, err.text);
	asker = br_control_asker_open(config, !cli->command->has_no_store);
	if (cli->command->list)
		code = run_pages(cli, asker, request);
	else
		code = run_once(cli, asker, request);
	br_control_asker_close(asker);
	json_decref(request);
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
		br_ctl_usage(stderr, cli.command);
		return EXIT_USAGE;
	}
	if (cli.help) {
		br_ctl_usage(stdout, cli.command);
		return EXIT_SUCCESS;
	}
	config = br_config_read(cli.file, NULL, &err);
	if (!config)
		return fail(EXIT_USAGE, err.text);
	code = run_command(&cli, config);
	br_config_free(config);
	return code;
}
