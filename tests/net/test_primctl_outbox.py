# SPDX-License-Identifier: ISC
"""What primctl does to messages that wait, links and copies, with a primd and
without one."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from servers import Primd, free_ports, wait_until  # noqa: E402

ALICE, BOB, ROMEO = "alice@localhost", "bob@localhost", "romeo@xmpp.localhost"

# The XMPP adapter runs, and its network is down.
CONFIG = """routes:
  - {{ domain: xmpp.localhost, via: xmpp }}
  - {{ domain: .now.localhost, via: xmpp, queue: false }}
adapters:
  - name: xmpp
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: gateway.localhost
      secret_file: {secret}
  - {{ name: echo, plugin: echo, options: {{ domain: echo.localhost }} }}
"""


class World(unittest.TestCase):
    def setUp(self):
        self.primd = Primd()
        self.addCleanup(self.primd.clean)
        secret = os.path.join(self.primd.folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("sesame\n")
        os.chmod(secret, 0o600)
        with open(self.primd.config, "a", encoding="utf-8") as file:
            file.write(CONFIG.format(port=free_ports(1)[0], secret=secret))
        self.primd.account(ALICE)
        self.primd.account(BOB)

    def start(self):
        self.primd.start()

        def runs():
            return all(a["pid"] > 0 and a["state"] in ("ready", "up")
                       for a in self.primd.status()["adapters"])

        self.assertTrue(wait_until(runs))

    def run_ctl(self, *args):
        return subprocess.run(
            [os.path.join(self.primd.bin, "primctl"), "-c", self.primd.config,
             *args], timeout=60, capture_output=True, text=True, check=False)

    def refused(self, part, *args, code=1):
        done = self.run_ctl(*args)
        self.assertEqual((done.returncode, done.stdout), (code, ""), args)
        self.assertIn(part, done.stderr)

    def json(self, *args):
        return json.loads(self.primd.ctl("--json", *args))

    def waiting(self, *address):
        return self.json("outbox", "list", *address)["messages"]

    def the_one_to(self, address):
        (one,) = [m for m in self.waiting() if m["to"] == address]
        return str(one["id"])

    def say(self, to, text, code=101):
        alice = self.primd.client(ALICE)
        self.assertEqual(alice.say(to, text), code)
        alice.close()

    def heard(self, address, count):
        """What waits for `address`, `count` messages of it."""
        client = self.primd.client(address, listen=True)
        self.assertTrue(client.wait(count), client.heard)
        client.close()
        return client.heard


class Outbox(World):
    def test_what_waits_is_listed_and_shown(self):
        self.start()
        self.say(ROMEO, "wherefore")
        self.say(BOB, "are you there?")
        shown = self.primd.ctl("outbox", "list")
        self.assertRegex(shown, r"\AID +AGE +FROM +TO +VIA +TRIES +NEXT TRY +"
                         r"STATE +WHY\n")
        self.assertIn("\n2 waiting, 0 quarantined.\n", shown)
        self.assertRegex(shown, rf"(?m)^\d+ .*{ALICE} +{ROMEO} +xmpp ")
        self.assertRegex(shown, rf"(?m)^\d+ .*{ALICE} +{BOB} +inbox .*listens$")
        told = self.json("outbox", "list", ROMEO)
        self.assertEqual([m["to"] for m in told["messages"]], [ROMEO])
        self.assertEqual((told["waiting"], told["quarantined"]), (1, 0))
        self.assertEqual(len(self.waiting(ALICE)), 2)
        self.assertEqual(self.waiting("carol@xmpp.localhost"), [])
        self.refused("no account carol@localhost", "outbox", "list",
                     "carol@localhost")
        for running in (True, False):
            with self.subTest(running=running):
                shown = self.primd.ctl("outbox", "show", self.the_one_to(ROMEO))
                self.assertIn(f"\n  From: im:{ALICE}\n", shown)
                self.assertNotIn("wherefore", shown)
                shown = self.primd.ctl("outbox", "show", "--body",
                                       self.the_one_to(ROMEO))
                self.assertIn("\n  wherefore\n", shown)
                if running:
                    self.assertEqual(self.primd.stop(), 0)

    def test_a_server_obeys(self):
        self.start()
        self.say(ROMEO, "wherefore")
        self.say(BOB, "are you there?")
        first, second = self.the_one_to(ROMEO), self.the_one_to(BOB)
        status = self.primd.ctl("status")
        self.assertRegex(status, r"(?m)^outbox +2, the oldest for \d+")
        self.assertRegex(status, r"(?m)^xmpp +cut off +\d+ +0 +1$")
        self.refused("its adapter is not up", "outbox", "retry", first)
        self.refused("nobody listens", "outbox", "retry", second)
        self.assertIn("Its sender gets a notice.",
                      self.primd.ctl("outbox", "quarantine", first))
        self.refused("is quarantined already", "outbox", "quarantine", first)
        self.assertIn(", 1 quarantined\n", self.primd.ctl("status"))
        self.assertIn("told already that it failed",
                      self.primd.ctl("outbox", "retry", first))
        states = [m["state"] for m in self.waiting(ROMEO)]
        self.assertIn(states, (["waiting"], ["under way"]))
        self.assertIn("Its sender gets a notice.",
                      self.primd.ctl("outbox", "drop", second))
        self.refused(f"no message {second} in the outbox", "outbox", "drop",
                     second)
        self.assertEqual(self.waiting(BOB), [])
        # One notice for each, and no second one however the first ends.
        self.assertIn("told before that it failed",
                      self.primd.ctl("outbox", "drop", first))
        self.assertEqual(len(self.heard(ALICE, 2)), 2)
        self.assertTrue(wait_until(lambda: self.waiting() == []))
        self.assertEqual(self.primd.ctl("outbox", "list"), "Nothing waits.\n")

    def test_without_a_server_it_takes_effect_later(self):
        self.start()
        self.say(ROMEO, "wherefore")
        self.say(BOB, "one")
        self.say(BOB, "two")
        self.assertEqual(self.primd.stop(), 0)
        one, two = [str(m["id"]) for m in self.waiting(BOB)]
        self.assertIn("is tried when primd starts.",
                      self.primd.ctl("outbox", "retry", self.the_one_to(ROMEO)))
        self.primd.ctl("outbox", "quarantine", one)
        self.primd.ctl("outbox", "drop", two)
        self.assertIn("waits for somebody who listens. Its sender was told",
                      self.primd.ctl("outbox", "retry", one))
        self.refused("it waits for somebody who listens", "outbox", "retry",
                     one)
        self.refused("no message 4711", "outbox", "retry", "4711")
        self.start()
        self.assertEqual([c.text() for c in self.heard(BOB, 1)], ["one"])
        self.assertEqual(len(self.heard(ALICE, 2)), 2)
        self.assertTrue(wait_until(
            lambda: [m["to"] for m in self.waiting()] == [ROMEO]))

    def test_what_is_damaged_is_only_dropped(self):
        self.start()
        self.say(BOB, "one")
        self.say(BOB, "two")
        ids = [str(m["id"]) for m in self.waiting(BOB)]
        for one in ids:
            self.primd.ctl("outbox", "quarantine", one)
        queue = sqlite3.connect(os.path.join(self.primd.data, "queue.db"),
                                timeout=10)
        with queue:
            queue.execute("UPDATE content SET body = x'00'")
        queue.close()
        for running, one in zip((True, False), ids):
            with self.subTest(running=running):
                self.refused(f"message {one} is damaged and can only be "
                             "dropped", "outbox", "retry", one)
                self.refused("can only be dropped", "outbox", "quarantine",
                             one)
                self.assertIn("can only be dropped",
                              self.primd.ctl("outbox", "show", one))
                self.primd.ctl("outbox", "drop", one)
                self.refused(f"no message {one}", "outbox", "retry", one)
                if running:
                    self.assertEqual(self.primd.stop(), 0)

    def test_a_long_list_ends(self):
        self.start()
        alice = self.primd.client(ALICE)
        sent = [alice.send(ROMEO, str(i), conversation=str(i))
                for i in range(1100)]
        self.assertEqual({f.result(60).code for f in sent}, {101})
        alice.close()
        lines = self.primd.ctl("outbox", "list").splitlines()
        self.assertEqual(len(lines), 1102)
        self.assertEqual(lines[-1], "1100 waiting, 0 quarantined.")
        told = self.json("outbox", "list")
        self.assertEqual(len({m["id"] for m in told["messages"]}), 1100)
        self.assertEqual(told["waiting"], 1100)

    def metric(self, name):
        url = f"http://127.0.0.1:{self.primd.admin}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return int(line.rpartition(" ")[2])
        return None

    def test_metrics_tell_what_waits_for_whom(self):
        self.start()
        self.say(ROMEO, "one")
        self.say(ROMEO, "two")
        self.say(BOB, "three")
        time.sleep(1.1)  # ages are whole seconds
        name = "primd_outbox_destination_"
        for destination, count in (("adapter:xmpp", 2), ("adapter:echo", 0),
                                   ("inbox", 1)):
            label = f'{{destination="{destination}"}}'
            self.assertEqual(self.metric(name + "messages" + label), count)
            age = self.metric(name + "oldest_seconds" + label)
            self.assertEqual(age > 0, count > 0, destination)
        self.heard(BOB, 1)
        self.assertTrue(wait_until(lambda: self.metric(
            name + 'messages{destination="inbox"}') == 0))
        self.assertEqual(self.metric(
            name + 'oldest_seconds{destination="inbox"}'), 0)

    def test_what_is_wrong_is_said(self):
        self.start()
        for verb in ("show", "retry", "drop", "quarantine"):
            self.refused("no message 4711 in the outbox", "outbox", verb,
                         "4711")
            self.refused("'x' is not the ID of a message", "outbox", verb, "x")
            self.refused(f"usage: primctl [-c FILE] [--json] outbox {verb} ",
                         "outbox", verb, code=2)
        self.refused("usage: primctl", "outbox", "drop", "--body", "1", code=2)
        for part, args in (
                ("'outbox drop' has no option --body", ("outbox", "drop",
                                                        "--body", "1")),
                ("'outbox drop' wants ID, too", ("outbox", "drop")),
                ("'2' is one word too many for 'outbox drop'",
                 ("outbox", "drop", "1", "2")),
                ("'link add' wants FOREIGN, too", ("link", "add", ALICE))):
            self.refused(f"primctl: {part}\nusage: ", *args, code=2)


class Links(World):
    def check(self):
        told = self.json("link", "list", ALICE)
        self.assertEqual([(l["foreign"], l["network"], l["state"], l["how"])
                          for l in told["links"]],
                         [(ROMEO, "xmpp", "verified", "operator")])
        self.assertEqual(told["order"], [ROMEO, "prim"])

    def test_links_are_made_ordered_and_ended(self):
        self.start()
        self.assertEqual(self.primd.ctl("link", "list"),
                         "There are no links; 'primctl link add ADDRESS FOREIGN'"
                         " makes one.\n")
        self.assertEqual(
            self.primd.ctl("link", "add", ALICE, "Romeo@xmpp.localhost"),
            f"{ROMEO} is linked to {ALICE}.\n")
        self.assertIn(f"looked for at {ROMEO}, then prim.",
                      self.primd.ctl("link", "order", ALICE, ROMEO, "prim"))
        self.refused("is linked to another account", "link", "add", BOB, ROMEO)
        self.refused("no network", "link", "add", BOB, "x@nowhere.example")
        self.refused("is an address of this bridge itself", "link", "add", BOB,
                     ALICE)
        self.refused("neither 'prim' nor a linked address", "link", "order",
                     ALICE, "prim", "x@nowhere.example")
        self.refused("no link waits for a code", "link", "verify", BOB,
                     "tybalt@xmpp.localhost")
        self.check()
        self.assertEqual(self.primd.stop(), 0)
        self.check()
        self.start()
        self.check()
        self.primd.ctl("link", "order", ALICE, "usual")
        self.assertIn(f"prim, then {ROMEO}.",
                      self.primd.ctl("link", "order", ALICE))
        self.primd.ctl("link", "remove", ALICE, ROMEO)
        self.assertEqual(self.json("link", "list")["links"], [])
        self.refused("are not linked", "link", "remove", ALICE, ROMEO)

    def test_without_a_server_too(self):
        self.primd.ctl("link", "add", ALICE, ROMEO)
        self.primd.ctl("link", "order", ALICE, ROMEO, "prim")
        self.refused("is linked to another account", "link", "add", BOB, ROMEO)
        self.check()
        self.start()
        self.check()

    def test_what_is_linked_is_followed(self):
        self.start()
        self.primd.ctl("link", "add", BOB, ROMEO)
        alice = self.primd.client(ALICE)
        self.assertEqual(alice.say(BOB, "wherefore"), 101)
        alice.close()
        (one,) = self.waiting(BOB)
        self.assertEqual((one["target"], one["via"]), (ROMEO, "xmpp"))
        self.assertIn(f" {BOB} -> {ROMEO} ", self.primd.ctl("outbox", "list"))
        self.primd.ctl("link", "remove", BOB, ROMEO)
        self.assertEqual([c.text() for c in self.heard(BOB, 1)], ["wherefore"])


class Routes(World):
    def answer(self, sender, recipient):
        steps = self.json("route", "test", sender, recipient)["steps"]
        self.assertEqual([s for s in steps if s["step"] == "answer"],
                         steps[-1:])
        return steps[-1].get("code")

    def test_the_answer_is_that_of_the_real_message(self):
        self.start()
        alice = self.primd.client(ALICE)
        bob = self.primd.client(BOB)
        for to, code in ((ROMEO, 101), ("x@nowhere.example", 403),
                         ("x@a.now.localhost", 407), (BOB, 101),
                         ("nobody@localhost", 403)):
            with self.subTest(to):
                self.assertEqual(self.answer(ALICE, to), code)
                self.assertEqual(alice.say(to, "hello"), code)
        bob.listen()
        self.assertIsNone(self.answer(ALICE, BOB))
        self.assertIn("1 listen", self.primd.ctl("route", "test", ALICE, BOB))
        alice.close()
        bob.close()

    def test_every_step_is_a_line(self):
        self.start()
        shown = self.primd.ctl("route", "test", ALICE, ROMEO)
        self.assertEqual(re.findall(r"(?m)^\S+", shown),
                         ["sender", "recipient", "relay", "hops", "adapter",
                          "lane", "queue", "quota", "answer"])
        self.assertIn("route xmpp.localhost -> xmpp", shown)
        shown = self.primd.ctl("route", "test", "x@echo.localhost", ROMEO)
        self.assertIn("neither end is ours", shown)
        self.assertIn("\nanswer     402, ", shown)
        self.assertEqual(self.primd.stop(), 0)
        shown = self.primd.ctl("route", "test", ALICE, ROMEO)
        self.assertIn("not known without a running primd", shown)
        self.assertIsNone(self.answer(ALICE, BOB))
        self.assertEqual(self.answer(ALICE, "nobody@localhost"), 403)
        self.refused("'x' is not an address", "route", "test", "x", ROMEO)


class Copies(World):
    def copy(self, name):
        return os.path.join(self.primd.folder, name)

    def test_a_copy_is_made_while_messages_run(self):
        self.start()
        bob = self.primd.client(BOB, listen=True)
        alice = self.primd.client(ALICE)
        stop = threading.Event()
        codes = []

        def talk():
            while not stop.is_set():
                codes.append(alice.say(BOB, "x" * 1000))

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            for i in range(5):
                shown = self.primd.ctl("backup", self.copy(f"copy{i}"))
                self.assertIn("It does not hold messages that wait", shown)
        finally:
            stop.set()
            thread.join()
        self.assertEqual(set(codes), {200})
        alice.close()
        bob.close()
        self.refused("is there already", "backup", self.copy("copy0"))
        self.refused("is in use by process", "restore", self.copy("copy0"))

    def test_a_restored_copy_sends_nothing_again(self):
        self.start()
        self.primd.ctl("link", "add", ALICE, ROMEO)
        for i in range(20):
            self.say(BOB, f"old {i}")
        told = self.json("backup", self.copy("copy"))
        self.assertEqual(told["file"], os.path.join(self.copy("copy"),
                                                    "primd.db"))
        self.assertEqual(len(self.heard(BOB, 20)), 20)
        self.assertTrue(wait_until(lambda: self.waiting() == []))
        self.primd.account("late@localhost")
        self.say(BOB, "new")
        self.assertEqual(self.primd.stop(), 0)

        shown = self.primd.ctl("restore", self.copy("copy"))
        self.assertIn("Untouched: queue.db", shown)
        self.assertIn("/primd.db.before-restore.\n", shown)
        accounts = [a["address"] for a in self.json("account",
                                                    "list")["accounts"]]
        self.assertEqual(accounts, [ALICE, BOB])
        self.start()
        self.assertEqual([l["foreign"] for l in
                          self.json("link", "list")["links"]], [ROMEO])
        self.assertEqual([c.text() for c in self.heard(BOB, 1)], ["new"])
        self.assertTrue(wait_until(lambda: self.waiting() == []))

    def test_a_copy_needs_no_server(self):
        self.primd.ctl("backup", self.copy("copy"))
        shutil.rmtree(self.primd.data)
        for args in (("outbox", "list"), ("backup", self.copy("empty"))):
            self.refused("there is no primd.db in", *args)
        self.assertFalse(os.path.exists(self.primd.data))
        self.assertFalse(os.path.exists(self.copy("empty")))
        self.primd.ctl("restore", self.copy("copy"))
        self.assertEqual(len(self.json("account", "list")["accounts"]), 2)
        for end in ("", ".2"):
            shown = self.json("restore", self.copy("copy"))
            self.assertEqual(shown["kept"], os.path.join(
                self.primd.data, "primd.db.before-restore" + end))
        self.refused("'primctl backup' wrote to", "restore",
                     self.copy("nothing"))
        with open(os.path.join(self.copy("copy"), "primd.db"), "r+b") as file:
            file.truncate(4096)
        self.assertEqual(self.run_ctl("restore",
                                      self.copy("copy")).returncode, 1)
        self.assertEqual(len(self.json("account", "list")["accounts"]), 2)

    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_a_copy_by_root_belongs_to_the_user_of_primd(self):
        """Where that user may not make a folder."""
        nobody = 65534
        os.chmod(self.primd.folder, 0o755)
        for folder, _, files in os.walk(self.primd.data):
            for path in [folder, *(os.path.join(folder, f) for f in files)]:
                os.chown(path, nobody, nobody)
        self.primd.ctl("backup", self.copy("copy"))
        for path in (self.copy("copy"),
                     os.path.join(self.copy("copy"), "primd.db")):
            self.assertEqual(os.stat(path).st_uid, nobody)
        self.primd.ctl("restore", self.copy("copy"))
        self.assertEqual(os.stat(os.path.join(self.primd.data,
                                              "primd.db")).st_uid, nobody)
        self.primd.start()
        self.assertEqual(len(self.json("account", "list")["accounts"]), 2)

    def test_a_copy_that_fails_leaves_no_folder(self):
        """Made by whoever runs it, or by root for the user of primd; nor does
        it take away one that was there."""
        nobody = 65534
        os.chmod(self.primd.folder, 0o755)
        with open(os.path.join(self.primd.data, "primd.db"), "r+b") as file:
            file.write(b"no file of SQLite")
        for owner in {os.getuid(), nobody if os.getuid() == 0 else None}:
            if owner is None:
                continue
            for folder, _, files in os.walk(self.primd.data):
                for path in [folder,
                             *(os.path.join(folder, f) for f in files)]:
                    os.chown(path, owner, -1)
            self.refused("primd.db is damaged", "backup", self.copy("copy"))
            self.assertFalse(os.path.exists(self.copy("copy")), owner)
            os.makedirs(self.copy("there"), exist_ok=True)
            os.chown(self.copy("there"), owner, -1)
            self.refused("primd.db is damaged", "backup", self.copy("there"))
            self.assertEqual(os.listdir(self.copy("there")), [])


if __name__ == "__main__":
    unittest.main()
