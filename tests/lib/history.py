# SPDX-License-Identifier: ISC
"""Reads what happened in a bridge: its history log (bridge/history.h). Judges
nothing; that is tests/fault/check.py. Standard library only, and no code of the
bridge."""

import json
from urllib.parse import unquote

POSITIVE = (101, 200)
# Answers that say for certain that nobody has it. After the others (no answer
# in time, it broke on the way) somebody may have it, but nobody will get it.
CERTAIN = (400, 402, 403, 408, 410, 501)
# They answer by themselves; nobody hands anything over.
SERVICES = ("primbridge", "postmaster")
REMEMBERED_MS = 600_000  # how long a live answer is known without a disk


def fnv1a(octets):
    """The hash of a body, as the history log has it."""
    value = 0xcbf29ce484222325
    for octet in octets:
        value = ((value ^ octet) * 0x100000001b3) & 0xffffffffffffffff
    return f"{value:016x}"


def plain(address):
    """One spelling of an address: no scheme, no resource, no escapes."""
    if not address:
        return ""
    scheme, colon, rest = address.partition(":")
    if colon and scheme in ("im", "pres", "xmpp"):
        address = rest
    return unquote(address.partition("/")[0]).lower()


def is_service(address):
    return plain(address).partition("@")[0] in SERVICES


def is_failure(code):
    return code is not None and code not in POSITIVE


class Event:
    """One line, as far as it is judged."""

    __slots__ = ("at", "t", "run", "cut", "code", "kind", "dest", "seq",
                 "attempt", "hash", "who")

    def __init__(self, core, line):
        self.at = core.count    # the place in the log
        self.t = line.get("t", 0)
        self.run = core.run     # of the process
        self.cut = core.cuts    # how often lines may be missing before it
        self.code = line.get("code")
        self.kind = line.get("kind") or line.get("reason")
        self.dest = line.get("dest")
        self.seq = line.get("seq")
        self.attempt = line.get("attempt")
        self.hash = line.get("hash")
        self.who = None


class Life:
    """What happened to one message. The same Delivery-ID may have several: one
    that was refused leaves no trace, and may come again."""

    __slots__ = ("core", "delivery", "id", "sender", "to", "origin",
                 "conversation", "hops", "about", "accepts", "commits", "hands",
                 "reports", "answers", "ends", "notices", "message", "order")

    def __init__(self, core, delivery):
        self.core = core
        self.delivery = delivery
        self.id = self.sender = self.to = self.origin = ""
        self.conversation = ""
        self.hops = 0
        self.about = None     # of a notice: the Delivery-ID it is about
        self.accepts = []
        self.commits = []
        self.hands = []
        self.reports = []
        self.answers = []
        self.ends = []
        self.notices = []     # about this one
        self.message = None   # what its sender says of it
        self.order = None     # the first place in the log

    def __str__(self):
        name = f"{self.delivery[:8]} " if self.delivery else ""
        if self.about:
            return f"{name}notice about {self.about[:8]}"
        return f"{name}id={self.id} {self.sender} -> {self.to}"

    @property
    def is_notice(self):
        return self.about is not None

    def events(self):
        return (self.accepts + self.commits + self.hands + self.reports +
                self.answers + self.ends + self.notices)

    def last(self):
        return max(self.events(), key=lambda e: e.at, default=None)

    def is_stored(self):
        """Only what is stored has a number."""
        return bool(self.commits) or any(e.seq for e in self.hands +
                                         self.reports + self.ends)

    def was_promised(self):
        """As far as the log says: durable, or its sender was told so."""
        return self.is_notice or self.is_stored() or any(
            a.code in POSITIVE for a in self.answers)

    def is_echo(self):
        """Nothing but what was answered before, once more."""
        return bool(self.answers) and all(
            a.kind in ("joined", "known", "conflict") for a in self.answers
        ) and not (self.is_stored() or self.hands or self.ends)

    def was_refused(self):
        return not self.was_promised() and any(
            is_failure(a.code) for a in self.answers)

    def may_begin_anew(self, event):
        """Is an `accept` now that of another life?"""
        if self.was_refused():
            return True
        if not self.ends or self.is_notice or self.is_stored():
            return False
        return (event.run != self.ends[-1].run or
                event.t - self.ends[-1].t >= REMEMBERED_MS)


LISTS = {"commit": "commits", "hand": "hands", "report": "reports",
         "answer": "answers", "end": "ends"}


class Core:
    """The history of one bridge: all its files, in the order of their lines.
    `sources` are names of files, or lists of lines or of dictionaries."""

    def __init__(self, *sources, name=""):
        self.name = name
        self.lives = {}        # Delivery-ID -> [Life]
        self.faults = []       # lines nobody should have written
        self.lost = 0          # lines, as the log itself says
        self.count = 0
        self.run = 0
        self.cuts = 0
        self.up = []           # [begin, end] of each process, wall clock
        self.is_stopped = True
        self.torn = None       # a line that could not be read
        self.was_killed = False  # in the end, and not started again
        for source in sources:
            self.read(source)

    def read(self, source):
        if isinstance(source, str):
            with open(source, encoding="ascii", errors="replace") as file:
                self.read_lines(file)
        else:
            self.read_lines(source)

    def read_lines(self, lines):
        for line in lines:
            if isinstance(line, dict):
                self.take(line)
                continue
            try:
                event = json.loads(line)
                if not isinstance(event, dict) or not line.endswith("\n"):
                    raise ValueError
            except ValueError:
                self.count += 1
                self.fault_of_torn()
                self.torn = f"line {self.count} cannot be read: {line[:60]!r}"
                continue
            self.take(event)

    def fault_of_torn(self):
        if self.torn:
            self.faults.append(self.torn)
        self.torn = None

    def take(self, line):
        self.count += 1
        event = line.get("event")
        # Half a line is what a kill or a full disk leaves, and then one of
        # these follows.
        if event not in ("start", "lost"):
            self.fault_of_torn()
        self.torn = None
        if event == "start":
            self.start(line)
        elif event == "stop":
            self.is_stopped = True
        elif event == "lost":
            self.lost += line.get("lines", 0)
            self.cuts += 1
        elif event == "accept":
            self.accept(line)
        elif event == "notice":
            self.notice(line)
        elif event in LISTS:
            life = self.life(line)
            getattr(life, LISTS[event]).append(Event(self, line))
        else:
            self.faults.append(f"line {self.count}: no such event: {event!r}")
        if self.up and "t" in line:
            self.up[-1][1] = max(self.up[-1][1], line["t"])

    def start(self, line):
        if self.count > 1:
            self.run += 1
            self.cuts += not self.is_stopped
        self.is_stopped = False
        self.up.append([line.get("t", 0)] * 2)

    def new_life(self, delivery):
        life = Life(self, delivery)
        life.order = self.count
        self.lives.setdefault(delivery, []).append(life)
        return life

    def life(self, line):
        delivery = line.get("delivery") or ""
        lives = self.lives.get(delivery)
        if lives:
            return lives[-1]
        # Its first line may have been in memory when the process was killed.
        if self.cuts == 0:
            self.faults.append(f"line {self.count}: nothing is known of "
                               f"delivery {delivery[:8]}")
        return self.new_life(delivery)

    def accept(self, line):
        event = Event(self, line)
        delivery = line.get("delivery") or ""
        lives = self.lives.get(delivery)
        if not lives or lives[-1].may_begin_anew(event):
            life = self.new_life(delivery)
        else:
            life = lives[-1]
        life.accepts.append(event)
        if life.id or life.sender:
            return
        life.id = line.get("id", "")
        life.sender = plain(line.get("from"))
        life.to = plain(line.get("to"))
        life.origin = line.get("origin", "")
        life.conversation = line.get("conversation") or "-"
        life.hops = line.get("hops", 0)

    def notice(self, line):
        """Two lives hear of it: that of the notice, and that of its cause."""
        event = Event(self, line)
        event.who = line.get("delivery") or ""
        about = line.get("about") or ""
        lives = self.lives.get(event.who)
        life = lives[-1] if lives else self.new_life(event.who)
        life.about = about
        life.id = line.get("id", "")
        life.sender, life.to = plain(line.get("from")), plain(line.get("to"))
        life.commits.append(event)
        if about in self.lives:
            self.lives[about][-1].notices.append(event)
        elif self.cuts == 0:
            self.faults.append(f"line {self.count}: a notice about "
                               f"{about[:8]}, of which nothing is known")

    def all(self):
        for lives in self.lives.values():
            yield from lives

    def was_cut_since(self, event):
        """May lines that follow `event` be missing?"""
        return (self.cuts > event.cut or self.was_killed or
                self.torn is not None)
