/* SPDX-License-Identifier: ISC */
/* What must hold when a world that was played has come to rest. */

#include "tests/bridge/world_rest.h"

#include <string.h>

#include "bridge/presence_remote.h"
#include "bridge/subscription.h"
#include "prim/base.h"
#include "tests/bridge/world_client.h"
#include "tests/bridge/world_model.h"

#define ROUNDS_MAX 200
#define REST_S     15 /* longer than anything that is waited for */
#define ROWS_MAX   256
#define NAMES_MAX  200
#define HOUR_S     3600

/* A subscription, as its names in one line. */
struct row {
	char names[NAMES_MAX];
	char watcher[NAMES_MAX], id[NAMES_MAX];
	unsigned who, target; /* PLAY_TARGETS: from elsewhere */
	bool is_outgoing;
	int64_t expires_ms;
};

struct rows {
	struct play *play;
	unsigned count;
	struct row all[ROWS_MAX];
};

void rest(struct play *p, struct far *f)
{
	unsigned before, rounds = 0;

	do {
		before = p->heard;
		talk_world_turn(&p->world);
		for (unsigned i = 0; i < PLAY_CLIENTS; i++)
			client_hear(p, &p->clients[i]);
		far_hear(f, p);
		play_expect(p, ++rounds < ROUNDS_MAX, "it never rests");
	} while (p->heard != before);
}

/* ---- rows, and what lives ---- */

static unsigned index_of(struct prim_slice key)
{
	unsigned i = 0;

	while (i < PLAY_TARGETS &&
	    !prim_slice_eq(key, prim_slice_of(play_address(i))))
		i++;
	return i;
}

static void copy(char room[NAMES_MAX], struct prim_slice s)
{
	memcpy(room, s.ptr, s.len);
	room[s.len] = '\0';
}

static void row_add(struct rows *rows, const struct br_store_subscription *sub)
{
	struct row *r = &rows->all[rows->count++];
	struct prim_buf names = { 0 };

	play_expect(rows->play, rows->count < ROWS_MAX, "too many rows");
	prim_buf_putf(&names, "%.*s %.*s %.*s %d", PRIM_SLICE_ARG(sub->watcher),
	    PRIM_SLICE_ARG(sub->presentity), PRIM_SLICE_ARG(sub->id),
	    sub->is_outgoing);
	*r = (struct row){
		.who = index_of(sub->watcher),
		.target = index_of(sub->presentity),
		.is_outgoing = sub->is_outgoing,
		.expires_ms = sub->expires_ms,
	};
	copy(r->names, prim_buf_slice(&names));
	copy(r->watcher, sub->watcher);
	copy(r->id, sub->id);
	prim_buf_fini(&names);
}

static void on_row(void *arg, const struct br_store_subscription *sub)
{
	if (sub)
		row_add(arg, sub);
}

static void on_subscription(struct prim_table_node *n, void *arg)
{
	struct prim_subscription *sub = PRIM_CONTAINER(n,
	    struct prim_subscription, node);
	struct br_subscription_names names;
	struct br_store_subscription row;

	br_subscription_names(br_subscription_of(sub), &names);
	row = (struct br_store_subscription){
		.watcher = names.watcher,
		.presentity = names.presentity,
		.id = names.id,
		.expires_ms = sub->expires_ms,
	};
	row_add(arg, &row);
}

static void on_remote(struct prim_table_node *n, void *arg)
{
	const struct br_remote *r = PRIM_CONTAINER(n, struct br_remote,
	    by_names);
	struct br_store_subscription row;

	br_remote_row(r, &row);
	row.expires_ms = r->sub.expires_ms;
	row_add(arg, &row);
}

static const struct row *row_find(const struct rows *rows, const char *names)
{
	for (unsigned i = 0; i < rows->count; i++) {
		if (strcmp(rows->all[i].names, names) == 0)
			return &rows->all[i];
	}
	return NULL;
}

static void expect_row(const struct play *p, bool ok, const char *what,
    const struct row *row)
{
	struct prim_buf text = { 0 };

	if (ok)
		return;
	prim_buf_putf(&text, "%s: %s", what, row->names);
	play_expect(p, ok, prim_buf_steal(&text));
}

/* Every one of `some` is among `others`. */
static void look_for(const struct play *p, const struct rows *some,
    const struct rows *others, const char *what)
{
	for (unsigned i = 0; i < some->count; i++) {
		const struct row *other = row_find(others, some->all[i].names);

		expect_row(p, other, what, &some->all[i]);
		expect_row(p,
		    (p->temper & PLAY_JUMPS) ||
			other->expires_ms == some->all[i].expires_ms,
		    "another end is stored", &some->all[i]);
	}
}

/* Is in the store what lives? Leaves the rows in `stored`. */
static void look_at_rows(struct play *p, struct rows *stored)
{
	static struct rows live; /* large */
	struct br_server *s = p->world.server;

	stored->play = live.play = p;
	stored->count = live.count = 0;
	br_store_subscription_list(s->store, on_row, stored);
	br_store_settle(s->store);
	prim_table_each(&s->presence->subscriptions, on_subscription, &live);
	prim_table_each(&s->presence->remotes, on_remote, &live);
	look_for(p, &live, stored, "it lives and is not stored");
	look_for(p, stored, &live, "it is stored and does not live");
}

/* ---- answers ---- */

static void look_at_answers(struct play *p, const struct far *f)
{
	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		const struct play_client *c = &p->clients[i];

		play_expect(p,
		    c->conn->fd < 0 || c->conn->is_ended || c->asked_count == 0,
		    "a client was not answered");
	}
	play_expect(p, !far_is_up(f) || f->asked_count == 0,
	    "the adapter was not answered");
	play_expect(p, LIST_EMPTY(&p->world.server->presence->errands),
	    "a request is left over");
}

/* ---- what was published ---- */

/* Somebody of this name; NULL: there is no account. */
static struct play_client *steward(struct play *p, unsigned who)
{
	struct play_client *c = &p->clients[PLAY_GUESTS + who];

	return client_is_good(c) ? c : NULL;
}

static void stewards_come(struct play *p, struct far *f)
{
	for (unsigned who = 0; who < PLAY_PEOPLE; who++) {
		if (p->people[who].has_account)
			play_expect(p,
			    client_come(p, &p->clients[PLAY_GUESTS + who], who),
			    "somebody cannot log in");
	}
	rest(p, f);
}

static void fetch_all(struct play *p, struct far *f)
{
	for (unsigned who = 0; who < PLAY_PEOPLE; who++) {
		if (steward(p, who))
			client_ask(p, steward(p, who), PRIM_METHOD_FETCH, who,
			    0);
	}
	rest(p, f);
}

/* ---- what watchers have seen ---- */

/* Has any connection of `who` been shown it? */
static void look_at_pair(struct play *p, unsigned who, unsigned target,
    const struct play_view *truth)
{
	const struct play_pair *pair = &p->pairs[who][target];
	bool ok = pair->is_missed || !steward(p, who);

	for (unsigned i = 0; i < PLAY_CLIENTS; i++)
		ok = ok ||
		    (pair->is_shown[i] && play_view_eq(&pair->shown[i], truth));
	play_expect(p, ok, "a watcher has not seen the newest state");
}

static void look_at_pairs(struct play *p, struct far *f,
    const struct rows *rows)
{
	for (unsigned i = 0; i < rows->count; i++) {
		const struct row *r = &rows->all[i];
		unsigned k = far_find(f, prim_slice_of(r->id));

		if (r->who >= PLAY_PEOPLE)
			continue;
		if (!r->is_outgoing && steward(p, r->target))
			look_at_pair(p, r->who, r->target,
			    &steward(p, r->target)->fetched);
		else if (r->is_outgoing && k < FAR_WATCHED &&
		    f->watched[k].is_told)
			look_at_pair(p, r->who, r->target,
			    &(struct play_view){ 1, { f->watched[k].value } });
	}
}

/* Every connection that is open has just been shown it. */
static void look_at_connections(struct play *p, const struct row *r,
    unsigned value)
{
	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		const struct play_client *c = &p->clients[i];

		if (client_is_good(c) && c->who == r->who)
			play_expect(p,
			    play_view_has(&p->pairs[r->who][r->target].shown[i],
				value),
			    "a connection was not shown a change");
	}
}

static void look_at_adapter(struct play *p, struct far *f, const struct row *r,
    unsigned value)
{
	char address[NAMES_MAX + 8];
	const struct far_watcher *w;

	if (!far_is_up(f))
		return;
	(void)snprintf(address, sizeof(address), "pres:%s", r->watcher);
	w = far_watcher(f, prim_slice_of(address), r->target,
	    prim_slice_of(r->id));
	play_expect(p, w && play_view_has(&w->shown, value),
	    "the adapter was not shown a change");
}

/* Everything changes once more, and all who watch see it. */
static void change_all(struct play *p, struct far *f, const struct rows *rows)
{
	unsigned values[PLAY_PEOPLE] = { 0 }, told[ROWS_MAX] = { 0 };

	for (unsigned who = 0; who < PLAY_PEOPLE; who++) {
		if (steward(p, who))
			values[who] = client_publish(p, steward(p, who),
			    PRIM_PUBLISH_LEASED, 0, HOUR_S);
	}
	for (unsigned i = 0; i < rows->count; i++) {
		unsigned k = far_find(f, prim_slice_of(rows->all[i].id));

		if (rows->all[i].is_outgoing && k < FAR_WATCHED)
			told[i] = far_tell(f, p, k, false);
	}
	rest(p, f);
	for (unsigned i = 0; i < rows->count; i++) {
		const struct row *r = &rows->all[i];

		if (r->is_outgoing && told[i])
			look_at_connections(p, r, told[i]);
		else if (!r->is_outgoing && values[r->target])
			r->who < PLAY_PEOPLE
			    ? look_at_connections(p, r, values[r->target])
			    : look_at_adapter(p, f, r, values[r->target]);
	}
}

/* Whoever of ours watches leaves. */
static void leave_all(struct play *p, struct far *f, struct rows *rows)
{
	for (unsigned i = 0; i < rows->count; i++) {
		const struct row *r = &rows->all[i];

		if (r->who < PLAY_PEOPLE && steward(p, r->who))
			client_ask(p, steward(p, r->who),
			    PRIM_METHOD_UNSUBSCRIBE, r->target, 0);
	}
	rest(p, f);
	look_at_rows(p, rows);
	for (unsigned i = 0; i < rows->count; i++)
		play_expect(p, rows->all[i].who >= PLAY_PEOPLE,
		    "somebody unsubscribed and still watches");
}

/* ---- all ---- */

static void look_at_model(struct play *p, const struct rows *rows)
{
	bool there[PLAY_PEOPLE][PLAY_TARGETS + 1] = { { false } };

	for (unsigned i = 0; i < rows->count; i++) {
		if (rows->all[i].who < PLAY_PEOPLE)
			there[rows->all[i].who][rows->all[i].target] = true;
	}
	for (unsigned who = 0; who < PLAY_PEOPLE; who++) {
		for (unsigned i = 0; i < PLAY_PEOPLE; i++)
			play_expect_watched(p, who, i, there[who][i]);
		if (steward(p, who))
			play_expect_published(p, who,
			    &steward(p, who)->fetched);
	}
}

void rest_and_look(struct play *p, struct far *f)
{
	static struct rows rows; /* large */

	p->is_ending = true;
	for (unsigned i = 0; i < PLAY_CLIENTS; i++)
		p->clients[i].conn->is_deaf = false;
	rest(p, f);
	for (unsigned i = 0; i < REST_S; i++) {
		br_clock_turn(&p->world.server->clock, 1000);
		rest(p, f);
	}
	look_at_answers(p, f);
	stewards_come(p, f);
	fetch_all(p, f);
	look_at_answers(p, f);
	look_at_rows(p, &rows);
	look_at_model(p, &rows);
	look_at_pairs(p, f, &rows);
	change_all(p, f, &rows);
	leave_all(p, f, &rows);
	look_at_answers(p, f);
}
