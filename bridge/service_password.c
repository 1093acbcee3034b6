/* SPDX-License-Identifier: ISC */
/* password: as `primctl account passwd`, by the principal itself. */

#include "bridge/service_private.h"

#include <string.h>

#include "prim/base.h"

void br_service_password_forget(struct br_service_talk *t)
{
	if (t->password)
		explicit_bzero(t->password, strlen(t->password));
	t->password = prim_free(t->password);
	explicit_bzero(&t->account, sizeof(t->account));
}

static void on_stored(void *arg, enum br_store_outcome outcome)
{
	struct br_service_talk *t = arg;

	if (outcome != BR_STORE_DONE) {
		br_service_answer_with(t,
		    "Your password is the same as before: the new one could "
		    "not be stored. Try again later.");
		return;
	}
	br_info(&t->service->log, "password changed account=%s",
	    br_quote(br_service_asker(t)));
	br_service_answer_with(t,
	    "Your password is changed. From the next login on, use the new "
	    "one.");
}

static void derive(void *arg)
{
	struct br_service_talk *t = arg;

	t->is_derived = br_auth_verifier(prim_slice_of(t->password),
	    &t->account, &t->err);
}

static void on_derived(void *arg)
{
	struct br_service_talk *t = arg;
	struct br_server *s = t->service->server;

	t->is_away = false;
	if (t->service->cancelled) {
		br_service_end(t, PRIM_INTERNAL_ERROR);
		return;
	}
	if (!t->is_derived) {
		br_service_answer_with(t, "That did not work: %s.",
		    t->err.text);
		return;
	}
	t->account.key = br_service_asker(t);
	/* DESIGN 6: CRAM-MD5 computes with the password itself. */
	if (s->config->mechanisms & BR_MECH_CRAM_MD5)
		t->account.cram_secret = prim_slice_of(t->password);
	br_store_account_passwd(s->store, &t->account, on_stored, t);
}

/* A principal that speaks for itself has just logged in with the old one, so
 * that is not asked for. Through an adapter nobody is that sure. */
void br_service_password(struct br_service_talk *t)
{
	struct br_worker *worker = br_auth_worker(t->service->server->auth);

	if (!t->is_principal ||
	    !prim_slice_eq(t->question->origin, PRIM_SLICE(BR_ORIGIN_CLIENT))) {
		br_service_answer_with(t,
		    "Only the account itself can change its password: write "
		    "from there.");
		return;
	}
	if (!t->rest.len) {
		br_service_answer_with(t,
		    "Which password? Write the new one behind the word; all of "
		    "the line counts.");
		return;
	}
	t->password = prim_slice_copy(t->rest);
	t->work = (struct br_worker_job){ .run = derive,
		.done = on_derived,
		.arg = t };
	t->is_away = br_worker_submit(worker, &t->work);
	if (!t->is_away)
		br_service_answer_with(t,
		    "I am too busy right now. Try again in a moment.");
}
