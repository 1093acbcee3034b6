/* SPDX-License-Identifier: ISC */
#ifndef PRIM_BASE_H
#define PRIM_BASE_H

/*
 * The few things everything needs: memory that never fails, the way from a
 * member to its struct, safe walks over queues.
 *
 * Out of memory ends the process, by policy: sizes that come from a peer are
 * bounded before they reach an allocation, so what remains is a machine in
 * trouble, and nobody has to write (or forget to test) that branch.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A zeroed object on the heap. Never NULL. Release with prim_free(). */
#define prim_new(type) ((type *)prim_alloc(sizeof(type)))

#define PRIM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The formatter takes the cast for a subtraction. */
/* clang-format off */
#define PRIM_CONTAINER(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))
/* clang-format on */

/* Like TAILQ_FOREACH, and `var` may be removed or freed inside. */
#define PRIM_TAILQ_FOREACH_SAFE(var, head, field, next) \
	for ((var) = TAILQ_FIRST(head);                 \
	     (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))

/* `size` zeroed bytes. Never NULL. */
void *prim_alloc(size_t size);

/* `ptr` (or NULL) grown or shrunk to `size` > 0 bytes; new bytes are not
 * zeroed. Never NULL. */
void *prim_resize(void *ptr, size_t size);

/* Releases `ptr` (NULL is fine) and returns NULL: x->p = prim_free(x->p). */
void *prim_free(void *ptr);

/* A copy of the `len` bytes at `ptr` with a NUL behind it. */
char *prim_copy(const char *ptr, size_t len);

#endif
