/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_LOG_H
#define BRIDGE_LOG_H

/*
 * The log: logfmt lines on standard error,
 *	2026-11-22T07:37:48.123Z info xmpp/alice: gone reason=idle
 *
 * Every long-lived object embeds a br_log whose parent is its maker's; call
 * sites never format who they are. Lines are collected and written when
 * br_log_flush() is called (once a turn of the loop), when the buffer is full,
 * and at once for errors. Only the thread of the loop logs.
 *
 * Text from peers goes through %s like everything else, but wrapped by
 * br_quote(): quoted and escaped, so that no peer writes a line of our log.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "prim/slice.h"

enum br_level {
	BR_LOG_ERROR, /* somebody must act */
	BR_LOG_WARN,  /* we coped */
	BR_LOG_INFO,  /* a state change worth a line a day later */
	BR_LOG_DEBUG, /* every transition */
};

#define BR_LOG_NAME_MAX 48

struct br_log {
	/* borrowed: outlives us; NULL at the root */
	const struct br_log *parent;
	char name[BR_LOG_NAME_MAX]; /* cut if longer; never from a peer raw */
};

/* First of all in a program: standard descriptors that are closed become
 * /dev/null. Else the next file would take their number, and what is meant for
 * people would be written into the lock, or a certificate. */
void br_log_guard(void);

/* `name` is cut to BR_LOG_NAME_MAX - 1 octets; octets other than visible ASCII
 * become '?'. */
void br_log_init(struct br_log *log, const struct br_log *parent,
    const char *name);

void br_log_put(const struct br_log *log, enum br_level level,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

bool br_log_wants(enum br_level level);
void br_log_set_level(enum br_level level); /* INFO at start */
bool br_log_level_find(const char *name, enum br_level *out_level);
const char *br_log_level_name(enum br_level level);

/* Where lines go instead of standard error; NULL restores it. For tests. */
typedef void (*br_log_sink_fn)(void *arg, struct prim_slice line);
void br_log_set_sink(br_log_sink_fn sink, void *arg);

/* The wall-clock time of the lines, in ms; NULL restores the system's. */
typedef int64_t (*br_log_clock_fn)(void);
void br_log_set_clock(br_log_clock_fn clock);

/* Writes what was collected. */
void br_log_flush(void);

/* The last lines that held `needle` and were written at INFO or above, oldest
 * first, from a ring of the newest 4 MiB. For `primctl trace`. */
void br_log_search(struct prim_slice needle, br_log_sink_fn visit, void *arg);

/* `s` quoted and escaped for a log line: "..." with \" \\ \n \r \t and \xHH
 * for other controls and for what is not UTF-8; without the quotes when it is
 * one plain word ([A-Za-z0-9._@:/+-]+). Cut after 200 octets, with "..." at the
 * end. Valid until the eighth next call. */
const char *br_quote(struct prim_slice s);

#define br_error(log, ...) br_log_put((log), BR_LOG_ERROR, __VA_ARGS__)
#define br_warn(log, ...)  br_log_put((log), BR_LOG_WARN, __VA_ARGS__)
#define br_info(log, ...)  br_log_put((log), BR_LOG_INFO, __VA_ARGS__)
#define br_debug(log, ...)                                            \
	do {                                                          \
		if (br_log_wants(BR_LOG_DEBUG))                       \
			br_log_put((log), BR_LOG_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
