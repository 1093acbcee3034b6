/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_HOST_PRIVATE_H
#define BRIDGE_HOST_PRIVATE_H

/*
 * What the files of the adapter host share: host.c (life and the public face),
 * host_process.c (the child), host_say.c and host_link.c (what we and it may
 * say), host_window.c (deliveries under way), host_ask.c (what presence asks of
 * it), host_identity.c (whose an address is), host_schedule.c (when it wants to
 * be tried again), host_state.c (what it keeps in the store).
 *
 *	          start            READY            DRAIN sent
 *	STOPPED ---------> STARTING ------> READY ------------> DRAINING
 *	   ^                  |               |                    |
 *	   |     reaped       v      fault, hang, end of link      v
 *	   +-------------- DYING <---------------------------------+
 *
 * From STOPPED it is started again after a while, unless it was told to stop.
 */

#include "bridge/ask.h"
#include "bridge/host.h"
#include "bridge/link.h"

struct event;

#define HOST_WINDOW_MAX    1024 /* deliveries (DESIGN 7) */
#define HOST_WINDOW_OCTETS ((size_t)4 * 1024 * 1024)
#define HOST_REQUESTS_MAX  256   /* unanswered, of the adapter */
#define HOST_PRESENCE_MAX  272   /* the same, of presence: a few to spare */
#define HOST_STATES_MAX    256   /* unanswered STATE */
#define HOST_CANONICAL_MAX 256   /* unanswered LINK, of ours */
#define HOST_PROBES_MAX    16    /* unanswered PING that was asked for */
#define HOST_PAUSE_MAX     86400 /* seconds, of a schedule */
#define HOST_TEXT_MAX      4096  /* octets of a LOG or REPORT text */
#define HOST_LOG_PER_S     200   /* lines */
#define HOST_SPARE         65536 /* octets over body_max that are endured */

enum host_phase {
	HOST_STOPPED,
	HOST_STARTING,
	HOST_READY,
	HOST_DRAINING,
	HOST_DYING, /* the link is closed, the process not yet reaped */
};

enum host_ask {
	HOST_ASK_CONFIG,
	HOST_ASK_PING,
	HOST_ASK_PROBE,
	HOST_ASK_SEND, /* what: the message, or NULL when it was given back */
	HOST_ASK_QUESTION,  /* what: struct prim_question; NULL: nobody waits */
	HOST_ASK_CANONICAL, /* what: struct host_canonical, owned */
};

/* All in ms. Members, so that tests need not wait. */
struct host_times {
	unsigned ping;        /* between a PING and the next */
	unsigned hang;        /* a PING unanswered so long */
	unsigned config;      /* CONFIG unanswered so long */
	unsigned restart_min; /* first pause before it is started again */
	unsigned restart_max;
	unsigned steady; /* ready so long: the pause is short again */
	unsigned drain;
};

struct br_host {
	struct br_peer peer;
	struct br_host_context context;
	const struct br_config_adapter *adapter; /* borrowed */
	struct host_times times;
	enum host_phase phase;
	bool wanted; /* started and not told to stop */
	unsigned deaths;

	/* The child. */
	int pid;                                /* 0: none */
	int pidfd;                              /* owned; -1: none */
	struct event *reaped;                   /* owned; waits on pidfd */
	struct event *restart, *tick, *drained; /* owned timers */
	unsigned pause_ms;                      /* before the next start */
	int64_t ready_ms;                       /* when READY came */
	int *sockets; /* owned array of owned descriptors */
	size_t socket_count;

	/* The link; alive from start to reaping. */
	struct br_link link;
	struct br_asks asks;
	struct prim_buf scratch;
	uint64_t last_request; /* id of the adapter's newest request */
	bool has_link;         /* `link` is there */
	bool configured;       /* CONFIG was answered 200 */
	bool pinging;          /* the regular PING is unanswered */
	unsigned probes;       /* others that are unanswered */
	unsigned probes_owed;  /* asked for while those were too many */
	unsigned silent_ms;    /* so long is CONFIG or PING unanswered */

	/* The window. */
	unsigned window;  /* as WINDOW said; 0: the link is down */
	bool up;          /* `up` was said, and not yet `down` */
	bool full;        /* there was no room, and `room` is owed */
	unsigned untaken; /* SENDs without response */
	size_t untaken_octets;

	/* Presence. */
	bool told_ready;    /* `ready` was said, and not yet `gone` */
	bool ask_owed;      /* one was refused, and `ask_room` is owed */
	unsigned questions; /* without response */
	size_t question_octets;
	unsigned ask_reserved; /* for the most urgent of those */

	unsigned canonicals;         /* LINK of ours without response */
	struct br_schedule schedule; /* of the newest process that was ready */

	unsigned states;    /* STATE requests unanswered */
	int64_t log_second; /* the second that log_lines counts in */
	unsigned log_lines;
};

/* ---- host_process.c ---- */

/* Starts the child with its end of a socketpair on descriptor 3 and hands the
 * sockets over. Our end is `out_fd`. False, and told, when it cannot. */
bool br_host_process_start(struct br_host *h, int *out_fd);
/* SIGKILL; harmless when there is none. */
void br_host_process_kill(const struct br_host *h);
/* Takes the exit status and forgets the child. `block`: waits for its end.
 * False: it still lives. `out_how` like "signal=9" or "code=3". */
bool br_host_process_reap(struct br_host *h, bool block, char out_how[32]);

/* ---- host.c ---- */

/* The adapter broke the rules: told, closed, killed. */
void br_host_fault(struct br_host *h, const char *why);
/* READY came. */
void br_host_enter_ready(struct br_host *h);
/* It closed the link: it is dead, or will soon be. */
void br_host_end_of_link(struct br_host *h);

/* ---- host_window.c ---- */

/* WINDOW came. */
void br_host_window(struct br_host *h, unsigned window);
/* Room may have come or gone. */
void br_host_check_room(struct br_host *h);
/* All that was handed over is the core's again. */
void br_host_give_back(struct br_host *h, bool died);

/* ---- host_link.c ---- */

extern const struct br_link_ops br_host_link_ops;

/* Has `c` its headers as we spell them, and each once? */
bool br_host_headers_ok(const struct prim_command *c);

/* ---- host_say.c ---- */

void br_host_say_config(struct br_host *h);
void br_host_say_ping(struct br_host *h);
/* A PING of br_host_probe() is answered. */
void br_host_probe_answer(struct br_host *h);
void br_host_say_drain(struct br_host *h);
/* Sends `r` and opens `ask`, whose id is returned. */
uint64_t br_host_say_request(struct br_host *h, const struct br_host_request *r,
    const struct br_ask *ask);

/* ---- host_ask.c ---- */

/* Is a question, a LINK or a PING open that went before the request `id`? An
 * adapter answers those at once, so behind the answer to `id` none may be. */
bool br_host_has_questions_before(struct br_host *h, uint64_t id);
/* The answer to a question came. NULL, or what is wrong with it. */
const char *br_host_answer(struct br_host *h, const struct br_ask *ask,
    const struct prim_command *c);
/* The process is gone: nobody who asked hears an answer any more. */
void br_host_end_questions(struct br_host *h);

/* ---- host_identity.c ---- */

/* LINK came: NULL, or what is wrong with it. */
const char *br_host_link_request(struct br_host *h,
    const struct prim_command *c);
/* The answer to a LINK of ours came. NULL, or what is wrong with it. */
const char *br_host_canonical_answer(struct br_host *h,
    const struct br_ask *ask, const struct prim_command *c);
/* The process is gone: whoever waits for a canonical form is told. */
void br_host_end_canonicals(struct br_host *h);

/* ---- host_schedule.c ---- */

extern const struct br_schedule br_host_usual_schedule;

/* What READY says of retries. NULL, or what is wrong with it. */
const char *br_host_read_schedule(struct br_host *h,
    const struct prim_command *c);

/* ---- host_state.c ---- */

/* NULL, or what is wrong with the request. */
const char *br_host_state_request(struct br_host *h,
    const struct prim_command *c);

/* ---- for tests and fuzzing ---- */

/* As br_host_start(), but without a child and its socket: the test is the
 * adapter. It speaks by br_link_feed(&h->link, ...), and what we say to it
 * collects in h->link.out. */
void br_host_start_bare(struct br_host *h);

#endif
