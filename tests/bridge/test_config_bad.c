/* SPDX-License-Identifier: ISC */
/* Bad configurations and the exact line each of them gets. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "bridge/config.h"
#include "prim/base.h"
#include "prim/buf.h"

#define D "domains: [a.example]\n"

/* clang-format off: a table of texts needs no columns. */
static const struct {
	const char *name;
	const char *text;
	const char *err; /* behind "t.yaml:" */
} CASES[] = {
	{"nothing",				  "",						 "1:1: there is nothing in it"                                },
	{ "only a comment",                          "# x\n",					    "2:1: there is nothing in it"                                },
	{ "one word",				"x",						"1:1: the whole must be a mapping (key: value)"              },
	{ "a list",				  "[a]",					      "1:1: the whole must be a mapping (key: value)"              },
	{ "a wrong key",			     "domian: [a.example]",
         "1:1: unknown key `domian`; did you mean `domains`?"													 },
	{ "a strange key",			   D "zebra: 1",
         "2:1: unknown key `zebra`; known are domains, data_dir, user, "
	    "listen, tls, auth, default_acl, disclosure, limits, delivery, "
	    "federation, dns, admin, history, routes, adapters"												       },
	{ "a wrong key inside",                      D "tls:\n  cert: x",
         "3:3: unknown key `cert`; known are certificate, key"													},
	{ "a wrong key in a list",                   D "listen:\n  - adress: 127.0.0.1:1",
         "3:5: unknown key `adress`; did you mean `address`?"													 },
	{ "a key in upper case",                     "Domains: [a]",
         "1:1: unknown key `Domains`; did you mean `domains`?"													},
	{ "a key twice",			     D "user: a\nuser: b",                               "3:1: `user` is here twice"                                  },
	{ "a list as key",			   "[a]: b",					   "1:1: a key is one word"                                     },
	{ "a key of controls",                       "\"a\\n\\e\": 1",
         "1:1: unknown key `a??`; known are domains, data_dir, user, "
	    "listen, tls, auth, default_acl, disclosure, limits, delivery, "
	    "federation, dns, admin, history, routes, adapters"												       },
	{ "no domains",			      "user: a",					  "1:1: the whole has no `domains`"                            },
	{ "domains is a word",                       "domains: a",                                       "1:10: `domains` must be a list"                             },
	{ "no domain",			       "domains: []",
         "1:10: `domains` needs at least 1 of them"														   },
	{ "a list in domains",                       "domains: [[a]]",
         "1:11: an entry of `domains` must be text, not a list"												       },
	{ "an empty domain",                         "domains: [\"\"]",
         "1:11: an entry of `domains` is empty"														       },
	{ "a bad domain",			    "domains: [a.example, -b]",
         "1:22: `-b` is not a domain name (write international names in "
	    "their xn-- form)"																	},
	{ "a U-label",
         "domains: [b\xc3\xbc"
	    "cher.example]",									     "1:11: `b\xc3\xbc"
	    "cher.example` is not a domain name (write "
	    "international names in their xn-- form)"										     },
	{ "a domain twice",                          "domains:\n  - a.example\n  - A.example",
         "3:5: `A.example` is here twice"															     },
	{ "a control character",                     D "user: \"a\\tb\"",
         "2:7: there is a control character in `user`"														},
	{ "a C1 control",			    D "user: \"a\\x85\"",
         "2:7: there is a control character in `user`"														},
	{ "a NUL",				   D "user: \"a\\0\"",                                 "2:7: there is a NUL in it"                                  },
	{ "not UTF-8",			       D "user: a\xff",
         "2:8: this is not YAML: not UTF-8, or a control character"												   },
	{ "an open bracket",                         D "listen: [a",
         "3:1: this is not YAML: did not find expected ',' or ']', while "
	    "parsing a flow sequence"																 },
	{ "a tab",				   D "tls:\n\tkey: x",
         "3:1: this is not YAML: found character that cannot start any "
	    "token, while scanning for the next token"														},
	{ "two documents",			   D "---\n" D,					"2:1: a second document begins"                              },
	{ "an anchor",			       "domains: &x [a]",
         "1:10: anchors are not allowed here"															 },
	{ "an alias",				D "user: *x",				       "2:7: aliases are not allowed here"                          },
	{ "a tag",				   D "user: !!str x",                                  "2:7: tags are not allowed here"                             },
	{ "an anchor in options",
         D "adapters: [{name: x, plugin: x, options: {a: &b c}}]",
         "2:46: anchors are not allowed here"															 },
	{ "a port too high",                         D "listen: [{address: 127.0.0.1:65536}]",
         "2:20: `127.0.0.1:65536` is no address: the port must be a number "
	    "from 0 to 65535"																	 },
	{ "a port of letters",                       D "listen: [{address: '127.0.0.1:x'}]",
         "2:20: `127.0.0.1:x` is no address: the port must be a number "
	    "from 0 to 65535"																	 },
	{ "no brackets",			     D "listen: [{address: '::1:7746'}]",
         "2:20: `::1:7746` is no address: an IPv6 address goes in "
	    "brackets, [::1]:7746"																    },
	{ "half a bracket",                          D "listen: [{address: '[::1'}]",
         "2:20: `[::1` is no address: the `]` is missing"													     },
	{ "behind the bracket",                      D "listen: [{address: '[::1]7746'}]",
         "2:20: `[::1]7746` is no address: only a `:` and the port can "
	    "follow the `]`"																	  },
	{ "IPv4 in brackets",                        D "listen: [{address: '[127.0.0.1]:1'}]",
         "2:20: `[127.0.0.1]:1` is no address: the address must be "
	    "numeric, as 127.0.0.1 or [::1]"															  },
	{ "a name as address",                       D "admin: { listen: localhost:7780 }",
         "2:18: `localhost:7780` is no address: the address must be "
	    "numeric, as 127.0.0.1 or [::1]"															  },
	{ "listen without address",                  D "listen:\n  - tls: true",
         "3:5: an entry of `listen` has no `address`"														 },
	{ "listen to nothing",                       D "listen: []",
         "2:9: `listen` needs at least 1 of them"														     },
	{ "a word for a boolean",                    D "listen: [{address: '[::1]', tls: yes}]",
         "2:34: `tls` must be true or false"															  },
	{ "certificate without key",                 D "tls: { certificate: /dev/null }",
         "2:6: `tls` has a `certificate` but no `key`"														},
	{ "key without certificate",                 D "tls: { key: /dev/null }",
         "2:6: `tls` has a `key` but no `certificate`"														},
	{ "an unreadable key",
         D "tls: { certificate: /dev/null,\n key: /nonexistent/k }",
         "3:7: cannot read `/nonexistent/k`: No such file or directory"											       },
	{ "an unreadable zone",                      D "dns: { hosts_file: /nonexistent/h }",
         "2:20: cannot read `/nonexistent/h`: No such file or directory"											      },
	{ "no mechanism",			    D "auth: { mechanisms: [] }",
         "2:21: without a mechanism nobody can log in"														},
	{ "a wrong mechanism",                       D "auth: { mechanisms: [SCRAM-SHA256] }",
         "2:22: an entry of `mechanisms` cannot be `SCRAM-SHA256`; did you "
	    "mean `SCRAM-SHA-256`?"																   },
	{ "a wrong right",			   D "default_acl: { everyone: [read] }",
         "2:27: an entry of `everyone` cannot be `read`; known are fetch, "
	    "subscribe, send, publish, remove, listen, silence"												       },
	{ "a wrong disclosure",                      D "disclosure: shut",
         "2:13: `disclosure` cannot be `shut`; known are open, hide"												  },
	{ "a wrong federation.tls",                  D "federation: { tls: requird }",
         "2:20: `tls` cannot be `requird`; did you mean `required`?"												  },
	{ "a body without unit",                     D "limits: { body: 1MB }",
         "2:17: `body` must be a size from 1KiB to 64MiB, not `1MB`"												  },
	{ "a tiny body",			     D "limits: { body: 10 }",
         "2:17: `body` must be a size from 1KiB to 64MiB, not `10`"												   },
	{ "a body past 64 bits",                     D "limits: { body: 99999999999999999GiB }",
         "2:17: `body` must be a size from 1KiB to 64MiB, not "
	    "`99999999999999999GiB`"																  },
	{ "no connections",                          D "limits: { connections: 0 }",
         "2:24: `connections` must be a number from 1 to 1000000, not `0`"											    },
	{ "a negative number",                       D "limits: { offline_messages: -1 }",
         "2:29: `offline_messages` must be a number from 0 to 1000000, not "
	    "`-1`"																		    },
	{ "a time without unit",                     D "delivery: { answer_within: 8 }",
         "2:28: `answer_within` must be a time from 100ms to 10m, with its "
	    "unit, not `8`"																	   },
	{ "a time of spaces",                        D "delivery: { give_up_after: 1 d }",
         "2:28: `give_up_after` must be a time from 100ms to 30d, with its "
	    "unit, not `1 d`"																	 },
	{ "hardly a queue",                          D "limits: { queue_messages: 19 }",
         "2:27: `queue_messages` must be a number from 20 to 100000000, not "
	    "`19`"																		    },
	{ "a small queue",			   D "limits: { queue: 1023KiB }",
         "2:18: `queue` must be a size from 1MiB to 64TiB, not `1023KiB`"											     },
	{ "a huge queue",			    D "limits: { queue: 65TiB }",
         "2:18: `queue` must be a size from 1MiB to 64TiB, not `65TiB`"											       },
	{ "notices for nobody",                      D "delivery: { notices: never }",
         "2:22: `notices` cannot be `never`; known are asked, requested, "
	    "always"																		  },
	{ "a history in a folder that is not there",
         D "history: /nonexistent/h",
         "2:10: there is no folder `/nonexistent/`"														   },
	{ "a folder as history",                     D "history: /dev",
         "2:10: `/dev` is a folder"																   },
	{ "a history without a name",                D "history: ''",
         "2:10: `history` is empty"																   },
	{ "a pause of one word",
         D "routes: [{domain: c, via: echo, retry: 5s}]",
         "2:40: `retry` must be a list"															       },
	{ "no pauses",			       D "routes: [{domain: c, via: echo, retry: []}]",
         "2:40: `retry` needs at least 1 of them"														     },
	{ "seventeen pauses",
         D "routes: [{domain: c, via: echo, retry: [1s, 1s, 1s, 1s, 1s, 1s, "
	      "1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s]}]",					   "2:40: `retry` has more than 16 of them"                     },
	{ "a pause of half a second",
         D "routes: [{domain: c, via: echo, retry: [1s, 1500ms]}]",
         "2:45: an entry of `retry` must be a time from 1s to 24h, with its "
	    "unit, in whole seconds, not `1500ms`"														    },
	{ "no pause",				D "routes: [{domain: c, via: echo, retry: [0s]}]",
         "2:41: an entry of `retry` must be a time from 1s to 24h, with its "
	    "unit, in whole seconds, not `0s`"															},
	{ "a pause of days",                         D "routes: [{domain: c, via: echo, retry: [25h]}]",
         "2:41: an entry of `retry` must be a time from 1s to 24h, with its "
	    "unit, in whole seconds, not `25h`"														       },
	{ "pauses without a queue",
         D "routes: [{domain: c, via: echo, queue: false, retry: [1s]}]",
         "2:54: `retry` has no meaning where `queue` is false"													},
	{ "too much patience",
         D "routes: [{domain: c, via: echo, give_up_after: 31d}]",
         "2:48: `give_up_after` must be a time from 100ms to 30d, with its "
	    "unit, not `31d`"																	 },
	{ "patience without a queue",
         D
	    "routes: [{domain: c, via: echo, queue: false, give_up_after: 1d}]",			 "2:62: `give_up_after` has no meaning where `queue` is false"},
	{ "a route to nobody",
         D "adapters: [{name: xmpp, plugin: xmpp}]\n"
	      "routes: [{domain: b.example, via: xmmp}]",						"3:35: no adapter is named `xmmp`; did you mean `xmpp`?"     },
	{ "a route to another name",                 D "routes: [{domain: b.c, via: zzzzzz}]",
         "2:29: no adapter is named `zzzzzz`; known are echo"													 },
	{ "a route for us",                          D "routes: [{domain: A.example, via: echo}]",
         "2:19: `a.example` is a domain we serve; it can have no route"											       },
	{ "two routes",
         D "routes:\n- {domain: b.c, via: echo}\n- {domain: B.c, via: echo}",
         "4:12: there are two routes for `b.c`"														       },
	{ "a bad route",			     D "routes: [{domain: '*.c', via: echo}]",
         "2:19: `*.c` is neither a domain name nor `.` and a domain name"											     },
	{ "a bad relay",			     D "routes: [{domain: c, via: echo, relay: [..]}]",
         "2:41: `..` is neither a domain name nor `.` and a domain name"											      },
	{ "a route without via",                     D "routes: [{domain: c}]",
         "2:10: an entry of `routes` has no `via`"														    },
	{ "a bad adapter name",                      D "adapters: [{name: X, plugin: x}]",
         "2:19: `name` must be 1 to 32 of a-z, 0-9 and -, not `X`"												    },
	{ "an adapter called as clients are",
         D "adapters: [{name: client, plugin: x}]",
         "2:19: an adapter cannot be named `client`: primd calls something else so"                                                                                   },
	{ "an adapter called as the bridge is",
         D "adapters: [{name: primbridge, plugin: x}]",
         "2:19: an adapter cannot be named `primbridge`: primd calls something else so"                                                                               },
	{ "a path for a plugin",                     D "adapters: [{name: x, plugin: ../x}]",
         "2:30: `plugin` must be 1 to 32 of a-z, 0-9 and -, not `../x`"											       },
	{ "two adapters of a name",
         D "adapters:\n- {name: x, plugin: x}\n- {name: x, plugin: y}",
         "4:10: there are two adapters named `x`"														     },
	{ "two adapters of a domain",
         D "adapters:\n- {name: x, plugin: x, options: {domain: c}}\n"
	      "- {name: y, plugin: x, options: {gateway_domain: C}}",				    "4:50: `c` is already the adapter `x`'s"                     },
	{ "an adapter without plugin",               D "adapters: [{name: x}]",
         "2:12: an entry of `adapters` has no `plugin`"													       },
	{ "options of one word",
         D "adapters: [{name: x, plugin: x, options: y}]",
         "2:42: `options` must be a mapping (key: value)"													     },
	{ "a bad domain option",
         D "adapters: [{name: x, plugin: x, options: {domain: [a]}}]",
         "2:51: `domain` must be a domain name"														       },
	{ "a bad listen option",
         D
	    "adapters: [{name: x, plugin: x, options: {a_listen: '1.2.3.4'}}]",			  "2:53: `a_listen` is no address: the port is missing, as in "
	    "127.0.0.1:7746"							   },
	{ "a list of listens",
         D "adapters: [{name: x, plugin: x, options: {listen: []}}]",
         "2:51: `listen` is no address: write it as 127.0.0.1:7746"												   },
};

/* clang-format on */

static void a_bad_configuration_gets_its_line(void **state)
{
	struct br_config *config;
	struct br_err err;
	char line[600];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		err.text[0] = '\0';
		config = br_config_parse("t.yaml", prim_slice_of(CASES[i].text),
		    NULL, &err);
		snprintf(line, sizeof(line), "t.yaml:%s", CASES[i].err);
		if (config || strcmp(err.text, line) != 0)
			fail_msg("%s: %s", CASES[i].name, err.text);
	}
}

static struct br_err refuse_repeated(const char *head, const char *part,
    int count)
{
	struct prim_buf b = { 0 };
	struct br_err err = { .text = "" };

	prim_buf_puts(&b, head);
	for (int i = 0; i < count; i++)
		prim_buf_puts(&b, part);
	assert_null(br_config_parse("t.yaml", prim_buf_slice(&b), NULL, &err));
	prim_buf_fini(&b);
	return err;
}

static void depth_and_size_are_bounded(void **state)
{
	struct br_err err;

	(void)state;
	err = refuse_repeated("domains: ", "[", 100000);
	assert_string_equal(err.text, "t.yaml:1:41: this is nested too deeply");
	err = refuse_repeated("domains:\n", "- x\n", 70000);
	assert_string_equal(err.text, "t.yaml:65535:3: this is too much");
	err = refuse_repeated("domains:\n", "- x\n", 2000);
	assert_string_equal(err.text,
	    "t.yaml:2:1: `domains` has more than 1024 of them");
}

static void nobody_has_to_listen_to_the_complaint(void **state)
{
	(void)state;
	assert_null(br_config_parse("t.yaml", PRIM_SLICE("x"), NULL, NULL));
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_bad_configuration_gets_its_line),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(nobody_has_to_listen_to_the_complaint),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
