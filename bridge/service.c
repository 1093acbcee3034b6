/* SPDX-License-Identifier: ISC */
/* im:primbridge@<domain>: who is listened to, and which command it is. */

#include "bridge/service_private.h"

#include <string.h>
#include <sys/random.h>

#include "prim/base.h"
#include "prim/octet.h"
#include "prim/visible.h"

#define MINUTE_MS   60000
#define ANSWERS_MAX 20 /* a minute, to one sender */
#define WORD_MAX    40 /* octets of an unknown word that are said back */

static const struct {
	const char *name;
	void (*run)(struct br_service_talk *t);
} COMMANDS[] = {
	{"link",      br_service_link    },
	{ "verify",   br_service_verify  },
	{ "unlink",   br_service_unlink  },
	{ "links",    br_service_links   },
	{ "order",    br_service_order   },
	{ "password", br_service_password},
	{ "help",     br_service_help    },
};

/* ---- life ---- */

struct br_service *br_service_new(struct br_server *s)
{
	struct br_service *service = prim_new(struct br_service);

	service->server = s;
	br_log_init(&service->log, &s->log, "service");
	LIST_INIT(&service->talks);
	br_tally_init(&service->answers, MINUTE_MS);
	prim_table_init(&service->lines);
	while (getrandom(&service->lines_seed, sizeof(service->lines_seed),
		   0) != sizeof(service->lines_seed))
		continue;
	return service;
}

/* What it was in line for goes on when the caller says so. */
static struct br_service_line *talk_free(struct br_service_talk *t)
{
	struct br_service_line *line = br_service_line_leave(t);

	LIST_REMOVE(t, link);
	br_message_unref(t->question);
	br_service_password_forget(t);
	explicit_bzero(t->code, sizeof(t->code));
	prim_buf_fini(&t->text);
	prim_free(t);
	return line;
}

void br_service_end(struct br_service_talk *t, unsigned code)
{
	const br_service_done_fn done = t->done;
	void *const arg = t->arg;
	struct br_service_line *line = talk_free(t);

	if (done)
		done(arg, code);
	br_service_line_go_on(line);
}

void br_service_cancel(struct br_service *service)
{
	struct br_service_talk *t, *next;

	if (!service)
		return;
	service->cancelled = true;
	for (t = LIST_FIRST(&service->talks); t; t = next) {
		next = LIST_NEXT(t, link);
		t->done = NULL;
		if (!t->is_away)
			br_service_line_go_on(talk_free(t));
	}
}

struct br_service *br_service_free(struct br_service *service)
{
	if (!service)
		return NULL;
	br_service_cancel(service);
	br_tally_fini(&service->answers);
	prim_table_fini(&service->lines);
	return prim_free(service);
}

/* ---- who and what ---- */

bool br_service_is(const struct br_server *s, struct prim_slice key)
{
	struct prim_slice domain = key;
	struct prim_slice local = prim_slice_cut(&domain, '@');

	return prim_slice_eq(local, PRIM_SLICE(BR_SERVICE)) &&
	    br_config_serves(s->config, domain);
}

/* Only who spoke as himself: a linked address is not its principal here, or it
 * could give away what is his. */
static bool is_principal(const struct br_server *s, const struct br_message *m)
{
	return !m->original_from.len &&
	    br_config_serves(s->config, br_key_domain(m->sender));
}

static struct br_service_talk *talk_new(struct br_service *service,
    struct br_message *m, br_service_done_fn done, void *arg)
{
	struct br_service_talk *t = prim_new(struct br_service_talk);

	t->service = service;
	t->question = br_message_ref(m);
	t->done = done;
	t->arg = arg;
	t->is_principal = is_principal(service->server, m);
	LIST_INSERT_HEAD(&service->talks, t, link);
	return t;
}

/* ---- commands ---- */

void br_service_help(struct br_service_talk *t)
{
	prim_buf_puts(&t->text,
	    "I connect your addresses on different networks.\n");
	if (t->is_principal)
		prim_buf_puts(&t->text,
		    "  link ADDRESS: connect an address of yours on another "
		    "network; a code goes there\n"
		    "  verify CODE: tell me that code\n"
		    "  unlink ADDRESS: end a link\n"
		    "  links: show your links\n"
		    "  order prim ADDRESS ...: where to look for you, in this "
		    "order; 'prim' is your inbox here; 'order usual' forgets "
		    "it\n"
		    "  password NEW: change your password here");
	else
		prim_buf_putf(&t->text,
		    "  link NAME@%.*s: connect this address with your account "
		    "here; a code goes to that account\n"
		    "  verify CODE: tell me that code\n"
		    "  unlink NAME@%.*s: end the link\n"
		    "  links: show it",
		    PRIM_SLICE_ARG(br_key_domain(t->question->recipient)),
		    PRIM_SLICE_ARG(br_key_domain(t->question->recipient)));
	br_service_answer(t);
}

/* "/help" and "Help!" are "help". */
static struct prim_slice bare_word(struct prim_slice word)
{
	while (word.len && *word.ptr == '/')
		word = prim_slice_from(word, 1);
	while (word.len && strchr(".!?:;", word.ptr[word.len - 1]))
		word.len--;
	return word;
}

static bool is_command(struct prim_slice line)
{
	struct prim_slice word = bare_word(br_service_word(&line));

	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++)
		if (prim_slice_eq_nocase(word, prim_slice_of(COMMANDS[i].name)))
			return true;
	return false;
}

/* Below the line that is read, of a message that ends with its body. */
static bool has_more(const struct br_message *m, struct prim_slice line)
{
	struct prim_slice rest = m->body;

	if (!line.len)
		return false;
	rest = prim_slice_from(rest,
	    (size_t)(line.ptr + line.len - m->body.ptr));
	while (rest.len)
		if (is_command(prim_slice_cut(&rest, '\n')))
			return true;
	return false;
}

static void answer_unknown(struct br_service_talk *t, struct prim_slice word)
{
	struct prim_buf visible = { 0 };

	/* No half character. */
	if (word.len <= WORD_MAX)
		prim_visible_put(&visible, word);
	if (visible.len)
		br_service_answer_with(t,
		    "I do not know '%.*s'. Write 'help' to see what I can do.",
		    PRIM_SLICE_ARG(prim_buf_slice(&visible)));
	else
		br_service_answer_with(t,
		    "I do not know that. Write 'help' to see what I can do.");
	prim_buf_fini(&visible);
}

void br_service_begin(struct br_service_talk *t)
{
	struct prim_slice word = bare_word(br_service_word(&t->rest));

	t->rest = prim_slice_trim(t->rest);
	if (t->is_long) {
		br_service_answer_with(t,
		    "That is too long for me: one line of at most %d "
		    "characters, please. Write 'help' to see what I can do.",
		    BR_SERVICE_LINE_MAX);
		return;
	}
	if (!word.len) {
		br_service_help(t);
		return;
	}
	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		if (!prim_slice_eq_nocase(word,
			prim_slice_of(COMMANDS[i].name)))
			continue;
		br_debug(&t->service->log, "command=%s from=%s",
		    COMMANDS[i].name, br_quote(br_service_asker(t)));
		COMMANDS[i].run(t);
		return;
	}
	answer_unknown(t, word);
}

void br_service_take(struct br_server *s, struct br_message *m,
    br_service_done_fn done, void *arg)
{
	struct prim_slice line = PRIM_SLICE_NONE;
	enum br_service_reading reading = br_service_read(m, &line);
	struct br_service *service = s->service;
	struct br_service_talk *t;

	if (reading == BR_SERVICE_AUTOMATIC) {
		done(arg, PRIM_OK);
		return;
	}
	if (service->cancelled ||
	    br_tally_add(&service->answers, m->sender, br_server_now(s)) >
		ANSWERS_MAX) {
		done(arg, PRIM_INTERNAL_ERROR);
		return;
	}
	if (reading == BR_SERVICE_NO_TEXT) {
		done(arg, PRIM_BAD_REQUEST);
		return;
	}
	t = talk_new(service, m, done, arg);
	t->rest = line;
	t->is_long = reading == BR_SERVICE_LONG;
	t->has_more = has_more(m, line);
	if (!br_service_line_join(t))
		br_service_end(t, PRIM_INTERNAL_ERROR);
}
