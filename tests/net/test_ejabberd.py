# SPDX-License-Identifier: ISC
"""PRIM users and XMPP users of an ejabberd, with the configurations in
contrib/examples. The tests with Prosody go further; here is what an operator of
ejabberd relies upon. The long form asks of ejabberd all that Prosody is asked."""

import json
import os
import re
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import prim  # noqa: E402
import test_xmpp  # noqa: E402
import test_xmpp_links  # noqa: E402
import test_xmpp_presence  # noqa: E402
from ejabberd import Ejabberd  # noqa: E402
from servers import LONG, ROOT, Primd, wait_until  # noqa: E402
from view import CANCELLED, OFFLINE, here  # noqa: E402
from xmpp import Client, Person  # noqa: E402

PRIM, GATEWAY, XMPP = "prim.example.org", "xmpp.prim.example.org", "jabber.example"
FAR = "far.example"  # not routed to the bridge
SERVICE = "primbridge@" + PRIM
OFFLINE_MAX = 3
# Seconds within which a busy machine does anything.
SOON = 40


def example(port, secret):
    """contrib's configuration of primd, with the ports of a test, and with what
    Primd says itself left out."""
    with open(os.path.join(ROOT, "contrib/examples/primd.yaml"),
              encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"^(domains|data_dir|admin):.*\n|^listen:\n(  .*\n)+", "", text,
                  flags=re.M)
    text = text.replace("127.0.0.1:5347", f"127.0.0.1:{port}")
    return re.sub(r"^( +secret_file: ).*\n",
                  rf"\g<1>{secret}\n      gateway_domain: {GATEWAY}\n", text,
                  flags=re.M)


class World:
    """Both servers, and people who never met before."""

    def __init__(self):
        self.ejabberd = Ejabberd([XMPP, FAR], [PRIM, GATEWAY], {},
                                 offline_max=OFFLINE_MAX)
        secret = self.ejabberd.put("secret", Ejabberd.SECRET + "\n")
        os.chmod(secret, 0o600)
        self.primd = Primd(example(self.ejabberd.component, secret),
                           domains=(PRIM,))
        self.people = 0
        self.failed = False

    def start(self):
        self.ejabberd.start()
        self.primd.start()
        self.tybalt = "tybalt@" + XMPP
        self.ejabberd.register(self.tybalt, "secret")
        self.wait_road()
        return self

    def wait_road(self):
        """Until both components answer through ejabberd."""
        client = self.ejabberd.client(self.tybalt)

        def answers(to):
            try:
                return client.iq(to, "<ping xmlns='urn:xmpp:ping'/>",
                                 timeout=2)[0] == "result"
            except Exception:
                return False

        if not wait_until(lambda: answers(PRIM) and answers(GATEWAY), SOON, 0.1):
            raise RuntimeError("no road through ejabberd:\n"
                               + self.primd.log()[-3000:])
        client.close()

    def names(self):
        """Of somebody on either side."""
        self.people += 1
        romeo, juliet = f"romeo{self.people}@{XMPP}", f"juliet{self.people}@{PRIM}"
        self.ejabberd.register(romeo, "secret")
        self.primd.account(juliet)
        return romeo, juliet

    def end(self):
        self.primd.clean(self.failed)
        self.ejabberd.clean(self.failed)


WORLD = None


def setUpModule():
    global WORLD
    if not Ejabberd.SCRIPT:
        raise unittest.SkipTest("ejabberd is not installed: "
                                "sh contrib/deps.sh --test")
    WORLD = World()
    unittest.addModuleCleanup(WORLD.end)
    WORLD.start()


class Base(unittest.TestCase):
    def setUp(self):
        self.world = WORLD
        self.romeo_at, self.juliet_at = WORLD.names()

    def tearDown(self):
        outcome = self._outcome
        WORLD.failed |= any(t is self for t, _ in
                            outcome.result.errors + outcome.result.failures)

    def open(self, client):
        self.addCleanup(client.close)
        return client

    def xmpp(self, address=None, **more):
        return self.open(WORLD.ejabberd.client(address or self.romeo_at,
                                               timeout=SOON, **more))

    def prim(self, address=None, **more):
        return self.open(WORLD.primd.client(address or self.juliet_at,
                                            listen=True, **more))

    def heard(self, client, enough):
        heard = client.wait(enough, SOON)
        self.assertIsNotNone(heard, client.heard)
        return heard

    def read(self, client, text):
        self.assertTrue(client.wait_text(text, SOON), client.texts())
        return next(c for c in client.heard if c.text() == text)


class Messages(Base):
    TEXTS = ("Süßer Abschied, größer Schmerz: äöüß ÄÖÜ", "💌 👩‍👩‍👧‍👦 🏳️‍🌈",
             "<b>&amp; ]]> \"quotes\" 'n' <!-- comments --></b>",
             "All the world's a stage. " * 2458)

    def test_texts_cross_both_ways_and_receipts_too(self):
        romeo, juliet = self.xmpp(), self.prim()
        for number, text in enumerate(self.TEXTS):
            self.assertEqual(juliet.say(self.romeo_at, text, timeout=SOON), 200)
            heard = self.heard(romeo, lambda h, t=text: h.body == t)
            self.assertEqual((heard.sender, heard.type), (self.juliet_at, "chat"))
            romeo.send(self.juliet_at, text + "!", f"in-0123456789abcdef-{number}")
            command = self.read(juliet, text + "!")
            self.assertEqual(command.get("From"), "im:" + self.romeo_at)
            self.heard(romeo, lambda h, n=number:
                       h.receipt == f"in-0123456789abcdef-{n}")

    def test_users_of_other_domains_go_by_the_gateways_name(self):
        benvolio = f"benvolio{WORLD.people}@{FAR}"
        WORLD.ejabberd.register(benvolio, "secret")
        client, juliet = self.xmpp(benvolio), self.prim()
        client.send(self.juliet_at, "from afar", "far-0123456789abcdef")
        name = self.read(juliet, "from afar").get("From")[len("im:"):]
        self.assertEqual(name, benvolio.replace("@", "%40") + "@" + GATEWAY)
        self.assertEqual(juliet.say(name, "and back", timeout=SOON), 200)
        self.heard(client, lambda h: h.body == "and back")

    def test_an_unknown_xmpp_user_is_an_error_to_the_prim_sender(self):
        # service-unavailable, also for who does not exist (RFC 6121, 8.5.1).
        self.assertIn(self.prim().say("nobody@" + XMPP, "who?", timeout=SOON),
                      (403, 408))

    def test_an_unknown_prim_user_is_an_error_to_the_xmpp_sender(self):
        romeo = self.xmpp()
        romeo.send("nobody@" + PRIM, "who?", "unknown-0123456789")
        heard = self.heard(romeo, lambda h: h.type == "error")
        self.assertEqual((heard.error, heard.id, heard.sender),
                         ("item-not-found", "unknown-0123456789",
                          "nobody@" + PRIM))

    def test_an_absent_user_reads_what_101_was_said_of_and_gives_a_receipt(self):
        juliet = self.prim()
        body = test_xmpp_links.CPIM.format(
            sender=self.juliet_at, to=self.romeo_at, mid="wanted",
            text="for later").replace("\n", "\r\n")
        self.assertEqual(juliet.say(self.romeo_at, body, message_id="wanted",
                                    content_type="message/cpim", timeout=SOON),
                         101)
        self.assertFalse(juliet.heard, "a notice before he can have read it")
        self.heard(self.xmpp(), lambda h: h.body == "for later")
        self.assertTrue(juliet.wait(1, SOON), "no notice")
        self.assertIn(b"<delivered", juliet.heard[0].body)
        self.assertIn(b"wanted", juliet.heard[0].body)

    def test_who_writes_to_a_bridge_that_is_away_is_told_so(self):
        romeo = self.xmpp()
        self.assertEqual(WORLD.primd.stop(SOON), 0)
        romeo.send(self.juliet_at, "hello?", "away-0123456789abcdef")
        heard = self.heard(romeo, lambda h: h.id == "away-0123456789abcdef")
        # ejabberd looks for the domain elsewhere, as for any it does not know.
        self.assertIn(heard.error, ("remote-server-not-found",
                                    "remote-server-timeout"))
        WORLD.primd.start()
        WORLD.wait_road()
        juliet = self.prim()
        romeo.send(self.juliet_at, "there you are", "back-0123456789abcdef")
        self.read(juliet, "there you are")
        self.assertEqual(juliet.texts(), ["there you are"])

    def test_what_ejabberd_has_no_room_for_waits_here(self):
        juliet = self.prim()
        texts = {f"number {n}" for n in range(OFFLINE_MAX + 2)}
        futures = [juliet.send(self.romeo_at, text) for text in sorted(texts)]
        self.assertEqual([f.result(SOON).code for f in futures],
                         [101] * len(texts))

        def waiting():
            return [str(m["id"]) for m in json.loads(WORLD.primd.ctl(
                "outbox", "list", self.romeo_at, "--json"))["messages"]]

        self.assertTrue(wait_until(lambda: len(waiting()) == 2, SOON), waiting())
        romeo = self.xmpp(receipts=False)
        for ident in waiting():
            # It may be tried by itself just now.
            WORLD.primd.ctl("outbox", "retry", ident, check=False)
        self.assertTrue(wait_until(lambda: set(romeo.bodies()) == texts, SOON),
                        romeo.bodies())
        self.assertTrue(wait_until(lambda: not waiting(), SOON))
        self.assertEqual(len(romeo.bodies()), len(texts), "some came twice")
        self.assertFalse(juliet.heard, "a notice")


class Resuming(Client):
    """Whose session outlives the connection (XEP-0198)."""

    def prepare(self, xmpp):
        self.resumable = threading.Event()
        xmpp.register_plugin("xep_0198", {"allow_resume": True})
        xmpp.add_event_handler("sm_enabled", lambda _: self.resumable.set())


class Later(Base):
    def test_what_ejabberd_took_and_then_lost_is_told_to_the_sender(self):
        juliet = self.prim()
        romeo = self.open(Resuming(self.romeo_at, "secret", WORLD.ejabberd.c2s,
                                   timeout=SOON))
        self.assertTrue(romeo.resumable.wait(SOON))
        # ejabberd waits for him, and everything for him waits there, too.
        romeo.close()
        self.assertEqual(juliet.say(self.romeo_at, "into the void",
                                    message_id="void", timeout=SOON), 101)
        self.assertTrue(juliet.wait(1, SOON), "no notice")
        notice = juliet.heard[0]
        self.assertEqual(notice.get("From"), "im:postmaster@" + PRIM)
        self.assertIn(b"<failed", notice.body)
        self.assertIn(b"void", notice.body)
        self.assertFalse(self.xmpp().bodies(), "it was not lost")

    def test_an_account_that_is_removed_bounces_what_waits(self):
        romeo = self.xmpp()
        romeo.send(self.juliet_at, "for later", "bounce-0123456789abcdef")
        self.assertTrue(wait_until(
            lambda: self.juliet_at in WORLD.primd.ctl("outbox", "list"), SOON))
        self.assertFalse(romeo.heard, "a receipt or an error too early")
        WORLD.primd.ctl("account", "remove", self.juliet_at)
        heard = self.heard(romeo, lambda h: h.id == "bounce-0123456789abcdef")
        self.assertEqual((heard.type, heard.sender), ("error", self.juliet_at))
        self.assertRegex(heard.error_text, r"^PRIM 4\d\d ")


class Presence(Base):
    def setUp(self):
        super().setUp()
        self.romeo = self.person()
        self.juliet = self.open(prim.Presence(
            WORLD.primd.port, self.juliet_at,
            WORLD.primd.passwords[self.juliet_at]))

    def person(self, first=here(text="begin"), **more):
        person = self.open(Person(self.romeo_at, "secret", WORLD.ejabberd.c2s,
                                  first=first, timeout=SOON, **more))
        # ejabberd has read that he is there. A request that comes just then is
        # shown twice: as it comes, and as one that was waiting for him.
        person.subscription(self.juliet_at)
        return person

    def told(self, watcher, who, view):
        self.assertTrue(watcher.wait_view(who, view, SOON),
                        [s.view for s in watcher.sights(who)])

    def came(self, kind):
        """A stanza of that type, to romeo from juliet."""
        self.assertIsNotNone(
            self.romeo.wait_type(kind, self.juliet_at, SOON), self.romeo.stanzas)

    def publish(self, tuples, **more):
        self.assertEqual(self.juliet.publish(tuples, **more).result(SOON).code,
                         200)

    def watch(self):
        """juliet watches romeo, who lets her."""
        self.assertEqual(self.juliet.watch(self.romeo_at), 200)
        self.came("subscribe")
        self.romeo.approve(self.juliet_at)
        self.told(self.juliet, self.romeo_at, {"test": here(text="begin")})

    def follow(self):
        """romeo watches juliet, as everybody may."""
        self.publish({"desk": here(text="begin")})
        self.romeo.subscribe(self.juliet_at)
        self.came("subscribed")
        self.told(self.romeo, self.juliet_at, {"desk": here(text="begin")})

    def test_a_prim_user_watches_an_xmpp_user(self):
        self.assertEqual(self.juliet.watch(self.romeo_at), 200)
        self.came("subscribe")
        self.told(self.juliet, self.romeo_at, OFFLINE)
        self.watch()
        for how in (here("away", "Süße Grüße aus Köln 💌", 5), here("dnd"),
                    here("xa", {"en": "gone", "it": "andato"}), here("chat")):
            self.romeo.appear(how)
            self.told(self.juliet, self.romeo_at, {"test": how})
        phone = self.person(here("away"), resource="phone")
        self.told(self.juliet, self.romeo_at,
                  {"test": here("chat"), "phone": here("away")})
        phone.reset()
        self.told(self.juliet, self.romeo_at, {"test": here("chat")})
        self.romeo.vanish()
        self.told(self.juliet, self.romeo_at, OFFLINE)
        self.romeo.appear(here())
        self.told(self.juliet, self.romeo_at, {"test": here()})
        self.romeo.deny(self.juliet_at)
        self.told(self.juliet, self.romeo_at, CANCELLED)
        self.assertEqual(self.juliet.watch(self.romeo_at), 402)
        self.assertEqual(len(self.romeo.of_type("subscribe", self.juliet_at)), 1)

    def test_who_stops_watching_needs_no_new_approval(self):
        self.watch()
        self.assertEqual(self.juliet.unwatch(self.romeo_at), 200)
        self.came("unavailable")
        self.romeo.appear(here("dnd", "later"))
        self.assertEqual(self.juliet.watch(self.romeo_at), 200)
        self.told(self.juliet, self.romeo_at, {"test": here("dnd", "later")})
        self.assertEqual(len(self.romeo.of_type("subscribe", self.juliet_at)), 1)

    def test_an_xmpp_user_watches_a_prim_user(self):
        self.follow()
        self.assertEqual(self.romeo.subscription(self.juliet_at), "to")
        for how in (here("away", "Süße Grüße aus Köln 💌"), here("dnd"), here()):
            self.publish({"desk": how})
            self.told(self.romeo, self.juliet_at, {"desk": how})
        self.publish({"phone": here("chat")}, name="phone")
        self.told(self.romeo, self.juliet_at,
                  {"desk": here(), "phone": here("chat")})
        self.assertEqual(self.juliet.revert("phone").result(SOON).code, 200)
        self.publish({"desk": None})
        self.told(self.romeo, self.juliet_at, OFFLINE)
        self.publish({"desk": here()})
        again = self.person(resource="again")
        self.told(again, self.juliet_at, {"desk": here()})
        self.romeo.unsubscribe(self.juliet_at)
        self.told(self.romeo, self.juliet_at, OFFLINE)
        self.assertTrue(wait_until(
            lambda: self.romeo_at not in WORLD.primd.ctl(
                "subscription", "list", self.juliet_at), SOON))
        self.assertTrue(wait_until(
            lambda: self.romeo.subscription(self.juliet_at) == "none", SOON))

    def test_who_changes_or_leaves_while_the_adapter_is_dead_is_seen_so(self):
        self.watch()
        self.follow()
        phone = self.person(here("away"), resource="phone")
        self.told(self.juliet, self.romeo_at,
                  {"test": here(text="begin"), "phone": here("away")})
        WORLD.primd.kill_host("xmpp")
        phone.vanish()
        self.romeo.appear(here("dnd", "meanwhile"))
        self.publish({"desk": here("dnd", "meanwhile")})
        self.told(self.juliet, self.romeo_at, {"test": here("dnd", "meanwhile")})
        self.told(self.romeo, self.juliet_at, {"desk": here("dnd", "meanwhile")})
        WORLD.primd.kill_host("xmpp")
        self.romeo.vanish()
        self.publish({"desk": None})
        self.told(self.juliet, self.romeo_at, OFFLINE)
        self.romeo.appear(here())
        self.told(self.juliet, self.romeo_at, {"test": here()})
        self.told(self.romeo, self.juliet_at, OFFLINE)
        self.assertEqual(len(self.romeo.of_type("subscribe", self.juliet_at)), 1,
                         "asked again")
        self.assertFalse(self.romeo.of_type("unsubscribed", self.juliet_at))


class Identities(Base):
    FORM = "<query xmlns='jabber:iq:register'>{}</query>"

    def form(self, client, inside="", kind="set"):
        kind, text = client.iq(PRIM, self.FORM.format(inside), SOON, kind)
        self.assertEqual(kind, "result", text)
        return text

    def sender(self, client, listener, text):
        """Whom `listener` hears when `client` says `text`."""
        client.send(listener.address, text, f"{text}-0123456789abcdef")
        return self.read(listener, text).get("From")

    def test_an_xmpp_user_registers_and_is_his_account_from_then_on(self):
        nurse_at = WORLD.names()[1]
        romeo, juliet, nurse = self.xmpp(), self.prim(), self.prim(nurse_at)
        self.assertEqual(self.sender(romeo, nurse, "before"),
                         "im:" + self.romeo_at)
        self.form(romeo, f"<username>{self.juliet_at}</username>")
        self.assertTrue(juliet.wait(
            lambda heard: any(test_xmpp_links.code_in(c.text()) for c in heard),
            SOON), juliet.texts())
        self.assertEqual(juliet.heard[-1].get("From"), "im:" + SERVICE)
        code = test_xmpp_links.code_in(juliet.heard[-1].text())
        self.assertNotIn("registered", self.form(romeo, kind="get"))
        self.form(romeo, f"<username>{self.juliet_at}</username>"
                  f"<password>{code}</password>")
        self.assertIn("registered", self.form(romeo, kind="get"))
        self.assertEqual(self.sender(romeo, nurse, "after"),
                         "im:" + self.juliet_at)
        self.heard(romeo, lambda h: h.receipt == "after-0123456789abcdef")
        # Where nobody listens, it follows; and the answer is the account's.
        juliet.close()
        self.assertTrue(wait_until(lambda: nurse.say(
            self.juliet_at, "where are you?", timeout=SOON) == 200, SOON))
        heard = self.heard(romeo, lambda h: h.body == "where are you?")
        self.assertEqual(heard.sender, nurse_at)
        self.assertEqual(self.sender(romeo, nurse, "here"),
                         "im:" + self.juliet_at)
        self.form(romeo, "<remove/>")
        self.assertNotIn("registered", self.form(romeo, kind="get"))
        self.assertEqual(self.sender(romeo, nurse, "alone"),
                         "im:" + self.romeo_at)


class Killed(test_xmpp.Killed):
    """The judge of the tests with Prosody, in a world of his."""

    WORLD = {"server": Ejabberd}
    ROUNDS = 1
    test_ejabberd_killed_under_traffic = (
        test_xmpp.Killed.test_prosody_killed_under_traffic)
    test_prosody_killed_under_traffic = None
    test_adapter_killed_under_traffic = None


def load_tests(loader, tests, _pattern):
    """In the long form all that Prosody is asked, too."""
    modules = (test_xmpp, test_xmpp_links, test_xmpp_presence) if LONG else ()
    for module in modules:
        for case in vars(module).values():
            # Ring starts a Prosody itself.
            if isinstance(case, type) and hasattr(case, "WORLD"):
                world = {**case.WORLD, "server": Ejabberd}
                tests.addTests(loader.loadTestsFromTestCase(
                    type(case.__name__ + "Too", (case,), {"WORLD": world})))
    return tests


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
