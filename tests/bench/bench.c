/* SPDX-License-Identifier: ISC */
/* A load generator: one run of one scenario, one line of what it saw. */

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "prim/slice.h"
#include "tests/bench/accounts.h"
#include "tests/bench/fanout.h"
#include "tests/bench/idle.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/bench/publish.h"
#include "tests/bench/subscriptions.h"

#define NUMBER_MAX 4194304 /* a process id */

struct options {
	unsigned port, pid, count, window, rate, seconds, text, tuples, runs;
	const char *domain, *data, *to, *kind;
	bool tls;
};

static const char USAGE[] =
    "usage: bench MODE [OPTION...]\n"
    "  accounts   --data DIR --count N: makes accounts; the server is down\n"
    "  relay      --count pairs of sender and listener\n"
    "  queue      --count senders to one address --to, answered 101\n"
    "  idle       --count connections that say nothing\n"
    "  fanout     one who changes and --count who watch; --runs lines\n"
    "  publish    --count publishers with --tuples, PI-Type --kind\n"
    "  subscribe  --data DIR --count N: makes subscriptions of watchers at the\n"
    "             domain --to that begin to end in --seconds; the server is "
    "down\n"
    "  expire     --count subscriptions that begin to end in --seconds\n"
    "  memory     what the server has now\n"
    "options: --port PORT --pid PID --domain DOMAIN --window N --seconds N\n"
    "         --text OCTETS --tls; --rate N: so many a second of each sender,\n"
    "         whatever the server does\n";

/* ---- modes ---- */

static void accounts_mode(const struct options *o)
{
	if (!o->data)
		errx(2, "accounts: --data is missing");
	bench_accounts_make(o->data, o->domain, o->count);
}

static void load_mode(const struct options *o, struct bench_crowd *crowd,
    const char *mode)
{
	static struct bench_load_result r; /* large */
	struct bench_load_options load = {
		.senders = o->count,
		.window = o->window,
		.rate = o->rate,
		.seconds = o->seconds,
		.text_octets = o->text,
		.to = o->to,
		.expected = o->to ? PRIM_UNKNOWN_DELIVERY : PRIM_OK,
		.pid = (pid_t)o->pid,
	};
	double each;

	bench_load_run(crowd, &load, &r);
	each = r.answered ? 1e-3 / (double)r.answered : 0;
	printf("%s senders=%u window=%u rate=%.0f cpu_us=%.2f p50_us=%.0f "
	       "p99_us=%.0f own_us=%.2f failed=%" PRIu64 " first_failure=%u\n",
	    mode, o->count, o->window, (double)r.answered / r.seconds,
	    (double)r.cpu_ns * each, bench_latency_us(&r.latency, 0.5),
	    bench_latency_us(&r.latency, 0.99), (double)r.own_cpu_ns * each,
	    r.failed, r.failed_code);
}

static void idle_mode(const struct options *o, struct bench_crowd *crowd)
{
	struct bench_idle_result r;

	bench_idle_run(crowd, o->count, (pid_t)o->pid, &r);
	printf("idle connections=%u tls=%s private_kb=%.2f pss_kb=%.2f "
	       "login_s=%.1f login_cpu_ms=%.2f\n",
	    o->count, o->tls ? "yes" : "no", r.private_kb, r.pss_kb, r.seconds,
	    r.cpu_ms);
}

static void tell_fanout(const struct bench_fanout_options *options,
    const struct bench_fanout_result *r)
{
	double each = r->notifies ? 1e-3 / (double)r->notifies : 0;

	printf("fanout watchers=%u rate=%.0f changes=%" PRIu64 " cpu_us=%.2f "
	       "p50_us=%.0f p99_us=%.0f own_us=%.2f wrong=%" PRIu64 "\n",
	    options->watchers, (double)r->notifies / r->seconds, r->changes,
	    (double)r->cpu_ns * each, bench_latency_us(&r->latency, 0.5),
	    bench_latency_us(&r->latency, 0.99), (double)r->own_cpu_ns * each,
	    r->wrong);
	fflush(stdout);
}

static void fanout_mode(const struct options *o, struct bench_crowd *crowd)
{
	const struct bench_fanout_options fanout = {
		.watchers = o->count,
		.seconds = o->seconds,
		.runs = o->runs,
		.pid = (pid_t)o->pid,
	};

	crowd->is_presence = true;
	bench_fanout_run(crowd, &fanout, tell_fanout);
}

static void publish_mode(const struct options *o, struct bench_crowd *crowd)
{
	static struct bench_publish_result r; /* large */
	const struct bench_publish_options publish = {
		.publishers = o->count,
		.tuples = o->tuples,
		.window = o->window,
		.seconds = o->seconds,
		.kind = o->kind,
		.pid = (pid_t)o->pid,
	};
	double each;

	crowd->is_presence = true;
	bench_publish_run(crowd, &publish, &r);
	each = r.answered ? 1e-3 / (double)r.answered : 0;
	printf("publish publishers=%u tuples=%u window=%u kind=%s rate=%.0f "
	       "cpu_us=%.2f p50_us=%.0f p99_us=%.0f own_us=%.2f failed=%" PRIu64
	       " first_failure=%u\n",
	    o->count, o->tuples, o->window, o->kind,
	    (double)r.answered / r.seconds, (double)r.cpu_ns * each,
	    bench_latency_us(&r.latency, 0.5),
	    bench_latency_us(&r.latency, 0.99), (double)r.own_cpu_ns * each,
	    r.failed, r.failed_code);
}

static void subscribe_mode(const struct options *o)
{
	const struct bench_subscriptions s = {
		.data_dir = o->data,
		.domain = o->domain,
		.foreign = o->to,
		.count = o->count,
		.first_s = o->seconds,
	};

	if (!o->data || !o->to)
		errx(2, "subscribe: --data or --to is missing");
	printf("subscribe count=%u strings=%.1f\n", o->count,
	    bench_subscriptions_make(&s));
}

static void expire_mode(const struct options *o)
{
	printf("expire count=%u cpu_us=%.2f\n", o->count,
	    bench_subscriptions_end(o->count, o->seconds, (pid_t)o->pid));
}

static void memory_mode(const struct options *o)
{
	struct bench_memory m;

	bench_process_memory((pid_t)o->pid, &m);
	printf("memory private_kb=%ld pss_kb=%ld\n", m.private_kb, m.pss_kb);
}

/* Those that need no connection. */
static bool run_alone(const char *mode, const struct options *o)
{
	if (strcmp(mode, "accounts") == 0)
		accounts_mode(o);
	else if (strcmp(mode, "subscribe") == 0)
		subscribe_mode(o);
	else if (strcmp(mode, "expire") == 0 && o->pid)
		expire_mode(o);
	else if (strcmp(mode, "memory") == 0 && o->pid)
		memory_mode(o);
	else
		return false;
	return true;
}

static void run_connected(const char *mode, const struct options *o)
{
	struct bench_crowd crowd;

	if (!o->port || !o->pid)
		errx(2, "%s: --port or --pid is missing", mode);
	bench_crowd_init(&crowd, (uint16_t)o->port, o->domain, o->tls);
	if (strcmp(mode, "relay") == 0 && !o->to)
		load_mode(o, &crowd, mode);
	else if (strcmp(mode, "queue") == 0 && o->to)
		load_mode(o, &crowd, mode);
	else if (strcmp(mode, "idle") == 0)
		idle_mode(o, &crowd);
	else if (strcmp(mode, "fanout") == 0)
		fanout_mode(o, &crowd);
	else if (strcmp(mode, "publish") == 0)
		publish_mode(o, &crowd);
	else
		errx(2, "%s", USAGE);
}

/* ---- the command line ---- */

static unsigned number(const char *text)
{
	uint64_t value;

	if (!prim_slice_number(prim_slice_of(text), NUMBER_MAX, &value) ||
	    value == 0)
		errx(2, "'%s' is not a number from 1 to %d", text, NUMBER_MAX);
	return (unsigned)value;
}

/* Where its number goes; or NULL. */
static unsigned *number_of(struct options *o, int name)
{
	switch (name) {
	case 'p':
		return &o->port;
	case 'P':
		return &o->pid;
	case 'c':
		return &o->count;
	case 'w':
		return &o->window;
	case 'R':
		return &o->rate;
	case 's':
		return &o->seconds;
	case 'x':
		return &o->text;
	case 'u':
		return &o->tuples;
	case 'r':
		return &o->runs;
	default:
		return NULL;
	}
}

static void set_option(struct options *o, int name, const char *value)
{
	unsigned *out = number_of(o, name);

	if (out)
		*out = number(value);
	else if (name == 'd')
		o->domain = value;
	else if (name == 'D')
		o->data = value;
	else if (name == 't')
		o->to = value;
	else if (name == 'k')
		o->kind = value;
	else if (name == 'T')
		o->tls = true;
	else
		errx(2, "%s", USAGE);
}

/* The mode. */
static const char *parse_arguments(int argc, char **argv, struct options *o)
{
	static const struct option OPTIONS[] = {
		{"port",     required_argument, NULL, 'p'},
		{ "pid",     required_argument, NULL, 'P'},
		{ "count",   required_argument, NULL, 'c'},
		{ "window",  required_argument, NULL, 'w'},
		{ "rate",    required_argument, NULL, 'R'},
		{ "seconds", required_argument, NULL, 's'},
		{ "text",    required_argument, NULL, 'x'},
		{ "tuples",  required_argument, NULL, 'u'},
		{ "runs",    required_argument, NULL, 'r'},
		{ "domain",  required_argument, NULL, 'd'},
		{ "data",    required_argument, NULL, 'D'},
		{ "to",      required_argument, NULL, 't'},
		{ "kind",    required_argument, NULL, 'k'},
		{ "tls",     no_argument,       NULL, 'T'},
		{ NULL,      0,                 NULL, 0  },
	};
	int name;

	while ((name = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
		set_option(o, name, optarg);
	if (optind != argc - 1)
		errx(2, "%s", USAGE);
	return argv[optind];
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct options o = {
		.count = 10,
		.window = 1,
		.seconds = 5,
		.text = 100,
		.tuples = 1,
		.runs = 1,
		.kind = "renew",
		.domain = "bench.example",
	};
	const char *mode = parse_arguments(argc, argv, &o);

	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	if (!run_alone(mode, &o))
		run_connected(mode, &o);
	return 0;
}
