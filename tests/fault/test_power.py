# SPDX-License-Identifier: ISC
"""The power is cut under a primd that works: what it had not synced is gone, or half
of it (power_shim.c). Every promise that somebody heard is kept all the same. At the
level of the store alone, at every write: tests/bridge/test_store_cut.c."""

import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from prim import Gone, Refused  # noqa: E402
from servers import BUILD, times, wait_until  # noqa: E402
from traffic import BOB, World  # noqa: E402

CUTS = times(12, 400)
EACH = 50           # cuts that are judged together
SHIM = os.path.join(BUILD, "lib", "power_shim.so")
CUT = 77            # its exit code


class Power(unittest.TestCase):
    def begin(self, **more):
        options = os.environ.get("ASAN_OPTIONS", "detect_leaks=0")
        self.world = World(LD_PRELOAD=SHIM,
                           ASAN_OPTIONS=options + ":verify_asan_link_order=0",
                           **more)
        self.world.start()
        self.world.send(pause=0.002)

    def start(self, after):
        """Starts it, until the power is cut `after` so many writes and syncs; 0:
        never. It may not live to say that it has started."""
        primd = self.world.primd
        primd.env.update(POWER_CUT=str(after),
                         POWER_SCATTER=str(random.randrange(1, 1 << 30)))
        try:
            primd.start()
        except RuntimeError:
            self.assertEqual(primd.process.wait(10), CUT)

    def cut(self, number):
        """Two ways: by the disk, at a write or a sync; from outside, at any
        moment."""
        primd = self.world.primd
        after = random.choice((0, random.randrange(1, 200),
                               random.randrange(1, 3000)))
        self.start(after)
        begun = time.monotonic()
        if number % 3 == 0:
            self.drain_a_little()
        if after:
            wait_until(lambda: not primd.is_running(), 1.5)
        else:
            time.sleep(random.uniform(0.1, 0.8))
        by_itself = not primd.is_running()
        if by_itself:
            self.assertEqual(primd.process.returncode, CUT)
        else:
            primd.kill()
        self.world.hush(BOB)
        print(f"cut {number}: {'itself' if by_itself else 'killed'} after "
              f"{time.monotonic() - begun:.2f} s", flush=True)

    def drain_a_little(self):
        try:
            self.world.listen(BOB)
        except (Gone, Refused, OSError, TimeoutError):
            self.assertTrue(wait_until(
                lambda: not self.world.primd.is_running()))

    def end(self):
        self.start(0)
        self.world.end_sending()
        self.assertEqual(self.world.drain(), 0)
        report = self.world.judge()
        print(report.text(), flush=True)
        self.assertTrue(report.ok)
        self.assertEqual(self.world.primd.stop(), 0)

    def test_the_power_is_cut_under_load(self):
        seed = int(os.environ.get("PRIM_RANDOM", time.time_ns() % 10**9))
        random.seed(seed)
        print(f"power: PRIM_RANDOM={seed}", flush=True)
        for first in range(0, CUTS, EACH):
            failed = True
            self.begin()
            try:
                self.world.primd.kill()
                for number in range(first, min(first + EACH, CUTS)):
                    self.cut(number)
                self.end()
                failed = False
            finally:
                self.world.close(keep=failed)

    def test_a_disk_that_lies_is_found_out(self):
        """What it says that it synced it did not: then promises are broken, and
        that shows."""
        self.begin(POWER_LIES="1")
        self.addCleanup(self.world.close)
        try:
            for _ in range(3):
                time.sleep(0.5)
                self.world.primd.kill()
                self.world.primd.start()
            self.world.end_sending()
            self.world.drain(5)
        except RuntimeError:
            self.assertIn("damaged", self.world.primd.log())
            return
        report = self.world.judge(need=())
        self.assertIn("I1", report.broken(), report.text())


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
