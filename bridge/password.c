/* SPDX-License-Identifier: ISC */
/* A new password, from a script or from a person. */

#include "bridge/password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void set_echo(bool on)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) != 0)
		return;
	if (on)
		t.c_lflag |= ECHO | ISIG;
	else
		t.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
}

/* One line of standard input without its end. */
static bool read_line(char out_line[BR_PASSWORD_SIZE], struct br_err *err)
{
	size_t len = 0;
	int c;

	while ((c = getchar()) != EOF && c != '\n') {
		if (c == '\0' || len == BR_PASSWORD_SIZE - 1)
			return br_err_set(err,
			    "that is no password: too long, or with a NUL");
		out_line[len++] = (char)c;
	}
	if (c == EOF && len == 0)
		return br_err_set(err,
		    "no password: give it as one line on standard input");
	if (len > 0 && out_line[len - 1] == '\r')
		len--;
	out_line[len] = '\0';
	return len <= BR_PASSWORD_MAX ||
	    br_err_set(err, "the password is too long; at most %d octets",
		BR_PASSWORD_MAX);
}

static bool ask(const char *prompt, char out_line[BR_PASSWORD_SIZE],
    struct br_err *err)
{
	bool ok;

	fprintf(stderr, "%s", prompt);
	set_echo(false);
	ok = read_line(out_line, err);
	set_echo(true);
	fprintf(stderr, "\n");
	return ok;
}

bool br_password_read(char out_password[BR_PASSWORD_SIZE], struct br_err *err)
{
	char again[BR_PASSWORD_SIZE];
	bool ok;

	if (!isatty(STDIN_FILENO))
		return read_line(out_password, err);
	ok = ask("New password: ", out_password, err) &&
	    ask("The same again: ", again, err);
	if (ok && strcmp(out_password, again) != 0)
		ok = br_err_set(err, "the two passwords differ");
	explicit_bzero(again, sizeof(again));
	return ok;
}
