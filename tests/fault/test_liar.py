# SPDX-License-Identifier: ISC
"""Adapters that drop, delay, repeat, bounce, hang, lie, flood and die, in a
mixture that a seed tells; and one message that kills its adapter among many. What
senders, adapters and primd wrote down is judged by check.py."""

import json
import os
import random
import re
import sys
import threading
import time
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from check import judge  # noqa: E402
from recorder import Recorder  # noqa: E402
from servers import (LONG, Primd, is_sanitized, times,  # noqa: E402
                     wait_until)
from talker import Talker  # noqa: E402
from witness import Witness  # noqa: E402

SEED = int(os.environ.get("PRIM_RANDOM", time.time_ns() % 1_000_000_007))
ROUNDS = times(1, 20)
SECONDS = 12           # of mischief in a round
RATE = 60              # messages a second of each sender, at most
WINDOW = 64
SETTLE = 60
MANY = 10000 if LONG else 1000  # messages, one of which kills
SLOWEST = 3 if is_sanitized() else 1  # seconds, of those nothing happens to
NEED = ("H", "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10")

ALICE, BOB, ERIN, FRED = (f"{n}@localhost" for n in ("alice", "bob", "erin",
                                                      "fred"))
PEOPLE = ALICE, BOB, ERIN, FRED
ADAPTERS = 4

TOP = """auth: { mechanisms: [PLAIN], allow_plaintext: true }
limits: { offline_messages: 1000000 }
"""
CONFIG = """history: history-{number}.json
delivery: {{ answer_within: 1s }}
"""
# What is never reported ends soon.
ROUTE = """  - {{ domain: brief{n}.localhost, via: f{n}, retry: [1s],
      give_up_after: {brief}s }}
"""
BRIEF_S = 3
ADAPTER = """  - {{ name: {name}, plugin: fault, options: {{ domain: {name}.localhost,
      retry: 1, delay: 2, record: {port} }} }}
"""

# How often each is ordered, by comparison.
HARMLESS = {
    "ok": 20, "late-30": 5, "late-1500": 2, "report-200": 2, "report-408": 3,
    "report-402": 2, "refuse-402": 3, "refuse-403": 2,
    "bounce-408-40": 3, "bounce-403-1200": 2, "bounce-200-300": 2, "dup-1": 2,
    "dup-5": 1, "flood-20": 0.5, "spoof+bob%40localhost": 1,
    "link+eve%40f0.localhost": 1,
}
BRIEF = {"silence": 1, "transient": 2, "report-502": 1, "ok": 3}
# Each kills its adapter until it is put aside. One each: after eight deaths it
# would be too late for this test before an adapter is there again.
MOST_DEATHS = 9
LETHAL = ("die", "garbage", "lie", "dieafter-30", "dieafter-400")


def config(number, port, names):
    text = CONFIG.format(number=number)
    briefs = "".join(ROUTE.format(n=n, brief=BRIEF_S) for n in range(ADAPTERS)
                     if f"f{n}" in names)
    text += "routes:\n" + briefs if briefs else ""
    return text + "adapters:\n" + "".join(
        ADAPTER.format(name=name, port=port) for name in names)


class World:
    """primd with fault adapters, senders, and all that is written down."""

    def __init__(self, names):
        self.names = names
        self.recorder = Recorder()
        self.witness = Witness(self.recorder)
        self.primd = Primd(top=TOP)
        with open(self.primd.config, encoding="utf-8") as file:
            self.head = file.read()
        self.clients = []
        for address in PEOPLE:
            self.primd.account(address)

    def start(self, number=0):
        """With new books."""
        folder = self.primd.folder
        self.history = os.path.join(folder, f"history-{number}.json")
        with open(self.primd.config, "w", encoding="utf-8") as file:
            file.write(self.head + config(number, self.witness.port,
                                          self.names))
        self.recorder.close()
        self.recorder = Recorder(os.path.join(folder,
                                              f"records-{number}.json"))
        self.witness.use(self.recorder)
        self.log_start = self.primd.log_size()
        self.primd.start()
        if not wait_until(self.all_up, 20):
            raise RuntimeError("not all adapters came up")
        return self

    def all_up(self):
        return all(a["state"] == "up"
                   for a in self.primd.status()["adapters"])

    def client(self, address, **more):
        client = self.recorder.client(self.primd, address, mechanism="PLAIN",
                                      listen=True, dedup=True, **more)
        self.clients.append(client)
        return client

    def waiting(self):
        return json.loads(self.primd.ctl("--json", "outbox", "list"))[
            "messages"]

    def deaths(self, name):
        """How they ended, of this round."""
        return re.findall(rf"primd/{name}: (?:died|killed) (\S+)",
                          self.primd.log(self.log_start))

    def stop(self):
        """What is queued in the end; without what was put aside before."""
        own = {r["id"] for r in self.recorder.records if r["event"] == "send"}
        outbox = [row for row in self.waiting() if row["message_id"] in own or
                  row["state"] != "quarantined"]
        with open(self.history + ".outbox", "w", encoding="utf-8") as file:
            json.dump(outbox, file)
        code = self.primd.stop()
        if code != 0:
            raise RuntimeError(f"primd: {code}")
        for client in self.clients:
            client.close()
        self.clients = []
        return outbox

    def judge(self, outbox, need=NEED):
        return judge([[self.history]], self.recorder.records, [outbox],
                     dedup=True, need=need)

    def close(self, keep):
        for client in self.clients:
            client.close()
        self.primd.clean(keep)
        self.witness.close()


class Base(unittest.TestCase):
    NAMES = ()

    def setUp(self):
        print(f"PRIM_RANDOM={SEED}", flush=True)
        random.seed(SEED)
        self.world = World(self.NAMES)
        self.failed = True

    def tearDown(self):
        self.world.close(keep=self.failed)


class Bystanders:
    """Whom nothing happens to: bob hears and the calm adapter takes, whatever
    becomes of the others. How slow the slowest was."""

    def __init__(self, world):
        self.fred = world.client(FRED)
        self.stop = threading.Event()
        self.count = 0
        self.slowest = 0.0
        self.wrong = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            for to in (BOB, "ok@calm.localhost"):
                begun = time.monotonic()
                try:
                    code = self.fred.say(to, f"fred {self.count} to {to}")
                except Exception as error:
                    code = repr(error)
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.count += 1
                if code != 200:
                    self.wrong.append((to, code))
            time.sleep(0.02)

    def end(self):
        self.stop.set()
        self.thread.join(30)


class Mixture(Base):
    NAMES = *(f"f{n}" for n in range(ADAPTERS)), "calm"

    def pick(self):
        n = random.randrange(ADAPTERS)
        # Whoever takes all back at the same time hides who did it.
        if n == 0 and random.random() < 0.01:
            return "down-300@brief0.localhost"
        if random.random() < 0.08:
            local = random.choices(list(BRIEF), BRIEF.values())[0]
            return f"{local}@brief{n}.localhost"
        local = random.choices(list(HARMLESS), HARMLESS.values())[0]
        return f"{local}@f{n}.localhost"

    def plan(self):
        """When who gets what kills him. Whom nothing hangs is killed from
        outside as well, and one dies of what harms no other: it is enough that
        it has much to do."""
        ways = ["hang"] + random.sample(LETHAL, ADAPTERS - 1)
        plan = [(random.uniform(0.5, 3), f"{way}@f{n}.localhost")
                for n, way in enumerate(ways)]
        plan += [(random.uniform(3, SECONDS), f"f{n}")
                 for n in range(1, ADAPTERS)]
        return sorted(plan + [(random.uniform(3, SECONDS),
                               "die-40@f1.localhost")])

    def do(self, talkers, what):
        if "@" not in what:
            self.kill(what)
            return
        talker = random.choice(talkers)
        talker.put(talker.letter_to(what))

    def kill(self, name):
        try:
            self.world.primd.kill_host(name)
        except RuntimeError:
            pass  # it is dead

    def mischief(self, talkers):
        """The messages that kill."""
        plan = self.plan()
        lethal = [what for _, what in plan
                  if what.partition("@")[0] in ("hang", *LETHAL)]
        begun = time.monotonic()
        first = {t: t.number for t in talkers}
        while (passed := time.monotonic() - begun) < SECONDS:
            while plan and plan[0][0] < passed:
                self.do(talkers, plan.pop(0)[1])
            for talker in talkers:
                if talker.number - first[talker] < passed * RATE:
                    talker.pump(2)
            time.sleep(0.01)
        return lethal

    def settle(self, talkers):
        """Until all have their answers, and nothing waits."""
        world = self.world
        self.assertTrue(wait_until(
            lambda: all([t.repeat() and t.is_done() for t in talkers]), 30))
        end = time.monotonic() + SETTLE
        while world.primd.status()["outbox"] and time.monotonic() < end:
            self.end_silence()
            time.sleep(0.3)
        self.assertEqual(world.primd.status()["outbox"], 0, world.waiting())
        time.sleep(1.5)  # late word, and what comes twice

    def end_silence(self):
        """Somebody who dies gives back what he said nothing of."""
        for name in {row["via"] for row in self.world.waiting()
                     if "@brief" in row["to"] and row["age_s"] > BRIEF_S and
                     row["state"] == "under way"}:
            self.kill(name)

    def test_a_mixture_of_all_misdeeds(self):
        for number in range(ROUNDS):
            begun = time.monotonic()
            self.world.start(number)
            talkers = [Talker(address, self.pick, address == ALICE, WINDOW)
                       for address in (ALICE, ERIN)]
            self.world.client(BOB)
            for talker in talkers:
                talker.number = number * 1_000_000
                talker.client = self.world.client(talker.address)
            bystanders = Bystanders(self.world)
            lethal = self.mischief(talkers)
            busy = time.monotonic() - begun
            self.settle(talkers)
            bystanders.end()
            deaths = {n: len(self.world.deaths(n)) for n in self.NAMES}
            outbox = self.world.stop()
            quiet = time.monotonic() - begun - busy
            report = self.world.judge(outbox)
            self.tell(talkers, outbox, deaths, bystanders)
            print(f"busy for {busy:.0f} s, quiet after {quiet:.0f} s, judged "
                  f"in {time.monotonic() - begun - busy - quiet:.0f} s\n"
                  f"{report.text()}", flush=True)
            self.assertTrue(report.ok)
            self.check_poison(lethal, outbox)
            self.check_bystanders(bystanders, deaths)
        self.failed = False

    def tell(self, talkers, outbox, deaths, bystanders):
        records = self.world.recorder.records
        events = Counter(r["event"] for r in records)
        codes = sum((t.codes for t in talkers), Counter())
        kinds = Counter(r["kind"] for r in records if r["event"] == "notice")
        quarantined = [r["to"] for r in outbox if r["state"] == "quarantined"]
        print(f"{events['send']} messages, {events['got']} arrived, "
              f"{events['again']} recognised, answers "
              f"{dict(sorted(codes.items()))}, notices {dict(kinds)}, deaths "
              f"{deaths}, quarantined {quarantined}\n"
              f"{bystanders.count} others, the slowest took "
              f"{bystanders.slowest:.3f} s", flush=True)

    def check_poison(self, lethal, outbox):
        """Each of them is put aside, and nothing that harmed nobody."""
        aside = Counter(row["to"] for row in outbox
                        if row["state"] == "quarantined")
        self.assertEqual({to: aside[to] for to in lethal},
                         {to: 1 for to in lethal})
        for to in aside:
            self.assertIn(to, lethal + ["die-40@f1.localhost"])

    def check_bystanders(self, bystanders, deaths):
        self.assertFalse(bystanders.wrong)
        self.assertLess(bystanders.slowest, SLOWEST)
        self.assertGreater(bystanders.count, 10 * SECONDS)
        self.assertEqual(deaths.pop("calm"), 0)
        self.assertLessEqual(max(deaths.values()), MOST_DEATHS)


class Poison(Base):
    """reliability H7."""

    NAMES = ("f0",)
    SENDERS = 4

    def test_one_message_that_kills_harms_no_other(self):
        self.world.start()
        self.turn = 0
        talkers = [Talker(a, self.pick, window=32, conversations=8)
                   for a in PEOPLE]
        for talker in talkers:
            talker.client = self.world.client(talker.address)
        begun = time.monotonic()
        while self.turn < MANY:
            for talker in talkers:
                talker.pump(2)
            time.sleep(0.01)
        self.assertTrue(wait_until(
            lambda: all([t.repeat() and t.is_done() for t in talkers]), 60))
        self.assertTrue(wait_until(
            lambda: self.world.primd.status()["outbox"] == 0, 60),
            self.world.waiting())
        took = time.monotonic() - begun
        time.sleep(0.5)
        deaths = self.world.deaths("f0")
        outbox = self.world.stop()
        report = self.world.judge(outbox, need=set(NEED) - {"I2"})
        self.check(outbox, deaths, took)
        self.assertTrue(report.ok, report.text())
        self.failed = False

    def pick(self):
        self.turn += 1
        if self.turn == MANY // 2:
            return "die@f0.localhost"
        return random.choice(("ok@f0.localhost", "late-20@f0.localhost"))

    def check(self, outbox, deaths, took):
        records = self.world.recorder.records
        sent = {(r["who"], r["id"]): r["t"] for r in records
                if r["event"] == "send" and not r["to"].startswith("die")}
        got = {}
        for r in records:
            if r["event"] == "got" and r["answer"] == 200:
                got.setdefault((r["from"], r["id"]), r["t"])
        delays = sorted(got[key] - sent[key] for key in sent if key in got)
        aside = [row["to"] for row in outbox if row["state"] == "quarantined"]
        print(f"{len(sent)} others, {len(delays)} delivered, delay p50 "
              f"{delays[len(delays) // 2]} ms, longest {delays[-1]} ms; "
              f"{len(deaths)} deaths, {len(aside)} quarantined; {took:.1f} s",
              flush=True)
        self.assertEqual(len(delays), len(sent))
        self.assertEqual(aside, ["die@f0.localhost"])
        self.assertLessEqual(len(deaths), 4)
        # Four pauses before a new start, and a sign of life of each suspect.
        self.assertLess(delays[-1], 5000)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
