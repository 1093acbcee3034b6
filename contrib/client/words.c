/* SPDX-License-Identifier: ISC */
/* Words in, options out. */

#include "contrib/client/words.h"

#include <string.h>

#include "prim/base.h"
#include "prim/buf.h"
#include "prim/pidf.h"
#include "prim/presence.h"

#define WATCHED_MAX   1000
#define DEFAULT_TUPLE "prim"

bool cl_words_address(const char *text, struct prim_address *out,
    const char *what, struct cl_err *err)
{
	struct prim_slice s = prim_slice_of(text);

	if (prim_address_parse_bare(s, out) || prim_address_parse(s, out))
		return true;
	return cl_err_set(err,
	    "%s %s: that is no address; it should look like "
	    "alice@example.org",
	    what, text);
}

char *cl_words_copy(const struct prim_address *a, const char *scheme)
{
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, scheme);
	prim_buf_put(&b, a->local);
	prim_buf_putc(&b, '@');
	prim_buf_put(&b, a->domain);
	return prim_buf_steal(&b);
}

/* TO and at most one TEXT. */
static bool take_to(struct cl_options *o, char *const *words, int count,
    struct cl_err *err)
{
	struct prim_address a;

	if (count == 0)
		return cl_err_set(err, "to whom? 'prim --help' shows how");
	if (!cl_words_address(words[0], &a, o->command, err))
		return false;
	o->to = cl_words_copy(&a, "im:");
	o->text = count > 1 ? words[1] : NULL;
	return true;
}

static bool is_watched(const struct cl_options *o, const char *address)
{
	struct prim_address a;
	struct prim_key ours, theirs;

	prim_address_parse(prim_slice_of(address), &a);
	prim_address_key(&a, &ours);
	for (size_t i = 0; i < o->watched_count; i++) {
		prim_address_parse(prim_slice_of(o->watched[i]), &a);
		prim_address_key(&a, &theirs);
		if (prim_slice_eq(prim_key_slice(&ours),
			prim_key_slice(&theirs)))
			return true;
	}
	return false;
}

static bool take_watched(struct cl_options *o, char *const *words, int count,
    struct cl_err *err)
{
	struct prim_address a;

	if (count == 0)
		return cl_err_set(err, "watch whom? 'prim --help' shows how");
	if (count > WATCHED_MAX)
		return cl_err_set(err,
		    "%d addresses are too many; at most %d can be watched at "
		    "once",
		    count, WATCHED_MAX);
	o->watched = prim_alloc((size_t)count * sizeof(*o->watched));
	for (int i = 0; i < count; i++) {
		char *address;

		if (!cl_words_address(words[i], &a, o->command, err))
			return false;
		address = cl_words_copy(&a, "pres:");
		if (is_watched(o, address))
			prim_free(address);
		else
			o->watched[o->watched_count++] = address;
	}
	return true;
}

static bool take_state(struct cl_options *o, char *const *words, int count,
    struct cl_err *err)
{
	if (!o->tuple)
		o->tuple = DEFAULT_TUPLE;
	if (count > 0)
		o->open = strcmp(words[0], "open") == 0;
	if (count > 0 && (o->open || strcmp(words[0], "closed") == 0))
		return true;
	return cl_err_set(err, "publish what? open or closed");
}

static bool take_nothing(struct cl_options *o, char *const *words, int count,
    struct cl_err *err)
{
	(void)o;
	(void)words;
	(void)count;
	(void)err;
	return true;
}

static const struct {
	const char *command;
	int max; /* words */
	bool is_presence;
	bool (*take)(struct cl_options *o, char *const *words, int count,
	    struct cl_err *err);
} COMMANDS[] = {
	{"send",     2,         false, take_to     },
	{ "listen",  0,         false, take_nothing},
	{ "chat",    1,         false, take_to     },
	{ "watch",   INT32_MAX, true,  take_watched},
	{ "publish", 1,         true,  take_state  },
};

bool cl_words_take(struct cl_options *o, char *const *words, int count,
    struct cl_err *err)
{
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		if (strcmp(o->command, COMMANDS[i].command) != 0)
			continue;
		o->is_presence = COMMANDS[i].is_presence;
		if (count <= COMMANDS[i].max)
			return COMMANDS[i].take(o, words, count, err);
		return cl_err_set(err,
		    "'%s' is one word too many; put a text in quotes",
		    words[COMMANDS[i].max]);
	}
	return cl_err_set(err,
	    "there is no command '%s'; 'prim --help' lists them", o->command);
}

/* ---- the options of `publish` ---- */

static bool is_show(const char *show)
{
	static const char *const SHOWS[] = { "away", "chat", "dnd", "xa" };

	for (size_t i = 0; i < PRIM_COUNT(SHOWS); i++) {
		if (strcmp(show, SHOWS[i]) == 0)
			return true;
	}
	return false;
}

bool cl_words_check(const struct cl_options *o, struct cl_err *err)
{
	if (strcmp(o->command, "publish") != 0)
		return true;
	if (o->show && !is_show(o->show))
		return cl_err_set(err,
		    "--show %s: it should be away, chat, dnd or xa", o->show);
	if (o->show && !o->open)
		return cl_err_set(err, "--show goes with 'publish open' only");
	if (o->permanent && o->lease_s > 0)
		return cl_err_set(err, "--permanent does not go with --lease");
	if (o->note && !prim_xml_text_ok(prim_slice_of(o->note)))
		return cl_err_set(err,
		    "--note: control characters do not go there");
	if (!prim_tuple_id_ok(prim_slice_of(o->tuple)))
		return cl_err_set(err,
		    "--tuple: it should be a name of at most %d letters, "
		    "digits and signs of ASCII, without blanks",
		    PRIM_TUPLE_ID_MAX);
	return true;
}

void cl_words_fini(struct cl_options *o)
{
	for (size_t i = 0; i < o->watched_count; i++)
		prim_free(o->watched[i]);
	o->watched = prim_free(o->watched);
	o->to = prim_free(o->to);
}
