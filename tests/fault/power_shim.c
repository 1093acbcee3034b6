/* SPDX-License-Identifier: ISC */
/*
 * A disk whose power is cut (tests/bridge/store_power.h), for a whole program that
 * is started with LD_PRELOAD. What it did not sync is lost when it is killed. With
 * POWER_CUT=N in the environment it cuts the power itself at the Nth write or sync,
 * with POWER_SCATTER for the order in which the disk lost the rest; its exit code is
 * 77 then.
 */

#include <sqlite3.h>
#include <stdlib.h>

/* Programs without a database are left alone. */
#pragma weak sqlite3_vfs_find
#pragma weak sqlite3_vfs_register

#include "tests/bridge/store_power.h"

static unsigned number(const char *name)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	if (!sqlite3_vfs_find)
		return;
	power_install(getenv("POWER_LIES") != NULL);
	power_cut_after(number("POWER_CUT"), number("POWER_SCATTER"));
}
