/* SPDX-License-Identifier: ISC */
/* prim: the user's client. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "contrib/client/commands.h"
#include "contrib/client/options.h"
#include "prim/base.h"

#define EXIT_USAGE 2

static const struct {
	const char *name;
	int (*run)(const struct cl_options *options);
} COMMANDS[] = {
	{"send",     cl_send_run   },
	{ "listen",  cl_listen_run },
	{ "chat",    cl_chat_run   },
	{ "watch",   cl_watch_run  },
	{ "publish", cl_publish_run},
};

static int run(const struct cl_options *options)
{
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		if (strcmp(COMMANDS[i].name, options->command) == 0)
			return COMMANDS[i].run(options);
	}
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct cl_options options;
	struct cl_err err;
	int code = EXIT_SUCCESS;

	signal(SIGPIPE, SIG_IGN);
	switch (cl_options_parse(argc, argv, &options, &err)) {
	case CL_OPTIONS_OK:
		code = run(&options);
		break;
	case CL_OPTIONS_DONE:
		break;
	case CL_OPTIONS_WRONG:
		cl_err_note("%s", err.text);
		code = EXIT_USAGE;
		break;
	}
	cl_options_fini(&options);
	return code;
}
