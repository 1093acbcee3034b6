# SPDX-License-Identifier: ISC
"""What primctl tells of presence, with a primd and without one."""

import json
import os
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from servers import Primd  # noqa: E402

ALICE, BOB = "alice@localhost", "bob@localhost"
MANY = 1234
PIDF = """<?xml version='1.0'?>
<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:alice@localhost'>
<tuple id='t'><status><basic>open</basic></status>
<note>At my desk</note></tuple></presence>"""


class Presence(unittest.TestCase):
    def setUp(self):
        self.primd = Primd()
        self.addCleanup(self.primd.clean)
        self.primd.account(ALICE)
        self.primd.account(BOB)

    def fill(self):
        """As if a primd had left it."""
        now = int(time.time() * 1000)
        end = now + 4 * 3600000
        db = sqlite3.connect(os.path.join(self.primd.data, "primd.db"))
        row = db.execute(
            "INSERT INTO value (presentity, tuple_id, is_lease, at_ms, type,"
            " body) VALUES (?, 'desk', 1, ?, 'application/pidf+xml', ?)",
            (ALICE, now, PIDF.encode())).lastrowid
        db.execute("INSERT INTO lease VALUES (?, ?)", (row, end))
        # Who watches has an account, or is forgotten at the start.
        db.executemany(
            "INSERT INTO account SELECT ?, ?, iterations, salt, stored_key,"
            " server_key, cram_secret, created_ms FROM account WHERE key = ?",
            [(f"w{i}@localhost", f"w{i}@localhost", ALICE)
             for i in range(MANY)])
        db.executemany(
            "INSERT INTO subscription (watcher, presentity, id,"
            " watcher_address, presentity_address, is_outgoing, expires_ms)"
            " VALUES (?, ?, ?, ?, ?, 0, ?)",
            [(f"w{i}@localhost", ALICE, f"id {i}", f"pres:w{i}@localhost",
              f"pres:{ALICE}", end) for i in range(MANY)])
        db.commit()
        db.close()

    def check(self):
        shown = self.primd.ctl("presence", "show", ALICE)
        self.assertIn(f"is watched by {MANY}.", shown)
        self.assertIn('tuple desk\n  leased     open "At my desk"\n', shown)
        self.assertRegex(shown, r"ends 2\S+Z \(in [34]h\d+m\)")
        told = json.loads(self.primd.ctl("--json", "presence", "show", ALICE))
        leased = told["tuples"][0]["leased"]
        self.assertEqual(leased["states"][0]["basic"], "open")

        lines = self.primd.ctl("subscription", "list").splitlines()
        self.assertEqual(len(lines), MANY)
        self.assertEqual(len(set(lines)), MANY)
        told = json.loads(self.primd.ctl("--json", "subscription", "list",
                                         "pres:" + ALICE))
        self.assertEqual(len(told["subscriptions"]), MANY)
        told = json.loads(self.primd.ctl("--json", "subscription", "list",
                                         "w7@localhost"))
        self.assertEqual([s["id"] for s in told["subscriptions"]], ["id 7"])
        self.assertEqual(told["subscriptions"][0]["direction"], "incoming")

    def test_presence_is_told_without_a_primd_and_with_one(self):
        self.assertIn("has published nothing",
                      self.primd.ctl("presence", "show", ALICE))
        self.assertEqual(self.primd.ctl("subscription", "list"),
                         "There are no subscriptions.\n")
        self.assertEqual(
            json.loads(self.primd.ctl("--json", "subscription", "list")),
            {"subscriptions": []})
        self.fill()
        self.check()
        self.primd.start()
        self.check()

    def run_ctl(self, *args):
        return subprocess.run(
            [os.path.join(self.primd.bin, "primctl"), "-c", self.primd.config,
             *args], timeout=60, capture_output=True, text=True, check=False)

    def test_what_is_wrong_is_said(self):
        self.primd.start()
        for args, code, part in (
                (("presence", "show", "carol@localhost"), 1,
                 "no account carol@localhost"),
                (("presence", "show", "carol"), 1, "is not an address"),
                (("presence", "show"), 2, "usage: primctl"),
                (("presence",), 2, "'presence' wants one of: show"),
                (("link", "adds"), 2, "'link' has no 'adds'; it wants one of"),
                (("nonsense",), 2, "unknown command 'nonsense'; "),
                (("nonsense", "--help"), 2, "unknown command 'nonsense'; "),
                (("link", "order", ALICE, ""), 2, "primctl: WORD is empty; "),
                (("outbox", "list", ""), 2, "primctl: ADDRESS is empty; "),
                (("link", "list", "nobody@localhost"), 1,
                 "there is no account nobody@localhost"),
                (("subscription", "list", "x"), 1, "is not an address"),
                (("--json", "subscription", "list", "x"), 1,
                 "is not an address"),
                (("subscription", "list", ALICE, BOB), 2,
                 "usage: primctl [-c FILE] [--json] subscription list "
                 "[ADDRESS]")):
            with self.subTest(args):
                done = self.run_ctl(*args)
                self.assertEqual(done.returncode, code)
                self.assertIn(part, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_the_help_names_every_command(self):
        done = self.run_ctl("--help")
        self.assertEqual(done.returncode, 0)
        for words in ("presence show ADDRESS", "subscription list [ADDRESS]",
                      "outbox list [ADDRESS]", "outbox show [--body] ID",
                      "link verify ADDRESS FOREIGN [CODE]",
                      "link order ADDRESS [WORD...]", "route test FROM TO",
                      "backup DIR", "restore DIR"):
            self.assertIn(words, done.stdout)
        done = self.run_ctl("link", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("link verify ADDRESS FOREIGN [CODE]", done.stdout)
        self.assertNotIn("backup", done.stdout)


if __name__ == "__main__":
    unittest.main()
