/* SPDX-License-Identifier: ISC */
/* What no adapter should ever do. */

#include "adapters/fault/misdeed.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINK_FD   3 /* nothing a plugin should touch: that is the point */
#define EXIT_CODE 9

void fa_rubbish(const char *text)
{
	/* What does not fit into the socket is no loss. */
	if (send(LINK_FD, text, strlen(text), MSG_DONTWAIT) < 0)
		return;
}

void fa_hang(void)
{
	for (;;)
		pause();
}

void fa_die(void)
{
	_exit(EXIT_CODE);
}
