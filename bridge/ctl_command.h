/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CTL_COMMAND_H
#define BRIDGE_CTL_COMMAND_H

/* primctl's commands as the operator types them: their words, their arguments,
 * their help. What they do is in control.h and control_copy.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BR_CTL_ARGUMENTS_MAX 3

struct br_ctl_argument {
	const char *name;   /* as the help calls it; NULL: there are no more */
	const char *member; /* what the request calls it */
	bool is_optional;   /* without it the member is empty; so may all that
	                       follow be */
	bool is_rest;       /* all words from here on, with blanks between; the
	                       last */
};

/* Who does it. */
enum br_ctl_kind {
	BR_CTL_ASK,    /* primd, or the store when none runs */
	BR_CTL_STATUS, /* primd; works without the store, so without its lock */
	BR_CTL_BACKUP, /* primctl itself, beside a primd */
	BR_CTL_RESTORE, /* primctl itself, instead of a primd */
};

struct br_ctl_command {
	const char *words;
	struct br_ctl_argument arguments[BR_CTL_ARGUMENTS_MAX];
	/* The member that is "yes" with the option of its name, and what the
	 * help says of it; or NULL. */
	const char *option, *option_help;
	enum br_ctl_kind kind;
	bool has_password;
	const char *list; /* the array in its result that comes in pages */
	const char *help; /* one line */
	const char *more; /* what --help says below it */
};

/* All of them, in the order of the help (ctl_table.c). */
extern const struct br_ctl_command br_ctl_commands[];
extern const size_t br_ctl_command_count;

/* The command that `words` begin with; NULL: there is none. */
const struct br_ctl_command *br_ctl_command_find(char *const *words, int count,
    int *out_used);

/* Says what is wrong with `words` (one at least), which begin no command. */
void br_ctl_unknown(FILE *out, char *const *words, int count);

/* The first argument of `c` that one of `words` leaves empty or blank; NULL:
 * none. What is not meant is not there at all: an empty word is a variable that
 * was not set. */
const char *br_ctl_empty_argument(const struct br_ctl_command *c,
    char *const *words, int count);

/* Do `count` words fit the arguments of `c`? */
bool br_ctl_count_ok(const struct br_ctl_command *c, int count);

/* Says why they don't, or that `c` has no `option` (NULL: none was given). */
void br_ctl_misfit(FILE *out, const struct br_ctl_command *c,
    char *const *words, int count, const char *option);

/* What `words` say for argument `index` of `c`: a copy, empty without it; release
 * with prim_free(). */
char *br_ctl_argument_take(const struct br_ctl_command *c, size_t index,
    char *const *words, int count);

/* Writes how to use `command`; NULL: how to use primctl. */
void br_ctl_usage(FILE *out, const struct br_ctl_command *command);
/* Writes how to use the commands whose first word is `group`. False: no command
 * of two words has it. */
bool br_ctl_usage_group(FILE *out, const char *group);

#endif
