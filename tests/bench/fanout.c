/* SPDX-License-Identifier: ISC */
/* A change, and everybody who watches. */

#include "tests/bench/fanout.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "prim/base.h"
#include "tests/bench/process.h"
#include "tests/bench/publication.h"

#define WARM_NS     1000000000U
#define TURN_MS     100
#define SILENT_NS   20000000000U /* nothing for so long: it is lost */
#define WATCH_FOR   "86400"
#define TUPLE       PRIM_SLICE("desk")
#define NOTE_OCTETS 16

struct fanout {
	struct bench_client publisher;
	const struct bench_fanout_options *options; /* borrowed */
	struct bench_fanout_result result;
	struct watcher *watchers; /* owned */
	unsigned number;          /* of the change under way */
	char note[NOTE_OCTETS];   /* that its document contains */
	unsigned unseen;          /* watchers who have not seen it */
	unsigned unanswered;      /* requests */
	uint64_t begun_ns, heard_ns;
	bool is_measuring;
};

struct watcher {
	struct bench_client client;
	struct fanout *fanout; /* borrowed */
	unsigned seen;         /* the last change it was told of */
};

/* ---- answers and notifications ---- */

static void take_answer(struct fanout *f, const struct bench_client *c,
    const struct prim_command *m)
{
	if (m->code != PRIM_OK)
		errx(1, "%s: refused: %u %.*s", c->address, m->code,
		    PRIM_SLICE_ARG(m->phrase));
	f->unanswered--;
	f->heard_ns = bench_now_ns();
}

static void publisher_response(struct bench_client *c,
    const struct prim_command *m)
{
	take_answer(PRIM_CONTAINER(c, struct fanout, publisher), c, m);
}

static void watcher_response(struct bench_client *c,
    const struct prim_command *m)
{
	take_answer(PRIM_CONTAINER(c, struct watcher, client)->fanout, c, m);
}

/* Does `document` have <note>NOTE</note>? */
static bool shows(struct prim_slice document, const char *note)
{
	while (document.len > 0) {
		struct prim_slice text;

		prim_slice_cut(&document, '>');
		text = document;
		text = prim_slice_cut(&text, '<');
		if (prim_slice_eq(text, prim_slice_of(note)))
			return true;
	}
	return false;
}

static void watcher_request(struct bench_client *c,
    const struct prim_command *m)
{
	struct watcher *w = PRIM_CONTAINER(c, struct watcher, client);
	struct fanout *f = w->fanout;

	bench_client_accept(c, m);
	f->heard_ns = bench_now_ns();
	f->result.notifies++;
	if (w->seen == f->number || !shows(m->body, f->note)) {
		f->result.wrong++;
		return;
	}
	w->seen = f->number;
	f->unseen--;
}

static const struct bench_role PUBLISHER = { publisher_response, NULL };
static const struct bench_role WATCHER = { watcher_response, watcher_request };

/* ---- changes ---- */

static void publish(struct fanout *f)
{
	f->number++;
	f->unseen = f->options->watchers;
	f->unanswered++;
	snprintf(f->note, sizeof(f->note), "n%u", f->number);
	f->begun_ns = bench_now_ns();
	bench_publication_put(&f->publisher,
	    &(struct bench_publication){
		.id = PRIM_SLICE("p"),
		.kind = PRIM_SLICE("leased"),
		.tuple_id = TUPLE,
		.note = f->note,
	    });
	bench_client_flush(&f->publisher);
}

static void wait_until_seen(struct fanout *f)
{
	f->heard_ns = bench_now_ns();
	while (f->unseen > 0 || f->unanswered > 0) {
		bench_crowd_turn(f->publisher.crowd, TURN_MS);
		if (bench_now_ns() - f->heard_ns > SILENT_NS)
			errx(1,
			    "change %u: %u watchers have not seen it, "
			    "%u requests have no answer",
			    f->number, f->unseen, f->unanswered);
	}
}

static void change_for(struct fanout *f, uint64_t ns)
{
	uint64_t end = bench_now_ns() + ns;

	while (bench_now_ns() < end) {
		publish(f);
		wait_until_seen(f);
		f->result.changes++;
		bench_latency_put(&f->result.latency,
		    f->heard_ns - f->begun_ns);
	}
}

static void measure(struct fanout *f)
{
	struct bench_fanout_result *r = &f->result;
	uint64_t begun = bench_now_ns();

	*r = (struct bench_fanout_result){ 0 };
	r->cpu_ns = bench_process_cpu_ns(f->options->pid);
	r->own_cpu_ns = bench_process_cpu_ns(getpid());
	change_for(f, f->options->seconds * (uint64_t)1000000000);
	r->cpu_ns = bench_process_cpu_ns(f->options->pid) - r->cpu_ns;
	r->own_cpu_ns = bench_process_cpu_ns(getpid()) - r->own_cpu_ns;
	r->seconds = (double)(bench_now_ns() - begun) / 1e9;
}

/* ---- everybody ---- */

static void put_subscribe(struct fanout *f, struct bench_client *c)
{
	prim_command_put_request(&c->out, PRIM_METHOD_SUBSCRIBE,
	    bench_client_family(c), PRIM_SLICE("s"), 0);
	prim_command_put_header(&c->out, PRIM_HEADER_FROM,
	    prim_slice_of(c->address));
	prim_command_put_header(&c->out, PRIM_HEADER_TO,
	    prim_slice_of(f->publisher.address));
	prim_command_put_header(&c->out, PRIM_HEADER_DURATION,
	    PRIM_SLICE(WATCH_FOR));
	prim_command_end(&c->out);
	f->unanswered++;
	bench_client_flush(c);
}

/* The publisher is account 0. */
static void gather(struct fanout *f, struct bench_crowd *crowd)
{
	unsigned count = f->options->watchers;

	f->watchers = prim_alloc(count * sizeof(*f->watchers));
	bench_client_init(&f->publisher, crowd, 0);
	f->publisher.role = &PUBLISHER;
	for (unsigned i = 0; i < count; i++) {
		bench_client_init(&f->watchers[i].client, crowd, i + 1);
		f->watchers[i].client.role = &WATCHER;
		f->watchers[i].fanout = f;
	}
	bench_clients_gather(&f->publisher, 1, sizeof(*f));
	bench_clients_gather(&f->watchers[0].client, count,
	    sizeof(*f->watchers));
	for (unsigned i = 0; i < count; i++)
		put_subscribe(f, &f->watchers[i].client);
	wait_until_seen(f);
}

void bench_fanout_run(struct bench_crowd *crowd,
    const struct bench_fanout_options *options,
    void (*tell)(const struct bench_fanout_options *options,
	const struct bench_fanout_result *result))
{
	static struct fanout f; /* large */

	f.options = options;
	gather(&f, crowd);
	change_for(&f, WARM_NS);
	for (unsigned i = 0; i < options->runs; i++) {
		measure(&f);
		tell(options, &f.result);
	}
	/* The process ends now, and with it everything of theirs. */
}
