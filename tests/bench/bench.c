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
#include "tests/bench/idle.h"
#include "tests/bench/load.h"

#define NUMBER_MAX 4194304 /* a process id */

struct options {
	unsigned port, pid, count, window, seconds, text;
	const char *domain, *data, *to;
	bool tls;
};

static const char USAGE[] =
    "usage: bench MODE [OPTION...]\n"
    "  accounts   --data DIR --count N: makes accounts; the server is down\n"
    "  relay      --count pairs of sender and listener\n"
    "  queue      --count senders to one address --to, answered 101\n"
    "  idle       --count connections that say nothing\n"
    "options: --port PORT --pid PID --domain DOMAIN --window N --seconds N\n"
    "         --text OCTETS --tls\n";

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

static void run_mode(const char *mode, const struct options *o)
{
	struct bench_crowd crowd;

	if (strcmp(mode, "accounts") == 0) {
		accounts_mode(o);
		return;
	}
	if (!o->port || !o->pid)
		errx(2, "%s: --port or --pid is missing", mode);
	bench_crowd_init(&crowd, (uint16_t)o->port, o->domain, o->tls);
	if (strcmp(mode, "relay") == 0 && !o->to)
		load_mode(o, &crowd, mode);
	else if (strcmp(mode, "queue") == 0 && o->to)
		load_mode(o, &crowd, mode);
	else if (strcmp(mode, "idle") == 0)
		idle_mode(o, &crowd);
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

static void set_option(struct options *o, int name, const char *value)
{
	switch (name) {
	case 'p':
		o->port = number(value);
		break;
	case 'P':
		o->pid = number(value);
		break;
	case 'c':
		o->count = number(value);
		break;
	case 'w':
		o->window = number(value);
		break;
	case 's':
		o->seconds = number(value);
		break;
	case 'x':
		o->text = number(value);
		break;
	case 'd':
		o->domain = value;
		break;
	case 'D':
		o->data = value;
		break;
	case 't':
		o->to = value;
		break;
	case 'T':
		o->tls = true;
		break;
	default:
		errx(2, "%s", USAGE);
	}
}

/* The mode. */
static const char *parse_arguments(int argc, char **argv, struct options *o)
{
	static const struct option OPTIONS[] = {
		{"port",     required_argument, NULL, 'p'},
		{ "pid",     required_argument, NULL, 'P'},
		{ "count",   required_argument, NULL, 'c'},
		{ "window",  required_argument, NULL, 'w'},
		{ "seconds", required_argument, NULL, 's'},
		{ "text",    required_argument, NULL, 'x'},
		{ "domain",  required_argument, NULL, 'd'},
		{ "data",    required_argument, NULL, 'D'},
		{ "to",      required_argument, NULL, 't'},
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
		.domain = "bench.example",
	};
	const char *mode = parse_arguments(argc, argv, &o);

	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	run_mode(mode, &o);
	return 0;
}
