/* SPDX-License-Identifier: ISC */
/* What the operator typed: which command it is, and how it is to be used. */

#include "bridge/ctl_command.h"

#include <string.h>

#include "prim/base.h"
#include "prim/buf.h"
#include "prim/visible.h"

#define HELP_COLUMN 36
#define HELP_WIDTH  79
#define WORD_MAX    40 /* octets of a wrong word that are shown */

/* ---- arguments ---- */

static size_t argument_count(const struct br_ctl_command *c)
{
	size_t count = 0;

	while (count < BR_CTL_ARGUMENTS_MAX && c->arguments[count].name)
		count++;
	return count;
}

bool br_ctl_count_ok(const struct br_ctl_command *c, int count)
{
	size_t all = argument_count(c);
	size_t needed = 0;

	while (needed < all && !c->arguments[needed].is_optional)
		needed++;
	return (size_t)count >= needed &&
	    ((size_t)count <= all ||
		(all > 0 && c->arguments[all - 1].is_rest));
}

char *br_ctl_argument_take(const struct br_ctl_command *c, size_t index,
    char *const *words, int count)
{
	struct prim_buf b = { 0 };
	int at = (int)index;

	prim_buf_puts(&b, at < count ? words[at] : "");
	while (c->arguments[index].is_rest && ++at < count) {
		prim_buf_putc(&b, ' ');
		prim_buf_puts(&b, words[at]);
	}
	return prim_buf_steal(&b);
}

const char *br_ctl_empty_argument(const struct br_ctl_command *c,
    char *const *words, int count)
{
	size_t last = argument_count(c) - 1;

	for (int i = 0; i < count; i++)
		if (prim_slice_trim(prim_slice_of(words[i])).len == 0)
			return c->arguments[(size_t)i < last ? (size_t)i : last]
			    .name;
	return NULL;
}

/* ---- help ---- */

/* Writes " ADDRESS" or " [WORD...]"; how many columns that took. */
static int put_argument(FILE *out, const struct br_ctl_argument *a)
{
	return fprintf(out, " %s%s%s%s", a->is_optional ? "[" : "", a->name,
	    a->is_rest ? "..." : "", a->is_optional ? "]" : "");
}

/* Writes words, option and arguments; how many columns that took. */
static int put_synopsis(FILE *out, const struct br_ctl_command *c)
{
	int width = fprintf(out, "%s", c->words);

	if (c->option)
		width += fprintf(out, " [--%s]", c->option);
	for (size_t i = 0; i < argument_count(c); i++)
		width += put_argument(out, &c->arguments[i]);
	return width;
}

static void put_line(FILE *out, const struct br_ctl_command *c)
{
	int width;

	fprintf(out, "  ");
	width = put_synopsis(out, c);
	fprintf(out, "%*s%s\n", HELP_COLUMN - width, "", c->help);
}

static void usage_all(FILE *out)
{
	fprintf(out,
	    "usage: primctl [-c FILE] [--json] COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < br_ctl_command_count; i++)
		put_line(out, &br_ctl_commands[i]);
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

/* Writes `text` in lines of HELP_WIDTH columns. */
static void put_wrapped(FILE *out, const char *text)
{
	struct prim_slice rest = prim_slice_of(text);
	size_t column = 0;

	while (rest.len > 0) {
		struct prim_slice word = prim_slice_cut(&rest, ' ');

		if (column > 0 && column + 1 + word.len > HELP_WIDTH) {
			fprintf(out, "\n");
			column = 0;
		}
		fprintf(out, "%s%.*s", column > 0 ? " " : "",
		    PRIM_SLICE_ARG(word));
		column += word.len + (column > 0);
	}
	fprintf(out, "\n");
}

static void usage_command(FILE *out, const struct br_ctl_command *c)
{
	fprintf(out, "usage: primctl [-c FILE] [--json] ");
	put_synopsis(out, c);
	fprintf(out, "\n\n%s.\n", c->help);
	put_wrapped(out, c->more);
	if (c->option)
		fprintf(out, "\n  --%-8s %s\n", c->option, c->option_help);
}

void br_ctl_usage(FILE *out, const struct br_ctl_command *command)
{
	if (command)
		usage_command(out, command);
	else
		usage_all(out);
}

/* ---- finding ---- */

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
	for (size_t i = 0; i < br_ctl_command_count; i++) {
		const struct br_ctl_command *c = &br_ctl_commands[i];
		int used = command_fits(c, words, count);

		if (used > 0) {
			*out_used = used;
			return c;
		}
	}
	return NULL;
}

/* ---- groups ---- */

/* "list" for "link list" and "link"; NULL: it is of another group, or of none. */
static const char *verb_of(const struct br_ctl_command *c,
    struct prim_slice group)
{
	struct prim_slice rest = prim_slice_of(c->words);

	if (!prim_slice_eq(prim_slice_cut(&rest, ' '), group) || rest.len == 0)
		return NULL;
	return rest.ptr;
}

bool br_ctl_usage_group(FILE *out, const char *group)
{
	size_t count = 0;

	for (size_t i = 0; i < br_ctl_command_count; i++) {
		if (!verb_of(&br_ctl_commands[i], prim_slice_of(group)))
			continue;
		if (count++ == 0)
			fprintf(out,
			    "usage: primctl [-c FILE] [--json] %s ...\n\n",
			    group);
		put_line(out, &br_ctl_commands[i]);
	}
	if (count > 0)
		fprintf(out,
		    "\nWith --help behind it each of them says more.\n");
	return count > 0;
}

/* "add, list"; false: there is no such group. */
static bool put_verbs(struct prim_buf *b, struct prim_slice group)
{
	for (size_t i = 0; i < br_ctl_command_count; i++) {
		const char *verb = verb_of(&br_ctl_commands[i], group);

		if (!verb)
			continue;
		if (b->len > 0)
			prim_buf_puts(b, ", ");
		prim_buf_puts(b, verb);
	}
	return b->len > 0;
}

static void put_word(FILE *out, const char *word)
{
	struct prim_slice text = prim_slice_of(word);
	struct prim_buf b = { 0 };
	bool is_cut = text.len > WORD_MAX;

	if (is_cut)
		text.len = WORD_MAX;
	prim_visible_put(&b, text);
	fprintf(out, "'%.*s%s'", PRIM_SLICE_ARG(prim_buf_slice(&b)),
	    is_cut ? "..." : "");
	prim_buf_fini(&b);
}

void br_ctl_misfit(FILE *out, const struct br_ctl_command *c,
    char *const *words, int count, const char *option)
{
	size_t all = argument_count(c);

	fprintf(out, "primctl: ");
	if (option && (!c->option || strcmp(option, c->option) != 0)) {
		fprintf(out, "'%s' has no option --%s\n", c->words, option);
	} else if ((size_t)count > all) {
		put_word(out, words[all]);
		fprintf(out, " is one word too many for '%s'\n", c->words);
	} else {
		fprintf(out, "'%s' wants %s, too\n", c->words,
		    c->arguments[count].name);
	}
}

void br_ctl_unknown(FILE *out, char *const *words, int count)
{
	struct prim_buf verbs = { 0 };

	fprintf(out, "primctl: ");
	if (!put_verbs(&verbs, prim_slice_of(words[0]))) {
		fprintf(out, "unknown command ");
		put_word(out, words[0]);
		fprintf(out, "; 'primctl --help' shows all there are\n");
	} else {
		put_word(out, words[0]);
		if (count > 1) {
			fprintf(out, " has no ");
			put_word(out, words[1]);
			fprintf(out, "; it");
		}
		fprintf(out,
		    " wants one of: %.*s\n'primctl %s --help' says more\n",
		    PRIM_SLICE_ARG(prim_buf_slice(&verbs)), words[0]);
	}
	prim_buf_fini(&verbs);
}
