/* SPDX-License-Identifier: ISC */
/* The power is cut at each sync of a short day, one after the other. Whatever
 * was acknowledged is so, and what belongs together is there as a whole.
 * test_store_cut.c cuts more, and takes longer. */

#include "tests/bridge/store_power.h"
#include "tests/bridge/store_world.h"

#include <sys/wait.h>

/* What happens in a day; each step is acknowledged when it is durable. */
enum step {
	PUT_ENDED,
	ATTEMPTED,
	ENDED, /* with a notice */
	PUT_TAKEN,
	TAKEN, /* by another system: 101 */
	BOUNCED,
	PUT_SET_ASIDE,
	SET_ASIDE, /* with a notice */
	STEPS,
};

/* The three messages of a day, each with a sender of its own, who has the
 * notice. */
struct day {
	struct br_store_message ended, taken, set_aside;
	char senders[3][32];
};

static void day_make(struct day *d, unsigned number)
{
	struct br_store_message *all[] = { &d->ended, &d->taken,
		&d->set_aside };

	for (unsigned i = 0; i < PRIM_COUNT(all); i++) {
		(void)snprintf(d->senders[i], sizeof(d->senders[i]),
		    "%c%u@here.example", 'a' + (int)i, number);
		*all[i] = message_make(number * 3 + i, PRIM_SLICE("m"));
		all[i]->sender = prim_slice_of(d->senders[i]);
	}
	d->taken.destination = PRIM_SLICE("adapter:xmpp");
}

/* ---- the one that dies ---- */

static struct {
	unsigned left; /* syncs until the cut */
	int (*sync)(sqlite3_file *file, int flags);
} cut;

static int sync_or_die(sqlite3_file *file, int flags)
{
	if (cut.left-- == 0)
		_exit(1);
	return cut.sync(file, flags);
}

static void cut_install(unsigned syncs)
{
	power_install(false);
	cut.left = syncs;
	cut.sync = power.methods.xSync;
	power.methods.xSync = sync_or_die;
}

static void acknowledge(int fd, enum step step)
{
	const char octet = (char)step;

	if (write(fd, &octet, 1) != 1)
		_exit(2);
}

static int64_t put(struct world *w, const struct br_store_message *m)
{
	struct br_store_put_result result = message_store(w, m);

	if (result.outcome != BR_STORE_DONE)
		_exit(2);
	return result.seq;
}

static void report(struct world *w, const struct br_store_message *m)
{
	const struct br_store_report r = { .delivery = m->delivery,
		.destination = m->destination,
		.code = 410,
		.reason = PRIM_SLICE("bounced") };

	br_store_report(w->store, &r, NULL, NULL);
	br_store_settle(w->store);
}

static void day_live(struct world *w, const struct day *d, int fd)
{
	struct br_store_attempt attempt = { .attempts = 1 };
	const struct br_store_end closed = end_make(408, "closed"),
				  accepted = end_make(101, "accepted"),
				  poison = end_make(500, "poison");
	int64_t seq = put(w, &d->ended);

	acknowledge(fd, PUT_ENDED);
	attempt.seq = seq;
	br_store_message_attempt(w->store, &attempt, NULL, NULL);
	br_store_settle(w->store);
	acknowledge(fd, ATTEMPTED);
	br_store_message_end(w->store, seq, &closed, NULL, NULL);
	br_store_settle(w->store);
	acknowledge(fd, ENDED);

	seq = put(w, &d->taken);
	acknowledge(fd, PUT_TAKEN);
	br_store_message_end(w->store, seq, &accepted, NULL, NULL);
	br_store_settle(w->store);
	acknowledge(fd, TAKEN);
	report(w, &d->taken);
	acknowledge(fd, BOUNCED);

	seq = put(w, &d->set_aside);
	acknowledge(fd, PUT_SET_ASIDE);
	br_store_message_quarantine(w->store, seq, &poison, NULL, NULL);
	br_store_settle(w->store);
	acknowledge(fd, SET_ASIDE);
}

static void child_run(const struct world *parent, const struct day *d,
    unsigned syncs, int fd)
{
	struct world w = { 0 };

	cut_install(syncs);
	(void)snprintf(w.dir, sizeof(w.dir), "%s", parent->dir);
	w.base = event_base_new();
	w.store = br_store_open(w.base, w.dir, NULL);
	if (!w.store)
		_exit(2);
	day_live(&w, d, fd);
	_exit(0);
}

/* ---- what is found in the morning ---- */

/* What there is of one message. */
struct found {
	const struct br_store_message *m;
	unsigned rows, attempts, set_aside, notices;
};

static void on_row(void *arg, const struct br_store_message *m, bool failed)
{
	struct found *f = arg;

	assert_false(failed);
	assert_non_null(m);
	if (m->is_notice) {
		f->notices += prim_slice_eq(m->recipient, f->m->sender);
	} else if (prim_slice_eq(m->sender, f->m->sender)) {
		f->rows++;
		f->attempts = m->attempts;
		f->set_aside += m->is_quarantined;
	}
}

static struct found look(struct world *w, const struct br_store_message *m)
{
	struct found f = { .m = m };

	assert_true(br_store_message_each(w->store, on_row, &f, NULL));
	return f;
}

/* Of the steps `done` were acknowledged. */
static void day_judge(struct world *w, const struct day *d, unsigned done)
{
	struct found f = look(w, &d->ended);

	assert_in_range(f.rows + f.notices, done > PUT_ENDED, 1);
	if (f.rows)
		assert_in_range(f.attempts, done > ATTEMPTED, 1);
	if (done > ENDED)
		assert_int_equal(f.notices, 1);
	if (done > PUT_ENDED)
		assert_int_equal(answer(w, &d->ended), 101);

	f = look(w, &d->taken);
	assert_in_range(f.rows + f.notices, done == PUT_TAKEN + 1, 1);
	if (done > TAKEN) {
		assert_int_equal(f.rows, 0);
		assert_in_range(f.notices, done > BOUNCED, 1);
		/* It is still known whom to tell, or that he was told. */
		report(w, &d->taken);
		assert_int_equal(look(w, &d->taken).notices, 1);
	}

	f = look(w, &d->set_aside);
	assert_in_range(f.rows, done > PUT_SET_ASIDE, 1);
	assert_in_range(f.notices, done > SET_ASIDE, 1);
	assert_int_equal(f.notices, f.set_aside);
}

/* How many steps were acknowledged. */
static unsigned read_steps(int fd)
{
	unsigned done = 0;
	char octet;

	while (read(fd, &octet, 1) == 1)
		assert_int_equal(octet, done++);
	close(fd);
	return done;
}

/* Is the whole day over before the cut? */
static bool day_pass(struct world *w, unsigned syncs)
{
	struct day d;
	unsigned done;
	int ends[2], status;
	pid_t child;

	day_make(&d, syncs);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		child_run(w, &d, syncs, ends[1]);
	assert_true(child > 0);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_in_range(WEXITSTATUS(status), 0, 1);
	done = read_steps(ends[0]);
	world_open(w);
	day_judge(w, &d, done);
	world_close(w);
	return done == STEPS;
}

static void a_cut_at_any_sync_leaves_what_was_said(void **state)
{
	struct world *w = *state;
	unsigned syncs = 0;

	world_close(w);
	while (!day_pass(w, syncs))
		syncs++;
	world_open(w);
	print_message("%u cuts\n", syncs);
	assert_true(syncs >= STEPS); /* each step was durable by itself */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_cut_at_any_sync_leaves_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
