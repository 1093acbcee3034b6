# SPDX-License-Identifier: ISC
"""Messages between PRIM users and XMPP users, through a real Prosody and a real
XMPP client, with parts of the road killed in the middle."""

import os
import random
import sys
import threading
import time
import unittest
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from prim import Gone  # noqa: E402
from servers import LONG, wait_until  # noqa: E402
from world import JULIET, NURSE, ROMEO, Base  # noqa: E402

TEXTS = {
    "plain": "Good night, good night!",
    "umlauts": "Süßer Abschied, größer Schmerz: äöüß ÄÖÜ",
    "emoji": "💌 👩‍👩‍👧‍👦 🏳️‍🌈",
    "markup": "<b>&amp; ]]> \"quotes\" 'n' <!-- comments --></b>",
    "lines": "one\ntwo\n\n  four",
    "right to left": "שלום עולם \u202b!",
    "60 KB": "All the world's a stage. " * 2458,
}

# No XML 1.0 document can hold these.
ILLEGAL = {"NUL": b"a\0b", "a control": b"a\x01b", "escape": b"\x1b[31mred",
           "U+FFFE": "a\ufffeb".encode(), "U+FFFF": "a\uffffb".encode(),
           "broken UTF-8": b"a\xffb", "a surrogate": b"a\xed\xa0\x80b"}


class Messages(Base):
    def test_texts_cross_from_prim_to_xmpp(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        for name, text in TEXTS.items():
            with self.subTest(name):
                mid = "to-xmpp-" + name.replace(" ", "-")
                code = juliet.say(ROMEO, text, message_id=mid)
                self.assertEqual(code, 200, "romeo's client gives receipts")
                heard = romeo.wait(lambda h, t=text: h.body == t)
                self.assertIsNotNone(heard, "not the same text")
                self.assertEqual(heard.sender, JULIET)
                self.assertEqual(heard.type, "chat")
                self.assertIn(mid, heard.xml)

    def test_texts_cross_from_xmpp_to_prim(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        for name, text in TEXTS.items():
            with self.subTest(name):
                mid = "to-prim-0123456789-" + name.replace(" ", "-")
                romeo.send(JULIET, text, mid)
                self.assertTrue(juliet.wait_text(text), "not the same text")
                command = juliet.heard[-1]
                self.assertEqual(command.get("From"), "im:" + ROMEO)
                self.assertEqual(command.get("To"), "im:" + JULIET)
                self.assertTrue(command.get("Conversation-ID"))
                self.assertTrue(command.get("Content-Type")
                                .startswith("message/cpim"))
                self.assertIsNotNone(romeo.wait(
                    lambda h, m=mid: h.receipt == m), "no receipt")

    def test_a_stanza_that_comes_again_is_no_second_message(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        for _ in range(2):
            romeo.send(JULIET, "once", "again-0123456789")
            self.assertIsNotNone(romeo.wait(lambda h: h.receipt))
            time.sleep(1.1)  # the second says another time
        romeo.send(JULIET, "another", "other-0123456789")
        self.assertTrue(juliet.wait_text("another"))
        self.assertEqual(juliet.texts(), ["once", "another"])
        self.assertFalse([h for h in romeo.heard if not h.receipt], "an error")

    def test_who_says_it_twice_is_heard_twice(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        for _ in range(2):
            romeo.raw(f"<message to='{JULIET}' id='7' type='chat'>"
                      "<body>ok</body></message>")
        self.assertTrue(wait_until(lambda: juliet.texts() == ["ok", "ok"], 5))
        self.assertFalse(romeo.heard, "an error")

    def test_threads_and_subjects_cross(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        romeo.send(JULIET, "hark", "thread-in-0123456789", thread="balcony-7",
                   subject="What light?")
        self.assertTrue(juliet.wait_text("hark"))
        command = juliet.heard[-1]
        self.assertRegex(command.body, rb"Subject:(;lang=\w+)? What light\?")
        juliet.say(ROMEO, "ay me",
                   conversation=command.get("Conversation-ID"))
        answer = romeo.wait(lambda h: h.body == "ay me")
        self.assertIsNotNone(answer)
        self.assertEqual(answer.thread, "balcony-7")

    def test_what_xml_cannot_hold_is_refused_and_harms_nobody(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        links = self.world.links()
        self.assertEqual(links, 2)
        for name, text in ILLEGAL.items():
            with self.subTest(name):
                self.assertEqual(juliet.say(ROMEO, text), 400)
        self.assertEqual(juliet.say(ROMEO, "still here"), 200)
        self.assertIsNotNone(romeo.wait(lambda h: h.body == "still here"))
        self.assertEqual(len(romeo.bodies()), 1)
        self.assertEqual(self.world.links(), links, "the stream was closed")

    def test_an_unknown_xmpp_user_is_an_error_to_the_prim_sender(self):
        juliet = self.world.prim(JULIET)
        # Prosody says service-unavailable for who does not exist (RFC 6121).
        self.assertIn(juliet.say("nobody@xmpp.localhost", "who?"), (403, 408))

    def test_an_unknown_prim_user_is_an_error_to_the_xmpp_sender(self):
        romeo = self.world.xmpp(ROMEO)
        romeo.send("nobody@localhost", "who?", "unknown-0123456789")
        heard = romeo.wait(lambda h: h.type == "error")
        self.assertIsNotNone(heard)
        self.assertEqual(heard.error, "item-not-found")
        self.assertEqual(heard.id, "unknown-0123456789")
        self.assertEqual(heard.sender, "nobody@localhost")

    def test_who_gives_no_receipt_is_answered_101_after_the_fence(self):
        romeo = self.world.xmpp(ROMEO, receipts=False)
        juliet = self.world.prim(JULIET)
        self.assertEqual(juliet.say(ROMEO, "heard?"), 101)
        self.assertIsNotNone(romeo.wait(lambda h: h.body == "heard?"))

    def test_an_absent_xmpp_user_reads_it_later(self):
        juliet = self.world.prim(JULIET)
        self.assertEqual(juliet.say(ROMEO, "for later"), 101)
        romeo = self.world.xmpp(ROMEO)
        self.assertIsNotNone(romeo.wait(lambda h: h.body == "for later"))

    def test_an_absent_prim_user_reads_it_later_and_the_sender_gets_no_receipt(self):
        romeo = self.world.xmpp(ROMEO)
        romeo.send(NURSE, "for later", "later-0123456789abcdef")
        time.sleep(1)
        nurse = self.world.prim(NURSE)
        self.assertTrue(nurse.wait_text("for later"))
        self.assertIsNone(romeo.wait(lambda h: h.type == "error", timeout=0.5))

    def test_the_component_answers_what_it_is_asked(self):
        romeo = self.world.xmpp(ROMEO)
        for to in ("localhost", JULIET):
            kind, text = romeo.iq(
                to, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
            self.assertEqual(kind, "result")
            self.assertIn("http://jabber.org/protocol/disco#info", text)
            kind, _ = romeo.iq(to, "<ping xmlns='urn:xmpp:ping'/>")
            self.assertEqual(kind, "result")
            kind, text = romeo.iq(to, "<query xmlns='urn:example:unheard-of'/>")
            self.assertEqual(kind, "error")
            self.assertIn("service-unavailable", text)
        kind, text = romeo.iq("localhost", "<query xmlns='jabber:iq:version'/>")
        self.assertEqual(kind, "result")
        self.assertIn("version", text)


class Strangers(Base):
    """Nobody relays through us from one foreign network to another."""

    ELSEWHERE = "somebody\\40third.localhost@gateway.localhost"
    BACK = "romeo\\40xmpp.localhost@gateway.localhost"

    def test_an_xmpp_stranger_cannot_reach_a_third_network(self):
        romeo = self.world.xmpp(ROMEO)
        for to, mid in ((self.ELSEWHERE, "relay-0123456789abcdef"),
                        (self.BACK, "relay-back-0123456789abcdef")):
            romeo.send(to, "let me through", mid)
            heard = romeo.wait(lambda h, m=mid: h.id == m and h.type == "error")
            self.assertIsNotNone(heard, "no refusal")
            self.assertEqual(heard.error, "forbidden")
            self.assertIn("402", heard.error_text)
        time.sleep(0.5)
        self.assertFalse(romeo.bodies(), "the echo was reached")


class Relayed(Base):
    """... unless both routes say that they may."""

    WORLD = {"to_xmpp": "third.localhost", "to_third": "xmpp.localhost"}

    def test_an_xmpp_user_reaches_a_third_network_where_that_is_allowed(self):
        romeo = self.world.xmpp(ROMEO)
        romeo.send(Strangers.ELSEWHERE, "hello, third", "relay-0123456789abcdef")
        heard = romeo.wait(lambda h: h.body == "hello, third")
        self.assertIsNotNone(heard, [str(h) for h in romeo.heard])
        self.assertEqual(heard.sender, Strangers.ELSEWHERE)


class Outward:
    """Juliet tells romeo numbers; what she was answered, and when."""

    def __init__(self, world):
        self.world = world
        self.answers = {}  # number -> (code, moment of the answer)
        self.sent = 0
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.client = world.prim(JULIET, listen=False)
        self.window = threading.Semaphore(16)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            self.window.acquire()
            self.sent += 1
            number = self.sent
            future = self.client.send(ROMEO, f"out {number}",
                                      message_id=f"out-{number}",
                                      conversation=f"c{number % 3}")
            future.add_done_callback(
                lambda f, n=number: self.answered(n, f))
            time.sleep(0.004)

    def answered(self, number, future):
        try:
            code = future.result().code
        except Gone:
            code = None
        with self.lock:
            self.answers[number] = (code, time.time())
        self.window.release()

    def end(self):
        self.stop.set()
        self.thread.join(20)
        wait_until(lambda: len(self.answers) == self.sent, 20)


class Inward:
    """Romeo tells juliet numbers from `first`, and asks for receipts."""

    def __init__(self, romeo, first=0):
        self.romeo = romeo
        self.sent = first
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set() and not self.romeo.over.is_set():
            self.sent += 1
            self.romeo.send(JULIET, f"in {self.sent}",
                            f"in-0123456789abcdef-{self.sent}")
            time.sleep(0.006)

    def end(self):
        self.stop.set()
        self.thread.join(10)


def receipts_of(romeos):
    numbers = set()
    for romeo in romeos:
        with romeo.lock:
            numbers |= {int(h.receipt.rsplit("-", 1)[1]) for h in romeo.heard
                        if h.receipt}
    return numbers


class Killed(Base):
    """Something dies under traffic, three times."""

    ROUNDS = 10 if LONG else 3

    def outward(self, outward, romeos, kills):
        """Judges what juliet was promised against what romeo heard."""
        heard = Counter()
        ids = {}
        for romeo in romeos:
            with romeo.lock:
                for h in romeo.heard:
                    if h.body and h.body.startswith("out "):
                        number = int(h.body.split()[1])
                        heard[number] += 1
                        ids.setdefault(number, set()).add(h.id)
        codes = Counter(code for code, _ in outward.answers.values())
        lost = {n for n, (code, _) in outward.answers.items()
                if code in (200, 101) and not heard[n]}
        lost_200 = {n for n in lost if outward.answers[n][0] == 200}
        # A 101 that is not there had passed the fence before a kill, at most a
        # moment before it: Prosody had read it and died with it.
        excused = {n for n in lost - lost_200
                   if any(0 <= kill - outward.answers[n][1] < 2
                          for kill in kills)}
        twice = {n for n, count in heard.items() if count > 1}
        print(f"PRIM to XMPP: {outward.sent} sent, answers {dict(codes)}, "
              f"{len(heard)} arrived, {len(twice)} twice (same id), "
              f"{len(excused)} passed the fence and died with Prosody, "
              f"{len(lost - excused)} lost", flush=True)
        self.assertFalse(lost_200, "answered 200 and never arrived")
        self.assertFalse(lost - excused, "answered 101 and never arrived")
        for number in twice:
            self.assertEqual(len(ids[number]), 1,
                             f"out {number} came twice with two ids")
        self.assertGreater(codes[200] + codes[101], outward.sent * 0.5)
        return excused

    def inward(self, sent, romeos, juliet):
        receipts = receipts_of(romeos)
        with juliet.lock:
            texts = [c.text() for c in juliet.heard]
            ids = Counter(c.get("Message-ID") for c in juliet.heard)
        heard = Counter(int(t.split()[1]) for t in texts if t.startswith("in "))
        missing = receipts - set(heard)
        bounced = 0
        for romeo in romeos:
            with romeo.lock:
                bounced += sum(h.type == "error" for h in romeo.heard)
        print(f"XMPP to PRIM: {sent} sent, {len(receipts)} with receipt, "
              f"{bounced} bounced by Prosody, "
              f"{len(heard)} arrived, {len(missing)} missing of those with "
              f"receipt, {sum(heard.values()) - len(heard)} twice", flush=True)
        self.assertFalse(missing, "a receipt for what never arrived")
        self.assertFalse([i for i, n in ids.items() if n > 1],
                         "the same message came twice")
        self.assertFalse([n for n, c in heard.items() if c > 1],
                         "the same text came twice")
        self.assertGreater(len(heard), 0)

    def settle(self, outward, romeos, juliet):
        """Until everything promised is there, or nothing more comes."""
        def count():
            return (sum(len(r.heard) for r in romeos), len(juliet.heard))

        last, since = None, time.monotonic()
        while time.monotonic() - since < 12:
            now = count()
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.2)
            there = {b for r in romeos for b in r.bodies()}
            done = all(f"out {n}" in there for n, (code, _) in
                       outward.answers.items() if code in (200, 101))
            texts = set(juliet.texts())
            if done and all(f"in {n}" in texts for n in receipts_of(romeos)):
                break
        time.sleep(2)

    def test_adapter_killed_under_traffic(self):
        romeo = self.world.xmpp(ROMEO)
        juliet = self.world.prim(JULIET)
        outward, inward = Outward(self.world), Inward(romeo)
        for _ in range(self.ROUNDS):
            time.sleep(random.uniform(1.0, 2.0))
            self.world.primd.kill_host("xmpp")
        time.sleep(2)
        self.world.wait_link()
        inward.end()
        outward.end()
        self.settle(outward, [romeo], juliet)
        print(f"{self.ROUNDS} times kill -9 of the adapter")
        self.assertFalse(self.outward(outward, [romeo], []))
        self.inward(inward.sent, [romeo], juliet)
        self.assertTrue(self.world.primd.is_running())

    def test_prosody_killed_under_traffic(self):
        romeos = [self.world.xmpp(ROMEO)]
        juliet = self.world.prim(JULIET)
        outward = Outward(self.world)
        kills, sent = [], 0
        for _ in range(self.ROUNDS):
            inward = Inward(romeos[-1], sent)
            time.sleep(random.uniform(1.0, 2.0))
            kills.append(time.time())
            self.world.prosody.kill()
            inward.end()
            sent = inward.sent
            time.sleep(random.uniform(0.2, 1.0))
            self.world.prosody.start()
            romeos.append(self.world.xmpp(ROMEO))
        time.sleep(1)
        self.world.wait_link(60)
        inward = Inward(romeos[-1], sent)
        time.sleep(1)
        inward.end()
        outward.end()
        self.settle(outward, romeos, juliet)
        print(f"{self.ROUNDS} times kill -9 of Prosody")
        self.outward(outward, romeos, kills)
        self.inward(inward.sent, romeos, juliet)
        self.assertTrue(self.world.primd.is_running())


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
