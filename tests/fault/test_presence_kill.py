# SPDX-License-Identifier: ISC
"""primd is killed, or ended, while twenty accounts publish and watch. What was
answered is there afterwards, and ends when it was promised to end (PRIM-166,
PRIM-222)."""

import json
import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from publisher import Publisher, notes, tuples  # noqa: E402
from presence_model import (Account, EARLY, LATE, is_alive,  # noqa: E402
                            is_over, parse_time)
from servers import LONG, Primd, wait_until  # noqa: E402

CYCLES = 20 if LONG else 5
ACCOUNTS = 20


class Presence(unittest.TestCase):
    def setUp(self):
        self.primd = Primd()
        self.accounts = [Account(f"u{i}@localhost") for i in range(ACCOUNTS)]
        self.addresses = [a.address for a in self.accounts]
        # While primd runs; every other way costs a start of primctl each.
        self.primd.start()
        for address in self.addresses:
            self.primd.account(address)
        self.failed = True

    def tearDown(self):
        self.log_out()
        self.primd.clean(keep=self.failed)

    def log_in(self):
        for account in self.accounts:
            account.client = Publisher(self.primd, account.address)

    def log_out(self):
        for account in self.accounts:
            if account.client:
                account.client.close()

    def under_load(self, end):
        """All are busy until `end` is called and primd is gone."""
        threads = [a.start(self.addresses) for a in self.accounts]
        killer = threading.Timer(random.uniform(0.3, 0.9), end)
        killer.start()
        for thread in threads:
            thread.join(40)
        killer.join()
        for account in self.accounts:
            if account.wrong:
                raise account.wrong

    # What is there

    def ends_of_subscriptions(self):
        """{watcher: {presentity: end}}, as primctl tells it."""
        ends = {}
        told = json.loads(self.primd.ctl("--json", "subscription", "list"))
        for sub in told["subscriptions"]:
            of = ends.setdefault(sub["watcher"].removeprefix("pres:"), {})
            of[sub["presentity"].removeprefix("pres:")] = parse_time(sub["ends"])
        return ends

    def check_stored(self):
        begun = time.time()
        ends = self.ends_of_subscriptions()
        for account in self.accounts:
            account.see_watched(ends.get(account.address, {}),
                                (begun, time.time()))
        for account in self.accounts:
            begun = time.time()
            told = json.loads(self.primd.ctl("--json", "presence", "show",
                                             account.address))
            account.see_stored(told, (begun, time.time()))

    def check_shown(self):
        for account in self.accounts:
            begun = time.time()
            answer = account.client.look().result(10)
            self.assertEqual(answer.code, 200)
            account.see_shown(answer, (begun, time.time()))

    def check_told(self):
        """Each publishes once more: who watches hears it, and nobody else."""
        begun = time.time()
        for account in self.accounts:
            self.assertTrue(account.publish("mark", "permanent"))
        marks = {a.address: a.number for a in self.accounts}

        def missing():
            now = time.time()
            return [(a.address, other) for a in self.accounts
                    for other, thing in a.watched.items()
                    if is_alive(thing.states[0], now)
                    and marks[other] not in self.heard(a, other)]

        wait_until(lambda: not missing(), 10)
        self.assertEqual(missing(), [])
        time.sleep(0.2)  # what should not come comes now
        for account in self.accounts:
            for other in self.addresses:
                thing = account.watched.get(other)
                if (thing is None or is_over(thing.states[0], begun)) and \
                        other != account.address:
                    self.assertEqual(self.heard(account, other), set())
        return sum(len(a.client.told) for a in self.accounts)

    @staticmethod
    def heard(account, other):
        """The marks that `account` was told of since it logged in."""
        marks = set()
        for command in account.client.told_of(other):
            body = tuples(command).get("mark")
            if body:
                marks.add(int(notes(body)[0]))
        return marks

    def check(self):
        self.check_stored()
        self.log_in()
        self.check_shown()
        told = self.check_told()
        self.log_out()
        return told

    # Tests

    def cycles(self, count, end):
        told = 0
        for _ in range(count):
            self.log_in()
            self.under_load(end)
            self.log_out()
            self.primd.process.wait(10)
            self.primd.start()
            told += self.check()
        print(f"{count} cycles: "
              f"{sum(a.answered for a in self.accounts)} answered, "
              f"{sum(a.cut_off for a in self.accounts)} not, "
              f"{told} notifications after them", flush=True)

    def test_what_was_answered_survives_kill_9(self):
        self.cycles(CYCLES, lambda: self.primd.process.kill())
        self.failed = False

    def test_what_was_answered_survives_sigterm(self):
        ended = []

        def end():
            begun = time.monotonic()
            for account in self.accounts:
                account.may_be_refused = True
            self.primd.process.terminate()
            ended.append((self.primd.process.wait(20),
                          time.monotonic() - begun))

        self.cycles(3 if LONG else 1, end)
        for code, seconds in ended:
            self.assertEqual(code, 0)
            self.assertLess(seconds, 5)
        self.failed = False

    def test_leases_end_when_promised_though_primd_was_killed(self):
        self.log_in()
        for i, account in enumerate(self.accounts):
            if i % 2:
                account.publish("desk", "permanent")
            account.publish("desk", "leased", 30 if i % 4 == 3 else 1 + i % 6)
            if i % 4 == 3:
                account.publish("desk", "renew", 1 + i % 6)
            account.watch(self.addresses[i - 1], "subscribe",
                          2 if i == 1 else 60)
        self.primd.kill()
        self.log_out()
        time.sleep(0.5)
        self.primd.start()
        back = time.time()
        self.log_in()
        latest = max(a.tuples["desk"].states[0][2][1] for a in self.accounts)
        time.sleep(latest + LATE - time.time())
        late = []
        for i, account in enumerate(self.accounts):
            watcher = self.accounts[(i + 1) % ACCOUNTS].client
            if i == 0:  # its watcher's time was over before
                self.assertFalse([c for c in watcher.told_of(account.address)
                                  if c.at > back + 2 + LATE])
                continue
            late.append(self.check_end(account, watcher, back))
        self.check_shown()
        print(f"{len(late)} leases ended {min(late):.3f} to {max(late):.3f} s "
              "after their promised time", flush=True)
        self.failed = False

    def check_end(self, account, watcher, back):
        """The watcher saw the lease end in time; how late, at most."""
        permanent, leased, end = account.tuples["desk"].states[0]
        over = None
        for command in watcher.told_of(account.address):
            body = tuples(command).get("desk")
            number = int(notes(body)[0]) if body else None
            if number == leased:
                self.assertIsNone(over, "it is back")
                self.assertLess(command.at, end[1] + LATE)
            else:
                self.assertEqual(number, permanent)
                self.assertGreater(command.at, end[0] - EARLY)
                over = over or command.at
        self.assertIsNotNone(over, account.address)
        late = over - max(end[0], back + 1)
        self.assertLess(over, max(end[1], back + 2) + LATE)
        return max(late, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
