/* SPDX-License-Identifier: ISC */
/* Sentences for the user. */

#include "contrib/client/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "prim/visible.h"

bool cl_err_set(struct cl_err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	err->is_final = false;
	return false;
}

bool cl_err_final(struct cl_err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	err->is_final = true;
	return false;
}

void cl_err_note(const char *format, ...)
{
	char text[sizeof(((struct cl_err *)0)->text)];
	struct prim_buf line = { 0 };
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Some of it may be the server's words. */
	prim_visible_put(&line, prim_slice_of(text));
	fprintf(stderr, "prim: %.*s\n", PRIM_SLICE_ARG(prim_buf_slice(&line)));
	prim_buf_fini(&line);
}
