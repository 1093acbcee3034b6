/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

/*
 * Clients of the server under load, thousands of them in one thread: each logs
 * in with PLAIN, listens (unless it is there for presence), and then does what
 * its role says. Whatever should
 * not happen (a lost connection, a refused login) ends the program with a
 * sentence: a load that is not what it says measures nothing.
 */

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "prim/buf.h"
#include "prim/command.h"

struct bench_client;

struct bench_role {
	/* Something answers us, or asks (SEND, NOTIFY); NULL: it is not
	 * expected. The command borrows from the client's input. */
	void (*response)(struct bench_client *c, const struct prim_command *m);
	void (*request)(struct bench_client *c, const struct prim_command *m);
};

/* What all clients share. */
struct bench_crowd {
	int epoll;
	SSL_CTX *tls; /* owned; NULL: no TLS */
	struct sockaddr_in server;
	const char *domain; /* borrowed */
	bool is_presence;   /* they log in to the presence service, not to im */
	unsigned begun, ready;
	int tick; /* -1: none */
};

enum bench_client_state {
	BENCH_CLIENT_NEW,
	BENCH_CLIENT_STARTTLS,  /* waits for the 200 */
	BENCH_CLIENT_HANDSHAKE, /* TLS's */
	BENCH_CLIENT_LOGIN,
	BENCH_CLIENT_LISTEN,
	BENCH_CLIENT_READY,
};

struct bench_client {
	struct bench_crowd *crowd;     /* borrowed */
	const struct bench_role *role; /* borrowed: static; NULL: just there */
	enum bench_client_state state;
	int fd;
	SSL *tls; /* owned; NULL: none */
	struct prim_buf in, out;
	size_t scanned;    /* of the head that is not complete */
	bool is_blocked;   /* the socket takes no more output for now */
	char address[128]; /* "im:u17@domain", "pres:u17@domain" */
};

uint64_t bench_now_ns(void);

void bench_crowd_init(struct bench_crowd *crowd, uint16_t port,
    const char *domain, bool with_tls);

enum prim_family bench_client_family(const struct bench_client *c);

/* In memory of the caller that stays; u<number> of the accounts. */
void bench_client_init(struct bench_client *c, struct bench_crowd *crowd,
    unsigned number);

/* Waits up to `wait_ms` for something to happen, and does it. False: nothing
 * did. */
bool bench_crowd_turn(struct bench_crowd *crowd, int wait_ms);

/* From `first_ns` (bench_now_ns()) on something happens every `every_ns`. */
void bench_crowd_tick(struct bench_crowd *crowd, uint64_t first_ns,
    uint64_t every_ns);

/* Connects `c` and begins its way to READY. */
void bench_client_begin(struct bench_client *c);
/* Turns until everybody who has begun is ready, but for `left` clients. */
void bench_crowd_wait_ready(struct bench_crowd *crowd, unsigned left);

/* Sends what was put into c->out. Called by itself after a response or a
 * request was seen. */
void bench_client_flush(struct bench_client *c);
/* Logs `count` clients in, whom bench_client_init() has made; they lie `size`
 * octets apart. */
void bench_clients_gather(struct bench_client *first, unsigned count,
    size_t size);

/* Answers `request` with 200 and what belongs to it. */
void bench_client_accept(struct bench_client *c,
    const struct prim_command *request);

#endif
