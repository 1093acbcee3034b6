/* SPDX-License-Identifier: ISC */
#ifndef FAULT_MISDEED_H
#define FAULT_MISDEED_H

/* What no adapter should ever do. */

/* Puts `text` on the link itself, behind the back of the runtime. */
void fa_rubbish(const char *text);
/* Blocks the loop for ever. */
void fa_hang(void);
/* Ends the process at once, with code 9. */
void fa_die(void);

#endif
