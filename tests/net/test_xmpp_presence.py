# SPDX-License-Identifier: ISC
"""How PRIM users and XMPP users see each other, through a real Prosody and a
real XMPP client; with each part of the road killed in the middle."""

import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from prim import Gone  # noqa: E402
from servers import LONG, wait_until  # noqa: E402
from view import CANCELLED, OFFLINE, Truth, here, thousandths  # noqa: E402
from world import BENVOLIO, JULIET, NURSE, ROMEO, Base, World  # noqa: E402

OPEN_TO_ALL = ("{ own_domain: [fetch, subscribe, send], "
               "everyone: [fetch, subscribe, send] }")
CLOSED_TO_OTHERS = ("{ own_domain: [fetch, subscribe, send], "
                    "everyone: [send] }")
ELSEWHERE = "somebody\\40third.localhost@gateway.localhost"

# Seconds until a change must have been seen on the other side. It takes one, but the
# machine may be busy.
SOON = 20


class Presence(Base):
    WORLD = {"acl": OPEN_TO_ALL}

    def romeo(self, first=here(), **more):
        return self.world.person(ROMEO, first=first, **more)

    def juliet(self):
        return self.world.presence(JULIET)

    def told(self, watcher, who, view, timeout=SOON, message=""):
        """Waits until `watcher` sees `who` so."""
        if not watcher.wait_view(who, view, timeout):
            history = "\n".join(f"  {s.when:.3f} {s.view}"
                                for s in watcher.sights(who))
            self.fail(f"{message}\n{who} is not seen as {view} "
                      f"within {timeout} s but, one after the other:\n{history}")

    def document(self, watcher, who):
        return watcher.sights(who)[-1].document

    def fence(self, romeo):
        """What romeo sent before has reached the bridge, and was told to who is
        told of it: changes wait for each other up to 250 ms (spec 5.5)."""
        self.assertTrue(romeo.answers("localhost", 20), "the bridge is silent")
        time.sleep(0.4)

    def watched(self, juliet, romeo, view):
        """juliet watches romeo, who lets her."""
        self.assertIn(juliet.watch(ROMEO), (200, 201))
        self.assertIsNotNone(romeo.wait_type("subscribe", JULIET),
                             "romeo was not asked")
        romeo.approve(JULIET)
        self.told(juliet, ROMEO, view)

    def follows(self, romeo, view, who=JULIET):
        """romeo watches `who`, as everybody may."""
        begin = len(romeo.stanzas)
        romeo.subscribe(who)
        self.assertIsNotNone(romeo.wait_type("subscribed", who, begin=begin),
                             f"not subscribed: {romeo.stanzas[begin:]}")
        self.told(romeo, who, view)

    def publish(self, juliet, tuples, kind="leased", **more):
        code = juliet.publish(tuples, kind, **more).result(10).code
        self.assertEqual(code, 200)

    def truthful(self, truth, watcher, who, begin=0, at=0, message=""):
        """Nothing that `watcher` saw was false; where in the truth it ends."""
        false, at = truth.judge(watcher.sights(who, begin), at)
        if false:
            self.fail(f"{message} seen of {who}, but it was not so: " + "\n".join(
                f"{s.when:.3f} {s.view}" for s in false) + "\ntruth:\n"
                + "\n".join(f"{w:.3f} {v}" for w, v in truth.states[-40:])
                + "\nseen:\n" + "\n".join(
                    f"{s.when:.3f} {s.view}"
                    for s in watcher.sights(who, begin)[-40:]))
        return at


# show, status texts, priority, idle: as XMPP says them.
STATES = {
    "nothing special": here(),
    "away": here("away"),
    "away for long": here("xa"),
    "do not disturb": here("dnd"),
    "free for chat": here("chat"),
    "a text": here(text="in the orchard"),
    "umlauts and emoji": here("away", "Süße Grüße aus Köln 💌 👩‍👩‍👧‍👦"),
    "markup": here(text="<b>&amp; ]]> \"q\" 'q'</b>"),
    "two languages": here("dnd", {"en": "in the crypt", "de": "in der Gruft"}),
    "priority 1": here(priority=1),
    "priority 13": here(priority=13),
    "priority 126": here(priority=126),
    "the highest priority": here(priority=127),
    "idle": here("away", "asleep", idle=1790000000),
    "all of it": here("xa", {"en": "gone", "it": "andato"}, 5, 1790000060),
    "nothing special again": here(),
}

ACTIVITIES = {"": [], "chat": [], "away": ["away"], "xa": ["away"],
              "dnd": ["busy"]}


class PrimWatchesXmpp(Presence):
    def test_a_contact_looks_offline_until_it_approves(self):
        romeo = self.romeo(here("dnd", "thinking", 7))
        juliet = self.juliet()
        self.assertEqual(juliet.watch(ROMEO), 200)
        self.assertIsNotNone(romeo.wait_type("subscribe", JULIET))
        self.told(juliet, ROMEO, OFFLINE, message="not even that it is closed")
        # What romeo says to her before is no approval (spec 5.2).
        romeo.appear(here("dnd", "what I tell you", 7), to=JULIET)
        self.fence(romeo)
        approved = time.time()
        romeo.approve(JULIET)
        self.told(juliet, ROMEO, {"test": here("dnd", "thinking", 7)})
        for sight in juliet.sights(ROMEO):
            if sight.when < approved:
                self.assertEqual(sight.view, OFFLINE)
                self.assertEqual(len(sight.document.tuples), 1)
                self.assertEqual(sight.document.tuples[0].notes, [])
                self.assertNotIn(b"test", sight.document.body)
        self.assertEqual(len(romeo.of_type("subscribe", JULIET)), 1)

    def test_a_contact_that_was_asked_while_offline_approves_later(self):
        juliet = self.juliet()
        self.assertEqual(juliet.watch(ROMEO), 200)
        self.told(juliet, ROMEO, OFFLINE)
        romeo = self.romeo(here("chat"))
        self.assertIsNotNone(romeo.wait_type("subscribe", JULIET))
        romeo.approve(JULIET)
        self.told(juliet, ROMEO, {"test": here("chat")})

    def test_a_contact_that_says_no_is_not_asked_again(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.assertEqual(juliet.watch(ROMEO), 200)
        self.assertIsNotNone(romeo.wait_type("subscribe", JULIET))
        romeo.deny(JULIET)
        self.told(juliet, ROMEO, CANCELLED)
        for _ in range(2):
            self.assertEqual(juliet.watch(ROMEO), 402)
        self.assertFalse([s for s in juliet.sights(ROMEO)
                          if s.view not in (OFFLINE, CANCELLED)])
        self.fence(romeo)
        self.assertEqual(len(romeo.of_type("subscribe", JULIET)), 1)
        self.assertEqual(juliet.view(ROMEO), CANCELLED)

    def test_every_state_crosses_without_loss(self):
        romeo, juliet = self.romeo(here(text="begin")), self.juliet()
        self.watched(juliet, romeo, {"test": here(text="begin")})
        stamps = []
        for name, state in STATES.items():
            with self.subTest(name):
                romeo.appear(state)
                self.told(juliet, ROMEO, {"test": state})
                document = self.document(juliet, ROMEO)
                item = document.tuples[0]
                self.assertEqual(item.id, "ID-test")
                self.assertEqual(item.contact, "im:" + ROMEO)
                self.assertEqual(float(item.priority),
                                 float(thousandths(state.priority)))
                self.assertEqual(document.activities, ACTIVITIES[state.show])
                stamps.append(item.stamp)
        self.assertNotIn(None, stamps)

    def test_a_text_is_in_the_language_of_the_stanza_around_it(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.watched(juliet, romeo, {"test": here()})
        romeo.raw("<presence xml:lang='fr'><status>parti</status>"
                  "<status xml:lang='de'>fort</status></presence>")
        self.told(juliet, ROMEO,
                  {"test": here(text={"fr": "parti", "de": "fort"})})

    def test_who_wants_no_messages_is_open_without_a_priority(self):
        romeo, juliet = self.romeo(here(priority=-1)), self.juliet()
        self.watched(juliet, romeo, {"test": here(priority=None)})
        item = self.document(juliet, ROMEO).tuples[0]
        self.assertEqual((item.basic, item.priority), ("open", None))
        romeo.appear(here(priority=0))
        self.told(juliet, ROMEO, {"test": here(priority=0)})

    def test_each_resource_is_a_tuple_and_the_last_one_stays_closed(self):
        phone = self.romeo(here("away", priority=1), resource="phone")
        juliet = self.juliet()
        self.watched(juliet, phone, {"phone": here("away", priority=1)})
        desk = self.romeo(here("chat", priority=5), resource="desk")
        self.told(juliet, ROMEO, {"phone": here("away", priority=1),
                                  "desk": here("chat", priority=5)})
        phone.vanish()
        self.told(juliet, ROMEO, {"desk": here("chat", priority=5)})
        gone = {t.id: t.basic for t in self.document(juliet, ROMEO).tuples}
        self.assertEqual(gone, {"ID-phone": "closed", "ID-desk": "open"})
        desk.appear(here(priority=5))
        self.told(juliet, ROMEO, {"desk": here(priority=5)})
        self.assertEqual(len(self.document(juliet, ROMEO).tuples), 1,
                         "a closed tuple is told once")
        desk.vanish()
        self.told(juliet, ROMEO, OFFLINE)
        self.assertEqual([t.basic for t in
                          self.document(juliet, ROMEO).tuples], ["closed"])
        phone.appear(here())
        self.told(juliet, ROMEO, {"phone": here()})
        self.assertEqual([t.id for t in self.document(juliet, ROMEO).tuples],
                         ["ID-phone"], "the last one is told once, too")

    def test_a_lost_connection_is_seen_as_offline(self):
        phone = self.romeo(resource="phone")
        juliet = self.juliet()
        self.watched(juliet, phone, {"phone": here()})
        desk = self.romeo(resource="desk")
        self.told(juliet, ROMEO, {"phone": here(), "desk": here()})
        phone.reset()
        self.told(juliet, ROMEO, {"desk": here()})
        desk.reset()
        self.told(juliet, ROMEO, OFFLINE)

    def test_who_stops_watching_hears_no_more_and_needs_no_new_approval(self):
        romeo, juliet = self.romeo(here("chat")), self.juliet()
        self.watched(juliet, romeo, {"test": here("chat")})
        romeo_saw = len(romeo.stanzas)
        self.assertEqual(juliet.unwatch(ROMEO), 200)
        count = len(juliet.sights(ROMEO))
        self.assertIsNotNone(
            romeo.wait_type("unavailable", JULIET, begin=romeo_saw),
            "romeo does not see that she is gone")
        self.assertEqual(juliet.unwatch(ROMEO), 404)
        romeo.appear(here("xa", "not for you"))
        romeo.appear(here("dnd", "nor this"))
        self.fence(romeo)
        self.assertIn(juliet.watch(ROMEO), (200, 201))
        self.told(juliet, ROMEO, {"test": here("dnd", "nor this")})
        for sight in juliet.sights(ROMEO)[count:]:
            self.assertEqual(sight.view, {"test": here("dnd", "nor this")})
        self.assertEqual(len(romeo.of_type("subscribe", JULIET)), 1,
                         "asked again")

    def test_a_contact_that_takes_it_back_cancels_the_subscription(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.watched(juliet, romeo, {"test": here()})
        romeo.deny(JULIET)
        self.told(juliet, ROMEO, CANCELLED)
        romeo.appear(here("away", "secret"))
        self.fence(romeo)
        self.assertEqual(juliet.watch(ROMEO), 402)
        self.assertEqual(juliet.view(ROMEO), CANCELLED, "told after the end")

    def test_who_is_removed_from_a_roster_sees_no_more(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here()})
        self.watched(juliet, romeo, {"test": here()})
        self.follows(romeo, {"desk": here()})
        self.assertEqual(romeo.remove(JULIET), "result")
        self.told(juliet, ROMEO, CANCELLED)
        begin = len(romeo.seen)
        self.publish(juliet, {"desk": here("away")})
        self.fence(romeo)
        self.assertNotIn({"desk": here("away")},
                         [s.view for s in romeo.sights(JULIET, begin)])
        # From the beginning: both may ask again.
        self.follows(romeo, {"desk": here("away")})

    @unittest.skipUnless(LONG, "the shortest one lasts a minute")
    def test_a_subscription_that_is_over_ends_by_itself(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.watched(juliet, romeo, {"test": here()})
        self.assertIn(juliet.watch(ROMEO, duration=1), (200, 201))
        listed = "primctl lists it still"
        self.assertTrue(wait_until(
            lambda: ROMEO not in self.world.primd.ctl("subscription", "list",
                                                      JULIET), 90), listed)
        count = len(juliet.sights(ROMEO))
        romeo.appear(here("away", "after the end"))
        self.fence(romeo)
        self.assertEqual(juliet.watch(ROMEO), 200)
        self.told(juliet, ROMEO, {"test": here("away", "after the end")})
        self.assertEqual({str(s.view) for s in juliet.sights(ROMEO)[count:]},
                         {str({"test": here("away", "after the end")})})

    def test_a_single_look_shows_who_approved_and_nothing_of_others(self):
        romeo, juliet = self.romeo(here("away")), self.juliet()
        code, view = juliet.fetch(ROMEO)
        self.assertIn((code, view), [(200, OFFLINE), (402, None)])
        self.watched(juliet, romeo, {"test": here("away")})
        self.assertEqual(juliet.fetch(ROMEO), (200, {"test": here("away")}))
        self.assertEqual(juliet.unwatch(ROMEO), 200)
        self.assertEqual(juliet.fetch(ROMEO), (200, {"test": here("away")}))
        nurse = self.world.presence(NURSE)
        code, view = nurse.fetch(ROMEO)
        self.assertIn((code, view), [(200, OFFLINE), (402, None)])
        self.fence(romeo)
        self.assertFalse(romeo.of_type("subscribe", NURSE), "a look asks nobody")

    def test_approval_of_one_watcher_is_not_that_of_another(self):
        romeo, juliet = self.romeo(here("chat")), self.juliet()
        nurse = self.world.presence(NURSE)
        self.watched(juliet, romeo, {"test": here("chat")})
        self.assertEqual(nurse.watch(ROMEO), 200)
        self.assertIsNotNone(romeo.wait_type("subscribe", NURSE))
        romeo.appear(here("away"))
        self.told(juliet, ROMEO, {"test": here("away")})
        self.fence(romeo)
        self.assertEqual({str(s.view) for s in nurse.sights(ROMEO)},
                         {str(OFFLINE)})


class XmppWatchesPrim(Presence):
    def test_who_may_watch_is_subscribed_at_once(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here()})
        self.follows(romeo, {"desk": here()})
        self.assertEqual(romeo.subscription(JULIET), "to")
        self.publish(juliet, {"desk": None})
        self.told(romeo, JULIET, OFFLINE)
        last = romeo.of_type("unavailable", JULIET)[-1]
        self.assertEqual(last.resource, "desk")

    def test_who_publishes_nothing_is_subscribed_to_and_offline(self):
        romeo = self.romeo()
        self.follows(romeo, OFFLINE)
        juliet = self.juliet()
        self.publish(juliet, {"desk": here()})
        self.told(romeo, JULIET, {"desk": here()})

    def test_every_state_crosses_without_loss(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here(text="begin")})
        self.follows(romeo, {"desk": here(text="begin")})
        for name, state in STATES.items():
            with self.subTest(name):
                self.publish(juliet, {"desk": state})
                self.told(romeo, JULIET, {"desk": state})
        self.publish(juliet, {"desk": here(text={"": "no language"})})
        self.told(romeo, JULIET, {"desk": here(text={"": "no language"})})
        self.assertFalse(romeo.of_type("error", JULIET))

    def test_activities_become_the_word_xmpp_has_for_them(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here(text="begin")})
        self.follows(romeo, {"desk": here(text="begin")})
        for name, show in (("away", "away"), ("meeting", "dnd"),
                           ("vacation", "xa"), ("lunch", "away"),
                           ("on-the-phone", "dnd"), ("sleeping", "xa"),
                           ("working", "")):
            with self.subTest(name):
                state = here(text=name)
                self.publish(juliet, {"desk": state}, activities=[name])
                self.told(romeo, JULIET, {"desk": here(show, name)})

    def test_each_tuple_is_a_resource(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here("away", priority=1)}, name="desk")
        self.follows(romeo, {"desk": here("away", priority=1)})
        self.publish(juliet, {"phone": here("chat", priority=9)}, name="phone")
        self.told(romeo, JULIET, {"desk": here("away", priority=1),
                                  "phone": here("chat", priority=9)})
        self.assertEqual(juliet.revert("desk").result(10).code, 200)
        self.told(romeo, JULIET, {"phone": here("chat", priority=9)})
        self.publish(juliet, {"phone": here(), "watch": here("dnd")},
                     name="phone")
        self.told(romeo, JULIET, {"phone": here(), "watch": here("dnd")})
        self.assertEqual(juliet.remove("phone").result(10).code, 200)
        self.told(romeo, JULIET, OFFLINE)

    def test_a_lease_that_ends_gives_way(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here("away", "at home")}, "permanent")
        self.publish(juliet, {"desk": here("chat", "at work")}, duration=2)
        self.follows(romeo, {"desk": here("chat", "at work")})
        self.told(romeo, JULIET, {"desk": here("away", "at home")}, 2 + SOON)
        self.publish(juliet, {"phone": here()}, name="phone", duration=1)
        self.told(romeo, JULIET, {"desk": here("away", "at home"),
                                  "phone": here()})
        self.told(romeo, JULIET, {"desk": here("away", "at home")}, 1 + SOON)
        self.assertEqual(juliet.remove().result(10).code, 200)
        self.told(romeo, JULIET, OFFLINE)

    def test_who_is_not_connected_is_seen_as_published(self):
        juliet = self.juliet()
        self.publish(juliet, {"desk": here("xa", "in Mantua")}, "permanent",
                     name="desk")
        self.publish(juliet, {"phone": here("away")}, name="phone")
        juliet.close()
        romeo = self.romeo()
        self.follows(romeo, {"desk": here("xa", "in Mantua"),
                             "phone": here("away")})

    def test_who_unsubscribes_sees_no_more(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here()})
        self.follows(romeo, {"desk": here()})
        romeo.unsubscribe(JULIET)
        self.told(romeo, JULIET, OFFLINE)
        self.assertTrue(wait_until(
            lambda: ROMEO not in self.world.primd.ctl("subscription", "list",
                                                      JULIET), SOON))
        self.assertEqual(romeo.subscription(JULIET), "none")
        begin = len(romeo.stanzas)
        self.publish(juliet, {"desk": here("away")})
        self.fence(romeo)
        self.assertFalse(romeo.of_type("", JULIET, begin))
        # And may come back.
        self.follows(romeo, {"desk": here("away")})

    def test_who_logs_in_later_is_told_at_once(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here()})
        self.follows(romeo, {"desk": here()})
        romeo.close()
        self.publish(juliet, {"desk": here("away", "later")})
        again = self.romeo()
        self.told(again, JULIET, {"desk": here("away", "later")})
        # A second resource is told too, by its own probe.
        other = self.romeo(resource="other")
        self.told(other, JULIET, {"desk": here("away", "later")})
        self.assertFalse(again.of_type("unsubscribed", JULIET))
        for sight in again.sights(JULIET) + other.sights(JULIET):
            self.assertEqual(sight.view, {"desk": here("away", "later")})

    def test_who_has_no_account_cannot_be_watched(self):
        romeo = self.romeo()
        romeo.subscribe("nobody@localhost")
        error = romeo.wait_type("error", "nobody@localhost")
        self.assertIsNotNone(error, romeo.stanzas)
        self.assertEqual(error.error, "item-not-found")

    @unittest.skipUnless(LONG, "takes more than a minute")
    def test_an_account_that_goes_and_comes_is_seen_by_who_asks(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here()})
        self.follows(romeo, {"desk": here()})
        for how in "subscribe", "log in":
            # A pair may ask the bridge every 30 s.
            time.sleep(31)
            self.world.primd.ctl("account", "remove", JULIET)
            juliet.close()
            self.told(romeo, JULIET, OFFLINE)
            self.world.primd.account(JULIET)
            juliet = self.juliet()
            self.publish(juliet, {"desk": here("away", how)})
            if how == "subscribe":
                romeo.subscribe(JULIET)
            else:
                romeo.close()
                romeo = self.romeo()
            self.told(romeo, JULIET, {"desk": here("away", how)}, message=how)

    def test_nobody_of_another_network_can_be_watched(self):
        romeo = self.romeo()
        romeo.subscribe(ELSEWHERE)
        error = romeo.wait_type("error", ELSEWHERE)
        self.assertIsNotNone(error, romeo.stanzas)
        self.assertEqual(error.error, "item-not-found")
        self.assertFalse(romeo.of_type("subscribed", ELSEWHERE))
        self.assertFalse(romeo.of_type("", ELSEWHERE))


class Forbidden(Presence):
    WORLD = {"acl": CLOSED_TO_OTHERS}

    def test_who_may_not_watch_is_told_so(self):
        romeo, juliet = self.romeo(), self.juliet()
        self.publish(juliet, {"desk": here()})
        romeo.subscribe(JULIET)
        error = romeo.wait_type("error", JULIET)
        self.assertIsNotNone(error, romeo.stanzas)
        self.assertEqual(error.error, "forbidden")
        self.assertIsNotNone(romeo.wait_type("unsubscribed", JULIET))
        self.assertEqual(romeo.subscription(JULIET), "none")
        self.publish(juliet, {"desk": here("away")})
        self.fence(romeo)
        self.assertFalse(romeo.of_type("", JULIET), "seen all the same")


class Gateway(Presence):
    """Users of a domain that PRIM does not route to the bridge."""

    NAME = "benvolio%40far.localhost@gateway.localhost"

    def test_a_user_of_another_domain_watches_under_his_own_name(self):
        juliet = self.juliet()
        self.publish(juliet, {"desk": here("away", "far away")})
        benvolio = self.world.person(BENVOLIO)
        self.follows(benvolio, {"desk": here("away", "far away")})
        self.assertIn(self.NAME, self.world.primd.ctl("subscription", "list",
                                                      JULIET))

    def test_a_user_of_another_domain_is_watched_under_the_gateways_name(self):
        juliet = self.juliet()
        benvolio = self.world.person(BENVOLIO, first=here("chat"))
        self.assertEqual(juliet.watch(self.NAME), 200)
        self.assertIsNotNone(benvolio.wait_type("subscribe", JULIET))
        self.told(juliet, self.NAME, OFFLINE)
        benvolio.approve(JULIET)
        self.told(juliet, self.NAME, {"test": here("chat")})
        benvolio.reset()
        self.told(juliet, self.NAME, OFFLINE)


class Friends(Presence):
    """romeo and juliet watch each other. `truth` has how they really were."""

    def setUp(self):
        super().setUp()
        self.meet()

    def meet(self):
        self.truth = {ROMEO: Truth(), JULIET: Truth()}
        first = {ROMEO: here(text="romeo 0"), JULIET: here(text="juliet 0")}
        self.people = {ROMEO: self.romeo(first[ROMEO]), JULIET: self.juliet()}
        romeo, juliet = self.people[ROMEO], self.people[JULIET]
        self.truth[ROMEO].add({"test": first[ROMEO]})
        self.truth[JULIET].add({"desk": first[JULIET]})
        self.publish(juliet, {"desk": first[JULIET]})
        self.watched(juliet, romeo, {"test": first[ROMEO]})
        self.follows(romeo, {"desk": first[JULIET]})
        # From now on, neither may be seen as anything that is not true: from
        # where the watcher's sights and the truth count.
        self.begin = {ROMEO: len(romeo.seen), JULIET: len(juliet.seen)}
        self.at = {ROMEO: 0, JULIET: 0}

    def other(self, who):
        return JULIET if who == ROMEO else ROMEO

    def romeo_is(self, how):
        self.truth[ROMEO].add({"test": how} if how else OFFLINE)
        if how:
            self.people[ROMEO].appear(how)
        else:
            self.people[ROMEO].vanish()

    def juliet_is(self, how):
        """The future."""
        self.truth[JULIET].add({"desk": how})
        return self.people[JULIET].publish({"desk": how})

    def watch_again(self, juliet, timeout=20):
        """Until it is granted: the road may not yet be whole."""
        codes = []

        def granted():
            codes.append(juliet.watch(ROMEO))
            return codes[-1] in (200, 201)

        self.assertTrue(wait_until(granted, timeout, 0.1), codes)

    def converge(self, within=SOON, message=""):
        """Until both see the truth; after how many seconds each did."""
        begun, took = time.monotonic(), {}
        for who in (ROMEO, JULIET):
            left = max(0.1, within - (time.monotonic() - begun))
            self.told(self.people[self.other(who)], who, self.truth[who].last,
                      left, message)
            took[who] = round(time.monotonic() - begun, 2)
        return took

    def check_history(self, watcher, message=""):
        """Where in the truth it ends."""
        who = self.other(watcher)
        return self.truthful(self.truth[who], self.people[watcher], who,
                             self.begin[watcher], self.at[watcher], message)

    def check_histories(self, message=""):
        for watcher in self.people:
            self.check_history(watcher, message)

    def is_replaced(self, watcher):
        """A new session goes on where the old one ended."""
        self.at[watcher] = self.check_history(watcher)
        self.begin[watcher] = 0
        self.people[watcher].close()

    def stays_so(self, seconds):
        """Nobody is told anything else for a while."""
        counts = {who: len(self.people[who].sights(self.other(who)))
                  for who in self.people}
        time.sleep(seconds)
        for who, person in self.people.items():
            other = self.other(who)
            for sight in person.sights(other)[counts[who]:]:
                self.assertEqual(sight.view, self.truth[other].last,
                                 f"{who} saw this of {other} after the truth")

    def nothing_was_asked_again(self, romeo):
        self.assertFalse(romeo.of_type("subscribe", JULIET), "asked again")
        for kind in ("unsubscribed", "unsubscribe"):
            self.assertFalse(romeo.of_type(kind, JULIET), kind)


class Changes(threading.Thread):
    """Both change all the time, each time to something new."""

    SHOWS = ("", "away", "chat", "dnd", "xa")

    def __init__(self, friends, pause=0.04):
        super().__init__(daemon=True)
        self.friends = friends
        self.pause = pause
        self.stopping = threading.Event()
        self.number = max(len(t.states) for t in friends.truth.values())
        # The last that the server took.
        self.acknowledged = friends.truth[JULIET].last
        self.start()

    def run(self):
        while not self.stopping.wait(self.pause):
            self.number += 1
            show = self.SHOWS[self.number % 5]
            if not self.friends.people[ROMEO].over.is_set():
                self.friends.romeo_is(here(show, f"romeo {self.number}"))
            if not self.friends.people[JULIET].gone:
                how = here(show, f"juliet {self.number}")
                future = self.friends.juliet_is(how)
                future.add_done_callback(
                    lambda f, how=how: self.answered(f, how))

    def answered(self, future, how):
        try:
            if future.result().code == 200:
                self.acknowledged = {"desk": how}
        except Gone:
            pass

    def end(self):
        self.stopping.set()
        self.join(10)


class Restarted(Friends):
    def test_contacts_approved_long_ago_need_no_approval_after_a_restart(self):
        world = self.world
        for person in self.people.values():
            person.close()
        self.assertEqual(world.primd.stop(), 0)
        world.prosody.stop()
        world.prosody.start()
        world.primd.start()
        world.wait_link()
        juliet = self.people[JULIET] = self.juliet()
        self.watch_again(juliet)
        self.told(juliet, ROMEO, OFFLINE)
        self.truth[ROMEO].add({"test": here("chat", "romeo 1")})
        romeo = self.people[ROMEO] = self.romeo(here("chat", "romeo 1"))
        self.converge()
        self.nothing_was_asked_again(romeo)
        self.assertEqual(romeo.subscription(JULIET), "both")
        for sight in romeo.sights(JULIET):
            self.assertEqual(sight.view, self.truth[JULIET].last)
        self.assertEqual(self.juliet_is(here("away", "juliet 1"))
                         .result(10).code, 200)
        self.romeo_is(here("away", "romeo 2"))
        self.converge()

    def test_an_orderly_stop_shows_nobody_there_and_a_start_the_truth(self):
        romeo = self.people[ROMEO]
        self.assertEqual(self.world.primd.stop(), 0)
        self.told(romeo, JULIET, OFFLINE)
        self.romeo_is(here("dnd", "romeo while it was away"))
        begin = len(romeo.stanzas)
        self.world.primd.start()
        self.world.wait_link()
        self.told(romeo, JULIET, self.truth[JULIET].last)
        juliet = self.people[JULIET] = self.juliet()
        self.watch_again(juliet)
        self.converge()
        for sight in juliet.sights(ROMEO):
            self.assertEqual(sight.view, self.truth[ROMEO].last)
        for kind in ("subscribe", "subscribed", "unsubscribed", "unsubscribe"):
            self.assertFalse(romeo.of_type(kind, JULIET, begin), kind)


class Killed(Friends):
    """kill -9 in the middle of changes on both sides. Who dies often is given
    longer and longer pauses, so that more kills need a new world."""

    WORLDS = 5 if LONG else 1
    ROUNDS = 2
    # Longer than anything that is waited for before somebody counts as gone.
    QUIET = 7

    def repeatedly(self, what, once):
        """once(round) for each round; then nothing else may be seen."""
        took, told = [], 0
        for number in range(self.WORLDS):
            if number:
                self.world.end(False)
                self.world = World(**self.WORLD).start()
                self.meet()
            for turn in range(self.ROUNDS):
                once(turn)
                took.append(self.converge(message=f"round {turn}"))
                self.check_histories(f"round {turn}:")
            self.stays_so(self.QUIET)
            self.check_histories()
            told += sum(len(t.states) for t in self.truth.values())
        print(f"{len(took)} times kill -9 of {what}, {told} states in all: seen "
              f"as it was after {max(t[ROMEO] for t in took)} s (XMPP to PRIM), "
              f"{max(t[JULIET] for t in took)} s (PRIM to XMPP)", flush=True)

    def wait_road(self):
        """Until the bridge answers through Prosody."""
        self.assertTrue(wait_until(
            lambda: self.people[ROMEO].answers("localhost", 1), 30, 0.05))

    def begin_changes(self):
        changes = Changes(self)
        time.sleep(random.uniform(0.3, 0.8))
        return changes

    def nobody_was_asked_twice(self):
        romeo = self.people[ROMEO]
        self.assertEqual(len(romeo.of_type("subscribe", JULIET)), 1)
        self.assertFalse(romeo.of_type("unsubscribed", JULIET))
        self.assertFalse(romeo.of_type("unsubscribe", JULIET))

    def test_adapter_killed_while_both_change(self):
        def once(turn):
            changes = self.begin_changes()
            dead = self.world.primd.kill_host("xmpp")
            self.assertTrue(wait_until(
                lambda: self.world.primd.host_pid("xmpp") not in (None, dead)))
            if turn % 2 == 0:
                changes.end()  # the last change falls into the gap
            self.wait_road()
            changes.end()
            self.nobody_was_asked_twice()

        self.repeatedly("the adapter", once)
        self.nobody_was_asked_twice()

    def test_prosody_killed_while_both_change(self):
        def once(turn):
            changes = self.begin_changes()
            self.world.prosody.kill()
            # With his server romeo is gone, and may be seen so until he is back.
            self.people[ROMEO].over.wait(5)
            self.truth[ROMEO].add(OFFLINE)
            self.is_replaced(ROMEO)
            self.world.prosody.start()
            back = here("chat", f"romeo is back {turn}")
            self.truth[ROMEO].add({"test": back})
            self.people[ROMEO] = self.romeo(back)
            if turn % 2 == 0:
                changes.end()
            self.wait_road()
            changes.end()
            self.nothing_was_asked_again(self.people[ROMEO])

        self.repeatedly("Prosody", once)
        self.nothing_was_asked_again(self.people[ROMEO])

    def test_primd_killed_while_both_change(self):
        def once(turn):
            changes = self.begin_changes()
            self.world.primd.kill()
            wait_until(lambda: self.people[JULIET].gone, 5)
            self.is_replaced(JULIET)
            self.world.primd.start()
            self.people[JULIET] = self.juliet()
            if turn % 2 == 0:
                changes.end()
            self.watch_again(self.people[JULIET])
            self.wait_road()
            changes.end()
            self.settle_what_was_under_way(changes)

        self.repeatedly("primd", once)
        self.nobody_was_asked_twice()

    def settle_what_was_under_way(self, changes):
        """What had no answer may have been made or not; what had one, was."""
        code, view = self.people[JULIET].fetch(JULIET)
        self.assertEqual(code, 200)
        truth = self.truth[JULIET]
        self.assertGreaterEqual(truth.index(view),
                                truth.index(changes.acknowledged))
        if view != truth.last:
            truth.add(view)


class GoneMeanwhile(Friends):
    """Nobody who left while a part was dead is shown for ever."""

    def setUp(self):
        super().setUp()
        romeo, juliet = self.people[ROMEO], self.people[JULIET]
        self.phone = self.romeo(here("away"), resource="phone")
        self.publish(juliet, {"pad": here("away")}, name="pad")
        self.told(juliet, ROMEO, self.both(ROMEO, "phone"))
        self.told(romeo, JULIET, self.both(JULIET, "pad"))

    def both(self, who, second):
        return {**self.truth[who].last, second: here("away")}

    def take_back(self, name):
        self.assertEqual(self.people[JULIET].revert(name).result(10).code, 200)

    def test_who_leaves_while_the_adapter_is_dead_is_seen_to_have_left(self):
        romeo, juliet = self.people[ROMEO], self.people[JULIET]
        self.world.primd.kill_host("xmpp")
        self.phone.vanish()
        self.take_back("pad")
        self.told(juliet, ROMEO, self.truth[ROMEO].last)
        self.told(romeo, JULIET, self.truth[JULIET].last)
        self.world.primd.kill_host("xmpp")
        romeo.vanish()
        self.take_back("t")
        self.told(juliet, ROMEO, OFFLINE)
        romeo.appear(here("chat", "back to look"))
        self.told(juliet, ROMEO, {"test": here("chat", "back to look")})
        self.told(romeo, JULIET, OFFLINE)

    def test_who_leaves_while_primd_is_dead_is_seen_to_have_left(self):
        romeo = self.people[ROMEO]
        # One tuple ends by itself, and another is still there.
        self.publish(self.people[JULIET], {"pad": here("away")}, name="pad",
                     duration=1)
        self.world.primd.kill()
        ended = time.time() + 1
        self.phone.vanish()
        self.people[JULIET].close()
        wait_until(lambda: time.time() > ended)
        self.world.primd.start()
        juliet = self.people[JULIET] = self.juliet()
        self.watch_again(juliet)
        self.told(juliet, ROMEO, self.truth[ROMEO].last)
        self.told(romeo, JULIET, self.truth[JULIET].last)
        self.assertNotIn(OFFLINE, [s.view for s in juliet.sights(ROMEO)])

    def test_who_leaves_while_prosody_is_dead_is_seen_to_have_left(self):
        juliet = self.people[JULIET]
        self.world.prosody.kill()
        self.take_back("pad")
        self.take_back("t")
        self.people[ROMEO].close()
        self.phone.close()
        self.world.prosody.start()
        self.world.wait_link()
        self.told(juliet, ROMEO, OFFLINE)
        romeo = self.people[ROMEO] = self.romeo(here("chat"))
        self.told(juliet, ROMEO, {"test": here("chat")})
        self.fence(romeo)
        self.assertEqual({str(s.view) for s in romeo.sights(JULIET)},
                         {str(OFFLINE)})
        self.publish(juliet, {"desk": here("dnd")})
        self.told(romeo, JULIET, {"desk": here("dnd")})


class LinkDown(Friends):
    @unittest.skipUnless(LONG, "takes more than half a minute")
    def test_who_is_unknown_for_long_is_shown_as_gone_and_comes_back(self):
        self.people[ROMEO].close()
        self.told(self.people[JULIET], ROMEO, OFFLINE)
        self.truth[ROMEO].add(OFFLINE)
        back = here(text="romeo is back")
        self.truth[ROMEO].add({"test": back})
        self.people[ROMEO] = self.romeo(back)
        self.told(self.people[JULIET], ROMEO, {"test": back})
        killed = time.time()
        self.world.prosody.kill()
        self.told(self.people[JULIET], ROMEO, OFFLINE, 45)
        last = self.people[JULIET].sights(ROMEO)[-1]
        self.assertGreater(last.when - killed, 25, "before link_grace")
        notes = [t.notes for t in last.document.tuples] + [last.document.notes]
        self.assertTrue(any(notes), "nobody is told why")
        self.people[ROMEO].close()
        self.world.prosody.start()
        again = here("away", "romeo is back again")
        self.truth[ROMEO].add({"test": again})
        self.people[ROMEO] = self.romeo(again)
        self.assertTrue(wait_until(
            lambda: self.people[ROMEO].answers("localhost", 1), 60, 0.1))
        self.converge()


class Storm(Friends):
    def test_a_client_that_flickers_costs_few_notifications(self):
        juliet, romeo = self.people[JULIET], self.people[ROMEO]
        begin, stanzas = len(juliet.sights(ROMEO)), len(romeo.stanzas)
        for number in range(20):
            self.romeo_is(here(("away", "dnd")[number % 2], f"romeo {number}"))
            time.sleep(0.05)
        self.converge()
        count = len(juliet.sights(ROMEO)) - begin
        print(f"20 changes of an XMPP user in a second: {count} NOTIFYs")
        # One for each 250 ms, and one at each end.
        self.assertLessEqual(count, 7)
        self.fence(romeo)
        self.assertFalse([s for s in romeo.stanzas[stanzas:]
                          if s.who == JULIET], "an answer to each")
        self.check_histories()

    def test_a_publisher_that_flickers_costs_few_stanzas(self):
        romeo = self.people[ROMEO]
        begin = len(romeo.stanzas)
        futures = []
        for number in range(50):
            futures.append(self.juliet_is(
                here(("away", "dnd")[number % 2], f"juliet {number}")))
            time.sleep(0.02)
        for future in futures:
            self.assertEqual(future.result(10).code, 200)
        self.converge()
        count = len(romeo.of_type("", JULIET, begin))
        print(f"50 changes of a PRIM user in a second: {count} stanzas")
        # 20 a second, for each user (spec 5.5).
        self.assertLessEqual(count, 25)
        self.check_histories()


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
