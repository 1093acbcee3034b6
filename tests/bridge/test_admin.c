/* SPDX-License-Identifier: ISC */
/* The operator's HTTP port, asked by a client that says exactly what it wants
 * on a port the kernel picked. */

#include "tests/lib/t.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/admin.h"
#include "bridge/guard.h"
#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/buf.h"

#define TURNS_MAX 20000

static struct event_base *base;
static struct br_admin *admin;
static const char *wrong; /* what health() says */
static unsigned refreshed;

static const char *health(void *arg)
{
	assert_ptr_equal(arg, &refreshed);
	return wrong;
}

static void before_metrics(void *arg)
{
	(*(unsigned *)arg)++;
	br_metric_set(BR_METRIC_CONNECTIONS, 42);
}

static const struct br_admin_ops OPS = {
	.health = health,
	.before_metrics = before_metrics,
};

static char loopback[] = "127.0.0.1";

static int start(void **state)
{
	const struct br_config config = { .admin = { .host = loopback } };
	struct br_err err;

	(void)state;
	base = event_base_new();
	admin = br_admin_open(base, &config, &OPS, &refreshed, &err);
	wrong = NULL;
	refreshed = 0;
	return admin && br_admin_port(admin) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	admin = br_admin_close(admin);
	event_base_free(base);
	return 0;
}

static int dial(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)),
	    0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void say(int fd, struct prim_slice what)
{
	assert_int_equal(send(fd, what.ptr, what.len, MSG_NOSIGNAL), what.len);
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Turns the loop until the server closes; what it said. */
static const char *hear_all(int fd)
{
	static char text[65536];
	size_t len = 0;

	for (int i = 0; i < TURNS_MAX; i++) {
		ssize_t n;

		turn();
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (n > 0)
			len += (size_t)n;
		if (n == 0 || (n < 0 && errno == ECONNRESET)) {
			text[len] = '\0';
			close(fd);
			return text;
		}
	}
	fail_msg("the server did not close");
	return NULL;
}

static const char *ask_octets(struct prim_slice what)
{
	const int fd = dial(br_admin_port(admin));

	say(fd, what);
	return hear_all(fd);
}

static const char *ask(const char *what)
{
	return ask_octets(prim_slice_of(what));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static void health_is_ok_or_says_why(void **state)
{
	const char *text = ask(GET("/healthz"));

	(void)state;
	assert_has(text, "HTTP/1.1 200 OK\r\n");
	assert_has(text, "Connection: close\r\n");
	assert_has(text, "\r\n\r\nok\n");
	wrong = "the store is full\nxmpp is down\n";
	text = ask(GET("/healthz?verbose"));
	assert_has(text, "HTTP/1.1 503 ");
	assert_has(text, "\r\n\r\nthe store is full\nxmpp is down\n");
}

static void metrics_are_fresh(void **state)
{
	const char *text = ask(GET("/metrics"));

	(void)state;
	assert_has(text, "HTTP/1.1 200 OK\r\n");
	assert_has(text, "Content-Type: text/plain; version=0.0.4\r\n");
	assert_has(text, "\nprimd_connections 42\n");
	assert_int_equal(refreshed, 1);
}

static void the_first_page_names_the_others(void **state)
{
	const char *text = ask(GET("/"));

	(void)state;
	assert_has(text, "HTTP/1.1 200 OK\r\n");
	assert_has(text, "/healthz");
	assert_has(text, "/metrics");
	assert_has(ask(GET("/other")), "HTTP/1.1 404 ");
	assert_has(ask(GET("/metrics/")), "HTTP/1.1 404 ");
}

static void head_has_no_body(void **state)
{
	const char *text = ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");

	(void)state;
	assert_has(text, "HTTP/1.1 200 OK\r\n");
	assert_has(text, "Content-Length: 3\r\n");
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void a_slow_and_split_request_is_served(void **state)
{
	static const char REQUEST[] = GET("/healthz");
	const int fd = dial(br_admin_port(admin));

	(void)state;
	for (size_t i = 0; i < sizeof(REQUEST) - 1; i++) {
		say(fd, prim_slice_make(REQUEST + i, 1));
		turn();
	}
	assert_has(hear_all(fd), "HTTP/1.1 200 OK\r\n");
}

#define H "Host: x\r\n"

static const struct {
	const char *name;
	struct prim_slice request;
	const char *status;
} CASES[] = {

/* clang-format off: a table of texts needs no columns. */
#define ROW(name, request, status)                             \
	{                                                      \
		name, { request, sizeof(request) - 1 }, status \
	}
	ROW("HTTP/1.0 without Host", "GET /healthz HTTP/1.0\r\n\r\n", "200"),
	ROW("a length of 0", "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n",
	    "200"),
	ROW("POST", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
	    "405"),
	ROW("DELETE", "DELETE / HTTP/1.1\r\n" H "\r\n", "405"),
	ROW("an unknown method", "BREW / HTTP/1.1\r\n" H "\r\n", "501"),
	ROW("two lengths",
	    "GET / HTTP/1.1\r\n" H
	    "Content-Length: 0\r\nContent-Length: 5\r\n\r\nGET /",
	    "400"),
	ROW("equal lengths",
	    "GET / HTTP/1.1\r\n" H
	    "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
	    "400"),
	ROW("two lengths in POST",
	    "POST / HTTP/1.1\r\n" H
	    "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
	    "400"),
	ROW("a list of lengths",
	    "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\nx", "400"),
	ROW("a signed length",
	    "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx", "400"),
	ROW("a negative length",
	    "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", "400"),
	ROW("a hexadecimal length",
	    "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\nx", "400"),
	ROW("no length", "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n",
	    "400"),
	ROW("a body for GET",
	    "GET / HTTP/1.1\r\n" H
	    "Content-Length: 25\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
	    "400"),
	ROW("chunked GET",
	    "GET / HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "400"),
	ROW("length and chunks",
	    "POST / HTTP/1.1\r\n" H
	    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n",
	    "400"),
	ROW("a space before the colon",
	    "POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	    "400"),
	ROW("two codings",
	    "POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
	    "400"),
	ROW("a coding like chunked",
	    "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n",
	    "400"),
	ROW("no Host", "GET / HTTP/1.1\r\n\r\n", "400"),
	ROW("two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", "400"),
	ROW("a bare LF", "GET / HTTP/1.1\n" H "\r\n", "400"),
	ROW("a bare LF in a header", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
	    "400"),
	ROW("a bare LF at the end", "GET / HTTP/1.1\r\n" H "\n", "400"),
	ROW("a bare CR", "GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n\r\n", "400"),
	ROW("a folded line", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n",
	    "400"),
	ROW("a folded length",
	    "POST / HTTP/1.1\r\n" H "Content-Length:\r\n 1\r\n\r\nx", "400"),
	ROW("a NUL", "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n", "400"),
	ROW("a control", "GET / HTTP/1.1\r\n" H "A: b\x1b\r\n\r\n", "400"),
	ROW("a space in a name", "GET / HTTP/1.1\r\n" H "A B: c\r\n\r\n",
	    "400"),
	ROW("no name", "GET / HTTP/1.1\r\n" H ": c\r\n\r\n", "400"),
	ROW("no colon", "GET / HTTP/1.1\r\n" H "A\r\n\r\n", "400"),
	ROW("an empty line first", "\r\nGET / HTTP/1.1\r\n" H "\r\n", "400"),
	ROW("HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", "400"),
	ROW("no HTTP", "hello\r\n\r\n", "400"),
	/* clang-format on */
};

static void only_strict_requests_are_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const char *text = ask_octets(CASES[i].request);

		if (strstr(text, "primd_"))
			fail_msg("%s: smuggled", CASES[i].name);
		if (strlen(text) < 12 ||
		    strncmp(text + strlen("HTTP/1.1 "), CASES[i].status, 3))
			fail_msg("%s: %.60s", CASES[i].name, text);
	}
	assert_has(ask("PUT / HTTP/1.1\r\n" H "\r\n"), "Allow: GET, HEAD\r\n");
}

static void a_second_request_is_not_read(void **state)
{
	const char *text = ask(GET("/healthz") GET("/metrics"));

	(void)state;
	assert_has(text, "\r\n\r\nok\n");
	assert_null(strstr(text, "primd_"));
	assert_int_equal(refreshed, 0);
}

static void a_large_head_is_refused(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "GET / HTTP/1.1\r\n" H);
	for (int i = 0; i < 200; i++)
		prim_buf_putf(&b,
		    "X-%d: 0123456789012345678901234567890"
		    "123456789\r\n",
		    i);
	prim_buf_puts(&b, "\r\n");
	assert_has(ask_octets(prim_buf_slice(&b)), " 400 ");
	prim_buf_fini(&b);
}

static void a_large_body_is_refused(void **state)
{
	(void)state;
	assert_has(ask("POST / HTTP/1.1\r\n" H "Content-Length: 5000\r\n\r\n"),
	    " 413 ");
}

static void the_thirty_third_connection_is_closed(void **state)
{
	int fds[32];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(fds); i++) {
		fds[i] = dial(br_admin_port(admin));
		turn();
	}
	turn();
	assert_string_equal(hear_all(dial(br_admin_port(admin))), "");
	close(fds[7]);
	turn();
	turn();
	assert_has(ask(GET("/healthz")), "\r\n\r\nok\n");
	say(fds[0], PRIM_SLICE(GET("/healthz")));
	assert_has(hear_all(fds[0]), "\r\n\r\nok\n");
	for (size_t i = 1; i < PRIM_COUNT(fds); i++)
		if (i != 7)
			close(fds[i]);
}

static void closing_with_clients_inside_frees_all(void **state)
{
	const int fd = dial(br_admin_port(admin));

	say(fd, PRIM_SLICE("GET / HT"));
	turn();
	turn();
	stop(state);
	close(fd);
	assert_int_equal(start(state), 0);
}

static void without_an_address_it_is_silent(void **state)
{
	const struct br_config config = { .file = NULL };
	struct br_admin *silent = br_admin_open(base, &config, &OPS, &refreshed,
	    NULL);

	(void)state;
	assert_non_null(silent);
	assert_int_equal(br_admin_port(silent), 0);
	br_admin_close(silent);
}

static void a_taken_port_is_a_sentence(void **state)
{
	const struct br_config config = {
		.admin = {.host = loopback, .port = br_admin_port(admin)}
	};
	char expected[160];
	struct br_err err;

	(void)state;
	assert_null(br_admin_open(base, &config, &OPS, NULL, &err));
	snprintf(expected, sizeof(expected),
	    "admin.listen: cannot listen on 127.0.0.1 port %u: "
	    "Address already in use; another program listens there: stop it, "
	    "or choose another port",
	    br_admin_port(admin));
	assert_string_equal(err.text, expected);
}

static void a_trickle_of_octets_wins_no_time(void **state)
{
	struct evhttp *http = evhttp_new(base);
	struct br_guard *guard = br_guard_new(http, 4, 50);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http,
	    "127.0.0.1", 0);
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	const char x = 'x';
	int fd;

	(void)state;
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound),
			     (struct sockaddr *)&address, &len),
	    0);
	fd = dial(ntohs(address.sin_port));
	while (send(fd, &x, 1, MSG_NOSIGNAL) == 1)
		event_base_loop(base, EVLOOP_ONCE);
	close(fd);
	evhttp_free(http);
	br_guard_free(guard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(health_is_ok_or_says_why),
		TEST(metrics_are_fresh),
		TEST(the_first_page_names_the_others),
		TEST(head_has_no_body),
		TEST(a_slow_and_split_request_is_served),
		TEST(only_strict_requests_are_answered),
		TEST(a_second_request_is_not_read),
		TEST(a_large_head_is_refused),
		TEST(a_large_body_is_refused),
		TEST(the_thirty_third_connection_is_closed),
		TEST(closing_with_clients_inside_frees_all),
		TEST(without_an_address_it_is_silent),
		TEST(a_taken_port_is_a_sentence),
		TEST(a_trickle_of_octets_wins_no_time),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
