/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_TLS_CERT_H
#define BRIDGE_TLS_CERT_H

/*
 * Self-signed certificates, for who has none yet; for tls.c only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "bridge/err.h"

/* A pem_password_cb that never asks at a terminal. `arg`: a bool that becomes
 * true when there was something to ask, or NULL. */
int br_tls_no_passphrase(char *buffer, int size, int rwflag, void *arg);

/* Sees to it that the files `certificate` and `key` (PEM) exist. Missing ones
 * are made: EC P-256, ten years, names `domains`, for "localhost" also its
 * addresses; the key is its owner's only. Each file appears whole or not at
 * all. A certificate without its key is an error. */
bool br_tls_cert_make(const char *certificate, const char *key,
    char *const *domains, size_t domain_count, struct br_err *err);

#endif
