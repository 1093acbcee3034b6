/* SPDX-License-Identifier: ISC */
/* One thing after the other: what a sender says waits for what he said before. */

#include "bridge/service_private.h"

#include "prim/base.h"

#define WAITING_MAX 20 /* of one sender, the one that is on included */

/* 64 bits of a keyed hash stand for a sender: whoever finds two alike has only
 * found somebody to wait for. */
struct br_service_line {
	struct prim_table_node node;
	struct br_service *service; /* borrowed */
	TAILQ_HEAD(, br_service_talk) talks;
	unsigned count;
	unsigned holds; /* somebody on the stack goes on with it */
};

static struct br_service_line *line_of(struct br_service *service,
    struct prim_slice sender)
{
	uint64_t hash = prim_hash(&service->lines_seed, sender);
	struct prim_table_node *n = prim_table_first(&service->lines, hash);
	struct br_service_line *line;

	if (n)
		return PRIM_CONTAINER(n, struct br_service_line, node);
	line = prim_new(struct br_service_line);
	line->service = service;
	TAILQ_INIT(&line->talks);
	prim_table_put(&service->lines, &line->node, hash);
	return line;
}

/* The next one begins when the one before has ended. */
static void line_run(struct br_service_line *line)
{
	struct br_service *service = line->service;
	struct br_service_talk *first;

	if (line->holds)
		return;
	line->holds++;
	while (!service->cancelled && (first = TAILQ_FIRST(&line->talks)) &&
	    !first->is_begun) {
		first->is_begun = true;
		br_service_begin(first);
	}
	line->holds--;
	if (line->count)
		return;
	prim_table_drop(&service->lines, &line->node);
	prim_free(line);
}

bool br_service_line_join(struct br_service_talk *t)
{
	struct br_service_line *line = line_of(t->service, br_service_asker(t));

	if (line->count >= WAITING_MAX)
		return false;
	TAILQ_INSERT_TAIL(&line->talks, t, in_line);
	line->count++;
	t->line = line;
	line_run(line);
	return true;
}

struct br_service_line *br_service_line_leave(struct br_service_talk *t)
{
	struct br_service_line *line = t->line;

	if (line) {
		TAILQ_REMOVE(&line->talks, t, in_line);
		line->count--;
		line->holds++;
	}
	return line;
}

void br_service_line_go_on(struct br_service_line *line)
{
	if (!line)
		return;
	line->holds--;
	line_run(line);
}
