# SPDX-License-Identifier: ISC
"""The checker of histories: what is right passes, and each way of breaking a
promise is caught by its invariant."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import check  # noqa: E402
from check import judge  # noqa: E402
from history import fnv1a, plain  # noqa: E402

T = 1_764_000_000_000
ALICE, BOB, FAR = "alice@a", "bob@b", "far@c"
DAY = 24 * 3600 * 1000


def name(mid):
    return hashlib.md5(mid.encode()).hexdigest()


class Tale:
    """A bridge, a sender and a receiver write down what happens, a millisecond
    after the other. What a message is called here is its Message-ID."""

    def __init__(self):
        self.t = T
        self.lines = []
        self.records = []
        self.rows = []
        self.seqs = {}
        self.lanes = {}
        self.line("start")
        for who in (ALICE, BOB):
            self.record("here", who=who)

    def tick(self, ms=1):
        self.t += ms

    # The bridge

    def line(self, event, mid=None, **more):
        self.tick()
        line = {"t": self.t, "event": event}
        if mid:
            line["delivery"] = name(mid)
        line.update((k, v) for k, v in more.items() if v is not None)
        self.lines.append(line)

    def accept(self, mid, to=BOB, body=None, sender=ALICE, conversation="talk",
               origin="client", hops=1):
        self.lanes[mid] = (sender, to)
        self.line("accept", mid, id=mid, **{"from": sender}, to=to,
                  origin=origin, conversation=conversation,
                  hash=fnv1a((body or mid).encode()), hops=hops)

    def commit(self, mid, dest="inbox:bob@b"):
        self.seqs[mid] = len(self.seqs) + 1
        self.line("commit", mid, seq=self.seqs[mid], dest=dest)

    def hand(self, mid, attempt=1, dest="inbox:bob@b"):
        self.line("hand", mid, seq=self.seqs.get(mid), dest=dest,
                  attempt=attempt)

    def report(self, mid, code, dest="inbox:bob@b"):
        self.line("report", mid, dest=dest, code=code)

    def reply(self, mid, code, kind=None):
        self.line("answer", mid, code=code, kind=kind)

    def end(self, mid, code):
        self.line("end", mid, seq=self.seqs.get(mid), code=code)

    def notice(self, mid, kind="failed", own=None):
        own = own or f"{kind}-{mid}"
        self.line("notice", own, id=own, **{"from": "postmaster@a"}, to=ALICE,
                  kind=kind, about=name(mid))

    def start(self, orderly=False):
        if orderly:
            self.line("stop")
        self.tick(1000)
        self.line("start")

    # The people

    def record(self, event, **more):
        self.tick()
        self.records.append({"t": self.t, "event": event, **more})

    def send(self, mid, to=BOB, body=None, conversation="talk", **more):
        self.record("send", who=ALICE, id=mid, to=to,
                    conversation=conversation,
                    hash=fnv1a((body or mid).encode()), **more)

    def hear(self, mid, code, to=BOB):
        self.record("answer", who=ALICE, id=mid, to=to, code=code)

    def got(self, mid, who=BOB, body=None, sender=ALICE, text=None, **more):
        own = fnv1a((body or mid).encode())
        self.record("got", who=who, id=mid, **{"from": sender},
                    conversation="talk", hash=own, text=text or own, **more)

    def told(self, mid, kind="failed", own=None):
        self.record("notice", who=ALICE, id=mid, kind=kind,
                    notice=own or f"{kind}-{mid}")

    def row(self, mid, state="waiting"):
        sender, to = self.lanes.get(mid, ("postmaster@a", ALICE))
        self.rows.append({"id": self.seqs.get(mid, 99), "state": state,
                          "from": sender, "to": to, "message_id": mid})

    # Whole ways

    def begin(self, mid, **more):
        self.send(mid, **more)
        self.accept(mid, **more)

    def live(self, mid):
        self.begin(mid)
        self.hand(mid)
        self.got(mid)
        self.report(mid, 200)
        self.end(mid, 200)
        self.reply(mid, 200)
        self.hear(mid, 200)

    def refused(self, mid, code=408):
        self.begin(mid)
        self.end(mid, code)
        self.reply(mid, code)
        self.hear(mid, code)

    def stored(self, mid, to=BOB, dest="inbox:bob@b"):
        self.begin(mid, to=to)
        self.commit(mid, dest)
        self.reply(mid, 101)
        self.hear(mid, 101, to=to)

    def drained(self, mid, attempt=1):
        self.hand(mid, attempt)
        self.got(mid)
        self.report(mid, 200)
        self.end(mid, 200)

    def failed(self, mid):
        self.stored(mid, to=FAR, dest="adapter:x")
        self.hand(mid, dest="adapter:x")
        self.report(mid, 403, dest="adapter:x")
        self.end(mid, 403)
        self.notice(mid)

    def heard(self, mid, kind="failed"):
        own = f"{kind}-{mid}"
        self.hand(own, dest=f"inbox:{ALICE}")
        self.told(mid, kind)
        self.report(own, 200)
        self.end(own, 200)

    def text(self):
        return [json.dumps(line) + "\n" for line in self.lines]

    def judge(self, **options):
        options.setdefault("allowed", [(ALICE, BOB), (ALICE, FAR), (FAR, BOB)])
        return judge([[self.lines]], self.records, [self.rows], **options)


def good():
    """Some of everything, all of it right."""
    tale = Tale()
    tale.live("live")
    tale.refused("refused")
    tale.stored("first")
    tale.stored("second")
    tale.drained("first")
    tale.drained("second")
    tale.failed("failed")
    tale.heard("failed")
    tale.stored("queued")
    tale.row("queued")
    return tale


# What is right, too: kills, repetitions, receivers that do not recognise them.

def sent_again_after_a_refusal(tale):
    tale.refused("again")
    tale.live("again")


def cut_off_before_anything_was_stored(tale):
    tale.begin("gone")
    tale.hear("gone", None)
    tale.start()
    tale.live("gone")


def stored_but_the_line_is_lost(tale):
    tale.begin("x")
    tale.hear("x", None)
    tale.start()
    tale.begin("x")
    tale.reply("x", 101)
    tale.hear("x", 101)
    tale.seqs["x"] = 77
    tale.drained("x")


def stored_and_no_line_of_it_is_left(tale):
    tale.send("x")
    tale.hear("x", None)
    tale.start()
    tale.begin("x")
    tale.reply("x", 101)
    tale.hear("x", 101)
    tale.seqs["x"] = 77
    tale.drained("x")


def taken_elsewhere_and_the_end_is_lost(tale):
    """It is known to the store, and was never stored itself."""
    tale.begin("x", to=FAR)
    tale.hand("x", dest="adapter:x")
    tale.report("x", 101, dest="adapter:x")
    tale.hear("x", None, to=FAR)
    tale.start()
    tale.begin("x", to=FAR)
    tale.reply("x", 101, kind="known")
    tale.hear("x", 101, to=FAR)


def taken_elsewhere_and_asked_again(tale):
    tale.begin("x", to=FAR)
    tale.hand("x", dest="adapter:x")
    tale.report("x", 101, dest="adapter:x")
    tale.end("x", 101)
    tale.reply("x", 101)
    tale.hear("x", None, to=FAR)
    tale.start()
    tale.begin("x", to=FAR)
    tale.reply("x", 101, kind="known")
    tale.hear("x", 101, to=FAR)


def handed_over_live_before_a_kill(tale):
    """Only the second time each of them is stored, and has a place."""
    tale.begin("x")
    tale.hand("x")
    tale.got("x")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.begin("y")
    tale.hand("y")
    for mid in ("x", "y"):
        tale.hear(mid, None)
    tale.start()
    for mid in ("x", "y"):
        tale.stored(mid)
    for mid in ("x", "y"):
        tale.drained(mid)


def an_adapter_repeats_what_no_line_is_left_of(tale):
    tale.start()
    tale.accept("x", sender=FAR, origin="x")
    tale.reply("x", 101)
    tale.seqs["x"] = 77
    tale.hand("x")
    tale.got("x", sender=FAR)
    tale.end("x", 200)
    tale.accept("y", sender=FAR, origin="x")
    tale.reply("y", 101, kind="known")
    tale.end("y", 408)
    tale.notice("y")
    tale.end("failed-y", 200)
    tale.accept("z", sender=FAR, origin="x")
    tale.reply("z", 101)
    tale.row("z")


def handed_over_by_the_next_process(tale):
    tale.begin("x")
    tale.commit("x")
    tale.hear("x", None)
    tale.hand("x")
    tale.got("x")
    tale.start()
    tale.drained("x", attempt=2)


def the_end_was_not_on_disk(tale):
    tale.stored("x")
    tale.drained("x")
    tale.start()
    tale.drained("x", attempt=2)


def the_failure_was_not_on_disk(tale):
    tale.stored("x")
    tale.end("x", 407)
    tale.start()
    tale.drained("x")


def the_line_of_the_end_is_lost(tale):
    tale.stored("x")
    tale.hand("x")
    tale.got("x")
    tale.report("x", 200)
    tale.start()


def the_same_of_one_whose_sender_writes_nothing_down(tale):
    tale.accept("x", sender=FAR, origin="x")
    tale.commit("x")
    tale.reply("x", 101)
    tale.hand("x")
    tale.got("x", sender=FAR)
    tale.start()


def the_line_that_another_system_took_it_is_lost(tale):
    tale.begin("x", to=FAR)
    tale.hand("x", dest="adapter:x")
    tale.record("got", who=FAR, id="x", **{"from": ALICE}, conversation="talk",
                answer=101)
    tale.hear("x", None, to=FAR)
    tale.start()
    tale.begin("x", to=FAR)
    tale.reply("x", 101, kind="known")
    tale.hear("x", 101, to=FAR)


def the_line_of_the_notice_is_lost(tale):
    tale.stored("x", to=FAR, dest="adapter:x")
    tale.end("x", 408)
    tale.start()
    tale.told("x")


def a_notice_that_waits(tale):
    tale.failed("x")
    tale.row("failed-x")


def a_notice_that_waits_and_does_not_say_its_name(tale):
    a_notice_that_waits(tale)
    for member in ("id", "from", "to"):
        del tale.lines[-1][member]


def taken_by_another_system_and_failed_later(tale):
    tale.begin("x", to=FAR)
    tale.hand("x", dest="adapter:x")
    tale.report("x", 101, dest="adapter:x")
    tale.end("x", 101)
    tale.reply("x", 101)
    tale.hear("x", 101, to=FAR)
    tale.report("x", 403, dest="adapter:x")
    tale.notice("x")
    tale.heard("x")


def late_and_delivered(tale):
    tale.stored("x")
    tale.notice("x", "delayed")
    tale.heard("x", "delayed")
    tale.drained("x")
    tale.notice("x", "delivered")
    tale.heard("x", "delivered")


def a_live_answer_is_forgotten_by_a_restart(tale):
    tale.live("x")
    tale.start(orderly=True)
    tale.live("x")


def a_stored_one_is_known_for_days(tale):
    tale.stored("x")
    tale.drained("x")
    tale.start(orderly=True)
    tale.begin("x")
    tale.reply("x", 200, kind="known")
    tale.hear("x", 200)


def another_content_has_that_id(tale):
    tale.stored("x")
    tale.begin("x", body="other")
    tale.reply("x", 400)
    tale.hear("x", 400)
    tale.drained("x")


def quarantined(tale):
    tale.stored("x")
    tale.notice("x")
    tale.heard("x")
    tale.row("x", state="quarantined")


def no_answer_in_time_but_it_came(tale):
    tale.begin("x")
    tale.hand("x")
    tale.got("x", answer=None)
    tale.end("x", 407)
    tale.reply("x", 407)
    tale.hear("x", 407)


def one_listener_refused_it(tale):
    tale.begin("x")
    tale.hand("x")
    tale.got("x", answer=408)
    tale.report("x", 408)
    tale.end("x", 408)
    tale.reply("x", 408)
    tale.hear("x", 408)


def came_back_when_the_next_was_under_way(tale):
    tale.stored("x")
    tale.stored("y")
    tale.hand("x")
    tale.hand("y")
    tale.got("y")
    tale.report("y", 200)
    tale.end("y", 200)
    tale.report("x", 503)
    tale.drained("x", attempt=2)


def expired_while_nobody_was_there(tale):
    tale.stored("x", to=FAR, dest="adapter:x")
    tale.line("stop")
    tale.tick(3 * DAY)
    tale.line("start")
    tale.tick(20_000)
    tale.end("x", 408)
    tale.notice("x")
    tale.heard("x")


def a_service_answers_by_itself(tale):
    tale.send("x", to="primbridge@a")
    tale.accept("x", to="primbridge@a")
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200, to="primbridge@a")


def the_same_address_in_other_words(tale):
    tale.send("x", to="im:B%6Fb@B")
    tale.accept("x", to="bob@b")
    tale.hand("x")
    tale.got("x", who="Bob@b/phone", sender="im:alice@a")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200, to="bob@b")


def packed_on_the_way(tale):
    tale.begin("x")
    tale.hand("x")
    tale.got("x", body="wrapped x", text=fnv1a(b"x"))
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200)


RIGHT = (
    sent_again_after_a_refusal, cut_off_before_anything_was_stored,
    stored_but_the_line_is_lost, stored_and_no_line_of_it_is_left,
    taken_elsewhere_and_the_end_is_lost, taken_elsewhere_and_asked_again,
    handed_over_live_before_a_kill,
    an_adapter_repeats_what_no_line_is_left_of,
    handed_over_by_the_next_process, the_end_was_not_on_disk,
    the_failure_was_not_on_disk,
    the_line_of_the_end_is_lost,
    the_same_of_one_whose_sender_writes_nothing_down,
    the_line_of_the_notice_is_lost,
    the_line_that_another_system_took_it_is_lost,
    a_notice_that_waits, a_notice_that_waits_and_does_not_say_its_name,
    taken_by_another_system_and_failed_later,
    late_and_delivered, a_live_answer_is_forgotten_by_a_restart,
    a_stored_one_is_known_for_days, another_content_has_that_id, quarantined,
    no_answer_in_time_but_it_came, one_listener_refused_it,
    came_back_when_the_next_was_under_way, expired_while_nobody_was_there,
    a_service_answers_by_itself, the_same_address_in_other_words,
    packed_on_the_way)


# What is wrong, and by which invariant alone it is caught.

def lost(tale):
    tale.stored("x")


def lost_in_a_kill(tale):
    tale.stored("x")
    tale.start()


def lost_before_the_bridge_wrote_a_line(tale):
    tale.send("x")
    tale.hear("x", 101)


def a_notice_is_lost(tale):
    tale.failed("x")
    tale.told("x")


def a_notice_is_lost_while_another_waits(tale):
    a_notice_that_waits(tale)
    tale.failed("y")
    tale.told("y")


def ended_twice(tale):
    tale.stored("x")
    tale.drained("x")
    tale.end("x", 408)
    tale.notice("x")
    tale.heard("x")


def ended_and_still_queued(tale):
    tale.stored("x")
    tale.drained("x")
    tale.row("x")


def delivered_to_nobody(tale):
    tale.stored("x")
    tale.hand("x")
    tale.report("x", 200)
    tale.end("x", 200)


def delivered_to_nobody_by_one_who_writes_nothing_down(tale):
    tale.accept("x", sender=FAR, origin="x")
    tale.commit("x")
    tale.reply("x", 101)
    tale.hand("x")
    tale.report("x", 200)
    tale.end("x", 200)


def a_ghost(tale):
    tale.refused("x")
    tale.got("x")


def refused_but_delivered(tale):
    tale.begin("x")
    tale.hand("x")
    tale.got("x")
    tale.end("x", 402)
    tale.reply("x", 402)
    tale.hear("x", 402)


def handed_over_after_a_refusal(tale):
    tale.refused("x", code=504)
    tale.hand("x")


def stored_after_a_refusal(tale):
    tale.begin("x")
    tale.reply("x", 500)
    tale.hear("x", 500)
    tale.commit("x")
    tale.row("x")


def seen_twice(tale):
    tale.stored("x")
    tale.hand("x")
    tale.hand("x", attempt=2)
    tale.got("x")
    tale.got("x")
    tale.end("x", 200)


def a_copy_nobody_handed_over(tale):
    tale.stored("x")
    tale.drained("x")
    tale.got("x")


def nobody_handed_it_over(tale):
    tale.begin("x")
    tale.got("x")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200)


def a_copy_of_what_was_not_stored(tale):
    tale.begin("x")
    tale.line("hand", "x", attempt=1)
    for _ in range(2):
        tale.got("x")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200)


def two_names(tale):
    tale.stored("x")
    tale.drained("x")
    tale.got("y", body="x")


def two_deliveries(tale):
    tale.stored("x")
    tale.hand("x")
    tale.got("x", delivery="aa")
    tale.hand("x", attempt=2)
    tale.got("x", delivery="bb")
    tale.end("x", 200)


def handed_over_after_its_end(tale):
    tale.stored("x")
    tale.drained("x")
    tale.hand("x", attempt=2)


def duplicates_are_not_recognised(tale):
    tale.live("x")
    tale.begin("x")
    tale.hand("x")
    tale.reply("x", 200)
    tale.hear("x", 200)


def overtaken(tale):
    tale.stored("x")
    tale.live("y")
    tale.drained("x")


def overtaken_across_a_kill(tale):
    tale.stored("x")
    tale.start()
    tale.stored("y")
    tale.drained("y")
    tale.drained("x")


def overtaken_in_the_bridge(tale):
    for mid in ("x", "y"):
        tale.stored(mid, to=FAR, dest="adapter:x")
    for mid in ("y", "x"):
        tale.hand(mid, dest="adapter:x")
        tale.report(mid, 200, dest="adapter:x")
        tale.end(mid, 200)


def late_end(tale):
    tale.stored("x", to=FAR, dest="adapter:x")
    tale.tick(DAY + 62_000)
    tale.end("x", 408)
    tale.notice("x")
    tale.heard("x")


def never_gives_up(tale):
    tale.stored("x", to=FAR, dest="adapter:x")
    tale.row("x")
    tale.tick(DAY + 62_000)
    tale.live("y")


def late_after_a_restart(tale):
    tale.stored("x", to=FAR, dest="adapter:x")
    tale.line("stop")
    tale.tick(3 * DAY)
    tale.line("start")
    tale.tick(62_000)
    tale.end("x", 408)
    tale.notice("x")
    tale.heard("x")


def no_notice(tale):
    tale.stored("x", to=FAR, dest="adapter:x")
    tale.end("x", 408)


def two_notices(tale):
    tale.failed("x")
    tale.heard("x")
    tale.notice("x")


def two_notices_are_heard(tale):
    tale.failed("x")
    tale.heard("x")
    tale.told("x", own="another")


def the_notice_is_not_heard(tale):
    tale.failed("x")
    tale.hand("failed-x")
    tale.end("failed-x", 200)


def a_notice_about_a_notice(tale):
    tale.failed("x")
    tale.end("failed-x", 408)
    tale.notice("failed-x", own="silly")
    tale.end("silly", 200)


def a_notice_about_a_notice_is_heard(tale):
    tale.failed("x")
    tale.heard("x")
    tale.told("failed-x", own="silly")


def a_notice_about_what_was_refused(tale):
    tale.refused("x")
    tale.notice("x")
    tale.heard("x")


def a_notice_about_what_was_delivered(tale):
    tale.stored("x")
    tale.drained("x")
    tale.notice("x")
    tale.heard("x")


def no_notice_of_late_failure(tale):
    tale.begin("x", to=FAR)
    tale.report("x", 101, dest="adapter:x")
    tale.end("x", 101)
    tale.reply("x", 101)
    tale.hear("x", 101, to=FAR)
    tale.report("x", 403, dest="adapter:x")


def another_body(tale):
    tale.begin("x")
    tale.hand("x")
    tale.got("x", body="y")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200)


def another_body_is_accepted(tale):
    tale.send("x")
    tale.accept("x", body="y")
    tale.hand("x")
    tale.got("x")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200)


def another_body_from_who_writes_nothing_down(tale):
    tale.accept("x", sender=FAR, origin="x")
    tale.hand("x")
    tale.got("x", sender=FAR, body="y", text=fnv1a(b"y"))
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)


def delivered_to_another(tale):
    tale.live("x")
    tale.got("x", who="carol@b")


def not_allowed(tale):
    tale.begin("x", to="carol@b")
    tale.hand("x")
    tale.got("x", who="carol@b")
    tale.report("x", 200)
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200, to="carol@b")


def seventeen_hops(tale):
    tale.send("x")
    tale.accept("x", hops=17)
    tale.end("x", 502)
    tale.reply("x", 500)
    tale.hear("x", 500)


def seventeen_copies(tale):
    tale.begin("x")
    tale.end("x", 502)
    tale.reply("x", 500)
    tale.hear("x", 500)
    for number in range(16):
        copy = f"x{number}"
        tale.line("accept", copy, id="x", **{"from": FAR}, to=BOB, hops=2)
        tale.line("answer", copy, code=502)


def answered_before_it_was_stored(tale):
    tale.begin("x")
    tale.reply("x", 101)
    tale.hear("x", 101)
    tale.commit("x")
    tale.row("x")


def answered_before_it_was_stored_after_a_kill(tale):
    tale.start()
    answered_before_it_was_stored(tale)


def answered_200_and_nobody_had(tale):
    tale.begin("x")
    tale.hand("x")
    tale.got("x")
    tale.end("x", 200)
    tale.reply("x", 200)
    tale.hear("x", 200)


def the_sender_knew_it_earlier(tale):
    tale.begin("x")
    tale.hear("x", 101)
    tale.tick(10)
    tale.commit("x")
    tale.reply("x", 101)
    tale.row("x")


def the_sender_was_told_without_a_reason(tale):
    tale.begin("x")
    tale.hear("x", 101)
    tale.row("x")


def a_line_of_nobody_knows_what(tale):
    tale.line("frobnicate", "x")


def a_report_about_nothing(tale):
    tale.report("never", 200)


def a_full_disk_ate_lines(tale):
    tale.line("lost", lines=3)


WRONG = {
    "H": (a_line_of_nobody_knows_what, a_report_about_nothing,
          a_full_disk_ate_lines),
    "I1": (lost, lost_in_a_kill, lost_before_the_bridge_wrote_a_line,
           a_notice_is_lost, a_notice_is_lost_while_another_waits, ended_twice,
           ended_and_still_queued,
           delivered_to_nobody,
           delivered_to_nobody_by_one_who_writes_nothing_down),
    "I2": (a_ghost, refused_but_delivered, handed_over_after_a_refusal,
           stored_after_a_refusal),
    "I3": (a_copy_nobody_handed_over, nobody_handed_it_over,
           a_copy_of_what_was_not_stored, two_names, two_deliveries,
           handed_over_after_its_end, duplicates_are_not_recognised),
    "I4": (overtaken, overtaken_across_a_kill, overtaken_in_the_bridge),
    "I5": (late_end, never_gives_up, late_after_a_restart),
    "I6": (no_notice, two_notices, two_notices_are_heard,
           the_notice_is_not_heard, a_notice_about_a_notice,
           a_notice_about_a_notice_is_heard, a_notice_about_what_was_refused,
           a_notice_about_what_was_delivered, no_notice_of_late_failure),
    "I7": (another_body, another_body_is_accepted,
           another_body_from_who_writes_nothing_down),
    "I8": (delivered_to_another, not_allowed),
    "I9": (seventeen_hops, seventeen_copies),
    "I10": (answered_before_it_was_stored,
            answered_before_it_was_stored_after_a_kill, answered_200_and_nobody_had,
            the_sender_knew_it_earlier, the_sender_was_told_without_a_reason),
}

# What is wrong in one way is wrong in another, too.
ALSO = {
    ended_twice: {"I6"}, a_ghost: {"I3"},
}


class Right(unittest.TestCase):
    def right(self, tale, **options):
        report = tale.judge(**options)
        self.assertTrue(report.ok, report.text())
        return report

    def test_a_good_history_is_right_and_all_of_it_is_judged(self):
        report = self.right(good(), need=check.NAMES)
        for verdict in report.verdicts.values():
            self.assertGreater(verdict.judged, 0, verdict.name)
            self.assertEqual(verdict.excused, 0, verdict.name)

    def test_what_is_right_passes(self):
        for story in RIGHT:
            with self.subTest(story.__name__):
                tale = good()
                story(tale)
                self.right(tale)

    def test_it_stays_right_when_the_process_is_killed_later(self):
        for story in RIGHT:
            with self.subTest(story.__name__):
                tale = good()
                story(tale)
                tale.start()
                tale.live("later")
                self.right(tale)

    def test_a_receiver_that_recognises_nothing_may_see_it_twice(self):
        tale = good()
        seen_twice(tale)
        self.right(tale)

    def test_what_a_receiver_recognised_again_counts_once(self):
        tale = good()
        tale.stored("x")
        tale.drained("x")
        tale.record("again", who=BOB, id="x", **{"from": ALICE})
        self.right(tale, dedup=True)

    def test_a_kill_in_the_end_cuts_off_lines_as_well(self):
        tale = good()
        tale.stored("x")
        tale.hand("x")
        tale.got("x")
        self.assertEqual(tale.judge().broken(), ["I1"])
        report = self.right(tale, killed=True)
        self.assertEqual(report["I1"].excused, 1)

    def test_a_commit_that_failed_may_be_there_after_a_kill(self):
        tale = good()
        tale.begin("x")
        tale.reply("x", 500)
        tale.hear("x", 500)
        tale.start()
        tale.seqs["x"] = 77
        tale.drained("x")
        self.assertEqual(tale.judge().broken(), ["I2"])
        report = self.right(tale, disk_fails=True)
        self.assertEqual(report["I2"].excused, 1)

    def test_what_cannot_be_looked_up_may_be_there_from_an_earlier_life(self):
        tale = good()
        tale.begin("x")
        tale.start()
        tale.begin("x")
        tale.line("end", "x", code=500, reason="not looked up")
        tale.reply("x", 500)
        tale.hear("x", 500)
        tale.seqs["x"] = 77
        tale.drained("x")
        self.assertIn("I2", tale.judge().broken())
        self.right(tale, disk_fails=True)

    def test_what_cannot_be_looked_up_the_first_time_is_refused(self):
        tale = good()
        tale.begin("x")
        tale.line("end", "x", code=500, reason="not looked up")
        tale.reply("x", 500)
        tale.hear("x", 500)
        tale.hand("x")
        tale.got("x")
        self.assertIn("I2", tale.judge(disk_fails=True).broken())

    def test_what_cannot_be_looked_up_has_its_end_all_the_same(self):
        tale = good()
        tale.stored("x")
        tale.start()
        tale.begin("x")
        tale.line("end", "x", code=500, reason="not looked up")
        tale.reply("x", 500)
        tale.hear("x", 500)
        self.assertEqual(tale.judge(disk_fails=True).broken(), ["I1"])

    def test_notices_may_be_for_those_who_ask(self):
        tale = good()
        no_notice(tale)
        self.right(tale, notices="asked")

    def test_who_cannot_be_told_needs_no_notice(self):
        tale = good()
        no_notice(tale)
        self.right(tale, eligible=lambda life: life.id != "x")

    def test_without_the_outbox_what_is_open_is_not_judged(self):
        tale = good()
        tale.stored("x")
        report = judge([[tale.lines]], tale.records)
        self.assertTrue(report.ok, report.text())
        self.assertFalse(tale.judge().ok)

    def test_one_person_may_have_two_addresses(self):
        tale = good()
        tale.live("x")
        tale.records[-2]["who"] = "bob@jabber"
        self.assertEqual(tale.records[-2]["event"], "got")
        self.assertFalse(tale.judge().ok)
        self.right(tale, same=lambda a: BOB if a == "bob@jabber" else a)

    def test_a_message_of_two_lanes_may_overtake(self):
        tale = good()
        tale.stored("x")
        tale.begin("y", conversation="other")
        tale.hand("y")
        tale.got("y")
        tale.report("y", 200)
        tale.end("y", 200)
        tale.reply("y", 200)
        tale.hear("y", 200)
        tale.drained("x")
        self.right(tale)

    def test_what_two_connections_send_at_once_has_no_order(self):
        tale = good()
        for mid, link in (("x", 1), ("y", 2)):
            tale.send(mid, at=link, n=1)
            tale.accept(mid)
        for mid, link in (("y", 2), ("x", 1)):
            tale.hand(mid)
            tale.got(mid)
            tale.report(mid, 200)
            tale.end(mid, 200)
            tale.reply(mid, 200)
            tale.record("answer", who=ALICE, id=mid, to=BOB, code=200, at=link,
                        n=1)
        self.right(tale)

    def test_senders_and_receivers_alone_can_be_judged(self):
        tale = good()
        report = judge((), tale.records, [tale.rows])
        self.assertTrue(report.ok, report.text())
        tale.send("x")
        tale.hear("x", 101)
        report = judge((), tale.records, [tale.rows])
        self.assertEqual(report.broken(), ["I1"])


class Wrong(unittest.TestCase):
    def test_each_invariant_has_two_ways_to_be_broken(self):
        for invariant in check.NAMES:
            self.assertGreaterEqual(len(WRONG[invariant]), 2, invariant)

    def test_what_is_wrong_is_caught(self):
        for invariant, stories in WRONG.items():
            for story in stories:
                with self.subTest(f"{invariant} {story.__name__}"):
                    tale = good()
                    story(tale)
                    report = tale.judge()
                    broken = set(report.broken())
                    self.assertIn(invariant, broken, report.text())
                    self.assertEqual(broken - ALSO.get(story, set()),
                                     {invariant}, report.text())

    def test_who_recognises_duplicates_sees_nothing_twice(self):
        tale = good()
        seen_twice(tale)
        for dedup in (True, {BOB}):
            self.assertEqual(tale.judge(dedup=dedup).broken(), ["I3"])
        self.assertEqual(tale.judge(dedup={FAR}).broken(), [])

    def test_nothing_overtakes_if_that_is_asked(self):
        tale = good()
        came_back_when_the_next_was_under_way(tale)
        self.assertEqual(tale.judge(strict_order=True).broken(), ["I4"])

    def test_those_who_asked_are_told(self):
        tale = good()
        tale.send("x", to=FAR, asked=True)
        tale.accept("x", to=FAR)
        tale.commit("x", "adapter:x")
        tale.reply("x", 101)
        tale.hear("x", 101, to=FAR)
        tale.end("x", 408)
        self.assertEqual(tale.judge(notices="asked").broken(), ["I6"])

    def test_a_lifetime_of_its_own_holds(self):
        tale = good()
        tale.stored("x")
        tale.tick(5 * 60_000)
        tale.drained("x")
        self.assertTrue(tale.judge().ok)
        report = tale.judge(lifetimes={"inbox": 120})
        self.assertEqual(report.broken(), ["I5"])
        self.assertTrue(tale.judge(lifetimes={"inbox": 400,
                                              "inbox:carol@b": 1}).ok)

    def test_two_bridges_are_kept_apart(self):
        tale, other = good(), Tale()
        other.accept("live", sender=ALICE, to=BOB, origin="x", hops=2)
        other.commit("live")
        report = judge([[tale.lines], [other.lines]], tale.records,
                       [tale.rows, []])
        self.assertEqual(report.broken(), ["I1"])
        other.row("live")
        report = judge([[tale.lines], [other.lines]], tale.records,
                       [tale.rows, other.rows])
        self.assertEqual(report.broken(), [])

    def test_what_is_needed_must_be_judged(self):
        report = judge([[[{"event": "start", "t": T}]]], (), need=["I1"])
        self.assertEqual(report.broken(), ["I1"])
        self.assertIn("NOT JUDGED", report.text())


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="primbridge-check-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, file, lines):
        path = os.path.join(self.folder, file)
        with open(path, "w", encoding="utf-8") as stream:
            for line in lines:
                stream.write(line if isinstance(line, str)
                             else json.dumps(line) + "\n")
        return path

    def write_outbox(self, tale):
        path = os.path.join(self.folder, "outbox")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump({"messages": tale.rows, "waiting": 1}, stream)
        return path

    def run_main(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = check.main(list(arguments))
        return code, out.getvalue()

    def main_of(self, tale, *more):
        senders = [r for r in tale.records if r["event"] != "got"]
        gots = [r for r in tale.records if r["event"] == "got"]
        return self.run_main(
            "--core", self.write("core", tale.lines), "--outbox",
            self.write_outbox(tale), "--senders", self.write("s", senders),
            "--receivers", self.write("r", gots), "--allowed",
            self.write("allowed", [json.dumps([[ALICE, "*"]])]), *more)

    def test_the_exit_code_is_the_verdict(self):
        code, text = self.main_of(good(), "--need", *check.NAMES)
        self.assertEqual(code, 0, text)
        self.assertEqual(len(text.splitlines()), len(check.NAMES), text)
        tale = good()
        for number in range(7):
            tale.stored(f"x{number}")
        code, text = self.main_of(tale)
        self.assertEqual(code, 1)
        self.assertRegex(text, r"I1 +BROKEN +\d+ judged, 7 wrong")
        self.assertIn("id=x0 alice@a -> bob@b: promised, and now neither",
                      text)
        self.assertIn("... and 2 more", text)
        code, text = self.run_main("--core", "/nonexistent")
        self.assertEqual(code, 2, text)

    def test_flags_say_what_the_options_say(self):
        tale = good()
        seen_twice(tale)
        self.assertEqual(self.main_of(tale)[0], 0)
        self.assertEqual(self.main_of(tale, "--dedup")[0], 1)
        self.assertEqual(self.main_of(tale, "--dedup", FAR)[0], 0)
        self.assertEqual(self.main_of(tale, "--dedup", BOB)[0], 1)
        tale = good()
        a_full_disk_ate_lines(tale)
        self.assertEqual(self.main_of(tale)[0], 1)
        self.assertEqual(self.main_of(tale, "--allow-lost")[0], 0)
        tale = good()
        tale.stored("x")
        tale.tick(120_000)
        tale.drained("x")
        self.assertEqual(self.main_of(tale)[0], 0)
        self.assertEqual(self.main_of(tale, "--lifetime", "inbox=1")[0], 1)

    def test_half_a_line_is_what_a_kill_leaves(self):
        tale = good()
        tale.stored("x")
        text = tale.text()
        cut = [text[-1][:20] + "\n"]
        tale.lines = []
        tale.start()
        tale.drained("x")
        lines = text[:-1] + cut + tale.text()
        report = judge([[lines]], tale.records, [tale.rows])
        self.assertTrue(report.ok, report.text())
        # And nothing else leaves it.
        lines = text[:-3] + cut + text[-2:]
        report = judge([[lines]], tale.records, [tale.rows])
        self.assertIn("H", report.broken())

    def test_the_last_line_may_be_half_a_line(self):
        tale = good()
        text = tale.text()
        lines = text + ['{"t":17640000']
        report = judge([[lines]], tale.records, [tale.rows])
        self.assertTrue(report.ok, report.text())

    def test_a_history_goes_on_in_the_next_file(self):
        tale = good()
        tale.start()
        tale.live("x")
        text = tale.text()
        for at in range(1, len(text)):
            files = [self.write("1", text[:at]), self.write("2", text[at:])]
            report = judge([files], tale.records, [tale.rows])
            self.assertTrue(report.ok, f"{at}: {report.text()}")


class Small(unittest.TestCase):
    def test_the_hash_is_fnv_1a(self):
        self.assertEqual(fnv1a(b""), "cbf29ce484222325")
        self.assertEqual(fnv1a(b"foobar"), "85944171f73967e8")

    def test_an_address_has_one_plain_form(self):
        for text in ("im:Bob@B.example", "pres:bob@b.example",
                     "bob@b.example/phone", "b%6Fb@b.example"):
            self.assertEqual(plain(text), "bob@b.example")
        self.assertEqual(plain(None), "")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
