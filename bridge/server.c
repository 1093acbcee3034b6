/* SPDX-License-Identifier: ISC */
/* The core's parts, put together and taken apart. */

#include "bridge/server_private.h"

#include <event2/event.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/clock.h"
#include "bridge/conn.h"
#include "bridge/ending.h"
#include "bridge/loop.h"
#include "bridge/metric.h"
#include "bridge/outbox.h"
#include "bridge/presence.h"
#include "bridge/rule.h"
#include "bridge/service.h"
#include "bridge/transit.h"
#include "prim/base.h"
#include "prim/octet.h"

#define BODY_SKIP_MAX   (64U << 20) /* a refused body that is still read over */
#define EXPIRE_EVERY_MS 600000      /* old duplicate keys are forgotten */
#define STOP_WITHIN_MS  4000
#define CHECKUP_MS      60000

/* ---- time ---- */

static void on_wheel(evutil_socket_t fd, short what, void *arg)
{
	struct br_server *s = arg;

	(void)fd;
	(void)what;
	s->wheel_due_ms = INT64_MAX; /* br_server_turn() does the rest */
}

static void set_wheel(struct br_server *s)
{
	int64_t next = prim_wheel_next(&s->wheel);
	int64_t wait = next - br_server_now(s);
	struct timeval tv;

	if (next >= s->wheel_due_ms || s->clock.by_hand)
		return;
	if (wait < 1)
		wait = 1;
	tv = br_clock_timeval(wait);
	event_add(s->wheel_event, &tv);
	s->wheel_due_ms = next;
}

static void on_expire(struct prim_timer *t)
{
	struct br_server *s = PRIM_CONTAINER(t, struct br_server, expire);

	br_store_expire(s->store, br_server_now(s));
	if (br_dedup_forget_durable(s->dedup, br_server_now(s)))
		br_outbox_note_keys(s->outbox);
	prim_timer_set(&s->wheel, t, br_server_now(s) + EXPIRE_EVERY_MS);
}

/* Once a minute: was there trouble? */
static void on_checkup(struct prim_timer *t)
{
	struct br_server *s = PRIM_CONTAINER(t, struct br_server, checkup);
	int64_t errors = br_metric_get(BR_METRIC_STORE_ERRORS);

	s->is_ill = errors > s->store_errors_seen;
	s->store_errors_seen = errors;
	prim_timer_set(&s->wheel, t, br_server_now(s) + CHECKUP_MS);
}

void br_server_wake(struct br_server *s)
{
	br_clock_update(&s->clock);
}

void br_server_turn(struct br_server *s)
{
	bool more;

	prim_wheel_advance(&s->wheel, br_clock_update(&s->clock));
	br_chores_turn(&s->chores);
	more = br_presence_turn(s->presence);
	br_outbox_turn(s->outbox);
	br_conn_reap(s);
	/* Not both: whoever sets a timer takes it back from the active ones. */
	if (more || br_chores_are_due(&s->chores))
		event_active(s->wheel_event, EV_TIMEOUT, 0);
	else
		set_wheel(s);
	br_history_flush(s->history);
	br_log_flush();
}

/* ---- life ---- */

static bool serves(void *ctx, struct prim_slice domain)
{
	const struct br_server *s = ctx;
	char lower[PRIM_DOMAIN_MAX + 1];

	if (domain.len > PRIM_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < domain.len; i++)
		lower[i] = prim_octet_lower(domain.ptr[i]);
	return br_config_serves(s->config, prim_slice_make(lower, domain.len));
}

static void make_policy(struct br_server *s)
{
	s->policy = (struct prim_session_policy){
		.has_tls = true,
		.has_presence = true,
		.body_max = s->config->limit_body,
		.body_skip_max = s->config->limit_body + BODY_SKIP_MAX,
		.serves = serves,
		.ctx = s,
	};
}

static void make_clock(struct br_server *s, int64_t by_hand_ms)
{
	br_chores_init(&s->chores);
	s->paced = by_hand_ms ? NULL : &s->chores;
	if (by_hand_ms)
		br_clock_init_by_hand(&s->clock, by_hand_ms);
	else
		br_clock_init(&s->clock);
	s->started_ms = br_server_now(s);
	prim_wheel_init(&s->wheel, br_server_now(s));
	s->wheel_event = evtimer_new(s->base, on_wheel, s);
	s->wheel_due_ms = INT64_MAX;
	prim_timer_init(&s->expire, on_expire);
	prim_timer_set(&s->wheel, &s->expire,
	    br_server_now(s) + EXPIRE_EVERY_MS);
	prim_timer_init(&s->checkup, on_checkup);
	prim_timer_set(&s->wheel, &s->checkup, br_server_now(s) + CHECKUP_MS);
}

static void on_durable_key(void *arg, uint64_t prefix)
{
	struct br_server *s = arg;

	br_dedup_note_durable(s->dedup, prefix ? prefix : 1);
}

/* What comes out of the store. */
static bool open_store(struct br_server *s, const char *dir, struct br_err *err)
{
	uint8_t secret[32];

	s->store = br_store_open(s->base, dir, err);
	if (!s->store)
		return false;
	br_store_set_clock(s->store, &s->clock.now_ms);
	br_store_set_chores(s->store, s->paced);
	br_store_secret(s->store, secret);
	br_message_keys_init(&s->keys, secret);
	explicit_bzero(secret, sizeof(secret));
	return br_store_duplicate_each(s->store, on_durable_key, s, err);
}

static bool open_tls(struct br_server *s, const char *dir, struct br_err *err)
{
	const struct br_config *config = s->config;
	const struct br_tls_files files = {
		.certificate = config->tls_certificate,
		.key = config->tls_key,
		.data_dir = dir,
		.domains = config->domains,
		.domain_count = config->domain_count,
	};

	s->tls = br_tls_open(&files, err);
	return s->tls != NULL;
}

static void make_entities(struct br_server *s)
{
	const struct br_entities_context context = {
		.store = s->store,
		.now_ms = &s->clock.now_ms,
		.fan = br_presence_fan(s->presence),
		.ops = &br_presence_entity_ops,
		.ctx = s->presence,
		.presentity_ops = &br_presence_presentity_ops,
	};

	s->entities = br_entities_new(&context);
}

static int64_t identities_now(void *ctx)
{
	return br_server_now(ctx);
}

static void identities_changed(void *ctx, struct prim_slice principal,
    struct prim_slice address)
{
	struct br_server *s = ctx;

	if (!br_identity_of(s->identities, address))
		br_outbox_unlinked(s->outbox, principal, address);
}

static bool open_identities(struct br_server *s, struct br_err *err)
{
	const struct br_identities_context context = {
		.store = s->store,
		.config = s->config,
		.router = s->router,
		.now_ms = identities_now,
		.changed = identities_changed,
		.ctx = s,
	};

	s->identities = br_identities_new(&context, err);
	return s->identities != NULL;
}

static bool open_history(struct br_server *s, struct br_err *err)
{
	if (!s->config->history)
		return true;
	s->history = br_history_open(s->config->history, err);
	return s->history != NULL;
}

static bool make_parts(struct br_server *s,
    const struct br_server_options *options, struct br_err *err)
{
	bool is_test = strcmp(options->data_dir, ":memory:") == 0;

	s->data_dir = is_test ? NULL : options->data_dir;
	s->dedup = br_dedup_new();
	s->loops = br_loops_new(&s->seed);
	if (!open_store(s, options->data_dir, err))
		return false;
	if (!is_test && !open_tls(s, options->data_dir, err))
		return false;
	s->policy.has_tls = s->tls != NULL;
	s->auth = br_auth_new(s->base, s->store, s->config);
	s->router = br_router_new(s->config);
	s->presence = br_presence_new(s);
	make_entities(s);
	s->service = br_service_new(s);
	if (!open_identities(s, err) || !open_history(s, err))
		return false;
	br_server_hosts_make(s, options->adapter_sockets);
	s->outbox = br_outbox_new(s);
	br_store_on_notice(s->store, br_server_notice, s);
	br_store_on_end(s->store, br_transit_ended, s);
	return br_outbox_load(s->outbox, err) &&
	    br_presence_load(s->presence, err);
}

struct br_server *br_server_new(const struct br_server_options *options,
    struct br_err *err)
{
	struct br_server *s = prim_new(struct br_server);

	s->base = options->base;
	s->config = options->config;
	br_log_init(&s->log, NULL, "primd");
	while (getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
		continue;
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->dying);
	TAILQ_INIT(&s->doomed);
	TAILQ_INIT(&s->transits);
	make_clock(s, options->by_hand_ms);
	make_policy(s);
	if (!make_parts(s, options, err))
		return br_server_free(s);
	return s;
}

void br_server_start(struct br_server *s)
{
	if (br_outbox_rows(s->outbox))
		br_info(&s->log, "outbox loaded rows=%zu",
		    br_outbox_rows(s->outbox));
	for (size_t i = 0; i < s->config->adapter_count; i++)
		br_host_start(s->hosts[i]);
}

/* ---- stopping ---- */

void br_server_stop(struct br_server *s)
{
	struct br_conn *c, *next;

	if (s->stopping)
		return;
	br_server_wake(s);
	s->stopping = true;
	s->stop_by_ms = br_server_now(s) + STOP_WITHIN_MS;
	br_info(&s->log, "stopping parked=%zu connections=%u", s->live.count,
	    s->conn_count);
	prim_timer_set(&s->wheel, &s->checkup, s->stop_by_ms); /* wakes us */
	br_transit_stop_all(s);
	br_server_hosts_stop(s);
	PRIM_TAILQ_FOREACH_SAFE(c, &s->conns, link, next)
		prim_session_end(&c->session);
}

bool br_server_is_stopped(const struct br_server *s)
{
	if (!s->stopping)
		return false;
	if (br_server_now(s) >= s->stop_by_ms)
		return true;
	return s->conn_count == 0 && s->live.count == 0 &&
	    br_store_pending(s->store) == 0 && br_server_hosts_are_stopped(s);
}

static void conns_free(struct br_server *s)
{
	struct br_conn *c;

	while ((c = TAILQ_FIRST(&s->conns)))
		br_conn_close(c, "stopped");
	TAILQ_FOREACH(c, &s->dying, link)
		c->is_drained = true;
	br_conn_reap(s);
}

/* After this nothing calls back any more. */
static void quiet(struct br_server *s)
{
	conns_free(s);
	if (s->store)
		s->store = br_store_close(s->store);
	br_service_cancel(s->service);
	if (s->entities)
		br_entities_cancel(s->entities);
	if (s->hosts)
		br_presence_cancel(s->presence);
	if (s->outbox)
		br_transit_free_all(s);
	br_ending_free_all(s);
	br_server_notices_free(s);
}

struct br_server *br_server_free(struct br_server *s)
{
	s->stopping = true;
	quiet(s);
	s->outbox = br_outbox_free(s->outbox);
	s->identities = br_identities_free(s->identities);
	s->history = br_history_close(s->history);
	br_server_hosts_free(s);
	s->entities = br_entities_free(s->entities);
	s->presence = br_presence_free(s->presence);
	s->router = br_router_free(s->router);
	s->auth = br_auth_free(s->auth);
	s->service = br_service_free(s->service);
	s->tls = br_tls_close(s->tls);
	s->dedup = br_dedup_free(s->dedup);
	s->loops = br_loops_free(s->loops);
	prim_table_fini(&s->live);
	prim_table_fini(&s->handed);
	prim_table_fini(&s->addresses);
	event_free(s->wheel_event);
	return prim_free(s);
}

/* ---- the operator ---- */

bool br_server_reload(struct br_server *s, struct br_err *err)
{
	if (s->history && !br_history_reopen(s->history, err))
		return false;
	return br_tls_reload(s->tls, err);
}

void br_server_adopted(struct br_server *s)
{
	br_server_wake(s);
	br_presence_acl_changed(s->presence);
}

const struct br_route *br_server_route(const struct br_server *s,
    struct prim_slice key)
{
	return br_rule_route(s->router, s->identities, key);
}

const char *br_server_health(const struct br_server *s)
{
	if (s->stopping)
		return "stopping";
	return s->is_ill ? "the store had errors in the last minute" : NULL;
}
