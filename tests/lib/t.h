/* SPDX-License-Identifier: ISC */
#ifndef TESTS_LIB_T_H
#define TESTS_LIB_T_H

/* cmocka, with the headers it wants in the order it wants them. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#endif
