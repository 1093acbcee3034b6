/* SPDX-License-Identifier: ISC */
/* A sentence for a person. */

#include "bridge/err.h"

#include <stdarg.h>
#include <stdio.h>

bool br_err_set(struct br_err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return false;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return false;
}
