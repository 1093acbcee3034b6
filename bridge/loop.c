/* SPDX-License-Identifier: ISC */
/* Counters of what passes again and again, in a table of fixed size: who falls
 * on a place that is taken takes it over. */

#include "bridge/loop.h"

#include "bridge/message.h"
#include "prim/base.h"
#include "prim/cpim.h"

#define PLACES    8192 /* a power of two */
#define WITHIN_MS 60000

struct place {
	uint64_t hash;
	int64_t since_ms;
	unsigned count;
};

struct br_loops {
	struct prim_hash_key seed;
	struct place places[PLACES];
};

struct br_loops *br_loops_new(const struct prim_hash_key *seed)
{
	struct br_loops *l = prim_new(struct br_loops);

	l->seed = *seed;
	return l;
}

struct br_loops *br_loops_free(struct br_loops *l)
{
	return prim_free(l);
}

/* The From, To and DateTime of a message/cpim differ from turn to turn. */
static struct prim_slice content_of(const struct br_loop_pass *p)
{
	static struct prim_cpim c; /* large; the loop's only */

	if (prim_cpim_type_is(p->content_type, "message/cpim") &&
	    prim_cpim_parse(p->body, &c, NULL))
		return c.content;
	return p->body;
}

/* There and back are one. */
static uint64_t hash_of(const struct br_loops *l, const struct br_loop_pass *p)
{
	return prim_hash(&l->seed, content_of(p)) ^
	    (prim_hash(&l->seed, p->a) + prim_hash(&l->seed, p->b));
}

bool br_loops_pass(struct br_loops *l, const struct br_loop_pass *p,
    int64_t now_ms)
{
	uint64_t hash = hash_of(l, p);
	struct place *place = &l->places[hash & (PLACES - 1)];

	if (place->hash != hash || now_ms - place->since_ms > WITHIN_MS)
		*place = (struct place){ .hash = hash, .since_ms = now_ms };
	return ++place->count <= BR_HOPS_MAX;
}
