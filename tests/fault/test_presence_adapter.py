# SPDX-License-Identifier: ISC
"""Adapters that die, are deaf, lie and flood while presence crosses: whoever
watches keeps what he knew and then gets the truth, every SUBSCRIBE has an answer
in time, and nobody else notices."""

import json
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import rogue  # noqa: E402
from publisher import Publisher, code_of, document, notes, tuples  # noqa: E402
from servers import Primd, wait_until  # noqa: E402

# Its quarantine would look as if we never gave memory back.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0:quarantine_size_mb=4"

USERS = [f"{name}@localhost" for name in ("alice", "bob", "carol", "dave")]
CONFIG = """default_acl: { everyone: [send, fetch, subscribe] }
delivery: { answer_within: %s }
adapters:
  - { name: rogue, plugin: rogue, options: { domain: rogue.localhost } }
  - { name: fault, plugin: fault, options: { domain: fault.localhost } }
"""


def note_of(command):
    """What the only tuple says."""
    shown = list(tuples(command).values())
    return notes(shown[0])[0] if shown else None


class Adapters(unittest.TestCase):
    WITHIN = "8s"

    def setUp(self):
        self.primd = Primd(CONFIG % self.WITHIN)
        rogue.install(self.primd)
        for user in USERS:
            self.primd.account(user)
        self.primd.start()
        self.clients = []
        for name in ("rogue", "fault"):
            self.assertTrue(wait_until(lambda: self.state(name) == "up", 15))
        self.users = [self.user(address) for address in USERS]
        self.failed = True

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.primd.clean(keep=self.failed)

    def user(self, address):
        client = Publisher(self.primd, address)
        self.clients.append(client)
        return client

    def messages(self, address):
        client = self.primd.client(address, listen=True)
        self.clients.append(client)
        return client

    def state(self, name):
        return next((a["state"] for a in self.primd.status()["adapters"]
                     if a["name"] == name), None)

    def subscriptions(self):
        told = json.loads(self.primd.ctl("--json", "subscription", "list"))
        return [(s["watcher"].removeprefix("pres:"),
                 s["presentity"].removeprefix("pres:"))
                for s in told["subscriptions"]]

    def watch(self, user, who, seconds=600, code=200):
        answer = user.subscribe(who, seconds).result(20)
        self.assertEqual(answer.code, code, who)
        return answer

    def asked(self, pid):
        """{(watcher, presentity): [SUBSCRIBE, ...]} as that process heard it."""
        found = {}
        for line in rogue.heard(self.primd, method="SUBSCRIBE", pid=pid):
            names = tuple(line[n].removeprefix("pres:") for n in ("from", "to"))
            found.setdefault(names, []).append(line)
        return found

    def kill(self, name):
        """Until another process is there; its pid."""
        old = self.primd.kill_host(name)
        self.assertTrue(wait_until(
            lambda: self.primd.host_pid(name) not in (None, old) and
            self.state(name) == "up", 10))
        return self.primd.host_pid(name)


class Deaths(Adapters):
    def test_every_subscription_is_replayed_once_after_a_death(self):
        whom = [f"p{i}@rogue.localhost" for i in range(5)]
        before = self.primd.host_pid("rogue")
        for user in self.users:
            for who in whom:
                self.assertEqual(note_of(self.watch(user, who)), str(before))
        alice = self.users[0]
        self.watch(alice, "left@rogue.localhost")
        self.assertEqual(code_of(alice.unsubscribe("left@rogue.localhost")), 200)
        self.watch(alice, "short@rogue.localhost", 1)
        self.assertTrue(wait_until(
            lambda: len(self.subscriptions()) == len(whom) * len(USERS), 5))
        begun = time.time()
        after = self.kill("rogue")

        def news():
            return [c for user in self.users for c in list(user.told)
                    if c.at > begun]

        count = len(whom) * len(USERS)
        self.assertTrue(wait_until(lambda: len(news()) >= count, 10))
        latest = max(c.at for c in news())
        time.sleep(1)  # what comes twice comes now
        first, second = self.asked(before), self.asked(after)
        self.assertEqual(sorted(second), sorted(
            (user.address, who) for user in self.users for who in whom))
        for names, lines in second.items():
            self.assertEqual(len(lines), 1, names)
            self.assertEqual(lines[0]["id"], first[names][0]["id"])
            self.assertTrue(590 < lines[0]["duration"] <= 600)
        self.assertEqual(len(news()), count)
        self.assertEqual({note_of(c) for c in news()}, {str(after)})
        print(f"{count} watchers knew the truth {latest - begun:.3f} s after "
              "the death", flush=True)
        self.failed = False

    def test_while_it_is_down_the_last_state_is_told(self):
        alice = self.users[0]
        before = self.primd.host_pid("rogue")
        self.watch(alice, "p@rogue.localhost")
        again = self.user(USERS[0])
        self.primd.kill_host("rogue")
        # It takes 100 ms at least until there is another.
        shown = note_of(self.watch(again, "p@rogue.localhost"))
        self.assertEqual(shown, str(before))
        self.assertTrue(again.wait_last(
            lambda last: note_of(last) not in (None, str(before)), 10))
        self.failed = False

    def test_a_subscribe_under_way_when_it_dies_is_answered_after_it(self):
        begun = time.monotonic()
        answer = self.watch(self.users[0], "once@rogue.localhost")
        took = time.monotonic() - begun
        self.assertLess(took, 8)
        self.assertEqual(note_of(answer), str(self.primd.host_pid("rogue")))
        self.assertEqual(self.subscriptions(),
                         [(USERS[0], "once@rogue.localhost")])
        print(f"answered {took:.3f} s after the death", flush=True)
        self.failed = False

    def test_foreign_watchers_get_one_current_state_after_a_death(self):
        ears = [self.messages(user) for user in USERS]
        for user, ear in zip(self.users, ears):
            self.assertEqual(user.put_tuple("permanent", "t", document(
                user.address, "old")).result(10).code, 200)
            self.assertEqual(ear.say("watch-600@fault.localhost", "look"), 200)
            self.assertTrue(ear.wait(1))
            self.assertIn("old", ear.texts()[0])
        self.primd.kill_host("fault")
        # It is down for a moment.
        for user in self.users[:2]:
            for note in ("newer", "newest"):
                self.assertEqual(user.put_tuple("permanent", "t", document(
                    user.address, note)).result(10).code, 200)
        for ear in ears:
            self.assertTrue(ear.wait(2, 10))
        time.sleep(1)  # what comes twice comes now
        for ear, note in zip(ears, ("newest", "newest", "old", "old")):
            self.assertEqual(len(ear.texts()), 2, ear.texts())
            self.assertRegex(ear.texts()[1], r"^notify 5[89]\d|^notify 600")
            self.assertEqual(notes(ear.texts()[1].encode()), [note])
        self.failed = False


class Misdeeds(Adapters):
    WITHIN = "2s"

    def refused_in_time(self, future, code=407):
        begun = time.monotonic()
        self.assertEqual(code_of(future), code)
        self.assertLess(time.monotonic() - begun, 3)

    def test_who_kills_it_is_given_up_and_nothing_is_left(self):
        alice, bob = self.users[:2]
        self.watch(bob, "p@fault.localhost")
        self.refused_in_time(alice.subscribe("die@fault.localhost", 60))
        self.assertEqual(self.subscriptions(), [(USERS[1], "p@fault.localhost")])
        self.assertEqual(code_of(alice.unsubscribe("die@fault.localhost")), 404)
        self.assertTrue(wait_until(lambda: self.state("fault") == "up", 10))
        self.watch(alice, "p@fault.localhost")
        self.failed = False

    def test_who_never_answers_is_given_up_and_nothing_is_left(self):
        alice = self.users[0]
        for future in (alice.subscribe("deaf@rogue.localhost", 60),
                       alice.look("deaf@rogue.localhost"),
                       alice.subscribe("hang@fault.localhost", 60)):
            self.refused_in_time(future)
        self.assertEqual(self.subscriptions(), [])
        self.assertEqual(code_of(alice.unsubscribe("deaf@rogue.localhost")), 404)
        self.watch(alice, "p@rogue.localhost")
        self.assertEqual(self.state("rogue"), "up")
        self.failed = False

    def test_granted_and_never_shown_is_granted_without_a_state(self):
        alice = self.users[0]
        begun = time.monotonic()
        answer = self.watch(alice, "silence@fault.localhost", 60)
        self.assertTrue(2 <= time.monotonic() - begun + 0.05 < 3)
        self.assertEqual(answer.body, b"")
        self.assertEqual(self.subscriptions(),
                         [(USERS[0], "silence@fault.localhost")])
        self.refused_in_time(alice.look("silence@fault.localhost"))
        self.failed = False

    def test_lies_are_refused_and_nobody_sees_them(self):
        alice, bob = self.users[:2]
        self.watch(bob, "p@rogue.localhost")
        self.watch(bob, USERS[0])
        cpu, memory = self.primd.cpu_seconds(), self.memory()
        shown = [self.watch(alice, "lies@rogue.localhost")]
        self.assertTrue(alice.wait_told(
            lambda told: note_of((shown + told)[-1]) == "last", 10))
        self.assertTrue(wait_until(
            lambda: rogue.heard(self.primd, answer="last"), 5))
        codes = {line["answer"]: line["code"]
                 for line in rogue.heard(self.primd) if "answer" in line}
        cost = self.primd.cpu_seconds() - cpu
        self.assertEqual(codes, {
            "first": 200, "unknown id": 403, "other watcher": 403,
            "other presentity": 403, "served presentity": 402,
            "other entity": 400, "bomb": 400, "huge": 400,
            "no document": 400, "no presence": 400, "last": 200})
        self.assertLessEqual({note_of(c) for c in shown + alice.told},
                             {"first", "last"})
        self.assertEqual(len(bob.told), 0)
        self.assertLess(cost, 0.3)
        self.assertLess(self.memory() - memory, 16 << 20)
        self.assertEqual(self.state("rogue"), "up")
        self.failed = False

    def memory(self):
        with open(f"/proc/{self.primd.process.pid}/status",
                  encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) << 10

    def traffic(self, enough, timeout=20):
        """Carol changes, dave sees it, until `enough`: how long it took, each."""
        carol, dave = self.users[2:]
        self.watch(dave, USERS[2])
        slow, number, end = [], 0, time.monotonic() + timeout
        while (not enough() or number < 20) and time.monotonic() < end:
            begun = time.monotonic()
            number += 1
            carol.put_tuple("leased", "t", document(USERS[2], number), 60)
            self.assertTrue(dave.wait_last(
                lambda last: note_of(last) == str(number), 10))
            slow.append(time.monotonic() - begun)
        self.assertTrue(enough())
        return slow

    def flood(self, who, enough):
        alice = self.users[0]
        memory = self.memory()
        cpu, begun = self.primd.cpu_seconds(), time.monotonic()
        alice.subscribe(who, 600)
        slow = self.traffic(enough)
        grown = self.memory() - memory
        print(f"{who}: {time.monotonic() - begun:.1f} s, "
              f"{self.primd.cpu_seconds() - cpu:.1f} s of CPU; meanwhile "
              f"{len(slow)} changes elsewhere, the slowest was seen after "
              f"{max(slow):.3f} s; {len(alice.told)} notifications; "
              f"{grown >> 10} KiB more", flush=True)
        self.assertLess(max(slow), 1)
        self.assertLess(grown, 64 << 20)

    def test_a_flood_costs_only_who_floods(self):
        alice = self.users[0]
        self.flood("flood@rogue.localhost",
                   lambda: alice.told and note_of(alice.told[-1]) == "last")
        self.flood("flood-20000@fault.localhost", lambda: True)
        self.failed = False

    def test_a_flood_of_one_who_does_not_read_costs_only_him(self):
        old = self.primd.host_pid("rogue")
        self.flood("mute@rogue.localhost", lambda:
                   self.primd.host_pid("rogue") not in (old, None)
                   or rogue.heard(self.primd, answer="last"))
        self.failed = False


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
