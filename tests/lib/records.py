# SPDX-License-Identifier: ISC
"""Reads what senders and receivers wrote down (recorder.py). Judges nothing; that
is tests/fault/check.py. Standard library only."""

import json

from history import POSITIVE, plain


class Attempt:
    __slots__ = ("at", "t", "link", "number", "hash", "text", "conversation",
                 "code", "answer_at", "answer_t")

    def __init__(self, at, record):
        self.at = at
        self.t = record.get("t", 0)
        self.link = record.get("at")
        self.number = record.get("n")
        self.hash = record.get("hash")
        self.text = record.get("text") or self.hash
        self.conversation = record.get("conversation") or "-"
        self.code = None      # nothing was heard
        self.answer_at = self.answer_t = None


class Message:
    """What one sender said to one recipient under one Message-ID."""

    __slots__ = ("sender", "to", "id", "attempts", "gots", "notices", "lives",
                 "asked")

    def __init__(self, sender, to, mid):
        self.sender = sender
        self.to = to
        self.id = mid
        self.attempts = []
        self.gots = []
        self.notices = []
        self.lives = []
        self.asked = False    # for notices

    def __str__(self):
        return f"id={self.id} {self.sender} -> {self.to}"

    @property
    def conversation(self):
        return self.attempts[0].conversation

    def promises(self):
        return [a for a in self.attempts if a.code in POSITIVE]


class Notice:
    __slots__ = ("t", "sender", "id", "to", "kind", "own", "about")

    def __init__(self, record, same):
        self.t = record.get("t", 0)
        self.sender = same(record.get("who"))
        self.id = record.get("id")
        self.to = same(record.get("to"))
        self.kind = record.get("kind")
        self.own = record.get("notice")  # its own Message-ID
        self.about = None


class Got:
    __slots__ = ("at", "t", "who", "link", "sender", "id", "conversation",
                 "hash", "text", "delivery", "answer", "is_again", "message")

    def __init__(self, at, record, same):
        self.at = at
        self.t = record.get("t", 0)
        self.who = same(record.get("who"))
        self.link = record.get("at")
        self.sender = same(record.get("from"))
        self.id = record.get("id")
        self.conversation = record.get("conversation") or "-"
        self.hash = record.get("hash")
        self.text = record.get("text")
        self.delivery = record.get("delivery")
        # No word of an answer: the network has none, so it was taken.
        self.answer = record.get("answer", 200)
        self.is_again = record.get("event") == "again"
        self.message = None

    def __str__(self):
        return f"id={self.id} {self.sender} -> {self.who}"

    @property
    def is_taken(self):
        return self.answer == 200 and not self.is_again


class Records:
    """All that senders and receivers wrote down. `same` gives addresses that
    mean the same person the same name; it is given plain ones."""

    def __init__(self, records, same=None):
        self.same = (lambda a: same(plain(a))) if same else plain
        self.messages = {}     # (from, to, id) -> Message
        self.by_id = {}        # (from, id) -> [Message]
        self.gots = []
        self.notices = []
        self.present = set()   # whose every message is recorded
        self.faults = []
        self.open = {}
        for at, record in enumerate(records):
            self.take(at, record)
        for got in self.gots:
            self.join_got(got)
        for notice in self.notices:
            self.join_notice(notice)

    def take(self, at, record):
        event = record.get("event")
        if event == "send":
            self.send(at, record)
        elif event == "answer":
            self.answer(at, record)
        elif event == "notice":
            self.notices.append(Notice(record, self.same))
        elif event in ("got", "again"):
            self.gots.append(Got(at, record, self.same))
            self.present.add(self.gots[-1].who)
        elif event == "here":
            self.present.add(self.same(record.get("who")))
        else:
            self.faults.append(f"record {at}: no such event: {event!r}")

    def key(self, record):
        return (self.same(record.get("who")), self.same(record.get("to")),
                record.get("id"))

    def send(self, at, record):
        key = self.key(record)
        message = self.messages.get(key)
        if not message:
            message = self.messages[key] = Message(*key)
            self.by_id.setdefault((key[0], key[2]), []).append(message)
        attempt = Attempt(at, record)
        message.attempts.append(attempt)
        message.asked = message.asked or bool(record.get("asked"))
        if attempt.number is not None:
            self.open[key[0], attempt.link, attempt.number] = attempt

    def answer(self, at, record):
        key = self.key(record)
        message = self.messages.get(key)
        if not message:
            self.faults.append(f"record {at}: an answer without a send: "
                               f"id={key[2]}")
            return
        attempt = self.open.pop((key[0], record.get("at"), record.get("n")),
                                None)
        if not attempt:
            left = [a for a in message.attempts if a.answer_at is None]
            if not left:
                self.faults.append(f"record {at}: one answer more than there "
                                   f"are sends: id={key[2]}")
                return
            attempt = left[-1]
        attempt.code = record.get("code")
        attempt.answer_at = at
        attempt.answer_t = record.get("t", 0)

    def join_got(self, got):
        got.message = self.messages.get((got.sender, got.who, got.id))
        if not got.message:
            others = self.by_id.get((got.sender, got.id), [])
            got.message = others[0] if len(others) == 1 else None
        if got.message:
            got.message.gots.append(got)

    def join_notice(self, notice):
        about = self.by_id.get((notice.sender, notice.id), [])
        if notice.to:
            about = [m for m in about if m.to == notice.to] or about
        if about:
            notice.about = about[0]
            about[0].notices.append(notice)


def read_records(name):
    """The records of a file, without half a line at its end."""
    records = []
    with open(name, encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                records.append(json.loads(line))
    return records
