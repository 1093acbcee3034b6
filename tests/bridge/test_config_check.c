/* SPDX-License-Identifier: ISC */
/*
 * What becomes of what primd-adapter --check says. The program is looked for
 * where the running one is, so this test copies itself to a folder of its own,
 * puts a script there that plays primd-adapter, and runs the copy.
 */

#include "tests/lib/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config.h"
#include "prim/base.h"

#define CONFIG                   \
	"domains: [a.example]\n" \
	"adapters:\n"            \
	"  - { name: x, plugin: y, options: { z: 1 } }\n"

static char folder[] = "/tmp/test_check_XXXXXX";

/* clang-format off: a table of texts needs no columns. */
static const struct {
	const char *name;
	const char *script; /* NULL: there is no program */
	const char *said;
} CASES[] = {
	{"content",                 "exit 0",				   "ok"},
	{ "content but talkative",  "echo 1:1: hm >&2",                         "ok"},
	{ "a place",                "echo '3:36: unknown key `z`' >&2; exit 1",
         "t.yaml:3:36: unknown key `z`"					     },
	{ "no place",               "echo no such plugin >&2; exit 1",
         "t.yaml:3:5: adapter `x`: no such plugin"                                  },
	{ "half a place",           "echo '3: bad' >&2; exit 1",
         "t.yaml:3:5: adapter `x`: 3: bad"                                          },
	{ "two lines and controls", "printf '3:1: a\\033b\\nc\\n' >&2; exit 2",
         "t.yaml:3:1: a?b"							  },
	{ "silence",                "exit 1",
         "t.yaml:3:5: adapter `x`: its plugin refuses the options without "
	    "a reason"							      },
	{ "death",                  "kill -9 $$",
         "t.yaml:3:5: adapter `x`: its plugin died of signal 9"                     },
	{ "a flood",
         "yes >&2 & head -c 3000000 /dev/zero | tr '\\0' a >&2\n"
	    "kill $!; exit 1",						  NULL},
	{ "the arguments",          "echo \"$*\" >&2; exit 1",
         "t.yaml:3:5: adapter `x`: --check y"                                       },
	{ "the options",            "tail -n +3 | tr -s ' ' >&2; exit 1",
         "t.yaml:3:5: adapter `x`: { z: 1 }"                                        },
	{ "no program",             NULL,
         "t.yaml:3:5: adapter `x`: cannot start primd-adapter: "
	    "No such file or directory"					     },
};

/* clang-format on */

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void copy_self(void)
{
	FILE *from = fopen("/proc/self/exe", "rb");
	FILE *to = fopen(path_of("self"), "wb");
	char block[65536];
	size_t len;

	assert_true(from && to);
	while ((len = fread(block, 1, sizeof(block), from)) > 0)
		assert_int_equal(fwrite(block, 1, len, to), len);
	assert_int_equal(fclose(to), 0);
	fclose(from);
	assert_int_equal(chmod(path_of("self"), 0700), 0);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	copy_self();
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(path_of("primd-adapter"));
	unlink(path_of("self"));
	return rmdir(folder);
}

static void write_script(const char *script)
{
	FILE *file;

	unlink(path_of("primd-adapter"));
	if (!script)
		return;
	file = fopen(path_of("primd-adapter"), "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of("primd-adapter"), 0700), 0);
}

/* Runs the copy; what it printed. */
static const char *run_copy(void)
{
	static char said[2000];
	char command[300];
	FILE *copy;
	size_t len;

	snprintf(command, sizeof(command), "%s check", path_of("self"));
	copy = popen(command, "r"); /* NOLINT(cert-env33-c): our own path */
	assert_non_null(copy);
	len = fread(said, 1, sizeof(said) - 1, copy);
	said[len] = '\0';
	pclose(copy);
	return said;
}

static void what_the_program_says_gets_its_place(void **state)
{
	const char *said;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		write_script(CASES[i].script);
		said = run_copy();
		if (CASES[i].said && strcmp(said, CASES[i].said) != 0)
			fail_msg("%s: %s", CASES[i].name, said);
		if (said[0] == '\0' || strchr(said, '\n'))
			fail_msg("%s: not one line", CASES[i].name);
	}
}

/* The copy: checks and prints the one line. */
static int check(void)
{
	struct br_err err = { .text = "ok" };
	struct br_config *c = br_config_parse("t.yaml", PRIM_SLICE(CONFIG),
	    NULL, &err);

	if (c)
		br_config_check_adapters(c, &err);
	br_config_free(c);
	fputs(err.text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(what_the_program_says_gets_its_place),
	};

	(void)argv;
	if (argc > 1)
		return check();
	return cmocka_run_group_tests(TESTS, make_folder, drop_folder);
}
