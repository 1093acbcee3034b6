/* SPDX-License-Identifier: ISC */
/* Reading a password without leaving it lying around. */

#include "contrib/client/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "contrib/client/options.h"
#include "prim/base.h"

#define LINE_MAX_OCTETS (CL_PASSWORD_MAX + 2) /* with CRLF */

/* Octet by octet: what follows the line on standard input is not ours. */
static ssize_t read_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, line + len, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0 || line[len] == '\n')
			break;
		len++;
	}
	return (ssize_t)len;
}

static char *take_line(int fd, const char *name, struct cl_err *err)
{
	char line[LINE_MAX_OCTETS];
	ssize_t len = read_line(fd, line, sizeof(line));
	char *password = NULL;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len < 0)
		cl_err_set(err, "cannot read the password from %s: %s", name,
		    strerror(errno));
	else if (len == 0)
		cl_err_set(err,
		    "the password is empty; it is the first line of %s", name);
	else if (len > CL_PASSWORD_MAX || memchr(line, '\0', (size_t)len))
		cl_err_set(err, "the first line of %s is no password", name);
	else
		password = prim_copy(line, (size_t)len);
	explicit_bzero(line, sizeof(line));
	return password;
}

static char *ask(struct cl_err *err)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct termios was;
	struct termios silent;
	char *password;

	if (fd < 0 || tcgetattr(fd, &was) != 0) {
		if (fd >= 0)
			close(fd);
		cl_err_set(err,
		    "no password: give --password-file FILE, there is no "
		    "terminal to ask on");
		return NULL;
	}
	silent = was;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	dprintf(fd, "Password: ");
	tcsetattr(fd, TCSAFLUSH, &silent);
	password = take_line(fd, "the terminal", err);
	tcsetattr(fd, TCSAFLUSH, &was);
	dprintf(fd, "\n");
	close(fd);
	return password;
}

char *cl_password_read(const char *file, struct cl_err *err)
{
	char *password;
	int fd;

	if (!file)
		return ask(err);
	if (strcmp(file, "-") == 0)
		return take_line(STDIN_FILENO, "standard input", err);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		cl_err_set(err, "cannot read the password file %s: %s", file,
		    strerror(errno));
		return NULL;
	}
	password = take_line(fd, file, err);
	close(fd);
	return password;
}

char *cl_password_free(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	return prim_free(password);
}
