# SPDX-License-Identifier: ISC
"""Seeded faults: breakages of our own code (prim/seed.h), one at a time. Each is
caught by the test that seeds.txt names for it, which passes without.

    PRIM_BUILD=build/test-asan python3 tests/fault/test_seeds.py [NAME...]
"""

import collections
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("PRIM_BUILD", os.path.join(TOP, "build"))
WITHIN_SECONDS = 40

Seed = collections.namedtuple("Seed", "name what promise test")


def listed():
    """The lines of seeds.txt: four columns, a bar between two."""
    with open(os.path.join(HERE, "seeds.txt"), encoding="ascii") as file:
        lines = [line.rstrip("\n") for line in file]
    return [Seed(*(column.strip() for column in line.split("|")))
            for line in lines if line and not line.startswith("#")]


def sown():
    """The seeds in the code."""
    found = set()
    for folder in ("prim", "bridge"):
        for path in glob.glob(os.path.join(TOP, folder, "*.[ch]")):
            if path.endswith("seed.h"):
                continue
            with open(path, encoding="utf-8") as file:
                found.update(re.findall(r"\bPRIM_SEED\((\w+)\)", file.read()))
    return found


def run(test, seed):
    """Runs `test`: a conversation "X.talk", or "test_x: its_function". Returns
    None when it passes, else what it says."""
    program, _, function = test.partition(": ")
    if function:
        command = [os.path.join(BUILD, "bin", program)]
        fault = rf"^\[  FAILED  \] .*\b{function}$"
    else:
        command = [os.path.join(BUILD, "bin", "talk"),
                   os.path.join(TOP, "tests", "talk", program)]
        fault = rf"{re.escape(program)}:\d+: "
    env = {name: value for name, value in os.environ.items()
           if name != "PRIM_SEED"}
    if seed:
        env["PRIM_SEED"] = seed
    done = subprocess.run(command, env=env, timeout=WITHIN_SECONDS, text=True,
                          errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if function and not re.search(rf"\b{function}$", done.stdout, re.M):
        raise AssertionError(f"there is no {test}")
    if done.returncode == 0:
        return None
    # It says what is wrong; it does not just fall over.
    if not re.search(fault, done.stdout, re.M):
        raise AssertionError(f"{test} ends with {done.returncode}, but not as "
                             f"a test that fails:\n{done.stdout[-2000:]}")
    return done.stdout


class Seeds(unittest.TestCase):
    seeds = listed()

    def each(self, items, do):
        """Does `do` with all `items` on all processors."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [(item, pool.submit(do, item)) for item in items]
            for item, job in jobs:
                with self.subTest(item=item):
                    job.result()

    def test_the_list_is_that_of_the_code(self):
        names = [seed.name for seed in listed()]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(set(names), sown())
        self.assertGreaterEqual(len(names), 24)

    def test_without_a_seed_each_test_passes(self):
        def passes(test):
            said = run(test, None)
            self.assertIsNone(said, f"{test} fails without a seed")

        self.each(sorted({seed.test for seed in self.seeds}), passes)

    def test_each_seed_is_caught(self):
        def is_caught(seed):
            said = run(seed.test, seed.name)
            self.assertIsNotNone(said, f"{seed.test} does not notice that "
                                       f"primd {seed.what}")

        self.each(self.seeds, is_caught)


if __name__ == "__main__":
    names = sys.argv[1:]
    if names:
        Seeds.seeds = [seed for seed in listed() if seed.name in names]
    unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
