# SPDX-License-Identifier: ISC
"""The wall clock of primd jumps, while it runs and while it does not
(clock_shim.c). Nothing ends before its time while it runs; nothing stays much
longer than its time; what looks overdue at a start gets a minute and a try."""

import json
import os
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from publisher import Publisher, document, tuples  # noqa: E402
from recorder import read_notice  # noqa: E402
from servers import BUILD, LONG, Primd, wait_until  # noqa: E402

SHIM = os.path.join(BUILD, "lib", "clock_shim.so")
ALICE, BOB, CAROL = "alice@localhost", "bob@localhost", "carol@localhost"
SECOND, HOUR, YEAR = 1000, 3_600_000, 365 * 86_400_000
# What is added to the clock, one after the other. Of its own accord primd never
# asks it again, so each of them alone says little.
JUMPS = {
    "an hour ahead": [HOUR],
    "ten years ahead": [10 * YEAR],
    "an hour back": [-HOUR],
    "ten years back": [-10 * YEAR],
    "a second to and fro": [-SECOND, 0] * 40,
    "a year to and fro": [YEAR, 0, -YEAR, 0] * 10,
}
LIFE = 4       # seconds that a message waits for its adapter
LATE = 60      # so much later may something end (reliability.md, goal 13)
LEASE = 5
CONFIG = """history: {history}
delivery: {{ answer_within: 1s, give_up_after: {life}s }}
routes:
  - {{ domain: far.example, via: fault, queue: true }}
adapters:
  - {{ name: fault, plugin: fault, options: {{ domain: fault.localhost,
       retry: 1{more} }} }}
"""
# So that it does not start: nobody listens there.
DOWN = ", record: 1"


class Jumping(Primd):
    def __init__(self, life=LIFE):
        super().__init__()
        self.shim = os.path.join(self.folder, "clock")
        self.history = os.path.join(self.folder, "history.json")
        with open(self.config, encoding="utf-8") as file:
            self.own = file.read()
        self.life = life
        self.jump(0)
        self.set_adapter("")
        for address in (ALICE, BOB, CAROL):
            self.account(address)

    def set_adapter(self, more):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(self.own + CONFIG.format(
                history=self.history, life=self.life, more=more))

    def jump(self, ms):
        with open(self.shim, "r+b" if os.path.exists(self.shim)
                  else "wb") as file:
            file.write(struct.pack("=q", ms))

    def launch(self, command, env=None, **more):
        options = env.get("ASAN_OPTIONS", "")
        env = {**env, "LD_PRELOAD": SHIM, "CLOCK_SHIM": self.shim,
               "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}
        super().launch(command, env=env, **more)

    def wait_up(self):
        wait_until(lambda: all(a["state"] == "up"
                               for a in self.status()["adapters"]), 20)

    def times(self):
        """For each process the times in its history, in the order of lines."""
        runs = []
        with open(self.history, encoding="ascii") as file:
            for line in file:
                line = json.loads(line)
                if line["event"] == "start":
                    runs.append([])
                runs[-1].append(line["t"])
        return runs


def publish(alice, name, seconds):
    return alice.put_tuple("leased", name, document(ALICE, name),
                           seconds).result(10).code


def there(carol):
    """What she was last told of alice."""
    told = carol.told_of(ALICE)
    return sorted(tuples(told[-1])) if told else []


def notices(client):
    """About which messages, that they failed."""
    read = (read_notice(c.body, c.get("Content-Type") or "")
            for c in list(client.heard))
    return [n["id"] for n in read if n and n["kind"] == "failed"]


class Clock(unittest.TestCase):
    def begin(self, count=len(JUMPS), adapter="", **more):
        """A primd for each jump: they wait together."""
        self.primds = []
        self.failed = True
        for _ in range(count):
            primd = Jumping(**more)
            self.addCleanup(lambda p=primd: p.clean(keep=self.failed))
            primd.set_adapter(adapter)
            self.primds.append(primd.start())
            if not adapter:
                primd.wait_up()
        return self.primds

    def end(self):
        for primd in self.primds:
            self.assertEqual(primd.stop(), 0, primd.log()[-2000:])
            for times in primd.times():
                for one, next_one in zip(times, times[1:]):
                    self.assertLess(one - next_one, 5, "back in time")
        self.failed = False

    def wait(self, true, timeout, what):
        """How long it takes."""
        begun = time.monotonic()
        self.assertTrue(wait_until(true, timeout), what)
        return time.monotonic() - begun

    # While it runs

    def before(self, primd):
        """What has a time to end, each of another kind."""
        now = time.monotonic()
        alice = primd.client(ALICE, listen=True)
        self.addCleanup(alice.close)
        codes = [alice.send("transient@far.example", "x", message_id="short"),
                 alice.send(BOB, "stays", message_id="long"),
                 alice.send("late-300@far.example", "x", message_id="late")]
        carol, publisher = Publisher(primd, CAROL), Publisher(primd, ALICE)
        for client in (carol, publisher):
            self.addCleanup(client.close)
        self.assertEqual(publish(publisher, "short", LEASE), 200)
        self.assertEqual(publish(publisher, "long", 300), 200)
        self.assertEqual(carol.subscribe(ALICE, 600).result(10).code, 200)
        self.assertEqual([f.result(10).code for f in codes], [101, 101, 200])
        return now, alice, carol

    def test_it_jumps_while_primd_runs(self):
        people = [self.before(primd) for primd in self.begin()]
        for primd, jumps in zip(self.primds, JUMPS.values()):
            for ms in jumps:
                primd.jump(ms)
                time.sleep(0.01)
        for name, primd, (begun, alice, carol) in zip(JUMPS, self.primds,
                                                      people):
            with self.subTest(name):
                self.after(name, primd, begun, alice, carol)
        self.end()

    def after(self, name, primd, begun, alice, carol):
        self.wait(lambda: notices(alice), LIFE + LATE, "the message is stuck")
        lived = time.monotonic() - begun
        self.wait(lambda: there(carol) == ["long"], LEASE + LATE,
                  "the lease is stuck")
        leased = time.monotonic() - begun
        print(f"{name}: message {lived:.1f} s of {LIFE}, lease {leased:.1f} s "
              f"of {LEASE}", flush=True)
        self.assertGreater(lived, LIFE - 0.1)
        self.assertGreater(leased, LEASE - 0.1)
        bob = primd.client(BOB, listen=True)
        self.addCleanup(bob.close)
        self.assertTrue(bob.wait_text("stays", 30), "it ended early")
        self.assertEqual(alice.say("ok@far.example", "on"), 200)
        self.assertEqual(notices(alice), ["short"])
        # Alice is still there by her other lease.
        self.assertEqual(there(carol), ["long"])

    # While it does not run

    def leave(self, primd):
        """What waits when primd ends: nobody listens, and no adapter is up."""
        alice, publisher = primd.client(ALICE), Publisher(primd, ALICE)
        for mid, to in (("far", "ok@far.example"), ("near", BOB),
                        ("alone", CAROL)):
            self.assertEqual(alice.say(to, mid, message_id=mid), 101)
        self.assertEqual(publish(publisher, "t", LEASE), 200)
        for client in (alice, publisher):
            client.close()
        self.assertEqual(primd.stop(), 0)
        return time.monotonic()

    def test_it_jumps_while_primd_is_away(self):
        """Then nobody knows how much time went by."""
        names = list(JUMPS)[:4]
        for primd, name in zip(self.begin(4, DOWN, life=30), names):
            begun = self.leave(primd)
            primd.jump(JUMPS[name][0])
            primd.set_adapter("")
            primd.start()
            with self.subTest(name):
                self.come_back(primd, name, begun)
        self.end()

    def come_back(self, primd, name, begun):
        """Each message has its one try, whatever the clock says."""
        alice = primd.client(ALICE, listen=True)
        bob = primd.client(BOB, listen=True)
        carol = Publisher(primd, CAROL)
        for client in (alice, bob, carol):
            self.addCleanup(client.close)
        self.assertTrue(bob.wait_text("near", 30), "no try was made")
        self.assertTrue(wait_until(
            lambda: "code=200 id=far" in primd.log(), 30), "no try was made")
        is_back = JUMPS[name][0] < 0
        answer = carol.subscribe(ALICE, 600).result(10)
        self.assertEqual(sorted(tuples(answer)), ["t"] if is_back else [])
        if is_back:
            self.wait(lambda: carol.told_of(ALICE), LEASE + LATE,
                      "the lease is stuck")
        self.assertEqual(there(carol), [])
        print(f"{name}, while away: lease "
              f"{time.monotonic() - begun:.1f} s of {LEASE}", flush=True)
        self.assertEqual(notices(alice), [])
        self.assertEqual(primd.status()["outbox"], 1)

    @unittest.skipUnless(LONG, "takes a minute")
    def test_what_nobody_takes_ends_after_a_jump(self):
        """After the minute that everything gets at a start."""
        names = list(JUMPS)[:4]
        primds = self.begin(len(names))
        begun = []
        for primd, name in zip(primds, names):
            alice = primd.client(ALICE)
            self.assertEqual(
                alice.say("transient@far.example", "x", message_id="x"), 101)
            begun.append(time.monotonic())
            alice.close()
            self.assertEqual(primd.stop(), 0)
            primd.jump(JUMPS[name][0])
            primd.start()
        for primd, name, at in zip(primds, names, begun):
            with self.subTest(name):
                alice = primd.client(ALICE, listen=True)
                self.addCleanup(alice.close)
                self.wait(lambda: notices(alice), LIFE + LATE + 10, "stuck")
                lived = time.monotonic() - at
                print(f"{name}, while away: message {lived:.1f} s of {LIFE}",
                      flush=True)
                self.assertGreater(lived, LIFE - 0.1)
                self.assertLess(lived, LIFE + LATE + 5)
        self.end()


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
