/* SPDX-License-Identifier: ISC */
/* Memory that never fails. */

#include "prim/base.h"

#include <stdlib.h>
#include <string.h>

void *prim_alloc(size_t size)
{
	void *ptr = calloc(1, size ? size : 1);

	if (!ptr)
		abort();
	return ptr;
}

void *prim_resize(void *ptr, size_t size)
{
	void *grown = realloc(ptr, size ? size : 1);

	if (!grown)
		abort();
	return grown;
}

void *prim_free(void *ptr)
{
	free(ptr);
	return NULL;
}

char *prim_copy(const char *ptr, size_t len)
{
	char *copy = prim_alloc(len + 1);

	if (len)
		memcpy(copy, ptr, len);
	return copy;
}
