/* SPDX-License-Identifier: ISC */
/* Guessing which word somebody meant. */

#include <string.h>

#include "bridge/schema.h"
#include "prim/base.h"

#define WORD_MAX  40
#define SLIPS_MAX 2 /* of the finger; one in a short word */

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters have to be added, left out, changed or swapped with their
 * neighbour to make `b` of `a`; both are at most WORD_MAX long. */
static unsigned distance(struct prim_slice a, struct prim_slice b)
{
	unsigned rows[WORD_MAX + 1][WORD_MAX + 1] = { 0 };

	for (unsigned i = 0; i <= a.len; i++)
		rows[i][0] = i;
	for (unsigned j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		for (size_t j = 1; j <= b.len; j++) {
			const char x = a.ptr[i - 1], y = b.ptr[j - 1];
			unsigned best = rows[i - 1][j - 1] + (x != y);

			best = smaller(best, rows[i - 1][j] + 1);
			best = smaller(best, rows[i][j - 1] + 1);
			if (i > 1 && j > 1 && x == b.ptr[j - 2] &&
			    y == a.ptr[i - 2])
				best = smaller(best, rows[i - 2][j - 2] + 1);
			rows[i][j] = best;
		}
	}
	return rows[a.len][b.len];
}

static const char *nearest(const char *wrong, const char *const *words,
    size_t count)
{
	const struct prim_slice a = prim_slice_of(wrong);
	const char *found = NULL;
	unsigned best = SLIPS_MAX + 1;

	if (a.len == 0 || a.len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct prim_slice b = prim_slice_of(words[i]);
		unsigned apart;

		if (b.len > WORD_MAX)
			continue;
		apart = prim_slice_eq_nocase(a, b) ? 0 : distance(a, b);
		if (apart < best && (apart <= 1 || apart <= b.len / 3)) {
			best = apart;
			found = words[i];
		}
	}
	return found;
}

void br_schema_put_hint(struct prim_buf *b, const char *wrong,
    const char *const *words, size_t count)
{
	const char *found = nearest(wrong, words, count);

	if (found) {
		prim_buf_putf(b, "; did you mean `%s`?", found);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		prim_buf_puts(b, i ? ", " : "; known are ");
		prim_buf_puts(b, words[i]);
	}
}
