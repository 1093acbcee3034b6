/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_ACCOUNTS_H
#define TESTS_BENCH_ACCOUNTS_H

/*
 * Accounts for the load: u0, u1, ... at one domain, all with one password.
 * Written straight into the store of a server that does not run, with one
 * verifier for all, so that thousands take a second.
 */

#include <stdio.h>

#define BENCH_PASSWORD "bench"

/* "u17@domain" */
static inline void bench_account_name(char *out, size_t size, unsigned number,
    const char *domain)
{
	snprintf(out, size, "u%u@%s", number, domain);
}

void bench_accounts_make(const char *data_dir, const char *domain,
    unsigned count);

#endif
