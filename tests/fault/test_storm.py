# SPDX-License-Identifier: ISC
"""A presence storm: somebody changes a thousand times a second, a thousand watch,
some of whom do not read. Once they are a tenth of a second away, as over a
network; once they answer at once, so that the server is the one who is slow."""

import multiprocessing
import os
import resource
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from crowd import Crowd, Publisher, Watcher  # noqa: E402
from prim import Client  # noqa: E402
from servers import LONG, Primd, is_sanitized  # noqa: E402

WATCHERS, DEAF = 1000, 10
CHANGES_A_SECOND = 1000
LAGS = 0.1, 0           # seconds
SECONDS = 60 if LONG else 5  # each
UNDER_WAY = 200         # PUBLISHes that have no answer yet
FILLER = 2000           # octets of a document, so that a queue of them would show
GROWTH = 64 << 20       # octets, at most
PATIENCE = 30
SLOWEST = 1             # seconds that another message takes

CONFIG = """auth: { mechanisms: [PLAIN], allow_plaintext: true }
limits: { connections_per_address: 5000 }
"""
PASSWORD = "bench"      # what `bench accounts` gives to u0, u1, ...
TALKERS = WATCHERS + 1  # the first account of those who only write messages


def talk(port, stop, result):
    """Two others write to each other, in a process of their own: how many
    messages, how slow the slowest was, answers that were not 200."""
    pair = [Client(port, f"u{TALKERS + i}@localhost", PASSWORD, mechanism="PLAIN")
            .listen() for i in (0, 1)]
    count, slowest, wrong = 0, 0.0, []
    result.put("ready")
    while not stop.is_set():
        for one, other in (pair, pair[::-1]):
            begun = time.monotonic()
            code = one.say(other.address, f"message {count}")
            slowest = max(slowest, time.monotonic() - begun)
            count += 1
            if code != 200:
                wrong.append(code)
        time.sleep(0.01)
    for one in pair:
        one.close()
    result.put((count, slowest, wrong))


class Storm(unittest.TestCase):
    def setUp(self):
        # What was freed is not kept for long, so that it is not taken for a leak.
        options = os.environ.get("ASAN_OPTIONS", "detect_leaks=0")
        os.environ["ASAN_OPTIONS"] = options + ":quarantine_size_mb=4"
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.primd = Primd(CONFIG)
        self.addCleanup(self.primd.clean)
        subprocess.run([os.path.join(self.primd.bin, "bench"), "accounts", "--data",
                        self.primd.data, "--domain", "localhost", "--count",
                        str(TALKERS + 2)], check=True, timeout=60)
        self.primd.start()
        self.talker = None
        self.start_talking()
        self.crowd = Crowd(self.primd.port)
        self.addCleanup(self.crowd.close)
        self.desk = Crowd(self.primd.port)  # of the publisher alone
        self.addCleanup(self.desk.close)

    def start_talking(self):
        # Before there are threads, and with nothing of ours that matters.
        context = multiprocessing.get_context("fork")
        self.stop, self.result = context.Event(), context.Queue()
        self.talker = context.Process(target=talk, daemon=True, args=(
            self.primd.port, self.stop, self.result))
        self.talker.start()
        self.addCleanup(self.talker.kill)
        self.assertEqual(self.result.get(timeout=PATIENCE), "ready")

    def memory(self):
        with open(f"/proc/{self.primd.process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def gather(self):
        publisher, = self.desk.gather([lambda: Publisher(
            self.desk, "u0@localhost", PASSWORD, FILLER)])
        watchers = self.crowd.gather([
            lambda i=i: Watcher(self.crowd, f"u{i + 1}@localhost", PASSWORD,
                                "u0@localhost") for i in range(WATCHERS)])
        return publisher, watchers

    def storm(self, publisher, lag):
        """The largest amount of memory that was seen."""
        begun = time.monotonic()
        sent, most, looked, heard = 0, 0, 0.0, 0.0
        while (passed := time.monotonic() - begun) < SECONDS:
            while sent < passed * CHANGES_A_SECOND and \
                    len(publisher.answers) < UNDER_WAY:
                publisher.publish()
                sent += 1
            if passed - looked > 0.1:
                most, looked = max(most, self.memory()), passed
            if passed - heard >= lag:
                self.crowd.turn(0)
                heard = passed
            self.desk.turn(0.001)
        return most

    def everybody_knows(self, publisher, watchers):
        def known():
            self.desk.turn(0)
            return not publisher.answers and all(
                w.number == publisher.number for w in watchers)

        return self.crowd.until(known, PATIENCE)

    def rage(self, lag, publisher, deaf, others):
        first = publisher.number
        shown = sum(w.notifies for w in others)
        before = self.memory()
        most = self.storm(publisher, lag)
        begun = time.monotonic()
        self.assertTrue(self.everybody_knows(publisher, others))
        settled = time.monotonic() - begun
        shown = sum(w.notifies for w in others) - shown
        print(f"lag {lag} s: {(publisher.number - first) / SECONDS:.0f} changes and "
              f"{shown / SECONDS:.0f} NOTIFYs a second to {len(others)} who read; all "
              f"had the last one {settled:.2f} s later; memory {before >> 20} MiB, at "
              f"most {most >> 20} MiB", flush=True)
        self.assertFalse([w for w in deaf if w.number != 1])
        self.assertLess(most - before, GROWTH)

    def test_a_storm_costs_the_others_nothing(self):
        publisher, watchers = self.gather()
        deaf, others = watchers[:DEAF], watchers[DEAF:]
        publisher.publish()
        self.assertTrue(self.everybody_knows(publisher, watchers))
        for watcher in deaf:
            self.crowd.deafen(watcher)
        for lag in LAGS:
            self.rage(lag, publisher, deaf, others)
        for watcher in deaf:
            self.crowd.cure(watcher)
        self.assertTrue(self.everybody_knows(publisher, watchers))
        self.stop.set()
        count, slowest, wrong = self.result.get(timeout=PATIENCE)
        print(f"answers {publisher.codes}; who did not read was sent "
              f"{max(w.notifies for w in deaf) - 1} at most; {count} other "
              f"messages, the slowest took {slowest:.3f} s", flush=True)
        self.assertEqual(set(publisher.codes), {200})
        self.assertFalse(wrong)
        self.assertLess(slowest, 3 * SLOWEST if is_sanitized() else SLOWEST)
        self.assertGreater(count, 10 * SECONDS * len(LAGS))
        self.assertTrue(self.primd.is_running())


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
