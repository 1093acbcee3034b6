# SPDX-License-Identifier: ISC
"""An adapter that hangs, dies, talks garbage, keeps silent or lies. primd stays
up, other traffic flows, the adapter is back within a second of detection, and
what it may not do is refused."""

import os
import re
import sys
import threading
import time
import unittest
from datetime import datetime

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from recorder import read_notice  # noqa: E402
from servers import Primd, wait_until  # noqa: E402

ALICE, BOB, CAROL = "alice@localhost", "bob@localhost", "carol@localhost"

CONFIG = """routes:
  - { domain: fault.localhost, via: fault, queue: %s }
adapters:
  - { name: fault, plugin: fault, options: { domain: fault.localhost } }
  - { name: echo, plugin: echo, options: { domain: echo.localhost } }
delivery: { answer_within: %s }
"""


class Traffic:
    """Alice to bob and alice to the echo, without a pause, while something
    else goes wrong: how many, how slow, what was not 200."""

    def __init__(self, primd):
        self.bob = primd.client(BOB, listen=True)
        self.alice = primd.client(ALICE, listen=True)
        self.slowest = 0.0
        self.count = 0
        self.wrong = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            for to in (BOB, "anybody@echo.localhost"):
                begun = time.monotonic()
                try:
                    code = self.alice.say(to, f"{self.count}", timeout=20)
                except Exception as error:
                    code = repr(error)
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.count += 1
                if code != 200:
                    self.wrong.append((to, code))
            time.sleep(0.01)

    def end(self):
        self.stop.set()
        self.thread.join(30)
        self.alice.close()
        self.bob.close()


class Faults(unittest.TestCase):
    QUEUE, WITHIN = "false", "2s"

    def setUp(self):
        self.primd = Primd(CONFIG % (self.QUEUE, self.WITHIN))
        for address in (ALICE, BOB, CAROL):
            self.primd.account(address)
        self.primd.start()
        self.addCleanup(self.primd.clean)
        self.carol = self.primd.client(CAROL, listen=True)
        self.addCleanup(self.carol.close)
        wait_until(self.all_up, 10)
        self.assertEqual(self.say("anybody"), 200, self.primd.log()[-3000:])

    def say(self, local, text="hello", **more):
        return self.carol.say(local + "@fault.localhost", text, **more)

    def all_up(self):
        return all(a["state"] == "up"
                   for a in self.primd.status()["adapters"])

    def state(self):
        return next((a["state"] for a in self.primd.status()["adapters"]
                     if a["name"] == "fault"), None)

    def moment(self, pattern, after=0.0):
        """When the first line of the log that matches was written."""
        for line in self.primd.log().splitlines():
            match = re.match(r"(\S+)Z (\w+) (.*)", line)
            if match and re.search(pattern, match.group(3)):
                at = datetime.fromisoformat(match.group(1)).timestamp()
                if at > after:
                    return at
        return None

    def break_it(self, local, how_long, codes=(407, 101)):
        """The fault costs the adapter its process and nobody anything else."""
        pid = self.primd.host_pid("fault")
        traffic = Traffic(self.primd)
        time.sleep(0.3)
        begun = time.monotonic()
        code = self.say(local, timeout=30)
        self.assertIn(code, codes)
        self.assertLess(time.monotonic() - begun, 3.5)
        self.assertTrue(wait_until(
            lambda: self.primd.host_pid("fault") not in (None, pid)
            and self.state() == "up", how_long + 3))
        time.sleep(0.3)
        traffic.end()
        lost = self.moment(r"fault: (killed|died)")
        ready = self.moment(r"fault: ready", lost)
        print(f"{local}: back {ready - lost:.3f} s after detection; meanwhile "
              f"{traffic.count} other messages, the slowest took "
              f"{traffic.slowest:.3f} s", flush=True)
        self.assertLess(ready - lost, 1.0)
        self.assertFalse(traffic.wrong)
        self.assertLess(traffic.slowest, 1.0)
        self.assertGreater(traffic.count, 20)
        self.assertTrue(self.primd.is_running())
        self.assertEqual(self.say("anybody"), 200)

    def test_it_hangs(self):
        self.break_it("hang", 8)

    def test_it_dies(self):
        self.break_it("die", 3)

    def test_it_talks_garbage(self):
        self.break_it("garbage", 3)

    def test_silence_ends_as_407_where_nothing_queues(self):
        begun = time.monotonic()
        self.assertEqual(self.say("silence"), 407)
        self.assertLess(time.monotonic() - begun, 3.5)
        self.assertEqual(self.say("anybody"), 200)
        self.assertEqual(self.state(), "up")

    def test_a_refusal_reaches_the_sender(self):
        for code in (402, 403, 408):
            self.assertEqual(self.say(f"refuse-{code}"), code)

    def test_it_cannot_send_from_a_domain_we_serve(self):
        bob = self.primd.client(BOB, listen=True)
        self.addCleanup(bob.close)
        # It says as alice what carol said, and tells what became of that.
        self.assertEqual(self.say("spoof+alice%40localhost"), 402)
        time.sleep(0.5)
        self.assertFalse([c for c in bob.heard + self.carol.heard
                          if c.get("From").lower() == "im:" + ALICE])
        self.assertEqual(self.say("anybody"), 200)


class Queued(Faults):
    """The same where the route queues: 101, and a poisoned message does not
    keep the others."""

    QUEUE, WITHIN = "true", "2s"

    def test_silence_ends_as_407_where_nothing_queues(self):
        begun = time.monotonic()
        self.assertEqual(self.say("silence"), 101)
        self.assertLess(time.monotonic() - begun, 3.5)
        self.assertEqual(self.say("anybody"), 200)

    # A message that kills is tried again, and kills again; that is for the
    # rules on poison.
    test_it_hangs = test_it_dies = test_it_talks_garbage = None

    def test_an_adapter_that_is_down_gets_it_later(self):
        self.primd.kill_host("fault")
        code = self.say("anybody", "later", timeout=30)
        self.assertIn(code, (101, 200))

    def test_what_nobody_takes_ends_in_time_and_is_told(self):
        primd = Primd(CONFIG % ("true", "1s, give_up_after: 2s"))
        self.addCleanup(primd.clean)
        primd.account(ALICE)
        alice = primd.start().client(ALICE)
        self.addCleanup(alice.close)
        self.assertEqual(alice.say("transient@fault.localhost", "x",
                                   message_id="late1"), 101)

        def ends():
            return re.findall(r"message end .*", primd.log())

        self.assertTrue(wait_until(ends, 20))
        self.assertEqual(len(ends()), 1)
        self.assertRegex(ends()[0],
                         r"code=407 id=late1 from=alice@localhost "
                         r"to=transient@fault.localhost via=fault "
                         r"delay_ms=\d+ why=expired")
        self.assertIn("expired", primd.ctl("trace", "late1"))
        # Nobody heard of it yet: the notice waits, and then it is one.
        self.assertEqual(primd.status()["outbox"], 1)
        listener = primd.client(ALICE, listen=True)
        self.addCleanup(listener.close)
        self.assertTrue(listener.wait(1))
        self.assertTrue(wait_until(lambda: primd.status()["outbox"] == 0, 5))
        notices = [read_notice(c.body, c.get("Content-Type"))
                   for c in listener.heard]
        self.assertEqual(notices, [{"id": "late1", "kind": "failed",
                                    "code": 407,
                                    "to": "transient@fault.localhost"}])
        self.assertEqual(listener.heard[0].get("From"),
                         "im:postmaster@localhost")
        self.assertEqual(len(ends()), 2)  # of the notice, too


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
