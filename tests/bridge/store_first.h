/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_FIRST_H
#define TESTS_BRIDGE_STORE_FIRST_H

/*
 * A queue.db as the first version left it: two messages that wait (1 and 2), one
 * that was delivered (3), one that was lost (4), one whose body is damaged (5).
 */

/* Lines end with a bar here. */
#define STORE_FIRST_HEAD(from, to, id)                                 \
	"CAST(replace('AStrength: medium|From: im:" from "|To: im:" to \
	"|Message-ID: " id "|Conversation-ID: c1|"                     \
	"Date: Sun, 22 Nov 2026 13:00:00 GMT|"                         \
	"Content-Type: text/plain|', '|', char(13, 10)) AS BLOB)"
#define STORE_FIRST_ANN "ann@here.example"
#define STORE_FIRST_EVE "eve@there.example"

static const char *const STORE_FIRST[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL,"
	" value BLOB NOT NULL) STRICT, WITHOUT ROWID",
	"CREATE TABLE message (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" key BLOB NOT NULL, lane BLOB NOT NULL, content_hash INTEGER NOT NULL,"
	" destination TEXT NOT NULL, origin TEXT NOT NULL,"
	" sender TEXT NOT NULL, recipient TEXT NOT NULL,"
	" message_id TEXT NOT NULL, return_token BLOB NOT NULL,"
	" hops INTEGER NOT NULL, accepted_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	" next_try_ms INTEGER NOT NULL) STRICT",
	"CREATE TABLE content (seq INTEGER PRIMARY KEY,"
	" checksum INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL"
	") STRICT",
	"CREATE TABLE duplicate (key BLOB PRIMARY KEY NOT NULL,"
	" content_hash INTEGER NOT NULL, answer INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID",
	"CREATE TABLE trace (seq INTEGER PRIMARY KEY, key BLOB NOT NULL,"
	" id_hash INTEGER NOT NULL, message_id TEXT NOT NULL,"
	" forget_ms INTEGER) STRICT",
	"CREATE INDEX trace_id ON trace (id_hash)",
	"CREATE INDEX trace_forget ON trace (forget_ms)"
	" WHERE forget_ms IS NOT NULL",
	"CREATE TABLE event (seq INTEGER NOT NULL, n INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (seq, n)"
	") STRICT, WITHOUT ROWID",
	"INSERT INTO meta VALUES ('secret', x'076afcf8fe8df31e35aa9c59ba750cad"
	"b8d1f0c86502e964a4b6b18eefa73e84')",
	"INSERT INTO message VALUES (1, x'968434ea8cfc292e2717bca0b018e6ba',"
	" x'583ed8e1b9d2f1d8186b7bf3277b1563', -8822168934468937043,"
	" 'adapter:mail', 'client', '" STORE_FIRST_ANN "', '" STORE_FIRST_EVE
	"', 'Id-1', x'', 1, 1795352400000,"
	" 1795438800000, 1, 1795352405000)",
	"INSERT INTO message VALUES (2, x'ca11a7a06059945bdafabc30165ffdd2',"
	" x'9a52ecae0bd5a5802b6748fab1bb6bde', 4604519676878872681,"
	" 'inbox:ann@here.example', 'mail', '" STORE_FIRST_EVE
	"', '" STORE_FIRST_ANN
	"', 'Id-2', CAST('token-1' AS BLOB), 1, 1795352400000,"
	" 1795438800000, 0, 0)",
	"INSERT INTO message VALUES (5, x'6800530af97048ec6a4938876405c0c7',"
	" x'583ed8e1b9d2f1d8186b7bf3277b1563', -8451943549356914113,"
	" 'adapter:mail', 'client', '" STORE_FIRST_ANN "', '" STORE_FIRST_EVE
	"', 'Id-5', x'', 1, 1795352400000,"
	" 1795438800000, 0, 0)",
	"INSERT INTO content VALUES (1, -3295170083883030422,"
	" " STORE_FIRST_HEAD(STORE_FIRST_ANN, STORE_FIRST_EVE,
	    "Id-1") ", CAST('one' AS BLOB))",
	"INSERT INTO content VALUES (2, -7696673848450969897,"
	" " STORE_FIRST_HEAD(STORE_FIRST_EVE, STORE_FIRST_ANN,
	    "Id-2") ", CAST('two' AS BLOB))",
	"INSERT INTO content VALUES (5, -6376651925657794152,"
	" " STORE_FIRST_HEAD(STORE_FIRST_ANN, STORE_FIRST_EVE,
	    "Id-5") ", CAST('damagej' AS BLOB))",
	"INSERT INTO duplicate VALUES (x'968434ea8cfc292e2717bca0b018e6ba',"
	" -8822168934468937043, 101)",
	"INSERT INTO duplicate VALUES (x'ca11a7a06059945bdafabc30165ffdd2',"
	" 4604519676878872681, 101)",
	"INSERT INTO duplicate VALUES (x'2c4042311a54c5e8ada82ec81695ad42',"
	" 6378279582742569437, 200)",
	"INSERT INTO duplicate VALUES (x'c0945416224d92f6bb0935cf71a55b9f',"
	" -502836249902382727, 101)",
	"INSERT INTO duplicate VALUES (x'6800530af97048ec6a4938876405c0c7',"
	" -8451943549356914113, 101)",
	"INSERT INTO trace VALUES (1, x'968434ea8cfc292e2717bca0b018e6ba',"
	" 9065610834935728240, 'Id-1', NULL)",
	"INSERT INTO trace VALUES (2, x'ca11a7a06059945bdafabc30165ffdd2',"
	" 3486539959970239762, 'Id-2', NULL)",
	"INSERT INTO trace VALUES (3, x'2c4042311a54c5e8ada82ec81695ad42',"
	" -3416908769687116476, 'Id-3', 1795525200000)",
	"INSERT INTO trace VALUES (4, x'c0945416224d92f6bb0935cf71a55b9f',"
	" -7060680929783174502, 'Id-4', 1795525200000)",
	"INSERT INTO trace VALUES (5, x'6800530af97048ec6a4938876405c0c7',"
	" 649125016230890303, 'Id-5', NULL)",
	"INSERT INTO event VALUES (1, 1, 1795357188813, 'accepted from=" STORE_FIRST_ANN
	" to=" STORE_FIRST_EVE " via=adapter:mail')",
	"INSERT INTO event VALUES (1, 2, 1795357188831, 'attempt n=1')",
	"INSERT INTO event VALUES (2, 1, 1795357188815, 'accepted from=" STORE_FIRST_EVE
	" to=" STORE_FIRST_ANN " via=inbox:" STORE_FIRST_ANN "')",
	"INSERT INTO event VALUES (3, 1, 1795357188819, 'accepted from=" STORE_FIRST_ANN
	" to=" STORE_FIRST_EVE " via=adapter:mail')",
	"INSERT INTO event VALUES (3, 2, 1795357188832, 'attempt n=1')",
	"INSERT INTO event VALUES (3, 3, 1795357188832, 'end code=200 reason=delivered')",
	"INSERT INTO event VALUES (4, 1, 1795357188826, 'accepted from=" STORE_FIRST_ANN
	" to=" STORE_FIRST_EVE " via=adapter:mail')",
	"INSERT INTO event VALUES (4, 2, 1795357188832, 'end code=408 reason=refused')",
	"INSERT INTO event VALUES (5, 1, 1795357188827, 'accepted from=" STORE_FIRST_ANN
	" to=" STORE_FIRST_EVE " via=adapter:mail')",
};

#endif
