/* SPDX-License-Identifier: ISC */
/* How much may wait: of one sender, in all, and before the disk is full. What
 * is over is refused; nothing that was accepted ever makes room for it. */

#include "bridge/outbox_private.h"

#include <string.h>
#include <sys/statvfs.h>

#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"
#include "prim/seed.h"

#define SHARE         20 /* a sender has at most this part of all */
#define LOW_OCTETS    (64ULL << 20)
#define LOW_PART      16 /* or this part of a small disk */
#define LOOK_EVERY_MS 250
#define LOOK_EVERY    256 /* messages */

static struct br_sender *sender_find(const struct br_outbox *o,
    struct prim_slice key)
{
	struct prim_table_node *n = prim_table_first(&o->senders,
	    prim_hash(&o->server->seed, key));

	for (; n; n = prim_table_next(n)) {
		struct br_sender *s = PRIM_CONTAINER(n, struct br_sender, node);

		if (prim_slice_eq(prim_slice_make(s->key, s->len), key))
			return s;
	}
	return NULL;
}

static struct br_sender *sender_get(struct br_outbox *o, struct prim_slice key)
{
	struct br_sender *s = sender_find(o, key);

	if (s)
		return s;
	s = prim_alloc(sizeof(*s) + key.len);
	s->len = key.len;
	memcpy(s->key, key.ptr, key.len);
	prim_table_put(&o->senders, &s->node, prim_hash(&o->server->seed, key));
	return s;
}

static void tell_disk(const struct br_outbox *o, bool is_low, uint64_t left)
{
	const struct br_log *log = &o->server->log;

	if (is_low)
		br_error(log,
		    "disk nearly full, no new messages are stored "
		    "free_octets=%llu",
		    (unsigned long long)left);
	else
		br_info(log, "disk has room again free_octets=%llu",
		    (unsigned long long)left);
}

/* Is so little left that what was accepted might not find its place? */
static bool disk_is_low(struct br_outbox *o)
{
	int64_t now = br_server_now(o->server);
	struct statvfs fs;
	uint64_t all, left, low;

	if (!o->dir)
		return false;
	if (now - o->looked_ms < LOOK_EVERY_MS && ++o->looks < LOOK_EVERY)
		return o->is_low;
	o->looked_ms = now;
	o->looks = 0;
	if (statvfs(o->dir, &fs) != 0)
		return o->is_low;
	all = (uint64_t)fs.f_blocks * fs.f_frsize;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	low = all / LOW_PART < LOW_OCTETS ? all / LOW_PART : LOW_OCTETS;
	if (o->is_low != (left < low))
		tell_disk(o, left < low, left);
	o->is_low = left < low;
	return o->is_low;
}

/* Of one sender; at least one. */
static uint64_t messages_max(const struct br_outbox *o)
{
	uint64_t max = o->server->config->limit_queue_messages / SHARE;

	return max ? max : 1;
}

static const char *refusal(struct br_outbox *o, struct prim_slice sender,
    uint64_t octets)
{
	const struct br_config *c = o->server->config;
	const struct br_sender *s = sender_find(o, sender);

	if (PRIM_SEED(no_quota))
		return NULL;
	if (o->charged + 1 > c->limit_queue_messages ||
	    o->charged_octets + octets > c->limit_queue)
		return "the outbox is full";
	if (s &&
	    (s->messages + 1 > messages_max(o) ||
		s->octets + octets > c->limit_queue / SHARE))
		return BR_OUTBOX_SHARE_FULL;
	return disk_is_low(o) ? "the disk is nearly full" : NULL;
}

static void charge(struct br_outbox *o, struct br_sender *s, uint64_t octets)
{
	s->messages++;
	s->octets += octets;
	o->charged++;
	o->charged_octets += octets;
}

const char *br_outbox_charge(struct br_outbox *o, struct prim_slice sender,
    uint64_t octets, struct br_sender **out_sender)
{
	const char *why = refusal(o, sender, octets);

	if (why) {
		br_metric_add(BR_METRIC_QUOTA_REFUSED, 1);
		return why;
	}
	*out_sender = sender_get(o, sender);
	charge(o, *out_sender, octets);
	return NULL;
}

struct br_sender *br_outbox_charge_stored(struct br_outbox *o,
    struct prim_slice sender, uint64_t octets)
{
	struct br_sender *s = sender_get(o, sender);

	charge(o, s, octets);
	return s;
}

void br_outbox_uncharge(struct br_outbox *o, struct br_sender *sender,
    uint64_t octets)
{
	if (!sender)
		return;
	sender->messages--;
	sender->octets -= octets;
	o->charged--;
	o->charged_octets -= octets;
	if (sender->messages > 0)
		return;
	prim_table_drop(&o->senders, &sender->node);
	prim_free(sender);
}

void br_outbox_quota(const struct br_outbox *o, struct prim_slice sender,
    struct br_outbox_quota *out)
{
	const struct br_sender *s = sender_find(o, sender);

	*out = (struct br_outbox_quota){
		.messages = s ? s->messages : 0,
		.messages_max = messages_max(o),
		.total = o->charged,
		.total_max = o->server->config->limit_queue_messages,
	};
}
