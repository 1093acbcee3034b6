# SPDX-License-Identifier: ISC
"""Identities and later word between PRIM and XMPP, through a real Prosody: links
made from either side, who may not make them, what senders are told when a message
fails after all, and bridges in a ring."""

import os
import re
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from servers import Primd, Prosody, wait_until  # noqa: E402
from world import JULIET, NURSE, ROMEO, TYBALT, Base  # noqa: E402

SERVICE = "primbridge@localhost"
REGISTER = "jabber:iq:register"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
CPIM = """From: <im:{sender}>
To: <im:{to}>
DateTime: 2026-01-01T00:00:00Z
NS: imdn <urn:ietf:params:imdn>
imdn.Message-ID: {mid}
imdn.Disposition-Notification: positive-delivery, negative-delivery

Content-Type: text/plain; charset=utf-8

{text}"""


def code_in(text):
    found = re.search(r"\b\d{8}\b", text or "")
    return found and found.group(0)


def form(inside=""):
    return f"<query xmlns='{REGISTER}'>{inside}</query>"


class Identities(Base):
    def setUp(self):
        super().setUp()
        self.romeo = self.world.xmpp(ROMEO)
        self.juliet = self.world.prim(JULIET)
        self.nurse = self.world.prim(NURSE)

    # What people do

    def ask(self, client, inside="", kind="set", to="localhost"):
        return client.iq(to, form(inside), kind=kind)

    def is_registered(self, client):
        kind, text = self.ask(client, kind="get")
        self.assertEqual(kind, "result", text)
        return "registered" in re.findall(r"<(?:\w+:)?(\w+) ?/?>", text)

    def prim_code(self, client, begin=0):
        """The newest code that the service has told a PRIM user."""
        def codes():
            return [code_in(c.text()) for c in client.heard[begin:]
                    if c.get("From") == "im:" + SERVICE and code_in(c.text())]

        client.wait(lambda _: codes())
        self.assertTrue(codes(), client.texts())
        return codes()[-1]

    def xmpp_code(self, client):
        heard = client.wait(lambda h: h.sender.startswith(SERVICE)
                            and code_in(h.body))
        self.assertIsNotNone(heard, client.heard)
        return code_in(heard.body)

    def service(self, client, text):
        """A PRIM user says `text` to the service."""
        self.assertEqual(client.say(SERVICE, text), 200)

    def link(self):
        """Romeo's address is juliet's from now on."""
        self.service(self.juliet, f"link {ROMEO}")
        code = self.xmpp_code(self.romeo)
        self.service(self.juliet, f"verify {ROMEO} {code}")
        self.assertTrue(wait_until(lambda: self.is_registered(self.romeo), 10))

    def sender(self, text):
        """Romeo tells the nurse `text`: who she hears, and who it really was."""
        self.romeo.send(NURSE, text, f"{text}-0123456789abcdef")
        self.assertTrue(self.nurse.wait_text(text), self.nurse.texts())
        command = next(c for c in self.nurse.heard if c.text() == text)
        inside = re.search(rb"^From: .*<(.*)>", command.body, re.M).group(1)
        self.assertEqual(inside.decode(), command.get("From"))
        return command.get("From"), command.get("Bridge-Original-From")

    # Links

    def test_a_prim_user_links_his_xmpp_address(self):
        self.assertEqual(self.sender("before"), ("im:" + ROMEO, None))
        self.link()
        self.assertEqual(self.sender("after")[0], "im:" + JULIET)
        heard = self.romeo.wait(
            lambda h: h.receipt == "after-0123456789abcdef")
        self.assertIsNotNone(heard, "no receipt for who is linked")
        # The answer finds him under his principal's name.
        self.assertEqual(self.nurse.say(JULIET, "for juliet"), 200)
        self.assertTrue(self.juliet.wait_text("for juliet"))

    def test_an_xmpp_user_registers(self):
        kind, text = self.ask(self.romeo, kind="get")
        self.assertEqual(kind, "result")
        self.assertIn("instructions", text)
        self.assertNotIn("registered", text)
        kind, text = self.ask(self.romeo,
                              f"<username>{JULIET}</username>")
        self.assertEqual(kind, "result", text)
        code = self.prim_code(self.juliet)
        self.assertFalse([h for h in self.romeo.heard
                          if code in (h.body or "")], "the code came back")
        self.assertFalse(self.is_registered(self.romeo))
        kind, text = self.ask(
            self.romeo, f"<username>{JULIET}</username>"
            f"<password>{code}</password>")
        self.assertEqual(kind, "result", text)
        kind, text = self.ask(self.romeo, kind="get")
        self.assertIn("registered", text)
        self.assertIn(JULIET, text)
        self.assertEqual(self.sender("registered")[0], "im:" + JULIET)
        # From the gateway's domain it is the same.
        _, text = self.ask(self.romeo, kind="get", to="gateway.localhost")
        self.assertIn("registered", text)
        kind, text = self.ask(self.romeo, "<remove/>")
        self.assertEqual(kind, "result", text)
        self.assertFalse(self.is_registered(self.romeo))
        self.assertEqual(self.sender("alone")[0], "im:" + ROMEO)

    def test_registration_is_announced(self):
        _, text = self.romeo.iq(
            "localhost",
            "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        self.assertIn(REGISTER, text)

    def test_an_xmpp_user_links_and_unlinks_by_messages(self):
        self.romeo.send(SERVICE, f"link {JULIET}", "say-1-0123456789abcdef")
        code = self.prim_code(self.juliet)
        self.romeo.send(SERVICE, f"verify {code}", "say-2-0123456789abcdef")
        self.assertTrue(wait_until(lambda: self.is_registered(self.romeo), 10))
        self.assertEqual(self.sender("linked")[0], "im:" + JULIET)
        self.romeo.send(SERVICE, f"unlink {JULIET}", "say-3-0123456789abcdef")
        self.assertTrue(wait_until(
            lambda: not self.is_registered(self.romeo), 10))
        self.assertEqual(self.sender("unlinked")[0], "im:" + ROMEO)

    def test_unlinking_from_the_prim_side_is_complete(self):
        self.link()
        self.service(self.juliet, f"unlink {ROMEO}")
        self.assertTrue(wait_until(
            lambda: not self.is_registered(self.romeo), 10))
        self.assertEqual(self.sender("gone"), ("im:" + ROMEO, None))

    def test_a_message_follows_and_its_answer_comes_from_the_principal(self):
        self.link()
        self.juliet.close()
        self.world.open.remove(self.juliet)
        self.assertTrue(wait_until(
            lambda: self.nurse.say(JULIET, "where are you?") == 200, 10))
        heard = self.romeo.wait(lambda h: h.body == "where are you?")
        self.assertIsNotNone(heard, self.romeo.heard)
        self.assertEqual(heard.sender, NURSE)
        self.assertEqual(self.sender("here")[0], "im:" + JULIET)

    # Who may not

    def test_nobody_registers_for_somebody_else(self):
        tybalt = self.world.xmpp(TYBALT)
        # His own request leads to a code that he does not see.
        kind, _ = self.ask(tybalt, f"<username>{JULIET}</username>")
        self.assertEqual(kind, "result")
        code = self.prim_code(self.juliet)
        # Romeo, who did not ask, cannot use it ...
        kind, text = self.ask(self.romeo, f"<username>{JULIET}</username>"
                              f"<password>{code}</password>")
        self.assertEqual(kind, "error", text)
        self.assertIn("not-acceptable", text)
        self.assertFalse(self.is_registered(self.romeo))
        # ... and a guess is none.
        guess = f"{(int(code) + 1) % 10**8:08d}"
        kind, text = self.ask(tybalt, f"<username>{JULIET}</username>"
                              f"<password>{guess}</password>")
        self.assertEqual(kind, "error", text)
        self.assertFalse(self.is_registered(tybalt))

    def test_nobody_unregisters_somebody_else(self):
        self.link()
        tybalt = self.world.xmpp(TYBALT)
        kind, text = self.ask(tybalt, "<remove/>")
        self.assertEqual(kind, "error")
        self.assertIn("registration-required", text)
        # In romeo's name: his server does not let that pass, or says who it is.
        tybalt.raw(f"<iq type='set' id='spoof' from='{ROMEO}' to='localhost'>"
                   f"{form('<remove/>')}</iq>")
        tybalt.raw(f"<message id='spoof' from='{ROMEO}' to='{NURSE}'>"
                   "<body>as juliet</body></message>")
        time.sleep(1)
        self.assertTrue(self.is_registered(self.romeo))
        self.assertEqual(self.sender("still")[0], "im:" + JULIET)
        self.assertFalse([c for c in self.nurse.heard
                          if c.text() == "as juliet"
                          and c.get("From") != "im:" + TYBALT])

    def test_one_address_has_one_owner(self):
        self.link()
        self.service(self.nurse, f"link {ROMEO}")
        time.sleep(1)
        kind, _ = self.ask(self.romeo, f"<username>{NURSE}</username>")
        self.assertIn(kind, ("result", "error"))
        time.sleep(1)
        self.assertEqual(self.sender("once")[0], "im:" + JULIET)
        _, text = self.ask(self.romeo, kind="get")
        self.assertIn(JULIET, text)

    def test_forms_that_say_nothing_are_refused(self):
        for inside in ("", "<username>nurse</username>",
                       f"<username>{JULIET}</username>"
                       "<password>sesame</password>"):
            with self.subTest(inside):
                kind, text = self.ask(self.romeo, inside)
                self.assertEqual(kind, "error")
                self.assertIn("not-acceptable", text)


class Later(Base):
    """What is told when the first answer was not the last word."""

    def errors(self, client, mid):
        with client.lock:
            return [h for h in client.heard
                    if h.type == "error" and h.id == mid]

    def test_an_account_that_is_removed_bounces_what_waits_once(self):
        romeo = self.world.xmpp(ROMEO)
        mid = "bounce-0123456789abcdef"
        romeo.send(NURSE, "for later", mid)
        romeo.send(JULIET, "for later, too", "kept-0123456789abcdef")
        time.sleep(1)
        self.assertFalse(romeo.heard, "a receipt or an error too early")
        self.world.primd.ctl("account", "remove", NURSE)
        heard = romeo.wait(lambda h: h.id == mid)
        self.assertIsNotNone(heard, "nothing was told")
        self.assertEqual(heard.type, "error")
        self.assertEqual(heard.sender, NURSE)
        self.assertIn(heard.error, ("item-not-found", "service-unavailable"))
        self.assertRegex(heard.error_text, r"^PRIM 4\d\d ")
        time.sleep(2)
        self.assertEqual(len(self.errors(romeo, mid)), 1)
        self.assertEqual(len(romeo.heard), 1, romeo.heard)

    def test_the_error_goes_to_the_resource_that_sent_it(self):
        there = self.world.xmpp(ROMEO, resource="there")
        here = self.world.xmpp(ROMEO, resource="here")
        mid = "mine-0123456789abcdef"
        here.send(NURSE, "for later", mid)
        time.sleep(1)
        self.world.primd.ctl("account", "remove", NURSE)
        self.assertIsNotNone(here.wait(lambda h: h.id == mid))
        time.sleep(0.5)
        self.assertFalse(self.errors(there, mid))

    def test_a_receipt_comes_when_an_absent_user_reads_it(self):
        romeo = self.world.xmpp(ROMEO)
        mid = "read-0123456789abcdef"
        romeo.send(NURSE, "for later", mid)
        time.sleep(1)
        self.assertFalse(romeo.heard, "a receipt too early")
        nurse = self.world.prim(NURSE)
        self.assertTrue(nurse.wait_text("for later"))
        heard = romeo.wait(lambda h: h.receipt == mid)
        self.assertIsNotNone(heard, romeo.heard)
        time.sleep(1)
        self.assertEqual(len(romeo.heard), 1, romeo.heard)

    def test_who_does_not_ask_gets_no_receipt(self):
        romeo = self.world.xmpp(ROMEO)
        romeo.send(NURSE, "for later", "quiet-0123456789abcdef",
                   receipt=False)
        time.sleep(1)
        nurse = self.world.prim(NURSE)
        self.assertTrue(nurse.wait_text("for later"))
        time.sleep(1)
        self.assertFalse(romeo.heard)

    # The other way

    def handed_over(self, **more):
        """A message of juliet's that was answered 101; its stanza."""
        romeo = self.world.xmpp(ROMEO, receipts=False)
        juliet = self.world.prim(JULIET)
        self.assertEqual(juliet.say(ROMEO, "heard?", **more), 101)
        heard = romeo.wait(lambda h: h.body == "heard?")
        self.assertIsNotNone(heard)
        return romeo, juliet, heard

    def notice(self, juliet, what):
        self.assertTrue(juliet.wait(
            lambda all: any(what in c.body for c in all)), juliet.heard)
        time.sleep(1)
        found = [c for c in juliet.heard if b"imdn" in c.body]
        self.assertEqual(len(found), 1, "not exactly one notice")
        return found[0]

    def bounce(self, kind, condition):
        romeo, juliet, heard = self.handed_over(message_id="bounced-later")
        romeo.raw(f"<message type='error' id='{heard.id}' to='{JULIET}'>"
                  f"<error type='{kind}'><{condition} xmlns='{STANZAS}'/>"
                  "</error></message>")
        command = self.notice(juliet, b"<failed")
        self.assertEqual(command.get("From"), "im:postmaster@localhost")
        self.assertIn(b"bounced-later", command.body)
        self.assertEqual(command.get("Conversation-ID"), "talk")

    def test_a_late_error_is_told_to_the_sender(self):
        self.bounce("cancel", "gone")

    def test_a_late_error_that_may_pass_is_the_end_too(self):
        self.bounce("wait", "remote-server-timeout")

    def test_a_late_receipt_is_told_to_who_asked(self):
        body = CPIM.format(sender=JULIET, to=ROMEO, mid="wanted",
                           text="heard?").replace("\n", "\r\n")
        romeo = self.world.xmpp(ROMEO, receipts=False)
        juliet = self.world.prim(JULIET)
        self.assertEqual(juliet.say(ROMEO, body, message_id="wanted",
                                    content_type="message/cpim"), 101)
        heard = romeo.wait(lambda h: h.body == "heard?")
        self.assertIsNotNone(heard)
        for _ in range(2):
            romeo.raw(f"<message to='{JULIET}'><received "
                      f"xmlns='urn:xmpp:receipts' id='{heard.id}'/></message>")
        command = self.notice(juliet, b"<delivered")
        self.assertIn(b"wanted", command.body)

    def test_a_late_receipt_is_not_told_to_who_did_not_ask(self):
        romeo, juliet, heard = self.handed_over()
        romeo.raw(f"<message to='{JULIET}'><received "
                  f"xmlns='urn:xmpp:receipts' id='{heard.id}'/></message>")
        time.sleep(2)
        self.assertFalse(juliet.heard)

    def test_invented_ids_are_nothing(self):
        tybalt = self.world.xmpp(TYBALT)
        juliet = self.world.prim(JULIET)
        for number in range(300):
            tybalt.raw(f"<message type='error' id='{number:032x}' "
                       f"to='{JULIET}'><error type='cancel'><gone "
                       f"xmlns='{STANZAS}'/></error></message>")
        tybalt.send(JULIET, "the last", "last-0123456789abcdef")
        self.assertTrue(juliet.wait_text("the last"))
        time.sleep(1)
        self.assertEqual(juliet.texts(), ["the last"])
        self.assertTrue(self.world.primd.is_running())


RING = """routes:
  - {{ domain: ring.x, via: out, relay: [localhost, i.x] }}
  - {{ domain: localhost, via: in }}
adapters:
  - name: in
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: ring.x
      secret_file: {secret}
      gateway_domain: i.x
  - name: out
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: back.x
      secret_file: {secret}
      gateway_domain: o.x
"""
FIRST = """routes:
  - {{ domain: ring.x, via: xmpp }}
adapters:
  - name: xmpp
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: localhost
      secret_file: {secret}
"""


class Ring(unittest.TestCase):
    """What juliet's bridge hands to XMPP comes to a second bridge, which sends it
    back into XMPP, where the address leads to that bridge again. Her name says then
    that she came through a gateway of it (tests/fault/test_ring.py goes on)."""

    def setUp(self):
        self.prosody = Prosody(
            ["xmpp.localhost"],
            ["localhost", "ring.x", "i.x", "back.x", "o.x"], {})
        self.addCleanup(self.prosody.clean)
        secret = os.path.join(self.prosody.folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write(Prosody.SECRET + "\n")
        os.chmod(secret, 0o600)
        more = {"port": self.prosody.component, "secret": secret}
        self.first = Primd(FIRST.format(**more))
        self.second = Primd(RING.format(**more),
                            domains=("second.localhost",))
        for primd in (self.first, self.second):
            self.addCleanup(primd.clean)
        self.first.account(JULIET)
        self.prosody.start()
        self.first.start()
        self.second.start()
        self.assertTrue(wait_until(lambda: self.links() == 5))

    def links(self):
        return self.prosody.log().count("component successfully authenticated")

    def copies(self):
        """Stanzas that the adapters of both bridges have sent."""
        total = 0
        for primd in (self.first, self.second):
            url = f"http://127.0.0.1:{primd.admin}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                text = answer.read().decode()
            total += sum(int(float(line.rsplit(" ", 1)[1]))
                         for line in text.splitlines()
                         if "messages_out" in line
                         and not line.startswith("#"))
        return total

    def test_a_ring_of_bridges_stops(self):
        juliet = self.first.client(JULIET, listen=True)
        self.addCleanup(juliet.close)
        self.assertEqual(juliet.say("bob@ring.x", "round and round"),
                         402)
        time.sleep(7)  # the adapters tell their numbers every 5 s
        copies = self.copies()
        print(f"ring: {copies} copies", flush=True)
        self.assertEqual(copies, 2)
        time.sleep(6)
        self.assertEqual(self.copies(), 2, "it goes on")
        self.assertFalse(juliet.heard, "a notice for what was refused")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
