/* SPDX-License-Identifier: ISC */
/*
 * Runs a conversation (README.md here says how one is written) against the
 * server, twice: once clients speak in one piece, once octet by octet.
 *
 *	talk FILE
 */

#include "tests/talk/talk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "prim/base.h"
#include "prim/visible.h"

#define MACROS         "macros.txt" /* beside the script */
#define WITHIN_SECONDS 50

/* What is so unless a script says otherwise. */
static const char *const DEFAULTS[] = {
	"domains: [prim.example]\n",
	"auth: { mechanisms: [SCRAM-SHA-256, PLAIN], allow_plaintext: true }\n",
};

/* ---- failing ---- */

static struct prim_buf logged; /* by the server, in this run */

static void on_log(void *arg, struct prim_slice line)
{
	(void)arg;
	prim_buf_put(&logged, line);
	prim_buf_putc(&logged, '\n');
}

bool talk_fail(struct talk *t, const char *why)
{
	if (!t->has_failed)
		fprintf(stderr, "%s:%u: %s%s\n", t->file, t->line, why,
		    t->world.by_octets ? " (octet by octet)" : "");
	t->has_failed = true;
	return false;
}

static void print(const char *what, struct prim_slice octets)
{
	struct prim_buf b = { 0 };

	if (octets.len > 2000)
		octets.len = 2000;
	prim_visible_put_lines(&b, octets, "    ");
	fprintf(stderr, "%s\n    %.*s\n", what,
	    PRIM_SLICE_ARG(prim_buf_slice(&b)));
	prim_buf_fini(&b);
}

bool talk_differs(struct talk *t, struct prim_slice expected,
    struct prim_slice got)
{
	(void)talk_fail(t, "not what came");
	print("  expected:", expected);
	print("  came:", got);
	return false;
}

static void print_rest(const struct talk *t)
{
	for (unsigned i = 0; i < TALK_ENDS; i++) {
		const struct talk_conn *c = &t->world.conns[i];

		if (!c->was_opened)
			continue;
		fprintf(stderr, "  connection %u%s,", i,
		    c->is_ended ? " (closed by the server)" : "");
		print(" unread:", talk_conn_unread(c));
	}
	print("  log:", prim_buf_slice(&logged));
}

/* ---- the world of a script ---- */

/* Is `key` ("domains") among what the script configures? */
static bool is_configured(const struct talk *t, struct prim_slice key)
{
	struct prim_slice text = prim_buf_slice(&t->config), line;

	while (talk_line_next(&text, &line)) {
		if (prim_slice_eq(prim_slice_cut(&line, ':'), key))
			return true;
	}
	return false;
}

void talk_config_change(struct talk *t, struct prim_slice line)
{
	struct prim_slice rest = line, text = prim_buf_slice(&t->config), old;
	struct prim_slice key = prim_slice_cut(&rest, ':');
	struct prim_buf fresh = { 0 };
	bool is_old = false;

	while (talk_line_next(&text, &old)) {
		rest = old;
		if (!prim_slice_starts(old, PRIM_SLICE(" ")))
			is_old = prim_slice_eq(prim_slice_cut(&rest, ':'), key);
		if (!is_old) {
			prim_buf_put(&fresh, old);
			prim_buf_putc(&fresh, '\n');
		}
	}
	prim_buf_put(&fresh, line);
	prim_buf_putc(&fresh, '\n');
	prim_buf_fini(&t->config);
	t->config = fresh;
}

static bool open_world(struct talk *t)
{
	struct br_err err = { "" };
	struct prim_slice rest;

	if (t->is_open)
		return true;
	t->is_open = true;
	for (size_t i = 0; i < PRIM_COUNT(DEFAULTS); i++) {
		rest = prim_slice_of(DEFAULTS[i]);
		if (!is_configured(t, prim_slice_cut(&rest, ':')))
			prim_buf_puts(&t->config, DEFAULTS[i]);
	}
	if (talk_world_open(&t->world, prim_buf_slice(&t->config), &err))
		return true;
	return talk_fail(t, err.text);
}

struct talk_conn *talk_conn(struct talk *t, unsigned c)
{
	struct talk_conn *conn = &t->world.conns[c];

	if (!conn->was_opened && c < TALK_CONNS)
		talk_conn_open(&t->world, conn, "192.0.2.1");
	return conn;
}

static bool take_ping(struct talk_conn *c, struct prim_slice ping)
{
	if (!prim_slice_starts(talk_conn_unread(c), ping))
		return false;
	c->taken += ping.len;
	return true;
}

void talk_pings(const struct talk *t, struct talk_conn *c)
{
	while (t->skips_pings &&
	    (take_ping(c, PRIM_SLICE("PING PRIM-IM/1.0 - 0\r\n\r\n")) ||
		take_ping(c, PRIM_SLICE("PING PRIM-PR/1.0 - 0\r\n\r\n"))))
		continue;
}

/* ---- lines ---- */

static bool run_text(struct talk *t, struct prim_slice text, bool is_file);

static bool run_macro(struct talk *t, struct prim_slice line)
{
	struct prim_buf text = { 0 };
	bool ok = talk_macros_expand(&t->macros, line, &text)
	    ? run_text(t, prim_buf_slice(&text), false)
	    : talk_fail(t, "what is this line?");

	prim_buf_fini(&text);
	return ok;
}

bool talk_line(struct talk *t, struct prim_slice line)
{
	if (t->in_config && prim_slice_starts(line, PRIM_SLICE("  "))) {
		prim_buf_put(&t->config, prim_slice_from(line, 2));
		prim_buf_putc(&t->config, '\n');
		return true;
	}
	t->in_a_hurry = false;
	t->in_config = prim_slice_eq(line, PRIM_SLICE("config:"));
	if (t->in_config || line.len == 0 || line.ptr[0] == '#')
		return true;
	if (!open_world(t))
		return false;
	if (talk_speech_is(line))
		return talk_speech(t, line);
	return talk_word_is(line) ? talk_word(t, line) : run_macro(t, line);
}

static bool run_text(struct talk *t, struct prim_slice text, bool is_file)
{
	struct prim_slice line;
	bool ok = true;

	while (ok && talk_line_next(&text, &line)) {
		if (is_file)
			t->line++;
		ok = talk_line(t, line);
	}
	return ok;
}

/* In the end nothing may be left that nobody expected. */
static bool run_end(struct talk *t)
{
	bool ok = t->is_open && talk_speech_end(t);

	talk_world_turn(&t->world);
	for (unsigned i = 0; ok && i < TALK_ENDS; i++) {
		talk_pings(t, &t->world.conns[i]);
		if (talk_conn_unread(&t->world.conns[i]).len > 0)
			ok = talk_fail(t, "more came than was expected");
	}
	return ok;
}

static void fini(struct talk *t)
{
	talk_world_close(&t->world);
	talk_names_fini(&t->names);
	prim_buf_fini(&t->config);
	prim_buf_fini(&t->before);
	prim_buf_fini(&t->after);
	prim_buf_fini(&t->body);
	for (unsigned i = 0; i < TALK_ENDS; i++)
		prim_buf_fini(&t->hearings[i].body);
}

static bool run(const char *file, struct prim_slice text,
    struct prim_slice macros, bool by_octets)
{
	static struct talk t;
	bool ok;

	memset(&t, 0, sizeof(t));
	prim_buf_reset(&logged);
	t.file = file;
	t.world.by_octets = by_octets;
	ok = talk_macros_parse(&t.macros, macros)
	    ? run_text(&t, text, true) && run_end(&t)
	    : talk_fail(&t, "the macros cannot be read");
	if (!ok)
		print_rest(&t);
	fini(&t);
	return ok;
}

static bool read_macros(const char *file, struct prim_buf *out)
{
	const char *end = strrchr(file, '/');
	struct prim_buf path = { 0 };
	char *name;
	bool ok;

	if (end)
		prim_buf_put(&path,
		    prim_slice_make(file, (size_t)(end - file) + 1));
	prim_buf_puts(&path, MACROS);
	name = prim_buf_steal(&path);
	ok = talk_file_read(name, out);
	prim_free(name);
	return ok;
}

int main(int argc, char **argv)
{
	struct prim_buf text = { 0 }, macros = { 0 };
	bool ok;

	if (argc != 2 || !talk_file_read(argv[1], &text) ||
	    !read_macros(argv[1], &macros)) {
		fprintf(stderr, "talk FILE\n");
		return 2;
	}
	alarm(WITHIN_SECONDS);
	(void)signal(SIGPIPE, SIG_IGN);
	br_log_set_sink(on_log, NULL);
	ok = run(argv[1], prim_buf_slice(&text), prim_buf_slice(&macros),
		 false) &&
	    run(argv[1], prim_buf_slice(&text), prim_buf_slice(&macros), true);
	br_log_flush();
	prim_buf_fini(&logged);
	prim_buf_fini(&macros);
	prim_buf_fini(&text);
	return ok ? 0 : 1;
}
