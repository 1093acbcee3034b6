/* SPDX-License-Identifier: ISC */
#ifndef TESTS_PRIM_CPIM_H
#define TESTS_PRIM_CPIM_H

/* The least that an object needs around the header under test. */
#define NEEDED                               \
	"From: <im:a@b>\r\nTo: <im:c@d>\r\n" \
	"DateTime: 2000-12-13T13:40:00-08:00\r\n"
#define CONTENT "\r\nContent-Type: text/plain\r\n\r\n"

#endif
