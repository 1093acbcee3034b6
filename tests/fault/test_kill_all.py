# SPDX-License-Identifier: ISC
"""primd is killed again and again with everything it can have under way: people
who come and go, who listen, refuse and say nothing, an echo, XMPP, and adapters
that are late, change their minds and die. What all of them and primd wrote down
is judged by check.py."""

import json
import os
import random
import sys
import threading
import time
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from check import judge  # noqa: E402
from recorder import Recorder  # noqa: E402
from servers import (Primd, Prosody, is_sanitized, times,  # noqa: E402
                     wait_until)
from talker import Talker  # noqa: E402
from witness import Witness  # noqa: E402

SEED = int(os.environ.get("PRIM_RANDOM", time.time_ns() % 1_000_000_007))
# In the tree that looks at memory, where all is slower, there are fewer.
ROUNDS, CYCLES = (times(1, 4), 15) if is_sanitized() else \
                 (times(1, 20), 50)  # after each round all is judged
LIFE = 0.1, 1.0        # seconds, of a primd
WINDOW = 64            # messages of one sender that have no answer
RUSH = 0.03            # seconds before the kill, in which all write most
NEED = ("H", "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10")

DOMAIN = "localhost"
BOB, CAROL, DAVE, ROVER, GHOST = (
    f"{name}@{DOMAIN}" for name in ("bob", "carol", "dave", "rover", "ghost"))
ALICE, ERIN, FRED = (f"{name}@{DOMAIN}" for name in ("alice", "erin", "fred"))
PEOPLE = ALICE, BOB, CAROL, DAVE, ERIN, FRED, GHOST, ROVER
# Is never there, and can be followed: the first refuses, the second is slow.
LINDA = f"linda@{DOMAIN}"
LINKS = "refuse-402-7@fault.localhost", "late-20-7@fault.localhost"
ROMEO, TYBALT = "romeo@xmpp.localhost", "tybalt@xmpp.localhost"

TOP = """auth: { mechanisms: [PLAIN], allow_plaintext: true }
limits: { offline_messages: 1000000 }
"""
CONFIG = """history: history-{number}.json
delivery: {{ answer_within: 300ms }}
routes:
  - {{ domain: xmpp.localhost, via: xmpp, retry: [1s] }}
  - {{ domain: moody.localhost, via: moody, retry: [1s],
      give_up_after: 150ms }}
adapters:
  - name: xmpp
    plugin: xmpp
    options:
      server: 127.0.0.1:{xmpp}
      domain: localhost
      secret_file: {secret}
  - {{ name: echo, plugin: echo, options: {{ domain: echo.localhost }} }}
  - {{ name: fault, plugin: fault, options: {{ domain: fault.localhost,
      retry: 1, delay: 5, record: {record} }} }}
  - {{ name: deadly, plugin: fault, options: {{ domain: deadly.localhost,
      retry: 1, delay: 5, record: {record} }} }}
  - {{ name: moody, plugin: fault, options: {{ domain: moody.localhost,
      mode: {moody}, record: {record} }} }}
  - {{ name: mute, plugin: fault, options: {{ domain: mute.localhost,
      mode: {mute}, record: {record} }} }}
"""

# How often each is written to, by comparison.
PLACES = {
    BOB: 12, CAROL: 8, DAVE: 8, ROVER: 8, GHOST: 5, "nobody@localhost": 1,
    "x@echo.localhost": 6, ROMEO: 6,
    "ok@fault.localhost": 8, "late-20@fault.localhost": 4,
    "late-500@fault.localhost": 2, "report-408@fault.localhost": 3,
    "refuse-402@fault.localhost": 2, "bounce-408-30@fault.localhost": 3,
    "bounce-200-30@fault.localhost": 2, "dup-1@fault.localhost": 2,
    "ok@deadly.localhost": 4, "die-40@deadly.localhost": 1,
    "x@moody.localhost": 3, LINDA: 3,
    "x@mute.localhost": 1,
}
ORDERS = "drop", "quarantine", "retry"
# Now and then, for each costs three lives of its adapter.
POISON = "die@deadly.localhost", "dieafter-50@deadly.localhost"


def person(address):
    return LINDA if address in LINKS else address


def moods(command):
    """Carol takes some, refuses some, and of some she says nothing."""
    number = sum(command.body) % 10
    return None if number == 0 else 408 if number < 3 else 200


class World:
    def __init__(self):
        self.prosody = Prosody(["xmpp.localhost"], [DOMAIN],
                               {ROMEO: "r0meo", TYBALT: "tyb4lt"}).start()
        self.secret = os.path.join(self.prosody.folder, "secret")
        with open(self.secret, "w", encoding="ascii") as file:
            file.write(Prosody.SECRET + "\n")
        os.chmod(self.secret, 0o600)
        self.recorder = Recorder()
        self.witness = Witness(self.recorder)
        self.primd = Primd(top=TOP)
        with open(self.primd.config, encoding="utf-8") as file:
            self.head = file.read()
        self.configure(0)
        for address in (*PEOPLE, LINDA):
            self.primd.account(address)
        for address in LINKS:
            self.primd.ctl("link", "add", LINDA, address)
        self.xmpp = [self.recorder.xmpp(self.prosody, a, dedup=True)
                     for a in (ROMEO, TYBALT)]
        self.clients = []

    def configure(self, number, moody="transient", mute="silence"):
        self.history = os.path.join(self.primd.folder,
                                    f"history-{number}.json")
        with open(self.primd.config, "w", encoding="utf-8") as file:
            file.write(self.head + CONFIG.format(
                number=number, moody=moody, mute=mute, secret=self.secret,
                xmpp=self.prosody.component, record=self.witness.port))

    def renew(self, number):
        """Another round, of which other books are kept."""
        self.configure(number)
        self.recorder.close()
        self.recorder = Recorder(os.path.join(self.primd.folder,
                                              f"records-{number}.json"))
        self.witness.use(self.recorder)
        for client in self.xmpp:
            client.recorder = self.recorder
            with client.lock:
                client.heard.clear()
            self.recorder.write("here", client.jid)

    def client(self, address, **more):
        client = self.recorder.client(self.primd, address, mechanism="PLAIN",
                                      dedup=True, **more)
        self.clients.append(client)
        return client

    def hang_up(self):
        for client in self.clients:
            client.close()
        self.clients = []

    def waiting(self):
        return json.loads(self.primd.ctl("--json", "outbox", "list"))[
            "messages"]

    def close(self, keep):
        self.hang_up()
        for client in self.xmpp:
            client.close()
        self.primd.clean(keep)
        self.prosody.clean(keep)
        self.witness.close()


class Load:
    """One life of primd, until it is killed."""

    def __init__(self, world, talkers, cycle):
        self.world = world
        self.talkers = talkers
        self.cycle = cycle
        self.end = None
        self.rover = None
        self.operator = None

    def people(self):
        """Who is there; Dave only every other time, Ghost never."""
        world = self.world
        for talker in self.talkers:
            talker.client = world.client(talker.address,
                                         listen=talker.address != FRED)
        world.client(BOB, listen=True)
        world.client(CAROL, listen=True, answer=moods)
        if self.cycle % 2:
            world.client(DAVE, listen=True)

    def roam(self):
        """Rover comes and goes."""
        if self.rover:
            self.rover.close()
            self.rover = None
        elif self.world.primd.is_running():
            try:
                self.rover = self.world.client(ROVER, listen=True)
            except Exception:
                self.rover = None  # killed meanwhile

    def operate(self):
        """Ghost's account goes while people write to it, and somebody has a
        hand in the outbox. Without a primd no line of history is written: so
        only where the sender writes down that he was told."""
        primd = self.world.primd
        primd.ctl("account", "remove", GHOST, check=False)
        primd.ctl("account", "add", GHOST, stdin="secret\n", check=False)
        try:
            rows = [row for row in self.world.waiting()
                    if row["from"] in PEOPLE and row["state"] != "quarantined"]
        except RuntimeError:
            return  # killed meanwhile
        for row in random.sample(rows, min(3, len(rows))):
            primd.ctl("outbox", random.choice(ORDERS), str(row["id"]),
                      check=False)

    def run(self):
        primd = self.world.primd
        primd.start()
        self.people()
        # By another thread, so that it falls between any two octets.
        life = random.uniform(*LIFE)
        killer = threading.Timer(life, primd.process.kill)
        killer.start()
        self.end = time.monotonic() + life
        if self.cycle % 5 == 3:
            self.operator = threading.Thread(target=self.operate)
            self.operator.start()
        self.write()
        killer.join()
        for talker in self.talkers:
            wait_until(lambda c=talker.client: c.gone, 5)
            talker.collect(is_over=True)
        if self.operator:
            self.operator.join()
        self.world.hang_up()

    def write(self):
        turns = 0
        while self.world.primd.is_running():
            is_rush = time.monotonic() > self.end - RUSH
            for talker in self.talkers:
                talker.pump(8 if is_rush else 1)
            if turns % 8 == 0:
                self.write_xmpp(turns)
            if turns % 20 == 10:
                self.roam()
            turns += 1
            if not is_rush:
                time.sleep(0.005)

    def write_xmpp(self, turn):
        _romeo, tybalt = self.world.xmpp
        mid = f"tybalt-{self.cycle}-{turn}-{random.getrandbits(40)}"
        tybalt.send(random.choice((BOB, BOB, DAVE, GHOST)), "text of " + mid,
                    mid, thread="t1")


class Kills(unittest.TestCase):
    def setUp(self):
        print(f"PRIM_RANDOM={SEED}", flush=True)
        random.seed(SEED)
        self.world = World()
        self.failed = True

    def tearDown(self):
        self.world.close(keep=self.failed)

    def talkers(self, number):
        self.poison = []

        def pick():
            if self.poison:
                return self.poison.pop()
            return random.choices(list(PLACES), PLACES.values())[0]

        talkers = [Talker(address, pick, address == ALICE, WINDOW)
                   for address in (ALICE, ERIN, FRED)]
        for talker in talkers:
            talker.number = number * 1_000_000
        return talkers

    def settle(self, talkers, number):
        """All are there, nothing is killed any more: until nothing waits."""
        world = self.world
        world.configure(number, moody="ok", mute="ok")
        world.primd.start()
        # The last kill may have left Ghost without his account.
        world.primd.ctl("account", "add", GHOST, stdin="secret\n", check=False)
        for address in PEOPLE:
            client = world.client(address, listen=True)
            for talker in talkers:
                if talker.address == address:
                    talker.client = client
        self.assertTrue(wait_until(
            lambda: all([t.repeat() and t.is_done() for t in talkers]), 30))
        self.assertTrue(wait_until(
            lambda: world.primd.status()["outbox"] == 0, 90, 0.2),
            world.waiting())
        time.sleep(1)  # what comes twice comes now
        outbox = world.waiting()
        with open(world.history + ".outbox", "w", encoding="utf-8") as file:
            json.dump(outbox, file)
        self.assertEqual(world.primd.stop(), 0)
        world.hang_up()
        return outbox

    def test_what_was_promised_survives_kill_9(self):
        totals = Counter()
        for number in range(ROUNDS):
            begun = time.monotonic()
            talkers = self.talkers(number)
            self.world.renew(number)
            for cycle in range(CYCLES):
                if cycle % 6 == 2 and cycle < CYCLES - 6:
                    self.poison = [random.choice(POISON)]
                Load(self.world, talkers, cycle).run()
            loaded = time.monotonic() - begun
            outbox = self.settle(talkers, number)
            settled = time.monotonic() - begun - loaded
            report = judge([[self.world.history]], self.world.recorder.records,
                           [outbox], dedup=True, need=NEED, same=person)
            self.tell(talkers, outbox, totals)
            print(f"{CYCLES} cycles in {loaded:.0f} s, quiet after "
                  f"{settled:.0f} s, judged in "
                  f"{time.monotonic() - begun - loaded - settled:.0f} s\n"
                  f"{report.text()}", flush=True)
            self.assertTrue(report.ok)
            self.check_mixture(outbox)
        print(f"{ROUNDS * CYCLES} times kill -9: {dict(totals)}")
        self.failed = False

    def tell(self, talkers, outbox, totals):
        events = Counter(r["event"] for r in self.world.recorder.records)
        kinds = Counter(r["kind"] for r in self.world.recorder.records
                        if r["event"] == "notice")
        codes = sum((t.codes for t in talkers), Counter())
        quarantined = [r for r in outbox if r["state"] == "quarantined"]
        figures = {"messages": sum(t.number % 1_000_000 for t in talkers),
                   "unanswered when it was killed":
                   sum(t.cut_off for t in talkers),
                   "arrived": events["got"], "recognised": events["again"],
                   "quarantined": len(quarantined),
                   **{f"notices: {k}": n for k, n in kinds.items()}}
        totals.update(figures)
        print(f"{figures}\nanswers {dict(sorted(codes.items()))}", flush=True)

    def check_mixture(self, outbox):
        """A test in which nothing happens finds nothing."""
        records = self.world.recorder.records
        names = {(r["event"], r.get("kind") or r.get("code"))
                 for r in records if r["event"] in ("notice", "answer")}
        for event in (("notice", "failed"), ("notice", "delivered"),
                      ("answer", 200), ("answer", 101), ("answer", 408),
                      ("answer", 402), ("answer", 403), ("answer", None)):
            self.assertIn(event, names)
        self.assertTrue(any(r["event"] == "again" for r in records))
        self.assertTrue([r for r in outbox if r["state"] == "quarantined"])
        for who in (ROMEO, DAVE, GHOST, LINKS[1], "die-40@deadly.localhost"):
            self.assertTrue([r for r in records if r["who"] == who and
                             r["event"] == "got"], who)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
