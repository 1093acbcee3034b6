/* SPDX-License-Identifier: ISC */
#include "tests/lib/t.h"

#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/control_place.h"
#include "bridge/log.h"
#include "bridge/store.h"
#include "bridge/worker.h"
#include "prim/base.h"
#include "prim/buf.h"

#define DEEP "a-folder-that-is-nested-so-deep-that-its-name-does-not-fit"

/* A control socket in a folder of its own; primctl is played by a thread. */
struct world {
	struct event_base *base;
	struct br_config *config;
	struct br_control control;
	struct br_control_server *server;
	struct br_log log;
	char top[64];
	char *dir; /* owned */
};

/* What the thread does, and what came out. */
struct call {
	const char *dir;
	struct prim_slice
	    octets; /* sent as they are; else `request` is asked */
	json_t *request;
	int bell[2];
	enum br_control_outcome outcome;
	json_t *answer;
	struct br_err err;
};

static void swallow(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static struct world *world_new(const char *below)
{
	struct world *w = prim_new(struct world);
	struct prim_buf dir = { 0 };
	struct prim_buf yaml = { 0 };
	struct br_err err;

	br_log_set_sink(swallow, NULL);
	snprintf(w->top, sizeof(w->top), "%s/control-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(w->top));
	prim_buf_puts(&dir, w->top);
	prim_buf_puts(&dir, below);
	w->dir = prim_buf_steal(&dir);
	prim_buf_putf(&yaml, "domains: [example.org]\ndata_dir: %s\n", w->dir);
	w->base = event_base_new();
	w->config = br_config_parse("test.yaml", prim_buf_slice(&yaml), NULL,
	    &err);
	assert_non_null(w->config);
	prim_buf_fini(&yaml);
	w->control.config = w->config;
	w->control.store = br_store_open(w->base, ":memory:", &err);
	br_log_init(&w->log, NULL, "test");
	return w;
}

static int setup(void **state)
{
	*state = world_new("");
	return 0;
}

static int setup_deep(void **state)
{
	struct world *w = world_new("/" DEEP "/" DEEP);
	char middle[256];

	snprintf(middle, sizeof(middle), "%s/" DEEP, w->top);
	assert_int_equal(mkdir(middle, 0700), 0);
	assert_int_equal(mkdir(w->dir, 0700), 0);
	*state = w;
	return 0;
}

static void remove_dirs(struct world *w)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/control", w->dir);
	unlink(path);
	while (strlen(w->dir) >= strlen(w->top)) {
		rmdir(w->dir);
		*strrchr(w->dir, '/') = '\0';
	}
}

static int teardown(void **state)
{
	struct world *w = *state;

	br_control_close(w->server);
	br_store_close(w->control.store);
	br_config_free(w->config);
	event_base_free(w->base);
	remove_dirs(w);
	prim_free(w->dir);
	prim_free(w);
	br_log_set_sink(NULL, NULL);
	return 0;
}

static bool serve(struct world *w, struct br_err *err)
{
	w->server = br_control_open(w->base, &w->control, &w->log, err);
	return w->server != NULL;
}

/* A client that is not primctl. */
static void call_raw(struct call *call)
{
	struct br_control_place place;
	char answer[256] = "";
	size_t len = 0;
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(br_control_place_open(call->dir, &place, &call->err));
	assert_int_equal(connect(fd, (const struct sockaddr *)&place.address,
			     sizeof(place.address)),
	    0);
	br_control_place_close(&place);
	(void)!send(fd, call->octets.ptr, call->octets.len, MSG_NOSIGNAL);
	while (len < sizeof(answer) - 1 &&
	    (n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
		len += (size_t)n;
	call->answer = json_loadb(answer, len, 0, NULL);
	close(fd);
}

static void *call_thread(void *arg)
{
	struct call *call = arg;

	if (call->octets.len > 0)
		call_raw(call);
	else
		call->outcome = br_control_call(call->dir, call->request,
		    &call->answer, &call->err);
	(void)!write(call->bell[1], "", 1);
	return NULL;
}

static void on_bell(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* Runs `call` in a thread while the loop turns. */
static void run(struct world *w, struct call *call)
{
	struct event *event;
	pthread_t thread;

	call->dir = w->dir;
	assert_int_equal(pipe(call->bell), 0);
	event = event_new(w->base, call->bell[0], EV_READ, on_bell, w->base);
	event_add(event, NULL);
	pthread_create(&thread, NULL, call_thread, call);
	event_base_loop(w->base, EVLOOP_NO_EXIT_ON_EMPTY);
	pthread_join(thread, NULL);
	event_free(event);
	close(call->bell[0]);
	close(call->bell[1]);
}

static void ask(struct world *w, const char *command, bool ok)
{
	struct call call = { .request = json_pack("{s:s}", "command",
				 command) };

	run(w, &call);
	assert_int_equal(call.outcome, BR_CONTROL_ANSWERED);
	assert_int_equal(json_is_true(json_object_get(call.answer, "ok")), ok);
	json_decref(call.request);
	json_decref(call.answer);
}

static void a_command_is_asked_and_answered_over_the_socket(void **state)
{
	struct world *w = *state;
	struct br_err err;
	struct stat st;
	char path[512];

	assert_true(serve(w, &err));
	snprintf(path, sizeof(path), "%s/control", w->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	ask(w, "status", true);
	ask(w, "account list", true);
	ask(w, "nothing", false);
	w->server = br_control_close(w->server);
	assert_int_equal(stat(path, &st), -1);
}

static void nobody_listens_without_a_server(void **state)
{
	struct world *w = *state;
	struct call call = { .request = json_pack("{s:s}", "command",
				 "status") };

	run(w, &call);
	assert_int_equal(call.outcome, BR_CONTROL_NO_SERVER);
	json_decref(call.request);
}

/* What a primd leaves behind that was killed. */
static void leave_socket(const struct world *w)
{
	struct br_control_place place;
	struct br_err err;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(br_control_place_open(w->dir, &place, &err));
	assert_int_equal(bind(fd, (const struct sockaddr *)&place.address,
			     sizeof(place.address)),
	    0);
	br_control_place_close(&place);
	close(fd);
}

static void a_socket_that_was_left_behind_is_replaced(void **state)
{
	struct world *w = *state;
	struct call call = { .request = json_pack("{s:s}", "command",
				 "status") };
	struct br_err err;

	leave_socket(w);
	run(w, &call);
	assert_int_equal(call.outcome, BR_CONTROL_NO_SERVER);
	json_decref(call.request);
	assert_true(serve(w, &err));
	ask(w, "status", true);
}

static void a_file_of_that_name_is_left_alone(void **state)
{
	struct world *w = *state;
	struct br_err err;
	char path[512];

	snprintf(path, sizeof(path), "%s/control", w->dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_false(serve(w, &err));
	assert_non_null(strstr(err.text, "is not a socket"));
	assert_int_equal(access(path, F_OK), 0);
}

static const struct {
	const char *name;
	const char *octets;
	const char *error;
} BAD[] = {
	{"no JSON",			  "hello\n",				      "not a line of JSON"},
	{ "nothing",			 "\n",					   "not a line of JSON"},
	{ "a member twice",                  "{\"command\":\"x\",\"command\":\"status\"}\n",
         "not a line of JSON"										    },
	{ "not UTF-8",		       "{\"command\":\"\xFF\"}\n",                     "not a line of JSON"},
	{ "two lines, of which one is read",
         "{\"command\":\"x\"}\n{\"command\":\"status\"}\n",				  "no such command"   },
};

static void check_raw(struct world *w, struct prim_slice octets,
    const char *error)
{
	struct call call = { .octets = octets };
	const char *text;

	run(w, &call);
	text = json_string_value(json_object_get(call.answer, "error"));
	assert_non_null(text);
	assert_non_null(strstr(text, error));
	json_decref(call.answer);
}

static void bad_octets_are_answered_and_harm_nobody(void **state)
{
	struct world *w = *state;
	struct br_err err;

	assert_true(serve(w, &err));
	for (size_t i = 0; i < PRIM_COUNT(BAD); i++) {
		print_message("%s\n", BAD[i].name);
		check_raw(w, prim_slice_of(BAD[i].octets), BAD[i].error);
	}
	ask(w, "status", true);
}

static void a_line_that_does_not_end_is_cut_off(void **state)
{
	struct world *w = *state;
	struct prim_buf line = { 0 };
	struct br_err err;

	assert_true(serve(w, &err));
	memset(prim_buf_room(&line, BR_CONTROL_REQUEST_MAX), '[',
	    BR_CONTROL_REQUEST_MAX);
	prim_buf_grow(&line, BR_CONTROL_REQUEST_MAX);
	check_raw(w, prim_buf_slice(&line), "too long");
	prim_buf_fini(&line);
}

static void deep_nesting_is_refused(void **state)
{
	struct world *w = *state;
	struct prim_buf line = { 0 };
	struct br_err err;

	assert_true(serve(w, &err));
	memset(prim_buf_room(&line, 60000), '[', 60000);
	prim_buf_grow(&line, 60000);
	prim_buf_putc(&line, '\n');
	check_raw(w, prim_buf_slice(&line), "not a line of JSON");
	prim_buf_fini(&line);
}

/* The connections of this test are its own; the last one is refused. */
static void a_flood_of_connections_is_bounded(void **state)
{
	struct world *w = *state;
	struct br_control_place place;
	struct br_err err;
	int fds[17];
	char octet;

	assert_true(serve(w, &err));
	assert_true(br_control_place_open(w->dir, &place, &err));
	for (size_t i = 0; i < PRIM_COUNT(fds); i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_int_equal(connect(fds[i],
				     (const struct sockaddr *)&place.address,
				     sizeof(place.address)),
		    0);
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(read(fds[15], &octet, 1), -1);
	assert_int_equal(read(fds[16], &octet, 1), 0);
	for (size_t i = 0; i < PRIM_COUNT(fds); i++)
		close(fds[i]);
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	ask(w, "status", true);
	br_control_place_close(&place);
}

/* Closing while a password is being derived: the account is made, and nobody
 * is told. */
static void a_server_may_close_while_a_command_runs(void **state)
{
	static const char REQUEST[] =
	    "{\"command\":\"account add\",\"address\":\"a@example.org\","
	    "\"password\":\"x\"}\n";
	struct world *w = *state;
	struct br_control_place place;
	struct br_err err;
	char octet;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	w->control.worker = br_worker_open(w->base, 1, 4);
	assert_true(serve(w, &err));
	assert_true(br_control_place_open(w->dir, &place, &err));
	assert_int_equal(connect(fd, (const struct sockaddr *)&place.address,
			     sizeof(place.address)),
	    0);
	assert_int_equal(send(fd, REQUEST, sizeof(REQUEST) - 1, 0),
	    sizeof(REQUEST) - 1);
	while (br_worker_pending(w->control.worker) == 0)
		event_base_loop(w->base, EVLOOP_ONCE);
	w->server = br_control_close(w->server);
	w->control.worker = br_worker_close(w->control.worker);
	br_store_settle(w->control.store);
	assert_int_equal(recv(fd, &octet, 1, 0), 0);
	close(fd);
	br_control_place_close(&place);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_is_asked_and_answered_over_the_socket),
		cmocka_unit_test_setup_teardown(
		    a_command_is_asked_and_answered_over_the_socket, setup_deep,
		    teardown),
		TEST(nobody_listens_without_a_server),
		TEST(a_socket_that_was_left_behind_is_replaced),
		TEST(a_file_of_that_name_is_left_alone),
		TEST(bad_octets_are_answered_and_harm_nobody),
		TEST(a_line_that_does_not_end_is_cut_off),
		TEST(deep_nesting_is_refused),
		TEST(a_flood_of_connections_is_bounded),
		TEST(a_server_may_close_while_a_command_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
