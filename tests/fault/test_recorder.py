# SPDX-License-Identifier: ISC
"""What senders and receivers write down agrees with what primd writes down, and
the checker sees when it does not."""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from check import judge  # noqa: E402
from history import fnv1a  # noqa: E402
from recorder import Recorder, content_of, read_notice  # noqa: E402
from records import read_records  # noqa: E402
from servers import Primd, wait_until  # noqa: E402

ALICE, BOB, DAVE = "alice@localhost", "bob@localhost", "dave@localhost"
NOBODY, ECHO = "nobody@localhost", "x@echo.localhost"

NOTICE = b"""From: <im:postmaster@a>\r
To: <im:alice@a>\r
DateTime: 2026-11-22T10:00:00Z\r
NS: imdn <urn:ietf:params:imdn>\r
imdn.Message-ID: n1\r
\r
Content-Type: message/imdn+xml\r
Content-Disposition: notification\r
\r
<?xml version="1.0" encoding="UTF-8"?>
<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>m1</message-id>\
<datetime>2026-11-22T09:00:00Z</datetime>\
<recipient-uri>im:bob@b</recipient-uri>\
<original-recipient-uri>im:rob@b</original-recipient-uri>\
<%s><status><%s/></status></%s>\
<reason xmlns="urn:primbridge:reason" code="408">no</reason></imdn>"""


def notice(kind, word):
    return NOTICE % (kind, word, kind)


class Reading(unittest.TestCase):
    def test_a_notice_is_told_from_a_message(self):
        said = read_notice(notice(b"delivery-notification", b"failed"),
                           "message/cpim")
        self.assertEqual(said, {"id": "m1", "to": "rob@b", "kind": "failed",
                                "code": 408})
        for kind, word, expected in (
                (b"delivery-notification", b"delivered", "delivered"),
                (b"processing-notification", b"stored", "delayed"),
                (b"display-notification", b"displayed", "displayed")):
            said = read_notice(notice(kind, word), "message/cpim")
            self.assertEqual(said["kind"], expected)
        self.assertIsNone(read_notice(b"<imdn/>", "text/plain"))
        self.assertIsNone(read_notice(
            b"From: <im:a@a>\r\n\r\nContent-Type: text/plain\r\n\r\nhallo",
            "message/cpim"))

    def test_what_is_wrapped_is_unwrapped(self):
        wrapped = b"From: <im:a@a>\r\n\r\nContent-type: text/x\r\n\r\na\r\n\r\nb"
        self.assertEqual(content_of(wrapped, "message/cpim"),
                         (b"a\r\n\r\nb", "text/x"))
        self.assertEqual(content_of(b"a", "text/plain"), (b"a", "text/plain"))


class Recording(unittest.TestCase):
    def setUp(self):
        self.primd = Primd(top="history: history.json\n")
        for address in (ALICE, BOB, DAVE):
            self.primd.account(address)
        self.file = os.path.join(self.primd.folder, "records.json")
        self.recorder = Recorder(self.file)
        self.addCleanup(self.recorder.close)
        self.failed = True

    def tearDown(self):
        self.primd.clean(keep=self.failed)

    def talk(self):
        """Live, stored, refused, twice, echoed, and across a restart."""
        client = self.recorder.client
        self.primd.start()
        bob = client(self.primd, BOB, listen=True)
        alice = client(self.primd, ALICE, listen=True)
        sent = [alice.send(BOB, f"b{n}") for n in range(20)]
        sent += [alice.send(DAVE, f"d{n}") for n in range(20)]
        self.assertEqual({f.result(20).code for f in sent}, {200, 101})
        self.assertEqual(alice.say(NOBODY, "who"), 403)
        self.assertEqual(alice.say(BOB, "b0", message_id=sent[0].message_id),
                         200)
        self.assertEqual(alice.say(DAVE, "d0", message_id=sent[20].message_id),
                         101)
        alice.say(ECHO, "echo")
        self.assertTrue(alice.wait_text("echo"))
        self.assertTrue(bob.wait(20))
        self.assertEqual(self.primd.stop(), 0)
        self.primd.start()
        dave = client(self.primd, DAVE, listen=True)
        self.assertTrue(dave.wait(20))
        wait_until(lambda: self.primd.status()["outbox"] == 0)
        self.assertEqual(self.primd.stop(), 0)

    def judge(self, records, **more):
        history = os.path.join(self.primd.folder, "history.json")
        return judge([[history]], records, [[]], dedup=True, **more)

    def test_both_sides_agree(self):
        self.talk()
        with self.subTest("in memory"):
            report = self.judge(self.recorder.records, need=(
                "H", "I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "I10"))
            self.assertTrue(report.ok, report.text())
            self.assertGreaterEqual(report["I1"].judged, 41)
            self.assertGreaterEqual(report["I4"].judged, 40)
        with self.subTest("in the file"):
            self.assertEqual(read_records(self.file), self.recorder.records)
        self.check_lies()
        self.failed = False

    def check_lies(self):
        """Whatever one side says otherwise is seen."""
        records = self.recorder.records
        gots = [r for r in records if r["event"] == "got" and
                r["who"] == DAVE]
        self.assertEqual([r["hash"] for r in gots],
                         [fnv1a(f"d{n}".encode()) for n in range(20)])
        without = [r for r in records if r is not gots[7]]
        self.assertEqual(self.judge(without).broken(), ["I1"])
        twice = records + [gots[7]]
        self.assertEqual(self.judge(twice).broken(), ["I3"])
        other = json.loads(json.dumps(records))
        other[records.index(gots[7])]["hash"] = fnv1a(b"x")
        other[records.index(gots[7])]["text"] = fnv1a(b"x")
        self.assertEqual(self.judge(other).broken(), ["I7"])
        a, b = records.index(gots[7]), records.index(gots[8])
        swapped = list(records)
        swapped[a], swapped[b] = gots[8], gots[7]
        self.assertEqual(self.judge(swapped).broken(), ["I4"])


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
