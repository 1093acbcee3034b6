/* SPDX-License-Identifier: ISC */
/* Messages as fast as the answers come. */

#include "tests/bench/load.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "prim/base.h"
#include "tests/bench/process.h"

#define SECOND_NS      1000000000U
#define WARM_NS        SECOND_NS
#define TURN_MS        100
#define SILENT_NS      15000000000U /* the server has long given up by then */
#define LOGINS_AT_ONCE 16

struct load {
	const struct bench_load_options *options; /* borrowed */
	struct bench_crowd *crowd;                /* borrowed */
	struct bench_load_result *result;         /* borrowed */
	uint64_t run;       /* random: messages of two runs are not the same */
	char *text;         /* owned */
	struct sender *all; /* borrowed: as many as options->senders */
	unsigned under_way;
	bool is_sending, is_measuring;
};

struct sender {
	struct bench_client client;
	struct load *load;  /* borrowed */
	char to[128];       /* "im:someone@domain" */
	uint64_t serial;    /* of the last message */
	uint64_t *begun_ns; /* owned: by slot of the window; 0: it is free */
	uint64_t next_ns;   /* with a rate: when the next one is to begin */
};

static struct sender *sender_of(struct bench_client *c)
{
	return PRIM_CONTAINER(c, struct sender, client);
}

/* ---- a message and its answer ---- */

static void put_headers(struct sender *s, uint64_t serial)
{
	struct prim_buf *out = &s->client.out;
	const char *own = s->client.address;

	prim_command_put_header(out, PRIM_HEADER_FROM, prim_slice_of(own));
	prim_command_put_header(out, PRIM_HEADER_TO, prim_slice_of(s->to));
	prim_buf_puts(out, "Message-ID: ");
	prim_buf_put_number(out, s->load->run);
	prim_buf_putc(out, 'x');
	prim_buf_put_number(out, serial);
	prim_buf_putc(out, ':');
	prim_buf_puts(out, own);
	prim_buf_puts(out, "\r\n");
	prim_command_put_header(out, PRIM_HEADER_CONVERSATION_ID,
	    PRIM_SLICE("load"));
	prim_command_put_header(out, PRIM_HEADER_CONTENT_TYPE,
	    PRIM_SLICE("text/plain; charset=UTF-8"));
}

/* The request's id leads back to its slot. */
static void put_message(struct sender *s, unsigned slot, uint64_t begun_ns)
{
	const struct load *load = s->load;
	uint64_t serial = ++s->serial * load->options->window + slot;
	struct prim_buf *out = &s->client.out;
	struct prim_slice text = prim_slice_make(load->text,
	    load->options->text_octets);
	char id[24];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)serial);
	prim_command_put_request(out, PRIM_METHOD_SEND, PRIM_FAMILY_PRIM_IM,
	    prim_slice_of(id), text.len);
	put_headers(s, serial);
	prim_command_end(out);
	prim_buf_put(out, text);
	s->begun_ns[slot] = begun_ns;
	s->load->under_way++;
}

static bool find_free(const struct sender *s, unsigned *out_slot)
{
	for (unsigned slot = 0; slot < s->load->options->window; slot++) {
		if (s->begun_ns[slot] == 0) {
			*out_slot = slot;
			return true;
		}
	}
	return false;
}

/* What finds no room in the window began nevertheless when its time came. */
static void put_what_is_due(struct sender *s)
{
	const uint64_t now_ns = bench_now_ns();
	unsigned slot;

	while (s->next_ns <= now_ns && find_free(s, &slot)) {
		put_message(s, slot, s->next_ns);
		s->next_ns += SECOND_NS / s->load->options->rate;
	}
	bench_client_flush(&s->client);
}

static void count(struct load *load, unsigned code, uint64_t took_ns)
{
	struct bench_load_result *r = load->result;

	if (code != load->options->expected) {
		if (!r->failed)
			r->failed_code = code;
		r->failed++;
	} else if (load->is_measuring) {
		r->answered++;
		bench_latency_put(&r->latency, took_ns);
	}
}

static void sender_response(struct bench_client *c,
    const struct prim_command *m)
{
	struct sender *s = sender_of(c);
	uint64_t serial;
	unsigned slot;

	if (!prim_slice_number(m->id, UINT64_MAX, &serial))
		errx(1, "%s: an answer to nothing", c->address);
	slot = (unsigned)(serial % s->load->options->window);
	s->load->under_way--;
	count(s->load, m->code, bench_now_ns() - s->begun_ns[slot]);
	s->begun_ns[slot] = 0;
	if (s->load->is_sending && !s->load->options->rate)
		put_message(s, slot, bench_now_ns());
}

static void listener_request(struct bench_client *c,
    const struct prim_command *m)
{
	bench_client_accept(c, m);
}

/* Everybody listens; a sender hears nothing, as nobody writes to it. */
static const struct bench_role SENDER = { sender_response, listener_request };
static const struct bench_role LISTENER = { NULL, listener_request };

/* ---- everybody ---- */

static void sender_init(struct sender *s, struct load *load, unsigned number)
{
	const struct bench_load_options *o = load->options;

	bench_client_init(&s->client, load->crowd, number);
	s->client.role = &SENDER;
	s->load = load;
	s->begun_ns = prim_alloc(o->window * sizeof(*s->begun_ns));
	if (o->to)
		snprintf(s->to, sizeof(s->to), "im:%s", o->to);
}

/* Pairs have the accounts 0 and 1, 2 and 3, ... */
static void gather(struct load *load, struct sender *senders,
    struct bench_client *listeners)
{
	const struct bench_load_options *o = load->options;
	unsigned step = o->to ? 1 : 2;

	for (unsigned i = 0; i < o->senders; i++) {
		sender_init(&senders[i], load, i * step);
		bench_client_begin(&senders[i].client);
		bench_crowd_wait_ready(load->crowd, LOGINS_AT_ONCE);
		if (o->to)
			continue;
		bench_client_init(&listeners[i], load->crowd, i * step + 1);
		listeners[i].role = &LISTENER;
		memcpy(senders[i].to, listeners[i].address,
		    sizeof(senders[i].to));
		bench_client_begin(&listeners[i]);
	}
	bench_crowd_wait_ready(load->crowd, 0);
}

static void send_windows(struct load *load, struct sender *senders)
{
	const struct bench_load_options *o = load->options;
	const uint64_t begun_ns = bench_now_ns();

	load->is_sending = true;
	if (o->rate)
		bench_crowd_tick(load->crowd, begun_ns, SECOND_NS / o->rate);
	for (unsigned i = 0; i < o->senders; i++) {
		senders[i].next_ns = begun_ns;
		for (unsigned slot = 0; slot < o->window && !o->rate; slot++)
			put_message(&senders[i], slot, bench_now_ns());
		bench_client_flush(&senders[i].client);
	}
}

static void turn_for(struct load *load, uint64_t ns)
{
	uint64_t end = bench_now_ns() + ns;

	while (bench_now_ns() < end &&
	    (load->is_sending || load->under_way > 0)) {
		bench_crowd_turn(load->crowd, TURN_MS);
		if (!load->is_sending || !load->options->rate)
			continue;
		for (unsigned i = 0; i < load->options->senders; i++)
			put_what_is_due(&load->all[i]);
	}
}

static void measure(struct load *load)
{
	struct bench_load_result *r = load->result;
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

static void load_run(struct load *load)
{
	unsigned count = load->options->senders;
	struct sender *senders = prim_alloc(count * sizeof(*senders));
	struct bench_client *listeners = prim_alloc(count * sizeof(*listeners));

	load->all = senders;
	gather(load, senders, listeners);
	send_windows(load, senders);
	turn_for(load, WARM_NS);
	measure(load);
	load->is_sending = false;
	turn_for(load, SILENT_NS);
	if (load->under_way > 0)
		errx(1, "%u messages were never answered", load->under_way);
	/* The process ends now, and with it everything of theirs. */
}

void bench_load_run(struct bench_crowd *crowd,
    const struct bench_load_options *options, struct bench_load_result *out)
{
	struct load load = {
		.options = options,
		.crowd = crowd,
		.result = out,
	};

	*out = (struct bench_load_result){ 0 };
	if (getrandom(&load.run, sizeof(load.run), 0) != sizeof(load.run))
		err(1, "getrandom");
	load.text = prim_alloc(options->text_octets + 1);
	memset(load.text, 'x', options->text_octets);
	load_run(&load);
	prim_free(load.text);
}
