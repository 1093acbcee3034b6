# SPDX-License-Identifier: ISC
"""What must not harm presence: a disk that is full, documents that are too
large or made to explode, a reload that takes rights away."""

import contextlib
import json
import os
import re
import resource
import signal
import sqlite3
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from publisher import Publisher, code_of, document, notes, tuples  # noqa: E402
from rogue import bomb, sized  # noqa: E402
from servers import Primd, wait_until  # noqa: E402

# Its quarantine would look as if we never gave memory back.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0:quarantine_size_mb=4"

ALICE, BOB, CAROL = "alice@localhost", "bob@localhost", "carol@other.localhost"
LIMIT = 64 << 10
FAULT = """adapters:
  - { name: fault, plugin: fault, options: { domain: fault.localhost } }
"""
OPEN = "default_acl: { everyone: [send, fetch, subscribe] }\n"
CLOSED = "default_acl: { everyone: [send, fetch] }\n"


class Presence(unittest.TestCase):
    CONFIG, LAUNCH = "", {}

    def setUp(self):
        self.primd = Primd(self.CONFIG,
                           domains=("localhost", "other.localhost"))
        for address in (ALICE, BOB, CAROL):
            self.primd.account(address)
        launch = self.primd.launch
        self.primd.launch = lambda command, **more: launch(
            command, **more, **self.LAUNCH)
        self.primd.start()
        self.addCleanup(self.primd.clean)
        self.alice, self.bob, self.carol = (
            self.user(address) for address in (ALICE, BOB, CAROL))

    def user(self, address):
        client = Publisher(self.primd, address)
        self.addCleanup(client.close)
        return client

    def publish(self, note, kind="permanent", name="t", seconds=None):
        return code_of(self.alice.put_tuple(
            kind, name, document(ALICE, note), seconds))

    def shown(self, command=None):
        """{tuple: note} of what alice shows."""
        command = command or self.bob.look(ALICE).result(10)
        return {name: notes(body)[0] for name, body in tuples(command).items()}

    def subscriptions(self):
        told = json.loads(self.primd.ctl("--json", "subscription", "list"))
        return {(s["watcher"].removeprefix("pres:"),
                 s["presentity"].removeprefix("pres:"))
                for s in told["subscriptions"]}

    def stored(self):
        """{(tuple, kind): note} as primctl tells it, and how many watch."""
        told = json.loads(self.primd.ctl("--json", "presence", "show", ALICE))
        return {(t["id"], kind): t[kind]["states"][0]["notes"][0]
                for t in told["tuples"] for kind in ("leased", "permanent")
                if kind in t}, told["watchers"]


class FullDisk(Presence):
    # Or the first write that is too long would be the end of primd.
    LAUNCH = {"preexec_fn":
              lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
              "restore_signals": False}

    def disk(self, octets):
        """No file of primd's can be written beyond."""
        resource.prlimit(self.primd.process.pid, resource.RLIMIT_FSIZE,
                         (octets, resource.RLIM_INFINITY))

    def changes(self):
        """Of all kinds: the codes."""
        alice, bob = self.alice, self.bob
        return [
            self.publish("no", "permanent", "lasting"),
            self.publish("no", "leased", "leased", 60),
            self.publish("no", "leased", "new", 60),
            code_of(alice.put_tuple("renew", "leased", seconds=600)),
            code_of(alice.put_tuple("revert", "leased")),
            code_of(alice.remove("lasting")),
            code_of(bob.subscribe(ALICE, 60)),
            code_of(bob.unsubscribe(ALICE)),
            code_of(bob.unsubscribe(ALICE)),
            code_of(alice.subscribe(BOB, 60)),
        ]

    def test_a_full_disk_is_500_and_changes_nothing(self):
        self.assertEqual(self.publish("yes", "permanent", "lasting"), 200)
        self.assertEqual(self.publish("yes", "leased", "leased", 60), 200)
        self.assertEqual(code_of(self.bob.subscribe(ALICE, 600)), 200)
        before = self.shown(), self.stored(), self.subscriptions()
        self.disk(0)
        self.assertEqual(self.changes(), [500] * 10)
        time.sleep(0.2)
        self.assertEqual(self.bob.told, [])
        self.assertEqual(self.shown(), {"lasting": "yes", "leased": "yes"})
        self.disk(resource.RLIM_INFINITY)
        self.assertEqual((self.shown(), self.stored(), self.subscriptions()),
                         before)
        self.primd.kill()
        self.primd.start()
        self.assertEqual((self.stored(), self.subscriptions()), before[1:])
        self.alice, self.bob = self.user(ALICE), self.user(BOB)
        self.assertEqual(self.changes(), [200] * 8 + [404, 200])

    def test_who_watches_elsewhere_is_not_left_behind(self):
        self.disk(0)
        self.assertEqual(code_of(self.bob.subscribe("x@echo.localhost", 60)),
                         500)
        self.disk(resource.RLIM_INFINITY)
        self.assertEqual(self.subscriptions(), set())
        self.assertEqual(code_of(self.bob.unsubscribe("x@echo.localhost")), 404)
        self.assertEqual(code_of(self.bob.subscribe("x@echo.localhost", 60)),
                         200)


class Documents(Presence):
    def cost(self):
        with open(f"/proc/{self.primd.process.pid}/status",
                  encoding="ascii") as file:
            rss = re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)
        return self.primd.cpu_seconds(), int(rss)

    def put(self, body):
        return code_of(self.alice.put_tuple("leased", "t", body, 60))

    def test_a_document_may_be_as_long_as_the_limit(self):
        self.assertEqual(code_of(self.bob.subscribe(ALICE, 60)), 200)
        largest = sized(ALICE, LIMIT)
        self.assertEqual(len(largest), LIMIT)
        self.assertEqual(self.put(largest), 200)
        self.assertTrue(self.bob.wait_told(lambda told: len(told) == 1, 5))
        self.assertEqual(self.put(sized(ALICE, LIMIT + 1)), 400)
        self.assertEqual(tuples(self.bob.told[0]), {"t": largest})
        self.assertEqual(tuples(self.bob.look(ALICE).result(10)),
                         {"t": largest})
        self.primd.kill()
        self.primd.start()
        self.assertEqual(tuples(self.user(BOB).look(ALICE).result(10)),
                         {"t": largest})

    def test_an_entity_bomb_costs_nothing(self):
        count, body = 200, bomb(ALICE)
        self.assertEqual(self.put(body), 400)
        before = self.cost()
        codes = {self.put(body) for _ in range(count)}
        after = self.cost()
        self.assertEqual(codes, {400})
        self.assertEqual(self.shown(), {})
        cpu, memory = (b - a for a, b in zip(before, after))
        print(f"{count} entity bombs: {cpu:.2f} s of CPU, {memory} KiB",
              flush=True)
        self.assertLess(cpu, 1)
        self.assertLess(memory, 16 << 10)


def reword(primd, old, new):
    """Changes the configuration, for the next reload or start."""
    with open(primd.config, encoding="utf-8") as file:
        text = file.read().replace(old, new)
    with open(primd.config, "w", encoding="utf-8") as file:
        file.write(text)


def close(primd):
    """Takes `subscribe` from everyone."""
    reword(primd, OPEN, CLOSED)


class Crowd(unittest.TestCase):
    """More watchers behind one adapter than it is told of at once."""
    MANY = 1500

    def setUp(self):
        self.adapter = FAULT.replace(" } }", ", mode: silence } }")
        self.primd = Primd(OPEN + self.adapter)
        self.primd.account(ALICE)
        end = int(time.time() * 1000) + 3600000
        path = os.path.join(self.primd.data, "primd.db")
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.executemany(
                "INSERT INTO subscription (watcher, presentity, id,"
                " watcher_address, presentity_address, is_outgoing,"
                " expires_ms) VALUES (?, ?, ?, ?, ?, 0, ?)",
                [(f"w{i}@fault.localhost", ALICE, f"id{i}",
                  f"pres:w{i}@fault.localhost", f"pres:{ALICE}", end)
                 for i in range(self.MANY)])
        self.primd.start()
        self.addCleanup(self.primd.clean)

    def told(self):
        url = f"http://127.0.0.1:{self.primd.admin}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        return int(re.search(r"^primd_notifies_total (\d+)", text, re.M)[1])

    def test_everyone_hears_the_last_word(self):
        self.assertTrue(wait_until(lambda: self.told() == self.MANY, 20))
        close(self.primd)
        os.kill(self.primd.process.pid, signal.SIGHUP)
        self.assertTrue(wait_until(
            lambda: self.told() == 2 * self.MANY, 20), self.told())
        self.assertTrue(wait_until(
            lambda: self.primd.ctl("subscription", "list") ==
            "There are no subscriptions.\n", 10))

    def test_a_slip_in_the_configuration_costs_nobody_anything(self):
        self.assertTrue(wait_until(lambda: self.told() == self.MANY, 20))
        self.assertEqual(self.primd.stop(), 0)
        reword(self.primd, self.adapter, "")
        self.primd.start()
        self.assertTrue(wait_until(
            lambda: f"watchers left aside presentity={ALICE}"
            f" count={self.MANY}" in self.primd.log(), 10),
            self.primd.log()[-500:])
        self.assertEqual(self.primd.stop(), 0)
        with open(self.primd.config, "a", encoding="utf-8") as file:
            file.write(self.adapter)
        self.primd.start()
        self.assertTrue(wait_until(lambda: self.told() == self.MANY, 20))


class Rights(Presence):
    CONFIG = OPEN + FAULT

    def close_it(self):
        close(self.primd)

    def watchers(self):
        return {BOB, CAROL, "watch-600@fault.localhost"}

    def test_who_may_not_watch_any_more_is_told_so(self):
        ear = self.primd.client(ALICE, listen=True)
        self.addCleanup(ear.close)
        self.assertTrue(wait_until(
            lambda: ear.say("watch-600@fault.localhost", "look") == 200, 10))
        for user in (self.bob, self.carol):
            self.assertEqual(code_of(user.subscribe(ALICE, 600)), 200)
        self.assertEqual(self.publish("now", "leased", "t", 60), 200)
        self.assertTrue(ear.wait(2, 5))
        everybody = {(watcher, ALICE) for watcher in self.watchers()}
        self.assertEqual(self.subscriptions(), everybody)
        self.assertEqual(self.stored(), ({("t", "leased"): "now"}, 3))

        self.close_it()
        os.kill(self.primd.process.pid, signal.SIGHUP)
        self.assertTrue(self.carol.wait_last(
            lambda last: last.method == "CANCELSUBSCRIPTION", 5))
        self.assertTrue(ear.wait(3, 5))
        self.assertTrue(ear.texts()[-1].startswith("notify 0\r\n"))
        self.check_left()
        self.assertEqual(self.publish("then", "leased", "t", 60), 200)
        self.assertTrue(self.bob.wait_last(
            lambda last: self.shown(last) == {"t": "then"}, 5))
        time.sleep(0.3)  # what should not come comes now
        self.assertEqual(len(ear.texts()), 3)
        self.assertEqual(self.carol.told[-1].method, "CANCELSUBSCRIPTION")
        self.assertEqual(len(self.bob.told_of(ALICE, "CANCELSUBSCRIPTION")), 0)
        self.assertEqual(code_of(self.carol.subscribe(ALICE, 60)), 402)
        self.assertEqual(ear.say("watch-600@fault.localhost", "look"), 402)

        self.assertEqual(self.stored(), ({("t", "leased"): "then"}, 1))
        self.assertEqual(self.primd.stop(), 0)
        self.assertEqual(self.stored(), ({("t", "leased"): "then"}, 1))
        self.check_left()

    def check_left(self):
        # The store follows a moment later.
        self.assertTrue(wait_until(
            lambda: self.subscriptions() == {(BOB, ALICE)}, 5))

    def test_who_may_not_watch_after_a_restart_does_not(self):
        for user in (self.bob, self.carol):
            self.assertEqual(code_of(user.subscribe(ALICE, 600)), 200)
        self.primd.kill()
        self.close_it()
        self.primd.start()
        self.alice, bob, carol = map(self.user, (ALICE, BOB, CAROL))
        self.assertEqual(self.publish("then", "leased", "t", 60), 200)
        self.assertTrue(bob.wait_last(
            lambda last: self.shown(last) == {"t": "then"}, 5))
        self.assertEqual(carol.told, [])
        self.check_left()

    def test_primctl_tells_the_same_without_a_primd(self):
        self.publish("always")
        self.publish("now", "leased", "t", 60)
        self.publish("away", "leased", "phone", 60)
        self.bob.subscribe(ALICE, 600).result(10)
        self.alice.subscribe("x@fault.localhost", 600).result(10)
        stored = {("t", "permanent"): "always", ("t", "leased"): "now",
                  ("phone", "leased"): "away"}, 1
        who = {(BOB, ALICE), (ALICE, "x@fault.localhost")}
        self.assertEqual((self.stored(), self.subscriptions()), (stored, who))
        text = self.primd.ctl("presence", "show", ALICE)
        for part in ("is watched by 1.", 'leased     open "now"',
                     'permanent  open "always"'):
            self.assertIn(part, text)
        self.primd.kill()
        self.assertEqual((self.stored(), self.subscriptions()), (stored, who))
        self.assertRegex(self.primd.ctl("subscription", "list"),
                         r"pres:alice\S+ watches pres:x\S+  outgoing  id ")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
