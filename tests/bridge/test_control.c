/* SPDX-License-Identifier: ISC */
#include "tests/bridge/control_world.h"

#include "bridge/auth.h"

#define ADD(address, password)                                \
	"{\"command\":\"account add\",\"address\":\"" address \
	"\",\"password\":\"" password "\"}"
#define PASSWD(address, password)                                \
	"{\"command\":\"account passwd\",\"address\":\"" address \
	"\",\"password\":\"" password "\"}"
#define REMOVE(address) \
	"{\"command\":\"account remove\",\"address\":\"" address "\"}"

static const struct {
	const char *name;
	const char *request;
	const char *error; /* part of it */
} REFUSED[] = {
	{"no object",				 "[]",					       "no such command"              },
	{ "a number",				 "7",						"no such command"              },
	{ "no command",			       "{}",					       "no such command"              },
	{ "a command that is none",                   "{\"command\":\"account\"}",
         "no such command"													       },
	{ "a command that is a number",               "{\"command\":1}",                                  "no such command"              },
	{ "no address",			       "{\"command\":\"account add\",\"password\":\"x\"}",
         "needs the string \"address\""												  },
	{ "an address that is no string",
         "{\"command\":\"account remove\",\"address\":[1]}",					      "needs the string \"address\"" },
	{ "a member too many",
         "{\"command\":\"status\",\"address\":\"a@example.org\"}",					"members it does not know"     },
	{ "no password",
         "{\"command\":\"account add\",\"address\":\"a@example.org\"}",				   "needs the string \"password\""},
	{ "an empty password",                        ADD("a@example.org",                                ""),
         "the password is empty" },
	{ "no domain",					  ADD("alice",										 "x"),							    "is not an address" },
	{ "a blank",			ADD("a b@example.org",									 "x"),                                    "is not an address" },
	{ "another scheme",				       ADD("mailto:a@example.org","x"),
         "is not an address" },
	{ "a domain of others",ADD("a@example.net",                            "x"),
         "does not serve the domain example.net" },
	{ "a subdomain",                       ADD("a@sub.example.org",									    "x"),
         "does not serve the domain sub.example.org" },
	{ "postmaster",					  ADD("PostMaster@example.org",									       "x"),								 "is reserved" },
	{ "primbridge", ADD("im:primbridge@example.org",                                                  "x"),								     "is reserved" },
	{ "echo, escaped",				       ADD("%65cho@example.org","x"),"is reserved" },
	{ "a password for nobody",            PASSWD("a@example.org",         "x"),
         "there is no account a@example.org" },
	{ "removing nobody",                            REMOVE("a@example.org"),
         "there is no account a@example.org"                                             },
	{ "a message nobody knows",
         "{\"command\":\"trace\",\"message_id\":\"x\"}",								     "nothing is known"								  },
	{ "an empty Message-ID",         "{\"command\":\"trace\",\"message_id\":\"\"}",
         "is empty"								       },
};

/* ---- addresses that are too long ---- */

static const struct {
	const char *name;
	size_t local, domain; /* octets */
	const char *error;    /* part of it */
} LONG[] = {
	{"a whole",       5000, 20,  "it has 5021 octets, and 2048 are the most"},
	{ "a local-part", 1024, 20,  "in front of the '@' 1023 octets"          },
	{ "a domain",     20,   254, "behind it 253"                            },
};

/* In no refusal the whole stands again. */
static void what_is_too_long_is_called_that(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(LONG); i++) {
		struct prim_buf b = { 0 };
		char *text;

		print_message("%s\n", LONG[i].name);
		for (size_t n = 0; n < LONG[i].local / 2; n++)
			prim_buf_puts(&b, "\xc3\xa9");
		prim_buf_putc(&b, '@');
		for (size_t n = 0; n < LONG[i].domain; n++)
			prim_buf_putc(&b, 'd');
		text = prim_buf_steal(&b);
		ask_json(w,
		    json_pack("{s:s, s:s}", "command", "account remove",
			"address", text));
		assert_error(w, LONG[i].error);
		assert_error(w, "...' is too long for an address");
		assert_true(strlen(json_string_value(json_object_get(w->answer,
				"error"))) < 300);
		prim_free(text);
	}
}

static void a_wrong_request_is_told_what_is_wrong(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		print_message("%s\n", REFUSED[i].name);
		ask(w, REFUSED[i].request);
		assert_error(w, REFUSED[i].error);
	}
	ask(w, "{\"command\":\"account list\"}");
	assert_int_equal(json_array_size(result(w, "accounts")), 0);
}

struct found {
	bool there;
	struct br_store_account account;
};

static void on_found(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct found *found = arg;

	assert_false(failed);
	found->there = account != NULL;
	if (account)
		found->account = *account;
}

static struct found find(struct world *w, const char *key)
{
	struct found found = { 0 };

	br_store_account_find(w->control.store, prim_slice_of(key), on_found,
	    &found);
	br_store_settle(w->control.store);
	return found;
}

static void an_account_is_made_changed_and_removed(void **state)
{
	struct world *w = *state;
	struct found first;
	struct found second;

	ask(w, ADD("im:Alice@Example.ORG", "secret"));
	assert_true(is_ok(w));
	assert_string_equal(json_string_value(result(w, "address")),
	    "Alice@Example.ORG");
	first = find(w, "alice@example.org");
	assert_true(first.there);
	assert_true(first.account.iterations >= 4096);
	assert_int_equal(first.account.cram_secret.len, 0);
	ask(w, PASSWD("pres:alice@example.org", "other"));
	assert_true(is_ok(w));
	second = find(w, "alice@example.org");
	assert_memory_not_equal(first.account.stored_key,
	    second.account.stored_key, BR_HASH_LEN);
	ask(w, REMOVE("ALICE@example.org"));
	assert_true(is_ok(w));
	assert_false(find(w, "alice@example.org").there);
}

static void an_address_in_another_spelling_is_the_same_account(void **state)
{
	struct world *w = *state;

	ask(w, ADD("alice@example.org", "secret"));
	ask(w, ADD("%41LICE@example.org", "secret"));
	assert_error(w, "exists");
	ask(w, ADD("alice@second.example", "secret"));
	assert_true(is_ok(w));
	ask(w, "{\"command\":\"account list\"}");
	assert_int_equal(json_array_size(result(w, "accounts")), 2);
	assert_true(json_is_false(result(w, "truncated")));
}

static void server_account_changed(void *ctx, struct prim_slice key)
{
	struct world *w = ctx;

	w->changes++;
	snprintf(w->changed, sizeof(w->changed), "%.*s", PRIM_SLICE_ARG(key));
}

static void server_status(void *ctx, json_t *into)
{
	(void)ctx;
	json_object_set_new(into, "uptime_s", json_integer(90061));
	json_object_set_new(into, "outbox", json_integer(7));
	json_object_set_new(into, "listeners", json_pack("[s]", "[::1]:7746"));
	json_object_set_new(into, "adapters",
	    json_pack("[{s:s, s:s, s:i, s:i}]", "name", "xmpp", "state", "up",
		"pid", 12, "deaths", 3));
}

static const struct br_control_ops SERVER = {
	.status = server_status,
	.account_changed = server_account_changed,
};

static void a_server_hears_of_changes_only_when_they_are_made(void **state)
{
	struct world *w = *state;

	w->control.ops = &SERVER;
	w->control.ctx = w;
	w->control.worker = br_worker_open(w->base, 1, 4);
	ask(w, ADD("alice@example.org", "secret"));
	assert_int_equal(w->changes, 1);
	assert_string_equal(w->changed, "alice@example.org");
	ask(w, ADD("alice@example.org", "secret"));
	ask(w, PASSWD("bob@example.org", "secret"));
	ask(w, ADD("echo@example.org", "secret"));
	assert_int_equal(w->changes, 1);
	ask(w, PASSWD("alice@example.org", "new"));
	ask(w, REMOVE("alice@example.org"));
	assert_int_equal(w->changes, 3);
}

static void a_password_saslprep_forbids_is_refused(void **state)
{
	struct world *w = *state;

	ask(w, ADD("alice@example.org", "a\\u0007b"));
	assert_false(is_ok(w));
	assert_false(find(w, "alice@example.org").there);
}

static void status_tells_what_the_server_knows(void **state)
{
	struct world *w = *state;

	w->control.ops = &SERVER;
	w->control.ctx = w;
	ask(w, "{\"command\":\"status\"}");
	assert_true(json_is_true(result(w, "running")));
	assert_int_equal(json_integer_value(result(w, "outbox")), 7);
	assert_shown(w, "status", "is running, for 1d 1h\n");
	assert_shown(w, "status", "domains     example.org, second.example\n");
	assert_shown(w, "status", "listeners   [::1]:7746\n");
	assert_shown(w, "status", "outbox      7\n");
	assert_shown(w, "status",
	    "xmpp                 up               12        3\n");
}

static void status_without_a_server_says_so(void **state)
{
	struct world *w = *state;

	ask(w, "{\"command\":\"status\"}");
	assert_true(is_ok(w));
	assert_true(json_is_false(result(w, "running")));
	assert_null(result(w, "outbox"));
	assert_shown(w, "status", "is not running\n");
}

static void on_put(void *arg, const struct br_store_put_result *r)
{
	int64_t *seq = arg;

	assert_int_equal(r->outcome, BR_STORE_DONE);
	*seq = r->seq;
}

/* A message that was stored and delivered, and two log lines of which one is
 * about another message. */
static void make_history(struct world *w)
{
	struct br_store_message m = {
		.destination = PRIM_SLICE("inbox:bob@example.org"),
		.origin = PRIM_SLICE("client"),
		.sender = PRIM_SLICE("alice@example.org"),
		.recipient = PRIM_SLICE("bob@example.org"),
		.message_id = PRIM_SLICE("m1"),
		.head = PRIM_SLICE("Message-ID: m1\r\n"),
		.body = PRIM_SLICE("hello"),
		.accepted_ms = 1000,
		.expires_ms = INT64_MAX,
	};
	struct br_log log;
	int64_t seq = 0;

	br_log_init(&log, NULL, "queue");
	br_store_message_put(w->control.store, &m, on_put, &seq);
	br_store_settle(w->control.store);
	br_info(&log, "end id=m11 code=200");
	br_info(&log, "end id=m1 code=200");
	br_store_message_end(w->control.store, seq,
	    &(struct br_store_end){ 200, PRIM_SLICE("delivered"), INT64_MAX },
	    NULL, NULL);
	br_store_settle(w->control.store);
	br_log_flush();
}

static void a_trace_merges_history_and_log_by_time(void **state)
{
	struct world *w = *state;
	const json_t *events;
	const json_t *event;
	const char *last = "";
	unsigned lines = 0;
	size_t i;

	make_history(w);
	ask(w, "{\"command\":\"trace\",\"message_id\":\"m1\"}");
	assert_true(is_ok(w));
	events = result(w, "events");
	json_array_foreach(events, i, event)
	{
		const char *at = json_string_value(json_object_get(event,
		    "at"));

		assert_true(strncmp(at, last, 19) >= 0);
		last = at;
		if (strcmp(json_string_value(json_object_get(event, "source")),
			"log") == 0)
			lines++;
	}
	assert_int_equal(lines, 1);
	assert_true(json_array_size(events) >= 3);
	assert_shown(w, "trace", "end id=m1 code=200\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_too_long_is_called_that,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_wrong_request_is_told_what_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_account_is_made_changed_and_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_address_in_another_spelling_is_the_same_account, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_server_hears_of_changes_only_when_they_are_made, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_password_saslprep_forbids_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    status_tells_what_the_server_knows, setup, teardown),
		cmocka_unit_test_setup_teardown(status_without_a_server_says_so,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_trace_merges_history_and_log_by_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
