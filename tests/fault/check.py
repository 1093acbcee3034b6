# SPDX-License-Identifier: ISC
"""Judges what happened: the histories of bridges, senders and receivers against
the invariants I1 to I10 of delivery that can be trusted.

    python3 tests/fault/check.py --core FILE... [--outbox FILE] \\
        --senders FILE... --receivers FILE...

Each --core is one bridge, with its files in the order they were written (each
with the --outbox that stands in the same place: what `primctl --json outbox
list` says in the end). The formats are in bridge/history.h and
tests/lib/recorder.py. Prints a verdict for each invariant with its first
offenders; the exit code is 0 when none is broken, 1 when one is, 2 when the
files cannot be read. Or: from check import judge.

H   the histories can be read, and nothing is missing in them
I1  what was acknowledged has exactly one end, or is still queued
I2  what was refused is not delivered
I3  who recognises duplicates sees a message once; others only as often as it
    was handed over
I4  in a lane nothing overtakes
I5  what is stored ends in its lifetime and a minute
I6  one notice of failure, no more and no less, and none about a notice
I7  what arrives is what was sent
I8  it arrives where it was sent to, and where it may
I9  at most 16 hops, and as many copies
I10 nobody is told before it is on disk

Shares no code with the bridge, and needs the standard library only."""

import argparse
import json
import os
import sys
from collections import Counter
from heapq import merge

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import check_arrival as arrival  # noqa: E402
import check_promise as promise  # noqa: E402
from history import Core, plain  # noqa: E402
from records import Records, read_records  # noqa: E402

SHOWN = 5
NAMES = ("H", "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10")


class Verdict:
    """How many were looked at, and what was wrong with which."""

    def __init__(self, name):
        self.name = name
        self.judged = 0
        self.excused = 0  # what only a kill explains
        self.faults = []
        self.is_needed = False

    @property
    def ok(self):
        return not self.faults and not (self.is_needed and not self.judged)

    def fault(self, what, sentence):
        self.faults.append(f"{what}: {sentence}")

    def text(self):
        what = "ok" if self.ok else "BROKEN"
        if not self.judged and not self.faults:
            what = "NOT JUDGED" if self.is_needed else "not judged"
        line = f"{self.name:<4}{what:<11}{self.judged} judged"
        if self.excused:
            line += f", {self.excused} cut off by a kill"
        if self.faults:
            line += f", {len(self.faults)} wrong"
        lines = [line] + ["    " + f for f in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            lines.append(f"    ... and {len(self.faults) - SHOWN} more")
        return "\n".join(lines)


class Report:
    def __init__(self, verdicts):
        self.verdicts = verdicts

    def __getitem__(self, name):
        return self.verdicts[name]

    @property
    def ok(self):
        return all(v.ok for v in self.verdicts.values())

    def broken(self):
        return [n for n, v in self.verdicts.items() if not v.ok]

    def text(self):
        return "\n".join(v.text() for v in self.verdicts.values())


class Outbox:
    """What is queued in the end: the rows that `primctl --json outbox list`
    shows. A notice whose line does not say what it is called is one of those
    that wait for the same recipient."""

    def __init__(self, listed, same):
        if isinstance(listed, dict):
            listed = listed.get("messages", [])
        self.is_known = listed is not None
        self.rows = {}
        self.notices = Counter()  # to whom how many wait
        for row in listed or []:
            key = (same(row.get("from")), same(row.get("to")),
                   row.get("message_id"))
            self.rows[key] = row
            if key[0].partition("@")[0] == "postmaster":
                self.notices[key[1]] += 1


def forget_what_was_not_looked_up(life):
    """The disk did not say whether a message had come before: it is refused, and
    nothing is known by that of the first time."""
    for end in [e for e in life.ends if e.kind == "not looked up"]:
        if sum(a.at < end.at for a in life.accepts) > 1:
            answer = next((a for a in life.answers if a.at > end.at and
                           a.code == end.code), None)
            life.ends.remove(end)
            if answer:
                life.answers.remove(answer)


class World:
    """All histories, joined."""

    def __init__(self, cores, records, outboxes, options):
        self.cores = cores
        self.records = records
        self.options = options
        self.by_address = {}
        for core in cores:
            core.was_killed = options.killed
        self.outboxes = [Outbox(o, records.same) for o in outboxes]
        self.outboxes += [Outbox(None, records.same)] * (len(cores) -
                                                         len(outboxes))
        self.outbox_of = dict(zip(map(id, cores), self.outboxes))
        for life in self.lives():
            if options.disk_fails:
                forget_what_was_not_looked_up(life)
            key = self.key(life)
            self.by_address.setdefault(key, []).append(life)
        self.gots = {}
        for got in records.gots:
            key = (got.sender, got.who, got.id)
            self.gots.setdefault(key, []).append(got)
        for message in records.messages.values():
            key = (message.sender, message.to, message.id)
            message.lives = self.by_address.get(key, [])
            for life in message.lives:
                life.message = message
        self.now = options.now_ms or max(
            [a.t for m in records.messages.values() for a in m.attempts] +
            [g.t for g in records.gots] + [n.t for n in records.notices] +
            [u[1] for c in cores for u in c.up] +
            [e.t for life in self.lives() for e in life.events()], default=0)

    def key(self, life):
        same = self.records.same
        return same(life.sender), same(life.to), life.id

    def lives(self):
        for core in self.cores:
            yield from core.all()

    def messages(self):
        return self.records.messages.values()

    def outbox(self, life):
        return self.outbox_of[id(life.core)]

    def row(self, life):
        return self.outbox(life).rows.get(self.key(life))

    def to_of(self, life):
        """Whom it is for; of a notice, the sender of what it is about."""
        if not life.is_notice or life.to:
            return self.records.same(life.to)
        about = life.core.lives.get(life.about)
        return self.records.same(about[-1].sender) if about else ""

    def gots_of(self, life):
        """Who sent it may have written nothing down."""
        gots = self.gots.get(self.key(life), [])
        if not gots and life.message:
            gots = life.message.gots
        return [g for g in gots if g.is_taken]


def h(world, v):
    for core in world.cores:
        v.judged += core.count
        for fault in core.faults:
            v.fault(core.name or "core", fault)
        if core.lost and not world.options.allow_lost:
            v.fault(core.name or "core", f"{core.lost} lines are lost: the "
                                         "disk was full")
    for fault in world.records.faults:
        v.fault("records", fault)


JUDGES = dict(zip(NAMES, (
    h, promise.i1, promise.i2, arrival.i3, arrival.i4, promise.i5, promise.i6,
    arrival.i7, arrival.i8, arrival.i9, promise.i10)))


class Options:
    def __init__(self, dedup=(), allowed=None, lifetimes=None, eligible=None,
                 notices="always", settled=True, now_ms=None, clocks=True,
                 slack_ms=5, max_hops=16, strict_order=False,
                 allow_lost=False, killed=False, disk_fails=False):
        self.dedup = dedup
        if allowed is None or callable(allowed):
            self.allowed = allowed
        else:
            pairs = {(plain(a), plain(b)) for a, b in allowed}
            self.allowed = lambda a, b: bool(
                pairs & {(a, b), (a, "*"), ("*", b), ("*", "*")})
        self.lifetimes = lifetimes or {}
        self.eligible = eligible
        self.notices = notices
        self.settled = settled
        self.now_ms = now_ms
        self.clocks = clocks
        self.slack_ms = slack_ms
        self.max_hops = max_hops
        self.strict_order = strict_order
        self.allow_lost = allow_lost
        self.killed = killed
        self.disk_fails = disk_fails


def judge(cores=(), records=(), outboxes=(), same=None, need=(), **options):
    """The report on
    cores     for each bridge a Core, or the list of its files
    records   of all senders and receivers, in order
    outboxes  for each bridge what `primctl --json outbox list` said in the
              end; none: unknown
    same      function that gives all (plain) addresses of one person one name
    need      names of invariants that must not go unjudged

    dedup     who recognises duplicates: True, or a set of addresses
    allowed   who may write to whom: pairs ("*": anybody), or a function
    lifetimes seconds, by destination ("adapter:xmpp") or kind ("inbox")
    eligible  function of a Life: is its sender told of a failure?
    notices   "always" or "asked", as configured
    settled   all who are told of something have had the time to hear it
    now_ms    when the outbox was listed
    clocks    senders and bridges have the same clock
    slack_ms  ... but for this much
    strict_order  nothing overtakes, not even what was under way
    allow_lost    lines may be missing because the disk was full
    disk_fails    a commit that the disk answered with an error may turn out to
                  be there when the process is killed, though 500 was said; and
                  500 is said of what is there and cannot be looked up
    killed    the bridges were killed in the end, and not started again"""
    cores = [c if isinstance(c, Core) else Core(*c) for c in cores]
    if not isinstance(records, Records):
        records = Records(records, same)
    world = World(cores, records, list(outboxes), Options(**options))
    verdicts = {}
    for name, function in JUDGES.items():
        verdicts[name] = Verdict(name)
        verdicts[name].is_needed = name in need
        function(world, verdicts[name])
    return Report(verdicts)


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="check.py", description="Judges histories of deliveries.")
    parser.add_argument("--core", nargs="+", action="append", default=[],
                        metavar="FILE")
    parser.add_argument("--outbox", action="append", default=[],
                        metavar="FILE")
    parser.add_argument("--senders", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--receivers", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--dedup", nargs="*", metavar="ADDRESS",
                        help="who recognises duplicates; without one: all")
    parser.add_argument("--allowed", metavar="FILE",
                        help="JSON: pairs of who may write to whom")
    parser.add_argument("--lifetime", action="append", default=[],
                        metavar="DEST=SECONDS")
    parser.add_argument("--notices", choices=("always", "asked"),
                        default="always")
    parser.add_argument("--need", nargs="+", default=[], choices=NAMES)
    for flag in ("unsettled", "no-clocks", "strict-order", "allow-lost",
                 "killed"):
        parser.add_argument("--" + flag, action="store_true")
    return parser.parse_args(argv)


def main(argv=None):
    a = arguments(argv)
    lifetimes = {}
    try:
        for one in a.lifetime:
            dest, _, seconds = one.rpartition("=")
            lifetimes[dest] = float(seconds)
        records = list(merge(*map(read_records, a.senders + a.receivers),
                             key=lambda r: r.get("t", 0)))
        outboxes, allowed = [], None
        for name in a.outbox:
            with open(name, encoding="utf-8") as file:
                outboxes.append(json.load(file))
        if a.allowed:
            with open(a.allowed, encoding="utf-8") as file:
                allowed = json.load(file)
        cores = [Core(*files, name=os.path.basename(files[0]))
                 for files in a.core]
    except (OSError, ValueError) as error:
        print(f"check.py: {error}", file=sys.stderr)
        return 2
    report = judge(cores, records, outboxes, need=a.need, allowed=allowed,
                   dedup=() if a.dedup is None else set(a.dedup) or True,
                   lifetimes=lifetimes, notices=a.notices,
                   settled=not a.unsettled, clocks=not a.no_clocks,
                   strict_order=a.strict_order, allow_lost=a.allow_lost,
                   killed=a.killed)
    print(report.text())
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
