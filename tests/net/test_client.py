# SPDX-License-Identifier: ISC
"""prim against a server that says what the test wants."""

import itertools
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from scripted import ScriptedServer  # noqa: E402
from servers import BUILD  # noqa: E402

PASSWORD = "a pencil"
ALICE, BOB, CAROL = ("alice@localhost", "bob@localhost",
                     "carol@xmpp.localhost")
PIDF = "application/pidf+xml"


def pidf(who, *tuples, note=""):
    inside = "".join(
        f'<tuple id="{name}"><status><basic>{basic}</basic>'
        + (f'<show xmlns="jabber:client">{show}</show>' if show else "")
        + "</status>" + (f"<note>{said}</note>" if said else "") + "</tuple>"
        for name, basic, show, said in tuples)
    return (f'<presence xmlns="urn:ietf:params:xml:ns:pidf" '
            f'entity="pres:{who}">{inside}{note}</presence>').encode()


class Prim:
    """The client as a process."""

    def __init__(self, port, *words):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "bin", "prim"), "--server", f"127.0.0.1:{port}", "--user", ALICE,
             "--password-file", "-", "--plain", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.give(PASSWORD.encode() + b"\n")
        self.pieces = {self.process.stdout: b"", self.process.stderr: b""}

    def give(self, octets):
        """All of the input. Who was called wrongly may have gone before."""
        try:
            with self.process.stdin as stdin:
                stdin.write(octets)
        except BrokenPipeError:
            pass

    def line(self, stream, timeout=20):
        end = time.monotonic() + timeout
        while b"\n" not in self.pieces[stream]:
            left = end - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise AssertionError(f"no line but {self.pieces}")
            more = os.read(stream.fileno(), 65536)
            if not more:
                raise AssertionError(f"the end, after {self.pieces}")
            self.pieces[stream] += more
        line, _, self.pieces[stream] = self.pieces[stream].partition(b"\n")
        return line.decode()

    def out(self):
        return self.line(self.process.stdout)

    def said(self, what):
        """Reads remarks until one has `what` in it."""
        while True:
            line = self.line(self.process.stderr)
            if what in line:
                return line

    def state(self):
        """A line of `watch` without its time."""
        line = self.out()
        when, _, rest = line.partition(" ")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when):
            raise AssertionError(f"no time: {line}")
        return rest

    def wait(self):
        return self.process.wait(20)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Client(unittest.TestCase):
    def setUp(self):
        self.server = ScriptedServer(PASSWORD, self.answer)
        self.addCleanup(self.server.close)
        self.codes = {}
        self.states = {}
        self.duration = "3600"
        self.more = []

    def answer(self, command):
        code = self.codes.get(command.method, 200)
        headers = [("Duration", self.duration), *self.more]
        if command.method != "SUBSCRIBE":
            return code, headers, b""
        who = command.get("To")[len("pres:"):]
        code = self.codes.get(who, code)
        if code is None:
            return None
        body = self.states.get(who, b"") if code in (200, 201) else b""
        if body:
            headers.append(("Content-Type", PIDF))
        return code, headers, body

    def prim(self, *words):
        prim = Prim(self.server.port, *words)
        self.addCleanup(prim.end)
        return prim

    def notify(self, who, body, *more, kind=PIDF):
        headers = [("From", "pres:" + who), ("To", "pres:" + ALICE), *more]
        if body:
            headers.append(("Content-Type", kind))
        return self.server.ask("NOTIFY", headers, body)


class Watch(Client):
    def test_it_logs_in_for_presence_and_subscribes_to_each(self):
        self.prim("watch", BOB, CAROL, "pres:BOB@localhost")
        asked = self.server.wait_asked("SUBSCRIBE", 2)
        self.assertEqual({c.get("To") for c in asked},
                         {"pres:" + BOB, "pres:" + CAROL})
        for command in asked + self.server.logins:
            self.assertIn(" PRIM-PR/1.0 ", command.start)
            self.assertEqual(command.get("From"), "pres:" + ALICE)
        self.assertEqual(asked[0].get("Duration"), "3600")

    def test_a_line_for_each_change(self):
        self.states[BOB] = pidf(BOB, ("a", "open", "", ""))
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " open")
        for body, line in (
                (pidf(BOB, ("a", "open", "away", "in a meeting")),
                 'open  "in a meeting" (away)'),
                (pidf(BOB, ("a", "open", "", ""), note="<note>hi</note>"),
                 'open  "hi"'),
                (pidf(BOB, ("a", "closed", "away", "gone")),
                 'offline  "gone"'),
                (pidf(BOB), "offline")):
            self.assertEqual(self.notify(BOB, body), 200)
            self.assertEqual(prim.state(), f"{BOB} {line}")

    def test_what_did_not_change_is_not_said_again(self):
        self.states[BOB] = pidf(BOB, ("a", "open", "", ""))
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " open")
        self.assertEqual(self.notify(BOB, self.states[BOB]), 200)
        self.assertEqual(self.notify(BOB, b""), 200)
        self.assertEqual(prim.state(), BOB + " offline")

    def test_several_tuples_have_a_line_each(self):
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " offline")
        body = pidf(BOB, ("desk", "open", "dnd", ""),
                    ("phone", "closed", "", "off"))
        self.assertEqual(self.notify(BOB, body), 200)
        self.assertEqual(prim.state(), BOB + "/desk open (dnd)")
        self.assertEqual(prim.state(), BOB + '/phone closed  "off"')

    def test_parts_and_the_drafts_own_format_are_understood(self):
        native = (b'<presence identifier="pres:bob@localhost"><contact '
                  b'address="im:bob@localhost"><status value="open"/>'
                  b"</contact></presence>")
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " offline")
        self.assertEqual(self.notify(BOB, native, ("Tuple-ID", "x"),
                                     kind="application/presence"), 200)
        self.assertEqual(prim.state(), BOB + " open")
        parts = b"".join(
            b"--b\r\nContent-Type: application/presence\r\nTuple-ID: " + name
            + b"\r\n\r\n" + native + b"\r\n" for name in (b"one", b"two"))
        self.assertEqual(self.notify(BOB, parts + b"--b--\r\n",
                                     kind="multipart/mixed; boundary=b"), 200)
        self.assertEqual(prim.state(), BOB + "/one open")
        self.assertEqual(prim.state(), BOB + "/two open")

    def test_foreign_text_is_harmless(self):
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " offline")
        self.notify(BOB, pidf(BOB, ("a&#10;b", "open", "\u202e",
                                    "one&#10;two \u202e"), ("c", "open", "",
                                                            "")))
        self.assertEqual(prim.state(), BOB + r'/a\nb open  "one\ntwo '
                         r'\u{202E}" (\u{202E})')

    def test_what_cannot_be_read_is_refused_and_told(self):
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " offline")
        self.assertEqual(self.notify(BOB, b"<presence"), 400)
        self.assertIn("cannot be shown", prim.said(BOB))
        self.assertEqual(self.notify(BOB, b"x", kind="multipart/signed"), 200)
        self.assertIn("cannot be shown", prim.said(BOB))

    def test_others_may_be_spoken_of(self):
        prim = self.prim("watch", BOB)
        self.assertEqual(prim.state(), BOB + " offline")
        self.assertEqual(self.notify(CAROL, pidf(CAROL)), 200)

    def test_a_refusal_is_told_and_the_others_are_watched(self):
        for code, why in ((402, "does not let you"), (403, "does not exist"),
                          (505, "too many"), (501, "no presence")):
            with self.subTest(code=code):
                self.codes = {BOB: code}
                prim = self.prim("watch", BOB, CAROL)
                self.assertIn(why, prim.said(BOB))
                self.assertEqual(prim.state(), CAROL + " offline")

    def test_with_nobody_left_it_ends(self):
        self.codes = {BOB: 402, CAROL: 403}
        prim = self.prim("watch", BOB, CAROL)
        prim.said("nobody is left")
        self.assertEqual(prim.wait(), 1)

    def test_a_passing_fault_is_told_and_outlived(self):
        self.codes = {BOB: 407}
        prim = self.prim("watch", BOB)
        self.assertIn("trying again", prim.said(BOB))
        self.assertIsNone(prim.process.poll())

    def test_a_cancelled_subscription_is_told(self):
        prim = self.prim("watch", BOB, CAROL)
        {prim.state(), prim.state()}
        self.server.ask("CANCELSUBSCRIPTION", [("From", "pres:" + BOB),
                                               ("To", "pres:" + ALICE)],
                        rid="-")
        self.assertIn(BOB + " cancelled", prim.state())
        self.assertIsNone(prim.process.poll())

    def test_it_renews_at_half_of_the_time(self):
        self.duration = "10"
        self.codes = {"SUBSCRIBE": 201}
        self.prim("watch", BOB)
        self.server.wait_asked("SUBSCRIBE", 1)
        begun = time.monotonic()
        self.server.wait_asked("SUBSCRIBE", 2)
        self.assertAlmostEqual(time.monotonic() - begun, 5, delta=1.5)

    def test_it_comes_back_and_tells_what_is_new_only(self):
        self.states = {BOB: pidf(BOB, ("a", "open", "", ""))}
        prim = self.prim("watch", BOB, CAROL)
        {prim.state(), prim.state()}
        self.states[CAROL] = pidf(CAROL, ("x", "open", "", ""))
        self.server.drop()
        self.assertEqual(prim.state(), CAROL + " open")
        self.assertEqual(len(self.server.wait_asked("SUBSCRIBE", 4)), 4)

    def test_json_has_everything(self):
        prim = self.prim("--json", "--count", "2", "watch", BOB)
        first = json.loads(prim.out())
        self.assertEqual((first["event"], first["from"], first["state"]),
                         ("presence", BOB, "offline"))
        self.notify(BOB, pidf(BOB, ("a", "open", "xa", "hi\x7f")))
        second = json.loads(prim.out())
        self.assertEqual(second["state"], "open")
        self.assertEqual(second["tuples"], [
            {"id": "a", "state": "open", "show": "xa",
             "notes": [{"text": "hi\x7f"}]}])
        self.assertEqual(prim.wait(), 0)

    def test_a_change_counts_once_however_many_lines_it_has(self):
        self.states[BOB] = pidf(BOB, ("desk", "open", "", ""),
                                ("phone", "open", "away", ""))
        prim = self.prim("--count", "2", "watch", BOB)
        self.assertEqual(prim.state(), BOB + "/desk open")
        self.assertEqual(prim.state(), BOB + "/phone open (away)")
        self.assertEqual(self.notify(BOB, pidf(BOB)), 200)
        self.assertEqual(prim.state(), BOB + " offline")
        self.assertEqual(prim.wait(), 0)

    def test_it_ends_when_the_time_is_over(self):
        prim = self.prim("--timeout", "1", "watch", BOB)
        self.assertEqual(prim.wait(), 0)
        prim = self.prim("--timeout", "1", "--count", "9", "watch", BOB)
        self.assertEqual(prim.wait(), 1)

    def test_wrong_words_are_refused(self):
        for words in (("watch",), ("watch", "bob"), ("watch", BOB, "b@")):
            self.assertEqual(self.prim(*words).wait(), 2)


class Publish(Client):
    def published(self, count=1):
        return self.server.wait_asked("PUBLISH", count)

    def test_a_lease_is_published_and_taken_back(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                self.server.asked.clear()
                prim = self.prim("publish", "open", "--note", "here <&>")
                self.assertEqual(prim.out(), "published")
                prim.process.send_signal(number)
                self.assertEqual(prim.wait(), 0)
                first, last = self.published(2)
                self.assertIn(" PRIM-PR/1.0 ", first.start)
                self.assertEqual(first.get("From"), "pres:" + ALICE)
                self.assertEqual(first.get("PI-Type"), "leased")
                self.assertEqual(first.get("Duration"), "300")
                self.assertEqual(first.get("Tuple-ID"), "prim")
                self.assertEqual(first.get("Content-Type"), PIDF)
                body = first.body.decode()
                for piece in ('entity="pres:' + ALICE, '<tuple id="prim">',
                              "<basic>open</basic>", "here &lt;&amp;",
                              "im:" + ALICE):
                    self.assertIn(piece, body)
                self.assertEqual(last.get("PI-Type"), "revert")
                self.assertEqual(last.get("Tuple-ID"), "prim")

    def test_options_are_what_is_published(self):
        self.prim("publish", "open", "--show", "dnd", "--tuple", "desk",
                  "--lease", "60")
        command = self.published()[0]
        self.assertEqual(command.get("Duration"), "60")
        self.assertEqual(command.get("Tuple-ID"), "desk")
        body = command.body.decode()
        for piece in ('<tuple id="desk">', ">dnd</show>", "busy/>"):
            self.assertIn(piece, body)

    def test_closed_is_published_too(self):
        self.prim("publish", "closed")
        self.assertIn(b"<basic>closed</basic>", self.published()[0].body)

    def test_permanent_is_published_once(self):
        prim = self.prim("publish", "closed", "--permanent")
        self.assertEqual(prim.wait(), 0)
        self.assertEqual(prim.out(), "published")
        self.assertEqual([c.get("PI-Type") for c in self.published()],
                         ["permanent"])
        self.assertIsNone(self.published()[0].get("Duration"))

    def test_the_lease_is_renewed_at_half_of_what_was_granted(self):
        self.duration = "4"
        self.prim("publish", "open")
        self.published(1)
        begun = time.monotonic()
        commands = self.published(2)
        self.assertAlmostEqual(time.monotonic() - begun, 2, delta=1)
        self.assertEqual(commands[1].get("PI-Type"), "renew")
        self.assertEqual(commands[1].body, commands[0].body)

    def test_it_comes_back_and_publishes_again(self):
        prim = self.prim("publish", "open")
        self.assertEqual(prim.out(), "published")
        self.server.drop()
        prim.said("published again")
        commands = self.published(2)
        self.assertEqual(commands[1].get("PI-Type"), "leased")
        prim.process.terminate()
        self.assertEqual(prim.wait(), 0)

    def test_a_refusal_is_told_in_words(self):
        for code, why in ((402, "may not publish"), (501, "no presence"),
                          (400, "takes no such"), (500, "Internal")):
            with self.subTest(code=code):
                self.codes = {"PUBLISH": code}
                prim = self.prim("publish", "open")
                prim.said(why)
                self.assertEqual(prim.wait(), 1)

    def test_it_can_be_left_while_it_is_not_connected(self):
        prim = self.prim("publish", "open")
        self.assertEqual(prim.out(), "published")
        self.server.close()
        prim.said("trying again")
        prim.process.terminate()
        self.assertEqual(prim.wait(), -signal.SIGTERM)

    def test_nothing_left_to_take_back_is_no_fault(self):
        prim = self.prim("publish", "open")
        self.assertEqual(prim.out(), "published")
        self.codes = {"PUBLISH": 403}
        prim.process.terminate()
        self.assertEqual(prim.wait(), 0)
        rest = prim.process.stderr.read().decode()
        self.assertIn("nothing was left to take back", rest)
        self.assertNotIn("not published", rest)

    def test_it_leaves_when_the_time_is_over(self):
        prim = self.prim("--timeout", "1", "publish", "open")
        self.assertEqual(prim.wait(), 0)
        self.assertEqual(self.published(2)[1].get("PI-Type"), "revert")

    def test_wrong_words_are_refused(self):
        for words in ((), ("maybe",), ("open", "closed"),
                      ("open", "--show", "here"), ("closed", "--show", "xa"),
                      ("open", "--lease", "0"), ("open", "--tuple", ""),
                      ("open", "--tuple", "my desk"),
                      ("open", "--tuple", "b\u00fcro"),
                      ("open", "--note", "\x1b"),
                      ("open", "--lease", "5", "--permanent")):
            with self.subTest(words):
                self.assertEqual(self.prim("publish", *words).wait(), 2)


MINE = f"1234:im:{ALICE}"
DATE = "Sun, 22 Nov 2026 10:30:00 +0000"


def imdn(status, kind="delivery", reason="", about="im:" + BOB):
    return (f'<imdn xmlns="urn:ietf:params:xml:ns:imdn">'
            f"<message-id>{MINE}</message-id>"
            f"<datetime>2026-11-22T10:29:00.5+01:00</datetime>"
            f"<recipient-uri>im:other@localhost</recipient-uri>"
            f"<original-recipient-uri>{about}</original-recipient-uri>"
            f"<{kind}-notification><status><{status}/></status>"
            f"</{kind}-notification>{reason}</imdn>").encode()


def reason(code, text):
    return (f'<reason xmlns="urn:primbridge:reason" code="{code}">{text}'
            f"</reason>")


def cpim(document, kind="message/imdn+xml"):
    return (f"From: <im:postmaster@localhost>\r\nTo: <im:{ALICE}>\r\n"
            f"DateTime: 2026-11-22T10:30:00Z\r\n\r\n"
            f"Content-Type: {kind}\r\nContent-Disposition: notification"
            f"\r\n\r\n").encode() + document


class Messages(Client):
    def deliver(self, body, kind="message/cpim", number=itertools.count(),
                who="postmaster@localhost"):
        self.server.wait_asked("LISTEN")
        return self.server.ask("SEND", [
            ("From", "im:" + who), ("To", "im:" + ALICE),
            ("Message-ID", f"n{next(number)}"), ("Conversation-ID", "c"),
            ("Date", DATE), ("Content-Type", kind)], body,
            version="PRIM-IM/1.0")


class Notices(Messages):
    ABOUT = (f"-- 2026-11-22T10:30:00Z postmaster@localhost: your message to "
             f"{BOB} of 2026-11-22T09:29:00Z")

    def test_a_notice_is_one_line_and_answered_200(self):
        prim = self.prim("listen")
        for document, line in (
                (imdn("failed", reason=reason(403, "there is no such "
                                                   "recipient")),
                 "failed: there is no such recipient (403)"),
                (imdn("failed"), "failed"),
                (imdn("stored", "processing", reason(504, "not yet")),
                 "is late: not yet (504)"),
                (imdn("delivered", reason=reason(200, "it was delivered")),
                 "was delivered"),
                (imdn("displayed", "display"), "was shown"),
                (imdn("processed", "processing"), "was passed on"),
                (imdn("forbidden"), "will not be reported on"),
                (imdn("x"), "got lost from sight")):
            with self.subTest(line):
                self.assertEqual(self.deliver(cpim(document)), 200)
                self.assertEqual(prim.out(), f"{self.ABOUT} {line} [{MINE}]")

    def test_the_id_it_shows_is_the_one_that_send_told(self):
        ours = ("<message-id xmlns='urn:primbridge:reason'>"
                f"x{MINE}</message-id>")
        prim = self.prim("listen")
        self.assertEqual(self.deliver(cpim(imdn("failed", reason=ours))), 200)
        self.assertEqual(prim.out(), f"{self.ABOUT} failed [x{MINE}]")

    def test_json_has_both_ids(self):
        ours = ("<message-id xmlns='urn:primbridge:reason'>"
                f"x{MINE}</message-id>")
        prim = self.prim("--json", "listen")
        self.assertEqual(self.deliver(cpim(imdn("failed", reason=ours))), 200)
        about = json.loads(prim.out())["about"]
        self.assertEqual((about["message_id"], about["prim_message_id"]),
                         (MINE, "x" + MINE))

    def test_a_bare_document_is_a_notice_too(self):
        prim = self.prim("listen")
        self.assertEqual(self.deliver(imdn("failed"), "message/imdn+xml"), 200)
        self.assertEqual(prim.out(), f"{self.ABOUT} failed [{MINE}]")

    def test_a_notice_that_cannot_be_read_is_answered_200(self):
        prim = self.prim("listen")
        for body, kind in (
                (cpim(b"<imdn"), "message/cpim"),
                (cpim(b"<!DOCTYPE imdn>" + imdn("failed")), "message/cpim"),
                (cpim(imdn("failed", reason=" " * 20000)), "message/cpim"),
                (cpim(b"--b\r\n", "multipart/mixed; boundary=b"),
                 "message/cpim"),
                (b"\xff\x00", "message/imdn+xml")):
            with self.subTest(kind):
                self.assertEqual(self.deliver(body, kind), 200)
                self.assertEqual(prim.out(),
                                 "-- 2026-11-22T10:30:00Z postmaster@localhost:"
                                 " a notice that cannot be read")

    def test_a_notice_cannot_steer_the_terminal_or_fill_it(self):
        prim = self.prim("listen")
        document = imdn("failed", reason=reason(
            408, "one\n-- two&#13;\u202e\x7f\u009b" + "\u20ac" * 1000),
            about="im:a\nb\u2028c")
        self.assertEqual(self.deliver(cpim(document)), 200)
        line = prim.out()
        self.assertIn(r"to a\nb\u{2028}c of", line)
        self.assertIn(r"one\n-- two\r\u{202E}\x7F\u{009B}" + "\u20ac", line)
        self.assertIn("\u20ac... (408)", line)
        self.assertLess(len(line.encode()), 600)
        self.assertEqual(self.deliver(b"next", "text/plain", who=BOB), 200)
        self.assertEqual(prim.out(), BOB + ": next")

    def test_json_has_everything(self):
        prim = self.prim("--json", "listen")
        text = "no\u202e" + "x" * 500
        self.deliver(cpim(imdn("failed", reason=reason(408, text))))
        line = json.loads(prim.out())
        self.assertEqual(line, {
            "event": "notice", "from": "postmaster@localhost", "to": ALICE,
            "message_id": line["message_id"], "conversation_id": "c",
            "status": "failed", "code": 408, "reason": text,
            "about": {"message_id": MINE, "to": BOB,
                      "date": "2026-11-22T10:29:00.5+01:00"}})
        self.deliver(cpim(b"<imdn"))
        line = json.loads(prim.out())
        self.assertEqual((line["status"], line["about"]), ("illegible", {}))

    def test_a_notice_counts_and_one_that_comes_twice_once(self):
        again = itertools.repeat(7)
        prim = self.prim("--count", "2", "listen")
        self.assertEqual(self.deliver(cpim(imdn("failed")), number=again), 200)
        self.assertEqual(self.deliver(cpim(imdn("failed")), number=again), 200)
        prim.out()
        self.assertIsNone(prim.process.poll())
        self.deliver(b"hi", "text/plain", who=BOB)
        self.assertEqual(prim.out(), BOB + ": hi")
        self.assertEqual(prim.wait(), 0)

    def test_chat_shows_them(self):
        prim = self.prim("--count", "1", "chat", BOB)
        self.assertEqual(self.deliver(cpim(imdn("failed"))), 200)
        self.assertEqual(prim.out(), f"{self.ABOUT} failed [{MINE}]")
        self.assertEqual(prim.wait(), 0)


class Send(Messages):
    def test_it_says_what_the_answer_means(self):
        for code, line, end in (
                (200, "delivered", 0),
                (101, "accepted; you will be told if it fails (101)", 0),
                (408, "refused: the inbox is closed (408)", 1)):
            with self.subTest(code):
                self.codes = {"SEND": code}
                prim = self.prim("send", BOB, "hi")
                self.assertEqual(prim.out(), line)
                self.assertEqual(prim.wait(), end)
        command = self.server.wait_asked("SEND")[-1]
        self.assertEqual((command.get("Content-Type"), command.body),
                         ("text/plain; charset=UTF-8", b"hi"))

    def test_the_reason_of_the_server_is_shown(self):
        self.codes = {"SEND": 500}
        self.more = [("bridge-reason", "too \u202emuch")]
        prim = self.prim("send", BOB, "hi")
        self.assertEqual(prim.out(),
                         r"not delivered: too \u{202E}much (500)")
        self.assertEqual(prim.wait(), 1)
        prim = self.prim("--json", "send", BOB, "hi")
        self.assertEqual(json.loads(prim.out())["reason"], "too \u202emuch")
        self.codes = {"SEND": 101}
        prim = self.prim("send", BOB, "hi")
        self.assertEqual(prim.out(),
                         "accepted; you will be told if it fails (101)")

    def test_a_receipt_is_asked_for_as_rfc_5438_says(self):
        self.codes = {"SEND": 101}
        prim = self.prim("send", "--receipt", BOB, "hi")
        self.assertEqual(prim.out(), "accepted; you will be told what becomes "
                                     "of it (101)")
        command = self.server.wait_asked("SEND")[0]
        self.assertEqual(command.get("Content-Type"), "message/cpim")
        headers, content, body = command.body.decode().split("\r\n\r\n")
        token = command.get("Message-ID").partition(":")[0]
        self.assertRegex(token, "^[0-9a-f]{32}$")
        lines = headers.split("\r\n")
        self.assertRegex(lines.pop(2), r"^DateTime: \d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(lines, [
            f"From: <im:{ALICE}>", f"To: <im:{BOB}>",
            "NS: imdn <urn:ietf:params:imdn>", f"imdn.Message-ID: {token}",
            "imdn.Disposition-Notification: positive-delivery, "
            "negative-delivery"])
        self.assertEqual((content, body),
                         ("Content-type: text/plain; charset=UTF-8", "hi"))

    def test_json_tells_by_what_a_receipt_will_be_known(self):
        prim = self.prim("--json", "send", "--receipt", BOB, "hi")
        line = json.loads(prim.out())
        self.assertEqual(line["imdn_message_id"],
                         line["message_id"].partition(":")[0])
        prim = self.prim("--json", "send", BOB, "hi")
        self.assertNotIn("imdn_message_id", json.loads(prim.out()))

    def test_what_is_sent_again_is_the_same(self):
        """The same Message-ID with another body would be refused."""
        for option in (("--receipt",), ("--subject", "lunch")):
            with self.subTest(option):
                self.server.asked.clear()
                self.silent = 1
                prim = self.prim("send", *option, BOB, "hi")
                self.server.wait_asked("SEND", 1)
                time.sleep(0.02)  # another moment to be written in
                self.server.drop()
                self.assertEqual(prim.out(), "delivered")
                first, second = self.server.wait_asked("SEND", 2)
                self.assertEqual(first.get("Message-ID"),
                                 second.get("Message-ID"))
                self.assertEqual(first.body, second.body)

    def answer(self, command):
        if command.method == "SEND" and getattr(self, "silent", 0):
            self.silent -= 1
            return None
        return super().answer(command)


if __name__ == "__main__":
    unittest.main()
