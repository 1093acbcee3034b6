# SPDX-License-Identifier: ISC
"""The contract of adapters, with the whole bridge around it: later word, notices
for what an adapter submitted, linked addresses, schedules. The fault adapter
records what it gets (adapters/fault/README.md)."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from door import RecordDoor  # noqa: E402
from recorder import read_notice  # noqa: E402
from servers import Primd, wait_until  # noqa: E402

ALICE, BOB, EVE = "alice@localhost", "bob@localhost", "eve@far.example"
CLAIM = "as+bob%40localhost%3Deve%40far.example"

CONFIG = """routes:
  - {{ domain: far.example, via: fault, queue: true }}
adapters:
  - {{ name: fault, plugin: fault, options: {{ domain: fault.localhost,
       retry: 1, delay: 2, record: {port} }} }}
delivery: {{ answer_within: 2s{more} }}
"""


class Record(RecordDoor):
    """What an adapter says that it gets and sends, in all its lives."""

    def __init__(self):
        self.lines = []
        super().__init__()

    def take(self, record):
        self.lines.append(record)

    def of(self, event, **members):
        return [line for line in list(self.lines) if line["event"] == event
                and all(line.get(k) == v for k, v in members.items())]


class Contract(unittest.TestCase):
    def begin(self, more=""):
        self.record = Record()
        self.addCleanup(self.record.close)
        self.primd = Primd(CONFIG.format(port=self.record.port, more=more))
        self.addCleanup(self.primd.clean)
        for address in (ALICE, BOB):
            self.primd.account(address)
        self.primd.start()
        self.alice = self.primd.client(ALICE, listen=True)
        self.addCleanup(self.alice.close)
        self.wait(lambda: all(a["state"] == "up"
                              for a in self.primd.status()["adapters"]))

    def wait(self, true, timeout=20):
        self.assertTrue(wait_until(true, timeout), self.primd.log()[-3000:])

    def say(self, local, text="hello", **more):
        return self.alice.say(local + "@far.example", text, **more)

    def notices(self, about):
        """Those that alice got about a message of hers."""
        read = (read_notice(c.body, c.get("Content-Type", ""))
                for c in list(self.alice.heard))
        return [n for n in read if n and n["id"] == about]

    def fence(self):
        """What was on its way to alice before has arrived."""
        self.assertEqual(self.say("spoof+mallory%40far.example", "fence"), 200)

    def test_a_bounce_is_told_once(self):
        self.begin()
        self.assertEqual(self.say("bounce-403-50", message_id="b1"), 101)
        self.wait(lambda: self.notices("b1"))
        self.assertEqual(self.notices("b1"), [
            {"id": "b1", "to": "bounce-403-50@far.example", "kind": "failed",
             "code": 403}])
        self.assertEqual(self.say("late-200"), 200)
        self.fence()
        self.assertEqual(len(self.notices("b1")), 1)

    def test_a_late_receipt_is_no_news_to_who_did_not_ask(self):
        self.begin()
        self.assertEqual(self.say("bounce-200-50", message_id="r1"), 101)
        self.assertEqual(self.say("late-200"), 200)
        self.fence()
        self.assertEqual(self.notices("r1"), [])

    def test_an_adapter_is_told_what_becomes_of_its_own(self):
        """Bob is away: what the adapter submits for him is stored, and its end
        comes back to it with its token."""
        self.begin(", notices: always")
        bob = self.primd.client(BOB)
        self.addCleanup(bob.close)
        self.assertEqual(bob.say("flood-1@far.example", "go"), 200)
        self.wait(lambda: self.record.of("answer", code=101))
        self.primd.ctl("account", "remove", BOB)
        self.wait(lambda: self.record.of("notice", kind="failed"))
        sent = self.record.of("send")[0]
        self.assertEqual(len(self.record.of("answer")), 1)
        notices = self.record.of("notice", kind="failed")
        self.assertEqual(len(notices), 1)
        self.assertEqual(notices[0]["id"], sent["id"])
        self.assertEqual(notices[0]["who"], "flood-1@far.example")
        self.assertEqual(notices[0]["to"], BOB)
        self.assertEqual(notices[0]["return"],
                         ">im:flood-1@far.example>im:bob@localhost")

    def test_only_who_is_linked_may_speak_for_somebody(self):
        self.begin()
        self.assertEqual(self.say("link+eve%40far.example"), 403)
        self.assertEqual(self.say(CLAIM), 402)
        self.primd.ctl("link", "add", BOB, EVE)
        self.assertEqual(self.say("link+eve%40far.example"), 200)
        self.assertEqual(self.say(CLAIM, "from bob"), 200)
        heard = self.alice.heard[-1]
        self.assertEqual((heard.get("From"), heard.text()),
                         ("im:" + BOB, "from bob"))
        # Neither for another principal, nor from another address.
        for lie in ("as+alice%40localhost%3Deve%40far.example",
                    "as+bob%40localhost%3Dmallory%40far.example",
                    "as+bob%40localhost%3Deve%40elsewhere.example",
                    "as+bob%40localhost"):
            self.assertEqual(self.say(lie), 402, lie)
        self.primd.ctl("link", "remove", BOB, EVE)
        self.assertEqual(self.say(CLAIM), 402)

    def test_a_message_follows_to_a_linked_address(self):
        self.begin()
        self.primd.ctl("link", "add", BOB, EVE)
        self.assertEqual(self.alice.say(BOB, "follow", message_id="f1"), 200)
        self.wait(lambda: self.record.of("got", id="f1"))
        got = self.record.of("got", id="f1")
        self.assertEqual([(g["who"], g["original_to"]) for g in got],
                         [(EVE, BOB)])

    def test_the_schedule_of_an_adapter_is_kept(self):
        """Every second instead of after 5 s, and told after 2 s."""
        self.begin()
        self.assertEqual(self.say("transient", message_id="t1"), 101)
        self.wait(lambda: len(self.record.of("got", id="t1")) >= 4)
        tries = [g["t"] for g in self.record.of("got", id="t1")]
        for earlier, later in zip(tries[1:], tries[2:]):
            self.assertGreaterEqual(later - earlier, 780)
            self.assertLess(later - earlier, 3000)
        self.wait(lambda: self.notices("t1"))
        self.assertEqual(self.notices("t1")[0]["kind"], "delayed")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
