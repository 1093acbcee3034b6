/* SPDX-License-Identifier: ISC */
/* Accounts of a server in this process, and their links. */

#include "tests/talk/world.h"

static void on_put(void *arg, enum br_store_outcome outcome)
{
	*(bool *)arg = outcome == BR_STORE_DONE;
}

static void put_key(struct prim_buf *b, struct prim_slice name)
{
	prim_buf_put(b, name);
	if (prim_slice_find(name, '@') < 0)
		prim_buf_puts(b, "@prim.example");
}

bool talk_world_account(struct talk_world *w, struct prim_slice name,
    struct prim_slice password)
{
	struct br_store_account account = {
		.created_ms = br_server_now(w->server),
	};
	struct prim_buf key = { 0 }, usual = { 0 };
	bool ok = false;

	put_key(&key, name);
	prim_buf_put(&usual, name);
	prim_buf_puts(&usual, " secret");
	if (password.len == 0)
		password = prim_buf_slice(&usual);
	account.key = account.address = prim_buf_slice(&key);
	if (w->config->mechanisms & BR_MECH_CRAM_MD5)
		account.cram_secret = password;
	if (br_auth_verifier(password, &account, NULL)) {
		br_store_account_put(w->server->store, &account, on_put, &ok);
		br_store_settle(w->server->store);
	}
	prim_buf_fini(&usual);
	prim_buf_fini(&key);
	return ok;
}

void talk_world_remove(struct talk_world *w, struct prim_slice name)
{
	struct prim_buf key = { 0 };
	bool ok;

	put_key(&key, name);
	br_store_account_drop(w->server->store, prim_buf_slice(&key), on_put,
	    &ok);
	br_store_settle(w->server->store);
	br_server_account_changed(w->server, prim_buf_slice(&key));
	prim_buf_fini(&key);
	talk_world_turn(w);
}

/* ---- links ---- */

static void on_done(void *arg, const char *why)
{
	*(bool *)arg = why == NULL;
}

bool talk_world_link(struct talk_world *w, struct prim_slice name,
    struct prim_slice address)
{
	struct prim_buf key = { 0 };
	struct br_identity_wish wish = { .address = address,
		.side = BR_SIDE_OPERATOR };
	bool ok = false;

	put_key(&key, name);
	wish.principal = prim_buf_slice(&key);
	br_identity_ask(w->server->identities, &wish, NULL, on_done, &ok);
	br_store_settle(w->server->store);
	prim_buf_fini(&key);
	talk_world_turn(w);
	return ok;
}

bool talk_world_unlink(struct talk_world *w, struct prim_slice name,
    struct prim_slice address)
{
	struct prim_buf key = { 0 };
	bool ok = false;

	put_key(&key, name);
	br_identity_remove(w->server->identities, prim_buf_slice(&key), address,
	    on_done, &ok);
	br_store_settle(w->server->store);
	prim_buf_fini(&key);
	talk_world_turn(w);
	return ok;
}

bool talk_world_order(struct talk_world *w, struct prim_slice name,
    struct prim_slice words)
{
	struct prim_buf key = { 0 };
	bool ok = false;

	put_key(&key, name);
	br_identity_order_set(w->server->identities, prim_buf_slice(&key),
	    words, on_done, &ok);
	br_store_settle(w->server->store);
	prim_buf_fini(&key);
	talk_world_turn(w);
	return ok;
}
