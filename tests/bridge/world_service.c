/* SPDX-License-Identifier: ISC */
/* The world of those who write to the bridge. */

#include "tests/bridge/world_service.h"

#include <dirent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bridge/transit.h"
#include "bridge/worker.h"
#include "prim/base.h"

#define NOON_MS 1700000000000
#define SERVICE "primbridge@here.example"

static const char CONFIG[] =
    "domains: [here.example, also.example]\n"
    "adapters:\n"
    "  - { name: xmpp, plugin: xmpp,\n"
    "      options: { domain: far.example, gateway_domain: gw.example } }\n"
    "  - { name: mail, plugin: smtp }\n"
    "routes:\n"
    "  - { domain: mail.example, via: mail }\n";

/* The parts of the bridge that are played. */
static struct world *the_world;

static void copy(char *to, size_t size, struct prim_slice s)
{
	assert_true(s.len < size);
	memcpy(to, s.ptr, s.len);
	to[s.len] = '\0';
}

/* The digits behind "verify ADDRESS ". */
static void find_code(struct world *w, const char *text)
{
	const char *at = strstr(text, "  verify ");

	at = at ? strchr(at + 9, ' ') : NULL;
	if (at && strspn(at + 1, "0123456789") == BR_CODE_DIGITS)
		copy(w->code, sizeof(w->code),
		    prim_slice_make(at + 1, BR_CODE_DIGITS));
}

void br_transit_post(struct br_server *s, struct br_message *m)
{
	struct world *w = the_world;
	struct letter *l = &w->letters[w->letter_count++];

	assert_ptr_equal(s, w->server);
	assert_true(w->letter_count < WORLD_LETTERS_MAX);
	copy(l->from, sizeof(l->from), m->from);
	copy(l->to, sizeof(l->to), m->recipient);
	copy(l->id, sizeof(l->id), m->message_id);
	copy(l->conversation, sizeof(l->conversation), m->conversation_id);
	copy(l->text, sizeof(l->text), m->body);
	l->hops = m->hops;
	t_slice_is("origin", m->origin, "primbridge");
	assert_true(prim_slice_starts(m->sender, PRIM_SLICE("primbridge@")));
	find_code(w, l->text);
	br_message_unref(m);
}

/* What the adapter of "im:local@domain" makes of it. */
static void canonicalize(struct world *w, struct prim_slice uri,
    br_host_canonical_fn fn, void *arg)
{
	struct prim_address address;
	struct prim_key key;
	ptrdiff_t plus;
	struct prim_buf text = { 0 };

	if (w->lie)
		uri = prim_slice_of(w->lie);
	assert_true(prim_address_parse(uri, &address));
	plus = prim_slice_find(address.local, '+');
	if (plus > 0)
		address.local.len = (size_t)plus;
	prim_address_key(&address, &key);
	if (w->is_down)
		fn(arg, NULL, "the adapter xmpp does not run now");
	else if (prim_slice_starts(prim_key_slice(&key), PRIM_SLICE("nobody@")))
		fn(arg, NULL, "the adapter xmpp has no such address");
	else
		fn(arg, &key, NULL);
	prim_buf_fini(&text);
}

void br_host_canonical(struct br_host *h, struct prim_slice uri,
    br_host_canonical_fn fn, void *arg)
{
	struct world *w = the_world;

	(void)h;
	if (!w->is_slow) {
		canonicalize(w, uri, fn, arg);
		return;
	}
	assert_null(w->waiting);
	w->waiting = fn;
	w->waiting_arg = arg;
	copy(w->waiting_uri, sizeof(w->waiting_uri), uri);
}

void world_answer(struct world *w)
{
	const br_host_canonical_fn fn = w->waiting;

	assert_non_null(fn);
	w->waiting = NULL;
	canonicalize(w, prim_slice_of(w->waiting_uri), fn, w->waiting_arg);
}

static int64_t now(void *ctx)
{
	return br_server_now(ctx);
}

static void hush(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

/* ---- life ---- */

static void open_all(struct world *w, int64_t now_ms)
{
	static int hosts[2];
	struct br_server *s = prim_new(struct br_server);
	struct br_err err = { "" };
	struct br_identities_context context = { .now_ms = now, .ctx = s };
	uint8_t secret[32];

	w->server = s;
	s->base = event_base_new();
	s->config = w->config;
	br_log_init(&s->log, NULL, "primd");
	br_clock_init_by_hand(&s->clock, now_ms);
	s->store = br_store_open(s->base, w->dir, &err);
	assert_string_equal(err.text, "");
	br_store_secret(s->store, secret);
	br_message_keys_init(&s->keys, secret);
	s->auth = br_auth_new(s->base, s->store, s->config);
	s->router = br_router_new(s->config);
	context.store = s->store;
	context.config = s->config;
	context.router = s->router;
	s->identities = br_identities_new(&context, &err);
	assert_string_equal(err.text, "");
	s->hosts = prim_alloc(2 * sizeof(struct br_host *));
	for (size_t i = 0; i < 2; i++)
		s->hosts[i] = (struct br_host *)(void *)&hosts[i];
	s->service = br_service_new(s);
}

/* As br_server_free() does it. */
void world_stop(struct world *w)
{
	struct br_server *s = w->server;

	if (s->store)
		s->store = br_store_close(s->store);
	br_service_cancel(s->service);
	s->identities = br_identities_free(s->identities);
}

static void close_all(struct world *w)
{
	struct br_server *s = w->server;

	world_stop(w);
	if (w->waiting)
		world_answer(w);
	s->router = br_router_free(s->router);
	s->auth = br_auth_free(s->auth);
	s->service = br_service_free(s->service);
	event_base_free(s->base);
	prim_free(s->hosts);
	w->server = prim_free(s);
}

void world_restart(struct world *w)
{
	int64_t now_ms = br_server_now(w->server);

	close_all(w);
	open_all(w, now_ms);
}

int world_set_up(void **state)
{
	const char *parent = getenv("TMPDIR");
	struct world *w = prim_new(struct world);
	struct br_err err = { "" };

	br_log_set_sink(hush, NULL);
	the_world = w;
	w->config = br_config_parse("test", prim_slice_of(CONFIG), NULL, &err);
	assert_string_equal(err.text, "");
	(void)snprintf(w->dir, sizeof(w->dir), "%s/service-XXXXXX",
	    parent ? parent : P_tmpdir);
	assert_non_null(mkdtemp(w->dir));
	open_all(w, NOON_MS);
	world_account(w, "ann@here.example");
	world_account(w, "bob@here.example");
	*state = w;
	return 0;
}

static void sweep(const struct world *w)
{
	DIR *dir = opendir(w->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	(void)rmdir(w->dir);
}

int world_tear_down(void **state)
{
	struct world *w = *state;

	world_disk(false);
	close_all(w);
	w->config = br_config_free(w->config);
	sweep(w);
	the_world = prim_free(w);
	return 0;
}

static void on_account(void *arg, enum br_store_outcome outcome)
{
	assert_int_equal(outcome, BR_STORE_DONE);
	++*(unsigned *)arg;
}

void world_account(struct world *w, const char *key)
{
	const struct br_store_account account = { .key = prim_slice_of(key),
		.address = prim_slice_of(key),
		.iterations = 4096,
		.salt_len = 1 };
	unsigned count = 0;

	br_store_account_put(w->server->store, &account, on_account, &count);
	br_store_settle(w->server->store);
	assert_int_equal(count, 1);
}

void world_disk(bool is_full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = is_full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* ---- talking ---- */

static void put_text(struct prim_buf *b, const struct world *w,
    const struct question *q)
{
	struct prim_slice rest = q->len ? prim_slice_make(q->text, q->len)
					: prim_slice_of(q->text);

	while (rest.len) {
		if (prim_slice_starts(rest, PRIM_SLICE("$CODE"))) {
			prim_buf_puts(b, w->code);
			rest = prim_slice_from(rest, 5);
		} else {
			prim_buf_putc(b, *rest.ptr);
			rest = prim_slice_from(rest, 1);
		}
	}
}

static void put_head(struct prim_buf *b, const struct question *q,
    unsigned serial)
{
	prim_buf_putf(b,
	    "From: im:%s\r\nTo: im:%s\r\nMessage-ID: q%u:im:%s\r\n"
	    "Conversation-ID: talk-%u\r\nContent-Type: %s\r\n",
	    q->from, q->to ? q->to : SERVICE, serial, q->from, serial,
	    q->type ? q->type : "text/plain");
	if (q->lines)
		prim_buf_puts(b, q->lines);
}

static struct br_message *make(struct world *w, const struct question *q,
    unsigned serial)
{
	static struct prim_command c;
	struct prim_buf head = { 0 }, text = { 0 };
	struct br_message_source source = {
		.command = &c,
		.sender = prim_slice_of(q->original_from ? q->original_from + 3
							 : q->from),
		.recipient = prim_slice_of(q->to ? q->to : SERVICE),
		.origin = prim_slice_of(q->origin ? q->origin : "client"),
		.date = PRIM_SLICE("Thu, 30 Mar 2000 09:59:34 -0500"),
		.hops = q->hops ? q->hops : 1,
	};
	struct br_message *m;

	if (!q->origin &&
	    (q->original_from || !strstr(q->from, "@here.example")))
		source.origin = PRIM_SLICE("xmpp");
	put_head(&head, q, serial);
	put_text(&text, w, q);
	assert_true(prim_command_lines(prim_buf_slice(&head), &c));
	c.body = prim_buf_slice(&text);
	m = br_message_new(&source, &w->server->keys);
	m->original_from = prim_slice_of(q->original_from);
	prim_buf_fini(&head);
	prim_buf_fini(&text);
	return m;
}

static void on_done(void *arg, unsigned code)
{
	unsigned *got = arg;

	assert_int_equal(*got, 0);
	*got = code;
}

void world_start(struct world *w, const struct question *q, unsigned *code)
{
	struct br_message *m = make(w, q, q->serial ? q->serial : ++w->serial);

	*code = 0;
	br_service_take(w->server, m, on_done, code);
	br_message_unref(m);
}

/* The worker hands back through the loop, too. */
void world_settle(struct world *w)
{
	struct br_server *s = w->server;

	while (br_store_pending(s->store) ||
	    br_worker_pending(br_auth_worker(s->auth)))
		assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
}

void world_forget(struct world *w)
{
	w->letter_count = 0;
}

unsigned world_say(struct world *w, const struct question *q)
{
	unsigned code;

	world_forget(w);
	world_start(w, q, &code);
	world_settle(w);
	return code;
}

const struct letter *world_letter(const struct world *w, const char *to)
{
	const struct letter *found = NULL;

	for (unsigned i = 0; i < w->letter_count; i++) {
		if (strcmp(w->letters[i].to, to) != 0)
			continue;
		assert_null(found);
		found = &w->letters[i];
	}
	return found;
}

void world_heard(const struct world *w, const char *to, const char *part)
{
	const struct letter *l = world_letter(w, to);

	if (!l)
		fail_msg("%s hears nothing, not '%s'", to, part);
	else if (!strstr(l->text, part))
		fail_msg("%s hears '%s', not '%s'", to, l->text, part);
}

void world_silence(const struct world *w, const char *to)
{
	const struct letter *l = world_letter(w, to);

	if (l)
		fail_msg("%s hears '%s'", to, l->text);
}
