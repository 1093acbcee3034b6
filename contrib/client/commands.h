/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

/*
 * The commands. Each returns the exit code and has told the user why.
 */

#include "contrib/client/options.h"

int cl_send_run(const struct cl_options *options);
int cl_listen_run(const struct cl_options *options);
int cl_chat_run(const struct cl_options *options);
int cl_watch_run(const struct cl_options *options);
int cl_publish_run(const struct cl_options *options);

#endif
