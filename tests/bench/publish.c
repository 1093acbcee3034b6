/* SPDX-License-Identifier: ISC */
/* Publications as fast as the answers come. */

#include "tests/bench/publish.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "prim/base.h"
#include "tests/bench/process.h"
#include "tests/bench/publication.h"

#define WARM_NS   1000000000U
#define TURN_MS   100
#define SILENT_NS 15000000000U

struct load {
	const struct bench_publish_options *options; /* borrowed */
	struct bench_crowd *crowd;                   /* borrowed */
	struct bench_publish_result *result;         /* borrowed */
	unsigned under_way;
	unsigned unleased; /* tuples that have no lease yet */
	bool is_sending, is_measuring;
};

struct publisher {
	struct bench_client client;
	struct load *load;  /* borrowed */
	uint64_t serial;    /* of the next PUBLISH */
	uint64_t *begun_ns; /* owned: by slot of the window */
};

/* ---- a publication and its answer ---- */

/* They are done, and answered, one after the other for each presentity. */
static void put_publication(struct publisher *p)
{
	const struct bench_publish_options *o = p->load->options;
	uint64_t serial = p->serial++;
	char id[24], tuple[32], note[32];
	struct bench_publication what = { .kind = prim_slice_of(o->kind) };

	snprintf(id, sizeof(id), "%llu", (unsigned long long)serial);
	snprintf(tuple, sizeof(tuple), "t%llu",
	    (unsigned long long)(serial % o->tuples));
	snprintf(note, sizeof(note), "n%s", id);
	if (serial < o->tuples)
		what.kind = PRIM_SLICE("leased");
	what.id = prim_slice_of(id);
	what.tuple_id = prim_slice_of(tuple);
	what.note = prim_slice_eq(what.kind, PRIM_SLICE("renew")) ? NULL : note;
	bench_publication_put(&p->client, &what);
	p->begun_ns[serial % o->window] = bench_now_ns();
	p->load->under_way++;
}

static void count(struct load *load, unsigned code, uint64_t took_ns)
{
	struct bench_publish_result *r = load->result;

	if (code != PRIM_OK) {
		if (!r->failed)
			r->failed_code = code;
		r->failed++;
	} else if (load->is_measuring) {
		r->answered++;
		bench_latency_put(&r->latency, took_ns);
	}
}

static void publisher_response(struct bench_client *c,
    const struct prim_command *m)
{
	struct publisher *p = PRIM_CONTAINER(c, struct publisher, client);
	struct load *load = p->load;
	const struct bench_publish_options *o = load->options;
	uint64_t serial;

	if (!prim_slice_number(m->id, UINT64_MAX, &serial))
		errx(1, "%s: an answer to nothing", c->address);
	load->under_way--;
	if (serial < o->tuples)
		load->unleased--;
	count(load, m->code, bench_now_ns() - p->begun_ns[serial % o->window]);
	if (load->is_sending)
		put_publication(p);
}

static const struct bench_role PUBLISHER = { publisher_response, NULL };

/* ---- everybody ---- */

static struct publisher *gather(struct load *load)
{
	const struct bench_publish_options *o = load->options;
	struct publisher *all = prim_alloc(o->publishers * sizeof(*all));

	for (unsigned i = 0; i < o->publishers; i++) {
		bench_client_init(&all[i].client, load->crowd, i);
		all[i].client.role = &PUBLISHER;
		all[i].load = load;
		all[i].begun_ns = prim_alloc(o->window *
		    sizeof(*all[i].begun_ns));
	}
	bench_clients_gather(&all[0].client, o->publishers, sizeof(*all));
	return all;
}

static void send_windows(struct load *load, struct publisher *all)
{
	const struct bench_publish_options *o = load->options;

	load->is_sending = true;
	load->unleased = o->publishers * o->tuples;
	for (unsigned i = 0; i < o->publishers; i++) {
		for (unsigned slot = 0; slot < o->window; slot++)
			put_publication(&all[i]);
		bench_client_flush(&all[i].client);
	}
}

static void lease_all(struct load *load)
{
	uint64_t heard_ns = bench_now_ns();

	while (load->unleased > 0) {
		if (bench_crowd_turn(load->crowd, TURN_MS))
			heard_ns = bench_now_ns();
		if (bench_now_ns() - heard_ns > SILENT_NS)
			errx(1, "%u leases have no answer", load->unleased);
	}
}

static void turn_for(struct load *load, uint64_t ns)
{
	uint64_t end = bench_now_ns() + ns;

	while (bench_now_ns() < end && load->under_way > 0)
		bench_crowd_turn(load->crowd, TURN_MS);
}

static void measure(struct load *load)
{
	struct bench_publish_result *r = load->result;
	uint64_t begun = bench_now_ns();

	r->cpu_ns = bench_process_cpu_ns(load->options->pid);
	r->own_cpu_ns = bench_process_cpu_ns(getpid());
	load->is_measuring = true;
	turn_for(load, load->options->seconds * (uint64_t)1000000000);
	load->is_measuring = false;
	r->cpu_ns = bench_process_cpu_ns(load->options->pid) - r->cpu_ns;
	r->own_cpu_ns = bench_process_cpu_ns(getpid()) - r->own_cpu_ns;
	r->seconds = (double)(bench_now_ns() - begun) / 1e9;
}

void bench_publish_run(struct bench_crowd *crowd,
    const struct bench_publish_options *options,
    struct bench_publish_result *out)
{
	struct load load = {
		.options = options,
		.crowd = crowd,
		.result = out,
	};

	*out = (struct bench_publish_result){ 0 };
	send_windows(&load, gather(&load));
	lease_all(&load);
	turn_for(&load, WARM_NS);
	measure(&load);
	load.is_sending = false;
	turn_for(&load, SILENT_NS);
	if (load.under_way > 0)
		errx(1, "%u publications were never answered", load.under_way);
	/* The process ends now, and with it everything of theirs. */
}
