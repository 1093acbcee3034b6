/* SPDX-License-Identifier: ISC */
/* Counters and gauges, and how Prometheus reads them. */

#include "bridge/metric.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/value.h"
#include "prim/base.h"

#define NAME_MAX_LEN    48
#define ADAPTER_MAX_LEN 32
#define PER_ADAPTER_MAX 64
#define SERIES_MAX      4096 /* of all adapters together */

/* A row for each enum br_metric: its name and what it says. Names that end in
 * _total are counters, the others gauges. Rows of one name stand together and
 * differ in their label. clang-format off: it makes columns of rows that are
 * too long for them. */
/* clang-format off */
static const struct {
	const char *name;
	const char *help;
} TABLE[BR_METRIC_COUNT] = {
	[BR_METRIC_CONNECTIONS] = {
	    "connections",
	    "Client and server connections open now." },
	[BR_METRIC_CONNECTIONS_TOTAL] = {
	    "connections_total",
	    "Connections accepted." },
	[BR_METRIC_CONNECTIONS_REFUSED] = {
	    "connections_refused_total",
	    "Connections closed at once because a limit was reached." },
	[BR_METRIC_LOGINS] = {
	    "logins_total",
	    "Logins that succeeded." },
	[BR_METRIC_LOGINS_FAILED] = {
	    "logins_failed_total",
	    "Logins that were refused." },
	[BR_METRIC_REQUESTS] = {
	    "requests_total",
	    "Requests read from clients and servers." },
	[BR_METRIC_BAD_REQUESTS] = {
	    "bad_requests_total",
	    "Requests answered 400 or closed for their framing." },
	[BR_METRIC_MESSAGES_DELIVERED] = {
	    "messages_delivered_total",
	    "Messages an endpoint of the recipient confirmed (200)." },
	[BR_METRIC_MESSAGES_ACCEPTED] = {
	    "messages_accepted_total",
	    "Messages another system took responsibility for (101)." },
	[BR_METRIC_MESSAGES_QUEUED] = {
	    "messages_queued_total",
	    "Messages stored here to be delivered later (101)." },
	[BR_METRIC_MESSAGES_REFUSED] = {
	    "messages_refused_total",
	    "Messages refused for good (4xx and 501)." },
	[BR_METRIC_MESSAGES_ERROR] = {
	    "messages_error_total",
	    "Messages that failed here or on the way (other 5xx)." },
	[BR_METRIC_MESSAGES_EXPIRED] = {
	    "messages_expired_total",
	    "Messages given up after waiting too long." },
	[BR_METRIC_MESSAGES_DUPLICATE] = {
	    "messages_duplicate_total",
	    "Messages recognised as sent before." },
	[BR_METRIC_PUBLICATIONS] = {
	    "publications_total",
	    "PUBLISH and REMOVE requests that were in order." },
	[BR_METRIC_SUBSCRIPTIONS] = {
	    "subscriptions",
	    "Subscriptions to presentities of ours." },
	[BR_METRIC_NOTIFIES] = {
	    "notifies_total",
	    "NOTIFY requests sent to clients and adapters." },
	[BR_METRIC_OUTBOX_ROWS] = {
	    "outbox_messages",
	    "Messages that wait in the outbox." },
	[BR_METRIC_OUTBOX_OLDEST_S] = {
	    "outbox_oldest_seconds",
	    "Age of the oldest message in the outbox." },
	[BR_METRIC_OUTBOX_QUARANTINED] = {
	    "outbox_quarantined_messages",
	    "Messages kept for the operator: see primctl outbox." },
	[BR_METRIC_HANDOFFS] = {
	    "handoffs_total",
	    "Messages given out of the outbox, every time anew." },
	[BR_METRIC_RETRIES] = {
	    "retries_total",
	    "Messages given out of the outbox not for the first time." },
	[BR_METRIC_NOTICES_FAILED] = {
	    "notices_total",
	    "Notices made for senders of messages, by kind." },
	[BR_METRIC_NOTICES_DELAYED] = {
	    "notices_total",
	    "Notices made for senders of messages, by kind." },
	[BR_METRIC_NOTICES_DELIVERED] = {
	    "notices_total",
	    "Notices made for senders of messages, by kind." },
	[BR_METRIC_QUARANTINES] = {
	    "quarantines_total",
	    "Messages taken out of turn for what they did or how they looked." },
	[BR_METRIC_QUOTA_REFUSED] = {
	    "quota_refused_total",
	    "Messages refused because the outbox was full (500)." },
	[BR_METRIC_LOOPS] = {
	    "loops_total",
	    "Messages refused because they had passed too many servers." },
	[BR_METRIC_FOLLOWED] = {
	    "followed_total",
	    "Messages sent after their recipient to a linked address." },
	[BR_METRIC_LINKS] = {
	    "links",
	    "Addresses of other networks that are linked to principals." },
	[BR_METRIC_PARKED] = {
	    "parked_messages",
	    "Messages in memory that wait for an answer." },
	[BR_METRIC_PARKED_BYTES] = {
	    "parked_bytes",
	    "Memory held by messages that wait for an answer." },
	[BR_METRIC_COMMITS] = {
	    "store_commits_total",
	    "Transactions committed to disk." },
	[BR_METRIC_COMMIT_ROWS] = {
	    "store_commit_rows_total",
	    "Changes in committed transactions." },
	[BR_METRIC_STORE_ERRORS] = {
	    "store_errors_total",
	    "Operations of the store that failed." },
	[BR_METRIC_STORE_SALVAGED] = {
	    "store_salvaged",
	    "1 while a damaged queue.db is kept that was made anew: see the log." },
	[BR_METRIC_ADAPTER_STARTS] = {
	    "adapter_starts_total",
	    "Adapter hosts started." },
	[BR_METRIC_ADAPTER_DEATHS] = {
	    "adapter_deaths_total",
	    "Adapter hosts that died or were killed." },
	[BR_METRIC_LOG_LINES] = {
	    "log_lines_total",
	    "Lines written to the log." },
};

/* clang-format on */

static const char *const LABELS[BR_METRIC_COUNT] = {
	[BR_METRIC_NOTICES_FAILED] = "{kind=\"failed\"}",
	[BR_METRIC_NOTICES_DELAYED] = "{kind=\"delayed\"}",
	[BR_METRIC_NOTICES_DELIVERED] = "{kind=\"delivered\"}",
};

/* One metric of one adapter. */
struct series {
	char name[NAME_MAX_LEN + 1];
	char adapter[ADAPTER_MAX_LEN + 1];
	int64_t value;
};

struct destination {
	char name[sizeof("adapter:") + ADAPTER_MAX_LEN];
	int64_t messages, oldest_s;
};

static int64_t values[BR_METRIC_COUNT];
static struct destination *destinations; /* owned; as they came */
static size_t destination_count;
static struct series *all; /* owned; sorted by name, then adapter */
static size_t all_count;

void br_metric_add(enum br_metric m, int64_t n)
{
	values[m] += n;
}

void br_metric_set(enum br_metric m, int64_t value)
{
	values[m] = value;
}

int64_t br_metric_get(enum br_metric m)
{
	return values[m];
}

static struct destination *destination_named(const char *name)
{
	struct destination *d;

	for (size_t i = 0; i < destination_count; i++)
		if (strcmp(destinations[i].name, name) == 0)
			return &destinations[i];
	destinations = prim_resize(destinations,
	    (destination_count + 1) * sizeof(*destinations));
	d = &destinations[destination_count++];
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	return d;
}

void br_metric_destination_set(const char *name, int64_t messages,
    int64_t oldest_s)
{
	struct destination *d = destination_named(name);

	d->messages = messages;
	d->oldest_s = oldest_s;
}

static bool name_ok(struct prim_slice name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] != '_' &&
		    (name.ptr[i] < 'a' || name.ptr[i] > 'z'))
			return false;
	return true;
}

/* The name goes between quotes, so nothing that could end them. */
static bool adapter_ok(const char *adapter)
{
	return br_value_is_name(adapter) && strlen(adapter) <= ADAPTER_MAX_LEN;
}

static int compare(const struct series *a, const struct series *b)
{
	const int by_name = strcmp(a->name, b->name);

	return by_name ? by_name : strcmp(a->adapter, b->adapter);
}

/* The first place whose series is not before `wanted`. */
static size_t find_place(const struct series *wanted)
{
	size_t low = 0, high = all_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare(&all[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t count_of(const char *adapter)
{
	size_t count = 0;

	for (size_t i = 0; i < all_count; i++)
		count += strcmp(all[i].adapter, adapter) == 0;
	return count;
}

static bool insert(size_t place, const struct series *one)
{
	if (all_count == SERIES_MAX ||
	    count_of(one->adapter) >= PER_ADAPTER_MAX)
		return false;
	all = prim_resize(all, (all_count + 1) * sizeof(*all));
	memmove(&all[place + 1], &all[place],
	    (all_count - place) * sizeof(*all));
	all[place] = *one;
	all_count++;
	return true;
}

bool br_metric_adapter_set(const char *adapter, struct prim_slice name,
    int64_t value)
{
	struct series one = { .value = value };
	size_t place;

	if (!name_ok(name) || !adapter_ok(adapter))
		return false;
	snprintf(one.name, sizeof(one.name), "%.*s", PRIM_SLICE_ARG(name));
	snprintf(one.adapter, sizeof(one.adapter), "%s", adapter);
	place = find_place(&one);
	if (place == all_count || compare(&all[place], &one) != 0)
		return insert(place, &one);
	all[place].value = value;
	return true;
}

static void put_head(struct prim_buf *b, const char *name, const char *help)
{
	const bool is_counter = prim_slice_ends(prim_slice_of(name),
	    PRIM_SLICE("_total"));

	prim_buf_putf(b, "# HELP primd_%s %s\n", name, help);
	prim_buf_putf(b, "# TYPE primd_%s %s\n", name,
	    is_counter ? "counter" : "gauge");
}

static void put_series(struct prim_buf *b, size_t i)
{
	char name[sizeof("adapter_") + NAME_MAX_LEN];

	snprintf(name, sizeof(name), "adapter_%s", all[i].name);
	if (i == 0 || strcmp(all[i - 1].name, all[i].name) != 0)
		put_head(b, name, "Told by an adapter.");
	prim_buf_putf(b, "primd_%s{adapter=\"%s\"} %" PRId64 "\n", name,
	    all[i].adapter, all[i].value);
}

static void put_destinations(struct prim_buf *b, const char *name,
    const char *help, bool is_age)
{
	put_head(b, name, help);
	for (size_t i = 0; i < destination_count; i++)
		prim_buf_putf(b, "primd_%s{destination=\"%s\"} %" PRId64 "\n",
		    name, destinations[i].name,
		    is_age ? destinations[i].oldest_s
			   : destinations[i].messages);
}

void br_metric_put_all(struct prim_buf *b)
{
	for (size_t m = 0; m < BR_METRIC_COUNT; m++) {
		if (m == 0 || strcmp(TABLE[m - 1].name, TABLE[m].name) != 0)
			put_head(b, TABLE[m].name, TABLE[m].help);
		prim_buf_putf(b, "primd_%s%s %" PRId64 "\n", TABLE[m].name,
		    LABELS[m] ? LABELS[m] : "", values[m]);
	}
	put_destinations(b, "outbox_destination_messages",
	    "Messages that wait, by what they wait for.", false);
	put_destinations(b, "outbox_destination_oldest_seconds",
	    "Age of the oldest of those.", true);
	for (size_t i = 0; i < all_count; i++)
		put_series(b, i);
}
