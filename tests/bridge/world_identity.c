/* SPDX-License-Identifier: ISC */
/* The world that links live in. */

#include "tests/bridge/world_identity.h"

#include <dirent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bridge/log.h"
#include "prim/base.h"

#define NOON_MS 1700000000000

static const char CONFIG[] =
    "domains: [here.example, also.example]\n"
    "adapters:\n"
    "  - { name: xmpp, plugin: xmpp,\n"
    "      options: { domain: far.example, gateway_domain: gw.example } }\n"
    "  - { name: mail, plugin: smtp }\n"
    "routes:\n"
    "  - { domain: mail.example, via: mail }\n"
    "  - { domain: .very.far.example, via: xmpp }\n";

static void hush(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static int64_t now(void *ctx)
{
	return ((struct world *)ctx)->now_ms;
}

static void changed(void *ctx, struct prim_slice principal,
    struct prim_slice address)
{
	prim_buf_putf(&((struct world *)ctx)->changes, "%.*s %.*s\n",
	    PRIM_SLICE_ARG(principal), PRIM_SLICE_ARG(address));
}

static void open_all(struct world *w)
{
	struct br_err err = { "" };
	struct br_identities_context context = {
		.config = w->config,
		.router = w->router,
		.now_ms = now,
		.changed = changed,
		.ctx = w,
	};

	w->base = event_base_new();
	w->store = br_store_open(w->base, w->dir, &err);
	assert_string_equal(err.text, "");
	context.store = w->store;
	w->all = br_identities_new(&context, &err);
	assert_string_equal(err.text, "");
	assert_non_null(w->all);
}

static void close_all(struct world *w)
{
	w->store = br_store_close(w->store);
	w->all = br_identities_free(w->all);
	event_base_free(w->base);
	w->base = NULL;
}

void world_restart(struct world *w)
{
	close_all(w);
	open_all(w);
}

int world_set_up(void **state)
{
	const char *parent = getenv("TMPDIR");
	struct world *w = prim_new(struct world);
	struct br_err err = { "" };

	br_log_set_sink(hush, NULL);
	w->now_ms = NOON_MS;
	w->config = br_config_parse("test", prim_slice_of(CONFIG), NULL, &err);
	assert_string_equal(err.text, "");
	w->router = br_router_new(w->config);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/identity-XXXXXX",
	    parent ? parent : P_tmpdir);
	assert_non_null(mkdtemp(w->dir));
	open_all(w);
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
	w->router = br_router_free(w->router);
	w->config = br_config_free(w->config);
	prim_buf_fini(&w->changes);
	sweep(w);
	prim_free(w);
	return 0;
}

static void on_done(void *arg, enum br_store_outcome outcome)
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

	br_store_account_put(w->store, &account, on_done, &count);
	br_store_settle(w->store);
	assert_int_equal(count, 1);
}

void world_account_drop(struct world *w, const char *key)
{
	unsigned count = 0;

	br_store_account_drop(w->store, prim_slice_of(key), on_done, &count);
	br_store_settle(w->store);
	assert_int_equal(count, 1);
}

void world_told(void *arg, const char *why)
{
	struct told *told = arg;

	told->count++;
	told->is_granted = !why;
	(void)snprintf(told->why, sizeof(told->why), "%s", why ? why : "");
}

void world_expect(struct world *w, struct told *told, const char *part)
{
	br_store_settle(w->store);
	assert_int_equal(told->count, 1);
	if (part && !strstr(told->why, part))
		fail_msg("no '%s' in '%s'", part, told->why);
	if (!part && !told->is_granted)
		fail_msg("refused: %s", told->why);
	memset(told, 0, sizeof(*told));
}

/* Four names and what is expected. */
/* NOLINTNEXTLINE(readability-function-size) */
void world_ask(struct world *w, const char *principal, const char *address,
    enum br_identity_side side, char *out_code, const char *part)
{
	const struct br_identity_wish wish = {
		.principal = prim_slice_of(principal),
		.address = prim_slice_of(address),
		.side = side,
	};
	char code[BR_CODE_DIGITS + 1] = "";
	struct told told = { 0 };

	br_identity_ask(w->all, &wish, code, world_told, &told);
	world_expect(w, &told, part);
	if (out_code)
		memcpy(out_code, code, sizeof(code));
}

/* NOLINTNEXTLINE(readability-function-size) */
void world_verify(struct world *w, const char *principal, const char *address,
    enum br_identity_side side, const char *code, const char *part)
{
	const struct br_identity_answer answer = {
		.principal = prim_slice_of(principal),
		.address = prim_slice_of(address),
		.code = prim_slice_of(code),
		.side = side,
	};
	struct told told = { 0 };

	br_identity_verify(w->all, &answer, world_told, &told);
	world_expect(w, &told, part);
}

void world_remove(struct world *w, const char *principal, const char *address,
    const char *part)
{
	struct told told = { 0 };

	br_identity_remove(w->all, prim_slice_of(principal),
	    prim_slice_of(address), world_told, &told);
	world_expect(w, &told, part);
}

void world_order(struct world *w, const char *principal, const char *words,
    const char *part)
{
	struct told told = { 0 };

	br_identity_order_set(w->all, prim_slice_of(principal),
	    prim_slice_of(words), world_told, &told);
	world_expect(w, &told, part);
}

void world_link(struct world *w, const char *principal, const char *address)
{
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, principal, address, BR_SIDE_PRINCIPAL, code, NULL);
	world_verify(w, principal, address, BR_SIDE_PRINCIPAL, code, NULL);
}

static void put_link(void *arg, const struct br_identity *link)
{
	prim_buf_putf(arg, "%.*s %.*s %.*s ", PRIM_SLICE_ARG(link->principal),
	    PRIM_SLICE_ARG(link->address), PRIM_SLICE_ARG(link->network));
	if (link->verified_ms)
		prim_buf_put(arg, link->how);
	else
		prim_buf_puts(arg, "asked");
	prim_buf_putc(arg, '\n');
}

void world_expect_links(struct world *w, const char *principal,
    const char *expected)
{
	struct prim_buf told = { 0 };

	br_identities_each(w->all, prim_slice_of(principal), put_link, &told);
	t_buf_is("links", &told, expected);
	prim_buf_fini(&told);
}

static bool put_place(void *arg, const struct br_identity *link)
{
	if (link)
		prim_buf_put(arg, link->address);
	else
		prim_buf_puts(arg, "prim");
	prim_buf_putc(arg, ' ');
	return true;
}

void world_expect_order(struct world *w, const char *principal,
    const char *expected)
{
	struct prim_buf told = { 0 };

	br_identities_order(w->all, prim_slice_of(principal), put_place, &told);
	t_buf_is("order", &told, expected);
	prim_buf_fini(&told);
}

void world_expect_owner(struct world *w, const char *address,
    const char *principal)
{
	const struct br_identity *link = br_identity_of(w->all,
	    prim_slice_of(address));

	if (!principal) {
		assert_null(link);
		return;
	}
	assert_non_null(link);
	t_slice_is(address, link->principal, principal);
}

const char *world_wrong(const char *code)
{
	static char wrong[BR_CODE_DIGITS + 1];

	memcpy(wrong, code, sizeof(wrong));
	wrong[3] = wrong[3] == '7' ? '2' : '7';
	return wrong;
}

void world_disk(bool is_full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = is_full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
