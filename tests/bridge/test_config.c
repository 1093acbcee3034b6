/* SPDX-License-Identifier: ISC */
/* The configuration: what it means, and what is said about a bad one. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/log.h"
#include "prim/base.h"
#include "prim/buf.h"

/* All keys there are; the files are made by the test. */
static const char FULL[] =
    "domains: [Prim.Example.org, other.example]\n"
    "data_dir: /var/lib/primd\n"
    "user: primd\n"
    "listen:\n"
    "  - address: 127.0.0.1:7746\n"
    "  - { address: '[::1]', tls: true }\n"
    "tls: { certificate: cert.pem, key: key.pem }\n"
    "auth:\n"
    "  mechanisms: [SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, EXTERNAL]\n"
    "  allow_plaintext: false   # for loopback and tests\n"
    "default_acl: { own_domain: [fetch, send], everyone: [] }\n"
    "disclosure: open\n"
    "limits: { body: 2MiB, presence: 32KiB, connections: 10,\n"
    "  connections_per_address: 5, offline_messages: 50,\n"
    "  queue_messages: 2000, queue: 3TiB }\n"
    "delivery: { answer_within: 1500ms, offline_store: false,\n"
    "  give_up_after: 2d, notices: requested }\n"
    "federation: { tls: optional }\n"
    "dns: { hosts_file: hosts.zone }\n"
    "admin: { listen: 127.0.0.1:0 }\n"
    "history: history.json\n"
    "routes:\n"
    "  - { domain: Jabber.example, via: xmpp, retry: [5s, 1m, 24h],\n"
    "      give_up_after: 72h }\n"
    "  - { domain: .mail.example, via: mail, queue: false,\n"
    "      relay: [jabber.example, .x.example] }\n"
    "adapters:\n"
    "  - { name: xmpp, plugin: xmpp, options: { server: 127.0.0.1:5347,\n"
    "      domain: PRIM.example.org, gateway_domain: xmpp.example } }\n"
    "  - name: mail\n"
    "    plugin: smtp\n"
    "    options:\n"
    "      lmtp_listen: '[::1]:7724'\n"
    "      listen: 127.0.0.1:0\n";

static char folder[] = "/tmp/test_config_XXXXXX";

static char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_file("cert.pem", "x");
	write_file("key.pem", "x");
	write_file("hosts.zone", "x");
	write_file("full.yaml", FULL);
	return 0;
}

static int drop_folder(void **state)
{
	static const char *const NAMES[] = { "cert.pem", "key.pem",
		"hosts.zone", "full.yaml" };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++)
		unlink(path_of(NAMES[i]));
	return rmdir(folder);
}

static struct br_config *read_full(void)
{
	struct br_err err = { .text = "" };
	struct br_config *c = br_config_read(path_of("full.yaml"), NULL, &err);

	if (!c)
		fail_msg("%s", err.text);
	return c;
}

static struct br_config *parse(const char *text)
{
	struct br_err err = { .text = "" };
	struct br_config *c = br_config_parse("t.yaml", prim_slice_of(text),
	    NULL, &err);

	if (!c)
		fail_msg("%s", err.text);
	return c;
}

static void every_key_arrives(void **state)
{
	struct br_config *c = read_full();

	(void)state;
	assert_int_equal(c->domain_count, 2);
	assert_string_equal(c->domains[0], "prim.example.org");
	assert_string_equal(c->data_dir, "/var/lib/primd");
	assert_string_equal(c->user, "primd");
	assert_int_equal(c->listen_count, 2);
	assert_string_equal(c->listen[1].endpoint.host, "::1");
	assert_int_equal(c->listen[0].endpoint.port, 7746);
	assert_int_equal(c->listen[1].endpoint.port, 7747);
	assert_true(c->listen[1].tls && !c->listen[0].tls);
	assert_string_equal(c->tls_certificate, path_of("cert.pem"));
	assert_string_equal(c->tls_key, path_of("key.pem"));
	assert_string_equal(c->dns_hosts_file, path_of("hosts.zone"));
	assert_int_equal(c->mechanisms,
	    BR_MECH_SCRAM_SHA_256_PLUS | BR_MECH_SCRAM_SHA_256 | BR_MECH_PLAIN |
		BR_MECH_EXTERNAL);
	assert_int_equal(c->acl_own_domain, BR_RIGHT_FETCH | BR_RIGHT_SEND);
	assert_int_equal(c->acl_everyone, 0);
	assert_int_equal(c->limit_body, 2 * 1024 * 1024);
	assert_int_equal(c->limit_presence, 32 * 1024);
	assert_int_equal(c->limit_connections, 10);
	assert_int_equal(c->limit_connections_per_address, 5);
	assert_int_equal(c->limit_offline_messages, 50);
	assert_int_equal(c->limit_queue_messages, 2000);
	assert_int_equal(c->limit_queue, (uint64_t)3 << 40);
	assert_int_equal(c->answer_within_ms, 1500);
	assert_int_equal(c->give_up_after_ms, 2 * 86400000);
	assert_true(!c->offline_store && !c->notices_always);
	assert_true(!c->federation_tls_required && !c->disclosure_hide);
	assert_string_equal(c->admin.host, "127.0.0.1");
	assert_int_equal(c->admin.port, 0);
	assert_string_equal(c->history, path_of("history.json"));
	br_config_free(c);
}

static void routes_arrive(void **state)
{
	struct br_config *c = read_full();

	(void)state;
	assert_int_equal(c->route_count, 2);
	assert_string_equal(c->routes[0].domain, "jabber.example");
	assert_string_equal(c->routes[0].via, "xmpp");
	assert_true(c->routes[0].queues && !c->routes[1].queues);
	assert_string_equal(c->routes[1].domain, ".mail.example");
	assert_int_equal(c->routes[1].relay_count, 2);
	assert_string_equal(c->routes[1].relay[1], ".x.example");
	br_config_free(c);
}

static void a_route_has_its_own_pauses_and_patience(void **state)
{
	static const unsigned PAUSES[] = { 5, 60, 86400 };
	struct br_config *c = read_full();

	(void)state;
	assert_int_equal(c->routes[0].retry_count, PRIM_COUNT(PAUSES));
	assert_memory_equal(c->routes[0].retry_s, PAUSES, sizeof(PAUSES));
	assert_int_equal(c->routes[0].give_up_after_ms, 72 * 3600000);
	assert_int_equal(c->routes[1].retry_count, 0);
	assert_int_equal(c->routes[1].give_up_after_ms, 0);
	br_config_free(c);
}

static void notices_are_always_or_asked_for(void **state)
{
	static const struct {
		const char *word;
		bool always;
	} WORDS[] = {
		{"always",     true },
		{ "asked",     false},
		{ "requested", false},
	};

	char text[100];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(WORDS); i++) {
		struct br_config *c;

		snprintf(text, sizeof(text),
		    "domains: [a]\ndelivery: { notices: %s }", WORDS[i].word);
		c = parse(text);
		if (c->notices_always != WORDS[i].always)
			fail_msg("%s", WORDS[i].word);
		br_config_free(c);
	}
}

static void adapters_arrive_with_echo_behind_them(void **state)
{
	struct br_config *c = read_full();

	(void)state;
	assert_int_equal(c->adapter_count, 3);
	assert_string_equal(c->adapters[0].domain, "prim.example.org");
	assert_string_equal(c->adapters[0].gateway_domain, "xmpp.example");
	assert_int_equal(c->adapters[0].line, 28);
	assert_int_equal(c->adapters[0].column, 5);
	assert_null(c->adapters[1].domain);
	assert_int_equal(c->adapters[1].listen_count, 2);
	assert_string_equal(c->adapters[1].listen[0].host, "::1");
	assert_int_equal(c->adapters[1].listen[0].port, 7724);
	assert_string_equal(c->adapters[2].name, "echo");
	assert_string_equal(c->adapters[2].plugin, "echo");
	assert_string_equal(c->adapters[2].domain, "echo.prim.example.org");
	assert_string_equal(c->adapters[2].options,
	    "{ domain: echo.prim.example.org }");
	br_config_free(c);
}

static void options_keep_their_lines_and_columns(void **state)
{
	struct br_config *c = parse("domains: [a.example]\n"
				    "adapters:\n"
				    "  - name: x\n"
				    "    plugin: y\n"
				    "    options: # block\n"
				    "      a: 1\n"
				    "      b: [\xc3\xbc]\n"
				    "  - { name: z, plugin: z, options: {c: d\n"
				    "  , e: f} }\n"
				    "  - { name: e, plugin: e, options: }\n");

	(void)state;
	assert_string_equal(c->adapters[0].options,
	    "\n\n\n\n\n      a: 1\n      b: [\xc3\xbc]\n  ");
	assert_string_equal(c->adapters[1].options,
	    "\n\n\n\n\n\n\n                                   {c: d\n"
	    "  , e: f}");
	assert_string_equal(c->adapters[2].options, "\n\n\n\n\n\n\n\n\n    {}");
	br_config_free(c);
}

static void without_a_file_there_is_a_working_default(void **state)
{
	struct br_config *c = br_config_read(NULL, NULL, NULL);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->file, "(defaults)");
	assert_string_equal(c->domains[0], "localhost");
	assert_string_equal(c->data_dir, "primd-data");
	assert_int_equal(c->listen_count, 1);
	assert_string_equal(c->listen[0].endpoint.host, "127.0.0.1");
	assert_int_equal(c->listen[0].endpoint.port, 7746);
	assert_int_equal(c->admin.port, 7780);
	assert_int_equal(c->adapter_count, 1);
	assert_string_equal(c->adapters[0].domain, "echo.localhost");
	assert_int_equal(c->limit_body, 1024 * 1024);
	assert_int_equal(c->answer_within_ms, 8000);
	assert_int_equal(c->limit_queue_messages, 1000000);
	assert_int_equal(c->limit_queue, (uint64_t)16 << 30);
	assert_int_equal(c->give_up_after_ms, 86400000);
	assert_null(c->history);
	assert_true(c->offline_store && c->notices_always);
	assert_true(c->federation_tls_required);
	assert_int_equal(c->acl_everyone, BR_RIGHT_SEND);
	br_config_free(c);
}

static void an_echo_of_ones_own_replaces_the_default(void **state)
{
	struct br_config *c =
	    parse("domains: [a.example]\n"
		  "adapters: [{ name: echo, plugin: echo, options: { domain: "
		  "e.example } }]\n");

	(void)state;
	assert_int_equal(c->adapter_count, 1);
	assert_string_equal(c->adapters[0].domain, "e.example");
	br_config_free(c);
	c = parse("domains: [a.example]\n"
		  "adapters: [{ name: x, plugin: x, options: { domain: "
		  "echo.a.example } }]\n");
	assert_int_equal(c->adapter_count, 1);
	br_config_free(c);
}

static void a_served_domain_is_told_from_others(void **state)
{
	struct br_config *c = parse("domains: [a.example, b.example]");

	(void)state;
	assert_true(br_config_serves(c, PRIM_SLICE("b.example")));
	assert_false(br_config_serves(c, PRIM_SLICE("c.a.example")));
	assert_null(c->admin.host);
	br_config_free(c);
}

static void keep(void *arg, struct prim_slice line)
{
	prim_buf_put(arg, prim_slice_from(line, 25));
	prim_buf_putc(arg, '\n');
}

static void keys_without_effect_are_told_once(void **state)
{
	struct prim_buf said = { 0 };
	struct br_config *c;
	struct br_log log;
	char *text;

	(void)state;
	br_log_init(&log, NULL, "config");
	br_log_set_sink(keep, &said);
	c = br_config_parse("t.yaml",
	    PRIM_SLICE("domains: [a]\n"
		       "auth: { mechanisms: [SCRAM-SHA-256-PLUS, CRAM-MD5, "
		       "EXTERNAL, EXTERNAL] }\n"
		       "federation: { tls: required }\n"
		       "delivery: { notices: asked }\n"
		       "disclosure: hide\n"),
	    &log, NULL);
	br_log_set_sink(NULL, NULL);
	text = prim_buf_steal(&said);
	assert_string_equal(text,
	    "warn config: t.yaml:2:52: `EXTERNAL` has no effect yet\n"
	    "warn config: t.yaml:3:20: `federation.tls` has no effect yet\n");
	prim_free(text);
	br_config_free(c);
}

static void plugins_of_a_later_version_are_left_out(void **state)
{
	struct prim_buf said = { 0 };
	struct br_config *c;
	struct br_log log;
	char *text;

	(void)state;
	br_log_init(&log, NULL, "config");
	c = br_config_parse("t.yaml",
	    PRIM_SLICE("domains: [a]\n"
		       "routes:\n"
		       "  - { domain: m.example, via: mail }\n"
		       "  - { domain: x.example, via: xmpp }\n"
		       "adapters:\n"
		       "  - { name: mail, plugin: smtp }\n"
		       "  - { name: xmpp, plugin: xmpp }\n"),
	    NULL, NULL);
	assert_int_equal(c->adapter_count, 3);
	br_log_set_sink(keep, &said);
	br_config_drop_later(c, &log);
	br_log_set_sink(NULL, NULL);
	text = prim_buf_steal(&said);
	assert_string_equal(text,
	    "warn config: t.yaml:6:5: the plugin `smtp` is not part of this "
	    "version: adapter `mail` and its routes are left out\n");
	assert_int_equal(c->adapter_count, 2);
	assert_string_equal(c->adapters[0].name, "xmpp");
	assert_int_equal(c->route_count, 1);
	assert_string_equal(c->routes[0].via, "xmpp");
	prim_free(text);
	br_config_free(c);
}

static void a_missing_file_says_so(void **state)
{
	struct br_err err;

	(void)state;
	assert_null(br_config_read("/nonexistent/x.yaml", NULL, &err));
	assert_string_equal(err.text,
	    "/nonexistent/x.yaml:1:1: cannot open it: "
	    "No such file or directory");
	assert_null(br_config_read("/", NULL, &err));
	assert_string_equal(err.text, "/:1:1: cannot read it: Is a directory");
}

static void a_file_over_1_mib_is_refused(void **state)
{
	struct prim_buf b = { 0 };
	struct br_err err;

	(void)state;
	prim_buf_puts(&b, "domains: [a]\n#");
	while (b.len <= 1024 * 1024)
		prim_buf_putc(&b, 'x');
	assert_null(br_config_parse("t.yaml", prim_buf_slice(&b), NULL, &err));
	assert_string_equal(err.text, "t.yaml:1:1: it is larger than 1 MiB");
	b.len = 1024 * 1024;
	br_config_free(br_config_parse("t.yaml", prim_buf_slice(&b), NULL,
	    &err));
	prim_buf_fini(&b);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(every_key_arrives),
		cmocka_unit_test(routes_arrive),
		cmocka_unit_test(a_route_has_its_own_pauses_and_patience),
		cmocka_unit_test(notices_are_always_or_asked_for),
		cmocka_unit_test(adapters_arrive_with_echo_behind_them),
		cmocka_unit_test(options_keep_their_lines_and_columns),
		cmocka_unit_test(without_a_file_there_is_a_working_default),
		cmocka_unit_test(an_echo_of_ones_own_replaces_the_default),
		cmocka_unit_test(a_served_domain_is_told_from_others),
		cmocka_unit_test(keys_without_effect_are_told_once),
		cmocka_unit_test(plugins_of_a_later_version_are_left_out),
		cmocka_unit_test(a_missing_file_says_so),
		cmocka_unit_test(a_file_over_1_mib_is_refused),
	};

	return cmocka_run_group_tests(TESTS, make_folder, drop_folder);
}
