/* SPDX-License-Identifier: ISC */
/* The life of an adapter, and what the core may ask of it. */

#include "bridge/host.h"

#include <assert.h>
#include <event2/event.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/host_private.h"
#include "bridge/metric.h"
#include "prim/base.h"

/* Twice the window, the questions of both kinds, CONFIG and some PINGs, and a
 * power of two. */
#define ASKS_SIZE 4096

static const struct host_times TIMES = {
	.ping = 1000,
	.hang = 5000,
	.config = 10000,
	.restart_min = 100,
	.restart_max = 30000,
	.steady = 60000,
	.drain = 3000,
};

/* The peer: how the core answers what the adapter asked. */

static void host_respond(struct br_peer *peer, struct prim_slice response)
{
	struct br_host *h = PRIM_CONTAINER(peer, struct br_host, peer);

	br_link_send(&h->link, response);
}

static const struct br_peer_ops PEER_OPS = { .respond = host_respond };

static void init_peer(struct br_host *h)
{
	br_peer_init(&h->peer, BR_PEER_ADAPTER, &PEER_OPS, h->adapter->name);
	br_log_init(&h->peer.log, h->context.log, h->adapter->name);
	h->peer.strength = PRIM_ASTRENGTH_MEDIUM;
	h->states = 0;
}

/* Nothing more is heard of this process. What ends because we said so is not
 * its own doing, however it ends. */
static void lose(struct br_host *h)
{
	const bool died = h->wanted && h->phase != HOST_DRAINING;

	h->phase = HOST_DYING;
	h->window = 0;
	h->silent_ms = 0;
	event_del(h->drained);
	br_link_close(&h->link);
	br_peer_fini(&h->peer);
	init_peer(h);
	br_host_give_back(h, died);
	br_host_end_questions(h);
	br_host_end_canonicals(h);
	if (!h->told_ready)
		return;
	h->told_ready = false;
	h->context.ops->gone(h->context.ctx, h);
}

static void set_timer(struct event *timer, unsigned ms)
{
	const struct timeval time = br_clock_timeval(ms);

	event_add(timer, &time);
}

/* The pause doubles until one life was long. */
static void plan_restart(struct br_host *h)
{
	const int64_t now = h->context.now_ms(h->context.ctx);

	if (h->ready_ms && now - h->ready_ms >= h->times.steady)
		h->pause_ms = h->times.restart_min;
	h->ready_ms = 0;
	br_debug(&h->peer.log, "starts again pause_ms=%u", h->pause_ms);
	set_timer(h->restart, h->pause_ms);
	h->pause_ms *= 2;
	if (h->pause_ms > h->times.restart_max)
		h->pause_ms = h->times.restart_max;
}

/* The process is gone. */
static void ended(struct br_host *h, const char *how)
{
	h->phase = HOST_STOPPED;
	event_del(h->tick);
	if (!h->wanted) {
		br_info(&h->peer.log, "stopped %s", how);
		return;
	}
	h->deaths++;
	br_metric_add(BR_METRIC_ADAPTER_DEATHS, 1);
	br_warn(&h->peer.log, "died %s deaths=%u pause_ms=%u", how, h->deaths,
	    h->pause_ms);
	plan_restart(h);
}

void br_host_fault(struct br_host *h, const char *why)
{
	if (h->phase == HOST_DYING || h->phase == HOST_STOPPED)
		return;
	br_warn(&h->peer.log, "killed: %s", why);
	br_host_process_kill(h);
	lose(h);
	if (!h->pid)
		ended(h, "bare");
}

void br_host_end_of_link(struct br_host *h)
{
	if (h->phase == HOST_DYING || h->phase == HOST_STOPPED)
		return;
	lose(h);
	if (!h->pid)
		ended(h, "bare");
}

/* Loop callbacks: what the world tells us. */

static void on_reaped(evutil_socket_t fd, short what, void *arg)
{
	struct br_host *h = arg;
	char how[32];

	(void)fd;
	(void)what;
	/* What it said before it died counts. */
	br_link_drain(&h->link);
	if (!br_host_process_reap(h, false, how))
		return;
	if (h->phase != HOST_DYING)
		lose(h);
	ended(h, how);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct br_host *h = arg;

	(void)fd;
	(void)what;
	if (h->phase == HOST_DYING) {
		/* It closed the link, and should end by itself. */
		h->silent_ms += h->times.ping;
		if (h->silent_ms >= h->times.hang)
			br_host_process_kill(h);
	} else if (h->configured && !h->pinging) {
		br_host_say_ping(h);
	} else {
		/* Turns of ours are counted, not time: should we have slept,
		 * it is not the adapter that hangs. */
		h->silent_ms += h->times.ping;
		if (!h->configured && h->silent_ms >= h->times.config)
			br_host_fault(h, "CONFIG is not answered");
		else if (h->configured && h->silent_ms >= h->times.hang)
			br_host_fault(h, "it hangs, PING is not answered");
	}
}

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	br_host_fault(arg, "it did not end in time");
}

static void start(struct br_host *h, bool bare);

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg, false);
}

static void open_link(struct br_host *h)
{
	if (h->has_link)
		br_link_fini(&h->link);
	br_asks_fini(&h->asks);
	br_asks_init(&h->asks, ASKS_SIZE);
	br_link_init(&h->link, &br_host_link_ops, h);
	h->has_link = true;
	h->link.chores = h->context.chores;
	h->link.body_max = h->context.body_max + HOST_SPARE;
	/* The window and its last message, the questions and theirs, and as
	 * much again for our answers. */
	h->link.backlog_max = 4 *
	    (HOST_WINDOW_OCTETS + PRIM_HEAD_MAX + (size_t)h->context.body_max);
	h->last_request = 0;
	h->configured = h->pinging = false;
	h->probes = h->probes_owed = 0;
	h->silent_ms = 0;
	h->untaken = 0;
	h->untaken_octets = 0;
}

static void start(struct br_host *h, bool bare)
{
	int fd = -1;

	open_link(h);
	if (!bare && !br_host_process_start(h, &fd)) {
		plan_restart(h);
		return;
	}
	h->phase = HOST_STARTING;
	br_metric_add(BR_METRIC_ADAPTER_STARTS, 1);
	if (!bare) {
		br_info(&h->peer.log, "started pid=%d plugin=%s", h->pid,
		    h->adapter->plugin);
		h->reaped = event_new(h->context.base, h->pidfd,
		    EV_READ | EV_PERSIST, on_reaped, h);
		event_add(h->reaped, NULL);
		br_link_open(&h->link, h->context.base, fd);
	}
	set_timer(h->tick, h->times.ping);
	br_host_say_config(h);
}

void br_host_start_bare(struct br_host *h)
{
	h->wanted = true;
	start(h, true);
}

void br_host_enter_ready(struct br_host *h)
{
	h->phase = HOST_READY;
	h->ready_ms = h->context.now_ms(h->context.ctx);
	br_info(&h->peer.log, "ready");
	h->told_ready = true;
	h->context.ops->ready(h->context.ctx, h);
}

/* The public face. */

struct br_host *br_host_new(const struct br_host_context *context,
    const struct br_config_adapter *adapter, const int *sockets)
{
	struct br_host *h = prim_new(struct br_host);

	h->context = *context;
	h->adapter = adapter;
	h->times = TIMES;
	h->schedule = br_host_usual_schedule;
	h->pause_ms = h->times.restart_min;
	h->pidfd = -1;
	h->socket_count = adapter->listen_count;
	h->sockets = prim_alloc((h->socket_count + 1) * sizeof(int));
	for (size_t i = 0; i < h->socket_count; i++)
		h->sockets[i] = sockets[i];
	init_peer(h);
	h->restart = evtimer_new(context->base, on_restart, h);
	h->drained = evtimer_new(context->base, on_drained, h);
	h->tick = event_new(context->base, -1, EV_PERSIST, on_tick, h);
	return h;
}

void br_host_start(struct br_host *h)
{
	h->wanted = true;
	if (h->phase == HOST_STOPPED)
		start(h, false);
}

void br_host_stop(struct br_host *h)
{
	h->wanted = false;
	event_del(h->restart);
	switch (h->phase) {
	case HOST_STARTING:
		br_host_process_kill(h);
		lose(h);
		break;
	case HOST_READY:
		h->phase = HOST_DRAINING;
		set_timer(h->drained, h->times.drain);
		br_host_say_drain(h);
		break;
	case HOST_STOPPED:
	case HOST_DRAINING:
	case HOST_DYING:
		break;
	}
}

bool br_host_is_stopped(const struct br_host *h)
{
	return h->phase == HOST_STOPPED && !h->wanted;
}

struct br_host *br_host_free(struct br_host *h)
{
	char how[32];

	if (!h)
		return NULL;
	if (h->pid) {
		br_host_process_kill(h);
		br_host_process_reap(h, true, how);
	}
	h->phase = HOST_DYING;
	h->up = false;
	br_host_give_back(h, false);
	br_host_end_questions(h);
	br_host_end_canonicals(h);
	event_free(h->restart);
	event_free(h->drained);
	event_free(h->tick);
	br_peer_fini(&h->peer);
	if (h->has_link)
		br_link_fini(&h->link);
	br_asks_fini(&h->asks);
	prim_buf_fini(&h->scratch);
	for (size_t i = 0; i < h->socket_count; i++)
		close(h->sockets[i]);
	h->sockets = prim_free(h->sockets);
	return prim_free(h);
}

const char *br_host_name(const struct br_host *h)
{
	return h->adapter->name;
}

struct br_peer *br_host_peer(struct br_host *h)
{
	return &h->peer;
}

const char *br_host_state(const struct br_host *h)
{
	static const char *const NAMES[] = {
		[HOST_STOPPED] = "stopped",
		[HOST_STARTING] = "starting",
		[HOST_READY] = "ready",
		[HOST_DRAINING] = "draining",
		[HOST_DYING] = "stopped",
	};

	return br_host_is_up(h) ? "up" : NAMES[h->phase];
}

int br_host_pid(const struct br_host *h)
{
	return h->pid;
}

unsigned br_host_deaths(const struct br_host *h)
{
	return h->deaths;
}
