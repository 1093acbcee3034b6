/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CTL_COMMAND_H
#define BRIDGE_CTL_COMMAND_H

/* primctl's commands as the operator types them: their words, their argument,
 * their help. What they do is in control.h. */

#include <stdbool.h>
#include <stdio.h>

struct br_ctl_command {
	const char *words;
	const char *argument; /* how its argument is called, or NULL */
	const char *member;   /* what the request calls it */
	bool is_optional;     /* the argument; without it the member is empty */
	bool has_password;
	bool has_no_store; /* works without the store, so without its lock */
	const char *list;  /* the array in its result that comes in pages */
	const char *help;  /* one line */
	const char *more;  /* what --help says below it */
};

/* The command that `words` begin with; NULL: there is none. */
const struct br_ctl_command *br_ctl_command_find(char *const *words, int count,
    int *out_used);

/* Writes how to use `command`; NULL: how to use primctl. */
void br_ctl_usage(FILE *out, const struct br_ctl_command *command);

#endif
