/* SPDX-License-Identifier: ISC */
/* primd: the server. Starts, runs the loop, stops. */

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bridge/admin.h"
#include "bridge/config.h"
#include "bridge/conn.h"
#include "bridge/control.h"
#include "bridge/listener.h"
#include "bridge/lock.h"
#include "bridge/metric.h"
#include "bridge/notify.h"
#include "bridge/outbox.h"
#include "bridge/reload.h"
#include "bridge/server.h"
#include "bridge/server_control.h"
#include "bridge/user.h"
#include "bridge/worker.h"
#include "prim/base.h"

#define EXIT_CONFIG 2
/* Descriptors beside those of clients: store, adapters, admin, log. */
#define DESCRIPTORS_SPARE 256
#define LOCK_TRIES        20

struct daemon {
	const char *file; /* borrowed: -c, or NULL */
	bool check_only;
	struct br_config *config; /* owned */
	struct br_lock *lock;     /* owned */
	struct event_base *base;  /* owned */
	int *sockets;             /* owned: of listen, until they are heard */
	int *adapter_sockets;     /* owned: until the server has them */
	struct br_admin *admin;   /* owned */
	struct br_server *server; /* owned */
	struct br_worker *worker; /* owned */
	struct br_control control;
	struct br_control_server *control_server; /* owned */
	struct br_listener **listeners;           /* owned */
	size_t listener_count;
	struct event *signals[3]; /* owned */
	struct br_log log;
};

static const char USAGE[] =
    "usage: primd [-c FILE] [--check] [--log-level LEVEL]\n"
    "  -c FILE       the configuration; without it the embedded defaults:\n"
    "                domain localhost, data in ./primd-data, port 7746\n"
    "  --check       check the configuration, then exit\n"
    "  --log-level   error, warn, info (default) or debug\n"
    "  --version     print the version\n";

/* ---- what the others ask ---- */

static const char *admin_health(void *arg)
{
	const struct daemon *d = arg;

	return d->server ? br_server_health(d->server) : "starting";
}

static void admin_before_metrics(void *arg)
{
	const struct daemon *d = arg;

	if (d->server)
		br_server_gauges(d->server);
}

static const struct br_admin_ops ADMIN_OPS = {
	.health = admin_health,
	.before_metrics = admin_before_metrics,
};

static json_t *listeners_json(const struct daemon *d)
{
	json_t *all = json_array();

	for (size_t i = 0; i < d->listener_count; i++)
		json_array_append_new(all,
		    json_string(br_listener_address(d->listeners[i])));
	return all;
}

static int64_t control_now(void *ctx)
{
	const struct daemon *d = ctx;

	return br_server_now(d->server);
}

static void control_status(void *ctx, struct json_t *into)
{
	struct daemon *d = ctx;

	br_server_status(d->server, into);
	json_object_set_new(into, "listeners", listeners_json(d));
}

static void control_outbox(void *ctx, int64_t seq, enum br_outbox_verb verb,
    br_outbox_done_fn done, void *arg)
{
	struct daemon *d = ctx;

	br_outbox_order(d->server->outbox, seq, verb, done, arg);
}

static void control_outbox_state(void *ctx, int64_t seq, bool in_detail,
    struct json_t *into)
{
	struct daemon *d = ctx;

	br_server_outbox_state(d->server, seq, in_detail, into);
}

static void control_canonical(void *ctx, const char *network,
    struct prim_slice uri, br_host_canonical_fn fn, void *arg)
{
	struct daemon *d = ctx;

	br_server_canonical(d->server, network, uri, fn, arg);
}

static void control_route_state(void *ctx, const struct br_control_way *way,
    struct json_t *into)
{
	struct daemon *d = ctx;

	br_server_route_state(d->server, way, into);
}

static void control_account_changed(void *ctx, struct prim_slice key)
{
	struct daemon *d = ctx;

	br_server_account_changed(d->server, key);
}

static const struct br_control_ops CONTROL_OPS = {
	.now_ms = control_now,
	.status = control_status,
	.account_changed = control_account_changed,
	.outbox = control_outbox,
	.outbox_state = control_outbox_state,
	.canonical = control_canonical,
	.route_state = control_route_state,
};

/* ---- signals ---- */

static void on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *d = arg;

	(void)signal;
	(void)what;
	for (size_t i = 0; i < d->listener_count; i++)
		d->listeners[i] = br_listener_stop(d->listeners[i]);
	br_notify("STOPPING=1");
	br_server_stop(d->server);
}

static struct br_config *read_config(const struct daemon *d,
    const struct br_log *log, struct br_err *err)
{
	struct br_config *config = br_config_read(d->file, log, err);

	if (config)
		br_config_drop_later(config, log);
	return config;
}

static void on_reload(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *d = arg;
	struct br_err err;
	struct br_config *fresh = read_config(d, NULL, &err);

	(void)signal;
	(void)what;
	if (!fresh || !br_server_reload(d->server, &err)) {
		br_error(&d->log, "reload failed, nothing changed: %s",
		    err.text);
	} else {
		br_reload_adopt(d->config, fresh, &d->log);
		br_server_adopted(d->server);
		br_info(&d->log, "reloaded");
	}
	br_config_free(fresh);
}

static void watch_signals(struct daemon *d)
{
	d->signals[0] = evsignal_new(d->base, SIGTERM, on_stop, d);
	d->signals[1] = evsignal_new(d->base, SIGINT, on_stop, d);
	d->signals[2] = evsignal_new(d->base, SIGHUP, on_reload, d);
	for (size_t i = 0; i < PRIM_COUNT(d->signals); i++)
		event_add(d->signals[i], NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- starting ---- */

static void raise_descriptors(const struct daemon *d)
{
	struct rlimit limit;
	rlim_t want = d->config->limit_connections + DESCRIPTORS_SPARE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (geteuid() == 0 && limit.rlim_max < want)
		limit.rlim_max = want;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < want)
		br_info(&d->log,
		    "open files allow fewer connections than configured "
		    "files=%llu limits.connections=%u",
		    (unsigned long long)limit.rlim_cur,
		    d->config->limit_connections);
}

/* While we may still be root. */
static bool bind_all(struct daemon *d, struct br_err *err)
{
	const struct br_config *c = d->config;
	size_t count = 0, at = 0;

	for (size_t i = 0; i < c->adapter_count; i++)
		count += c->adapters[i].listen_count;
	d->sockets = prim_alloc((c->listen_count + 1) * sizeof(int));
	d->adapter_sockets = prim_alloc((count + 1) * sizeof(int));
	for (size_t i = 0; i < c->listen_count; i++) {
		d->sockets[i] = br_listener_bind(&c->listen[i].endpoint, err);
		if (d->sockets[i] < 0)
			return false;
	}
	for (size_t i = 0; i < c->adapter_count; i++) {
		for (size_t j = 0; j < c->adapters[i].listen_count; j++, at++) {
			d->adapter_sockets[at] =
			    br_listener_bind(&c->adapters[i].listen[j], err);
			if (d->adapter_sockets[at] < 0)
				return false;
		}
	}
	return true;
}

/* What libevent has to say goes where everything goes. */
static void on_libevent(int severity, const char *text)
{
	static const struct br_log LOG = { .name = "libevent" };

	if (severity >= EVENT_LOG_WARN)
		br_warn(&LOG, "%s", text);
}

static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static bool start_server(struct daemon *d, struct br_err *err)
{
	struct br_server_options options = {
		.base = d->base,
		.config = d->config,
		.data_dir = d->config->data_dir,
		.adapter_sockets = d->adapter_sockets,
	};

	d->server = br_server_new(&options, err);
	if (!d->server)
		return false;
	d->worker = br_worker_open(d->base, 1, BR_WORKER_JOBS);
	d->control = (struct br_control){
		.store = d->server->store,
		.config = d->config,
		.router = d->server->router,
		.identities = d->server->identities,
		.worker = d->worker,
		.ops = &CONTROL_OPS,
		.ctx = d,
	};
	d->control_server = br_control_open(d->base, &d->control, &d->log, err);
	return d->control_server != NULL;
}

static void start_listening(struct daemon *d)
{
	const struct br_config *c = d->config;

	d->listeners = prim_alloc((c->listen_count + 1) *
	    sizeof(*d->listeners));
	for (size_t i = 0; i < c->listen_count; i++)
		d->listeners[i] = br_listener_start(d->server, d->sockets[i],
		    c->listen[i].tls);
	d->listener_count = c->listen_count;
	if (br_admin_port(d->admin))
		br_info(&d->log, "admin listening address=%s%s%s:%u",
		    strchr(c->admin.host, ':') ? "[" : "", c->admin.host,
		    strchr(c->admin.host, ':') ? "]" : "",
		    br_admin_port(d->admin));
}

/* A primctl that finds no server holds the lock for a moment. */
static struct br_lock *take_lock(const char *dir, struct br_err *err)
{
	static const struct timespec WAIT = { .tv_nsec = 100000000 };
	struct br_lock *lock = br_lock_open(dir, err);

	for (int i = 0; !lock && i < LOCK_TRIES; i++) {
		nanosleep(&WAIT, NULL);
		lock = br_lock_open(dir, err);
	}
	return lock;
}

static bool start(struct daemon *d, struct br_err *err)
{
	d->lock = take_lock(d->config->data_dir, err);
	if (!d->lock || !bind_all(d, err))
		return false;
	raise_descriptors(d);
	event_set_log_callback(on_libevent);
	d->base = make_base();
	d->admin = br_admin_open(d->base, d->config, &ADMIN_OPS, d, err);
	if (d->config->admin.host && !d->admin)
		return false;
	if (!br_user_become(d->config, err) || !start_server(d, err))
		return false;
	watch_signals(d);
	br_server_start(d->server);
	start_listening(d);
	return true;
}

static void run(struct daemon *d)
{
	br_info(&d->log, "ready version=%s pid=%d config=%s",
	    PRIMBRIDGE_VERSION, (int)getpid(),
	    br_quote(prim_slice_of(d->config->file)));
	br_server_turn(d->server);
	br_notify("READY=1");
	while (!br_server_is_stopped(d->server)) {
		event_base_loop(d->base, EVLOOP_ONCE);
		br_server_turn(d->server);
	}
	br_info(&d->log, "stopped");
	br_log_flush();
}

/* From here on a second SIGTERM changes nothing: what it would cut short is
 * the end of the store. */
static void end_signals(struct daemon *d)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (size_t i = 0; i < PRIM_COUNT(d->signals); i++) {
		if (d->signals[i])
			event_free(d->signals[i]);
	}
}

static void stop(struct daemon *d)
{
	end_signals(d);
	for (size_t i = 0; i < d->listener_count; i++)
		br_listener_stop(d->listeners[i]);
	prim_free(d->listeners);
	br_control_close(d->control_server);
	br_worker_close(d->worker);
	if (d->server)
		br_server_free(d->server);
	br_admin_close(d->admin);
	if (d->base)
		event_base_free(d->base);
	prim_free(d->sockets);
	prim_free(d->adapter_sockets);
	br_lock_close(d->lock);
	br_config_free(d->config);
}

/* ---- the command line ---- */

/* False: `out_status` is what to exit with. */
static bool parse_arguments(struct daemon *d, int argc, char **argv,
    int *out_status)
{
	static const struct option OPTIONS[] = {
		{"check",      no_argument,       NULL, 'C'},
		{ "config",    required_argument, NULL, 'c'},
		{ "help",      no_argument,       NULL, 'h'},
		{ "log-level", required_argument, NULL, 'l'},
		{ "version",   no_argument,       NULL, 'V'},
		{ NULL,        0,                 NULL, 0  },
	};
	enum br_level level;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", OPTIONS, NULL)) != -1) {
		if (option == 'c') {
			d->file = optarg;
		} else if (option == 'C') {
			d->check_only = true;
		} else if (option == 'l' && br_log_level_find(optarg, &level)) {
			br_log_set_level(level);
		} else if (option == 'l') {
			fprintf(stderr, "primd: '%s' is no log level\n%s",
			    optarg, USAGE);
			*out_status = EXIT_CONFIG;
			return false;
		} else if (option == 'V') {
			printf("primd %s\n", PRIMBRIDGE_VERSION);
			*out_status = 0;
			return false;
		} else {
			*out_status = option == 'h' ? 0 : EXIT_CONFIG;
			fputs(USAGE, option == 'h' ? stdout : stderr);
			return false;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "primd: unexpected argument '%s'\n%s",
		    argv[optind], USAGE);
		*out_status = EXIT_CONFIG;
		return false;
	}
	return true;
}

/* FILE:LINE:COL, for people and their editors. */
static int fail_config(struct daemon *d, const struct br_err *err)
{
	br_log_flush();
	fprintf(stderr, "%s\n", err->text);
	stop(d);
	return EXIT_CONFIG;
}

static int fail_start(struct daemon *d, const struct br_err *err)
{
	br_error(&d->log, "cannot start: %s", err->text);
	stop(d);
	br_log_flush();
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct daemon d = { 0 };
	struct br_err err = { "" };
	int status;

	br_log_guard();
	if (!parse_arguments(&d, argc, argv, &status))
		return status;
	br_log_init(&d.log, NULL, "primd");
	d.config = read_config(&d, &d.log, &err);
	if (!d.config || !br_config_check_adapters(d.config, &err))
		return fail_config(&d, &err);
	if (d.check_only) {
		br_log_flush();
		printf("%s: ok\n", d.config->file);
		stop(&d);
		return 0;
	}
	if (!start(&d, &err))
		return fail_start(&d, &err);
	run(&d);
	stop(&d);
	return 0;
}
