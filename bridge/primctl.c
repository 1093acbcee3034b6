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
#include "bridge/control_copy.h"
#include "bridge/control_show.h"
#include "bridge/ctl_command.h"
#include "bridge/log.h"
#include "bridge/password.h"
#include "bridge/user.h"
#include "prim/base.h"

#define EXIT_USAGE 2

struct cli {
	const char *file; /* borrowed: -c, or NULL */
	bool json;
	bool help;
	const char *option;                   /* borrowed: of the command */
	const struct br_ctl_command *command; /* NULL: none was found */
	char *const *words;                   /* borrowed: behind the command */
	int word_count;
};

static int fail(int code, const char *text)
{
	fprintf(stderr, "primctl: %s\n", text);
	return code;
}

/* ---- arguments ---- */

static bool option_ok(const struct cli *cli)
{
	const char *option = cli->command->option;

	return !cli->option || (option && strcmp(cli->option, option) == 0);
}

static bool find_command(struct cli *cli, char *const *words, int count)
{
	int used = 0;

	cli->command = br_ctl_command_find(words, count, &used);
	cli->words = words + used;
	cli->word_count = count - used;
	return cli->command && option_ok(cli) &&
	    br_ctl_count_ok(cli->command, cli->word_count);
}

/* Of a command, of a group of them, of all. */
static int help(const struct cli *cli, char *const *words, int count)
{
	if (cli->command || count == 0) {
		br_ctl_usage(stdout, cli->command);
		return EXIT_SUCCESS;
	}
	if (count == 1 && br_ctl_usage_group(stdout, words[0]))
		return EXIT_SUCCESS;
	br_ctl_unknown(stderr, words, count);
	return EXIT_USAGE;
}

static int wrong_usage(const struct cli *cli, char *const *words, int count)
{
	if (cli->command)
		br_ctl_misfit(stderr, cli->command, cli->words, cli->word_count,
		    cli->option);
	if (!cli->command && count > 0)
		br_ctl_unknown(stderr, words, count);
	else
		br_ctl_usage(stderr, cli->command);
	return EXIT_USAGE;
}

static bool has_empty_argument(const struct cli *cli)
{
	const char *name = br_ctl_empty_argument(cli->command, cli->words,
	    cli->word_count);

	if (name)
		fprintf(stderr,
		    "primctl: %s is empty; 'primctl %s --help' tells what it "
		    "may be\n",
		    name, cli->command->words);
	return name != NULL;
}

static const struct option OPTIONS[] = {
	{"body",     no_argument,       NULL, 'b'},
	{ "config",  required_argument, NULL, 'c'},
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
		case 'b':
			cli->option = "body";
			break;
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

static bool add_arguments(const struct cli *cli, json_t *request,
    struct br_err *err)
{
	const struct br_ctl_command *c = cli->command;
	bool ok = true;

	for (size_t i = 0; i < BR_CTL_ARGUMENTS_MAX && c->arguments[i].name;
	     i++) {
		char *text = br_ctl_argument_take(c, i, cli->words,
		    cli->word_count);

		if (json_object_set_new(request, c->arguments[i].member,
			json_string(text)) != 0)
			ok = br_err_set(err, "the arguments are not UTF-8");
		prim_free(text);
	}
	return ok;
}

static bool add_password(json_t *request, struct br_err *err)
{
	char password[BR_PASSWORD_SIZE];
	bool ok = br_password_read(password, err);

	if (ok &&
	    json_object_set_new(request, "password", json_string(password)) !=
		0)
		ok = br_err_set(err, "the password is not UTF-8");
	explicit_bzero(password, sizeof(password));
	return ok;
}

static json_t *request_new(const struct cli *cli, struct br_err *err)
{
	const struct br_ctl_command *c = cli->command;
	json_t *request = json_pack("{s:s}", "command", c->words);

	if (c->option)
		json_object_set_new(request, c->option,
		    json_string(cli->option ? "yes" : ""));
	if (c->list)
		json_object_set_new(request, "after", json_string(""));
	if (add_arguments(cli, request, err) &&
	    (!c->has_password || add_password(request, err)))
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
	fprintf(stderr, "primctl: ");
	/* It may have words of an adapter in it. */
	br_control_show_visible(stderr,
	    error ? error : "the answer of primd is broken");
	fprintf(stderr, "\n");
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

/* What the last page says besides its elements, and the end of it all. */
static void put_tail(const json_t *result, const char *list, size_t count)
{
	const json_t *value;
	const char *name;

	printf(count > 0 ? "\n  ]" : "]");
	json_object_foreach((json_t *)result, name, value)
	{
		if (strcmp(name, "first") == 0 || strcmp(name, list) == 0)
			continue;
		printf(",\n  \"%s\": ", name);
		json_dumpf(value, stdout, JSON_ENCODE_ANY);
	}
	printf("\n}\n");
}

/* One page; `*count` elements were shown before. As JSON all pages are one
 * list, an element a line. */
static void show_page(const struct cli *cli, const json_t *result,
    size_t *count)
{
	const char *list = cli->command->list;
	const json_t *element;
	size_t i;

	if (!cli->json) {
		br_control_show(stdout, cli->command->words, result);
		return;
	}
	if (json_is_true(json_object_get(result, "first")))
		printf("{\n  \"%s\": [", list);
	json_array_foreach(json_object_get(result, list), i, element)
	{
		printf(*count > 0 ? ",\n    " : "\n    ");
		json_dumpf(element, stdout, 0);
		++*count;
	}
	if (!json_object_get(result, "after"))
		put_tail(result, list, *count);
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
	return EXIT_SUCCESS;
}

static int run_ask(const struct cli *cli, const struct br_config *config)
{
	struct br_err err = { .text = "" };
	struct br_control_asker *asker;
	json_t *request = request_new(cli, &err);
	int code;

	if (!request)
		return fail(EXIT_FAILURE, err.text);
	asker = br_control_asker_open(config,
	    cli->command->kind != BR_CTL_STATUS);
	if (cli->command->list)
		code = run_pages(cli, asker, request);
	else
		code = run_once(cli, asker, request);
	br_control_asker_close(asker);
	json_decref(request);
	return code;
}

/* Without primd, or beside it. */
static int run_copy(const struct cli *cli, const struct br_config *config)
{
	struct br_err err = { .text = "" };
	const char *dir = cli->words[0];
	json_t *result = cli->command->kind == BR_CTL_BACKUP
	    ? br_control_backup(config, dir, &err)
	    : br_control_restore(config, dir, &err);

	if (!result)
		return fail(EXIT_FAILURE, err.text);
	show_result(cli, result);
	json_decref(result);
	return flush() ? EXIT_SUCCESS
		       : fail(EXIT_FAILURE, "cannot write the result");
}

static int run_command(const struct cli *cli, const struct br_config *config)
{
	enum br_ctl_kind kind = cli->command->kind;
	struct br_err err = { .text = "" };

	/* Where its user may not make a folder, root may. */
	if (kind == BR_CTL_BACKUP &&
	    (!br_control_has_data(config, &err) ||
		!br_user_make_folder(config, cli->words[0], &err)))
		return fail(EXIT_FAILURE, err.text);
	if (!br_user_become(config, &err))
		return fail(EXIT_USAGE, err.text);
	if (kind == BR_CTL_BACKUP || kind == BR_CTL_RESTORE)
		return run_copy(cli, config);
	return run_ask(cli, config);
}

int main(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct br_config *config;
	struct br_err err;
	bool fits;
	int code;

	br_log_guard();
	if (!parse_options(&cli, argc, argv)) {
		br_ctl_usage(stderr, NULL);
		return EXIT_USAGE;
	}
	fits = find_command(&cli, argv + optind, argc - optind);
	if (cli.help)
		return help(&cli, argv + optind, argc - optind);
	if (!fits || has_empty_argument(&cli))
		return fits ? EXIT_USAGE
			    : wrong_usage(&cli, argv + optind, argc - optind);
	config = br_config_read(cli.file, NULL, &err);
	if (!config)
		return fail(EXIT_USAGE, err.text);
	br_config_drop_later(config, NULL); /* as primd does */
	code = run_command(&cli, config);
	br_config_free(config);
	return code;
}
