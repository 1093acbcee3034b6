/* SPDX-License-Identifier: ISC */
/* outbox retry, drop and quarantine: by the running server, or in the store. */

#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/control_outbox.h"
#include "bridge/dedup.h"
#include "prim/base.h"
#include "prim/status.h"

/* One order, from the look at what it is about to its commit. */
struct order {
	struct br_control_job *job; /* owned until it ends */
	int64_t seq;
	enum br_outbox_verb verb;
	bool is_there;
	bool is_whole;     /* what is stored of it can be read */
	bool is_for_inbox; /* not for an adapter */
	bool is_notice, is_told, can_be_told, was_quarantined; /* then */
	int64_t accepted_ms;
	struct prim_key sender; /* empty: not of ours */
	/* How it fares, which a retry leaves as it is. */
	struct br_store_attempt attempt;
	char reason[BR_REASON_MAX];
};

/* ---- its end ---- */

/* Who is told of an end by our hand. */
static const char *telling(const struct order *o)
{
	if (o->is_notice)
		return "it is a notice";
	if (o->is_told)
		return "already";
	return o->can_be_told ? "now" : "cannot";
}

static void order_end(struct order *o)
{
	const struct br_control *c = &o->job->c;

	br_control_job_take_result(o->job,
	    json_pack("{s:I, s:b, s:b, s:s, s:b}", "id", (json_int_t)o->seq,
		"running", c->ops != NULL, "was_quarantined",
		(int)o->was_quarantined, "told", telling(o), "needs_listener",
		c->ops == NULL && o->is_for_inbox));
	prim_free(o);
}

static void on_ordered(void *arg, const char *why)
{
	struct order *o = arg;

	if (!why) {
		order_end(o);
		return;
	}
	br_control_job_fail(o->job, "%s", why);
	prim_free(o);
}

/* ---- without a server ---- */

static void on_written(void *arg, enum br_store_outcome outcome)
{
	struct order *o = arg;

	switch (outcome) {
	case BR_STORE_DONE:
		order_end(o);
		return;
	case BR_STORE_ABSENT:
		br_control_outbox_fail_absent(o->job, o->seq);
		break;
	case BR_STORE_DUPLICATE:
	case BR_STORE_EXISTS:
	case BR_STORE_FAILED:
		br_control_job_fail(o->job,
		    "nothing was changed: the database could not be written; "
		    "look at free disk space");
		break;
	}
	prim_free(o);
}

static void retry_stored(struct order *o)
{
	struct br_store *store = o->job->c.store;

	if (o->was_quarantined)
		br_store_message_release(store, o->seq,
		    br_clock_wall_ms() +
			(int64_t)o->job->c.config->give_up_after_ms,
		    on_written, o);
	else
		br_store_message_attempt(store, &o->attempt, on_written, o);
}

static void order_stored(struct order *o)
{
	struct br_store *store = o->job->c.store;
	struct br_store_end end = { .code = PRIM_INTERNAL_ERROR,
		.forget_ms = br_clock_wall_ms() + BR_REMEMBER_MS };

	switch (o->verb) {
	case BR_OUTBOX_RETRY:
		retry_stored(o);
		return;
	case BR_OUTBOX_DROP:
		end.reason = PRIM_SLICE("dropped by the operator");
		br_store_message_end(store, o->seq, &end, on_written, o);
		return;
	case BR_OUTBOX_QUARANTINE:
		end.reason = PRIM_SLICE("quarantined by the operator");
		br_store_message_quarantine(store, o->seq, &end, on_written, o);
		return;
	}
}

/* ---- what it is about ---- */

static void order_run(struct order *o)
{
	const struct br_control *c = &o->job->c;

	if (c->ops && c->ops->outbox)
		c->ops->outbox(c->ctx, o->seq, o->verb, on_ordered, o);
	else
		order_stored(o);
}

/* Says why the order makes no sense. False: it does. */
static bool is_refused(const struct order *o)
{
	const bool is_retry = o->verb == BR_OUTBOX_RETRY;
	const long long id = (long long)o->seq;

	if (!o->is_there)
		br_control_outbox_fail_absent(o->job, o->seq);
	else if (o->verb == BR_OUTBOX_QUARANTINE && o->was_quarantined &&
	    o->is_whole)
		br_control_job_fail(o->job,
		    "message %lld is quarantined already; 'primctl outbox "
		    "retry %lld' puts it back, 'outbox drop' ends it",
		    id, id);
	else if ((is_retry || o->was_quarantined) && !o->is_whole &&
	    o->verb != BR_OUTBOX_DROP)
		br_control_job_fail(o->job,
		    "message %lld is damaged and can only be dropped; 'primctl "
		    "outbox drop %lld' does that",
		    id, id);
	else if (is_retry && !o->job->c.ops && o->is_for_inbox &&
	    !o->was_quarantined)
		br_control_job_fail(o->job,
		    "message %lld cannot be tried: it waits for somebody who "
		    "listens, and without a running primd nobody does",
		    id);
	else
		return false;
	return true;
}

/* A notice is for him who sent it, not for who has his name now. */
static void on_sender(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct order *o = arg;

	if (!failed)
		o->can_be_told = account &&
		    account->created_ms <= o->accepted_ms;
	order_run(o);
}

static void look_end(struct order *o, bool failed)
{
	if (failed) {
		br_control_job_fail_read(o->job);
		prim_free(o);
	} else if (is_refused(o)) {
		prim_free(o);
	} else if (o->can_be_told && o->sender.len > 0) {
		br_store_account_find(o->job->c.store,
		    prim_key_slice(&o->sender), on_sender, o);
	} else {
		order_run(o);
	}
}

static void keep_sender(struct order *o, struct prim_slice sender)
{
	struct prim_address address;
	struct prim_key key;

	if (!prim_address_parse_bare(sender, &address))
		return;
	prim_address_key(&address, &key);
	if (br_config_serves(o->job->c.config, prim_key_domain(&key)))
		o->sender = key;
}

static void on_row(void *arg, const struct br_store_message *m, bool failed)
{
	struct order *o = arg;
	char *room = o->reason;

	if (!m) {
		look_end(o, failed);
		return;
	}
	if (m->seq != o->seq)
		return;
	o->is_there = true;
	o->accepted_ms = m->accepted_ms;
	keep_sender(o, m->sender);
	o->is_for_inbox = br_control_outbox_is_for_inbox(m);
	o->is_notice = m->is_notice;
	o->is_told = m->is_told;
	o->can_be_told = m->notice_from.len > 0;
	o->was_quarantined = m->is_quarantined;
	o->attempt = (struct br_store_attempt){ .seq = m->seq,
		.attempts = m->attempts,
		.deaths = m->deaths,
		.last_code = m->last_code };
	if (m->last_reason.len <= BR_REASON_MAX)
		o->attempt.last_reason = prim_slice_keep(&room, m->last_reason);
}

static void look_at_row(struct order *o)
{
	br_store_message_page(o->job->c.store, o->seq - 1, 1, on_row, o);
}

/* Before its row, which is there then if it is only damaged. */
static void on_message(void *arg, const struct br_store_message *m, bool failed)
{
	struct order *o = arg;

	o->is_whole = m != NULL;
	if (failed)
		look_end(o, true);
	else
		look_at_row(o);
}

static void order_begin(struct br_control_job *job, const json_t *request,
    enum br_outbox_verb verb)
{
	struct order *o;
	int64_t seq;

	if (!br_control_outbox_id(job, request, &seq))
		return;
	o = prim_new(struct order);
	o->job = job;
	o->seq = seq;
	o->verb = verb;
	if (verb != BR_OUTBOX_DROP)
		br_store_message_get(job->c.store, seq, on_message, o);
	else
		look_at_row(o);
}

void br_control_outbox_retry(struct br_control_job *job, const json_t *request)
{
	order_begin(job, request, BR_OUTBOX_RETRY);
}

void br_control_outbox_drop(struct br_control_job *job, const json_t *request)
{
	order_begin(job, request, BR_OUTBOX_DROP);
}

void br_control_outbox_quarantine(struct br_control_job *job,
    const json_t *request)
{
	order_begin(job, request, BR_OUTBOX_QUARANTINE);
}
