# SPDX-License-Identifier: ISC
"""Writes down what senders sent and receivers got, for tests/fault/check.py. One
JSON object a record; `t` is the wall clock in ms, `who` an address:

    {"t":..., "who":"bob@b", "event":"here"}
        from now on all that bob gets is written down
    {"t":..., "who":"alice@a", "event":"send", "id":..., "to":"bob@b",
     "conversation":..., "hash":..., "text":..., "asked":true}
    {"t":..., "who":"alice@a", "event":"answer", "id":..., "to":"bob@b",
     "code":101}
        the code is null if the connection ended before it came
    {"t":..., "who":"alice@a", "event":"notice", "id":..., "to":"bob@b",
     "kind":"failed", "code":408, "notice":...}
        `id` is that of the message it is about, `notice` its own
    {"t":..., "who":"bob@b", "event":"got", "id":..., "from":"alice@a",
     "conversation":..., "hash":..., "text":..., "delivery":..., "answer":200}
        the answer is null if there was none, and left out where a network has
        none; "again" in place of "got": recognised, and not looked at

`hash` is FNV-1a of the body, `text` that of the text in it if it is wrapped;
`at` is the number of the connection, `n` that of the request on it. A record is
written before its request or answer is on the wire, and after an answer came."""

import itertools
import json
import os
import re
import threading
import time
import xml.etree.ElementTree as ET

from history import fnv1a, plain
from prim import Client

IMDN = "{urn:ietf:params:xml:ns:imdn}"
REASON = "{urn:primbridge:reason}reason"
KINDS = {"stored": "delayed"}
CPIM = "message/cpim"


class Recorder:
    """All records of one test, in order; with `file`, there too."""

    def __init__(self, file=None):
        self.records = []
        self.lock = threading.Lock()
        self.links = itertools.count(1)
        self.seen = set()   # by receivers that recognise duplicates
        self.names = {}     # imdn.Message-ID -> Message-ID
        self.file = open(file, "w", encoding="utf-8") if file else None

    def write(self, event, who, **more):
        record = {"t": time.time_ns() // 1_000_000, "who": plain(who),
                  "event": event}
        record.update((k, v) for k, v in more.items() if v is not None)
        # What nobody answered is not what cannot be answered.
        record.update((k, None) for k in ("code", "answer")
                      if k in more and more[k] is None)
        with self.lock:
            self.records.append(record)
            if self.file:
                self.file.write(json.dumps(record) + "\n")
                self.file.flush()

    def got(self, who, sender, mid, dedup=False, **more):
        key = (plain(who), plain(sender), mid)
        event = "got"
        with self.lock:
            if dedup and more.get("answer", 200) == 200:
                event = "again" if key in self.seen else "got"
                self.seen.add(key)
        self.write(event, who, **{"from": plain(sender)}, id=mid, **more)

    def client(self, primd, address, listen=False, **more):
        """A PRIM client whose every message is written down. `dedup`: it looks
        at nothing twice."""
        client = RecordedClient(self, primd.port, address,
                                primd.passwords[address], **more)
        return client.listen() if listen else client

    def xmpp(self, prosody, address, **more):
        """The same in XMPP: ids are origin-ids, answers are receipts."""
        return recorded_xmpp()(self, address, prosody.passwords[address],
                               prosody.c2s, **more)

    def close(self):
        if self.file:
            self.file.close()


def content_of(body, content_type):
    """What is wrapped in a message/cpim, and its type."""
    if not content_type.startswith(CPIM):
        return body, content_type
    _headers, _, rest = body.partition(b"\r\n\r\n")
    mime, _, content = rest.partition(b"\r\n\r\n")
    match = re.search(rb"(?im)^content-type:[ \t]*([^\r\n]*)", mime)
    return content, match.group(1).decode() if match else ""


def header_of(body, name):
    """A header of a message/cpim, by the end of its name."""
    match = re.search(rb"(?m)^(?:\w+\.)?" + name + rb":[ ]?([^\r\n]*)",
                      body.partition(b"\r\n\r\n")[0])
    return match.group(1).decode() if match else ""


def read_notice(body, content_type):
    """What a notice says, or None if it is none."""
    content, inner = content_of(body, content_type)
    if not inner.startswith("message/imdn+xml"):
        return None
    root = ET.fromstring(content)
    notice = {"id": root.findtext(IMDN + "message-id")}
    to = (root.findtext(IMDN + "original-recipient-uri") or
          root.findtext(IMDN + "recipient-uri"))
    notice["to"] = plain(to) or None
    status = root.find(f"./*/{IMDN}status/*")
    if status is not None:
        word = status.tag.rpartition("}")[2]
        notice["kind"] = KINDS.get(word, word)
    reason = root.find(REASON)
    if reason is not None and reason.get("code"):
        notice["code"] = int(reason.get("code"))
    return notice


class RecordedClient(Client):
    def __init__(self, recorder, *args, dedup=False, **more):
        self.recorder = recorder
        self.dedup = dedup
        self.link = next(recorder.links)
        self.sending = threading.Lock()
        self.requests = itertools.count(1)
        super().__init__(*args, **more)

    def listen(self, timeout=20):
        self.recorder.write("here", self.address)
        return super().listen(timeout)

    def send(self, to, body, message_id=None, conversation="talk", extra=(),
             sender=None, content_type="text/plain; charset=UTF-8"):
        if isinstance(body, str):
            body = body.encode()
        if message_id is None:
            message_id = (f"r{os.getpid()}-{next(self.numbers)}-"
                          f"{time.time_ns()}")
        content, _type = content_of(body, content_type)
        wishes = header_of(body, b"Disposition-Notification")
        name = header_of(body, b"Message-ID")
        if content_type.startswith(CPIM) and name:
            self.recorder.names[name] = message_id
        who = sender or self.address
        # In the order in which they are on the wire.
        with self.sending:
            number = next(self.requests)
            self.recorder.write(
                "send", who, id=message_id, to=plain(to),
                conversation=conversation, hash=fnv1a(body),
                text=fnv1a(content) if content != body else None,
                asked="negative" in wishes or None, at=self.link, n=number)
            future = super().send(to, body, message_id, conversation, extra,
                                  sender, content_type)

        def answered(done):
            code = None if done.exception() else done.result().code
            self.recorder.write("answer", who, id=message_id, to=plain(to),
                                conversation=conversation, code=code,
                                at=self.link, n=number)

        future.add_done_callback(answered)
        return future

    def decide(self, command):
        code = super().decide(command)
        kind = command.get("Content-Type") or ""
        notice = read_notice(command.body, kind)
        if notice:
            notice["id"] = self.recorder.names.get(notice["id"], notice["id"])
            self.recorder.write("notice", self.address,
                                notice=command.get("Message-ID"), **notice)
            return code
        self.recorder.got(
            self.address, command.get("From"), command.get("Message-ID"),
            self.dedup, conversation=command.get("Conversation-ID"),
            hash=fnv1a(command.body), text=fnv1a(command.content()),
            answer=code, at=self.link)
        return code


def recorded_xmpp():
    """The class, for those who have python3-slixmpp."""
    import xmpp

    class RecordedXmpp(xmpp.Client):
        def __init__(self, recorder, *args, dedup=False, **more):
            self.recorder = recorder
            self.dedup = dedup
            self.link = next(recorder.links)
            recorder.write("here", args[0])
            super().__init__(*args, **more)

        def prepare(self, stream):
            stream.add_event_handler("message", self.on_body)
            stream.add_event_handler("message_error", self.on_failure)
            stream.add_event_handler("receipt_received", self.on_receipt)

        def send(self, to, body, mid, receipt=True, thread=None, **more):
            self.recorder.write("send", self.jid, id=mid, to=plain(to),
                                conversation=thread, hash=fnv1a(body.encode()),
                                asked=True, at=self.link)
            super().send(to, body, mid, receipt=receipt, thread=thread, **more)

        def on_body(self, msg):
            if msg["type"] == "error" or not msg["body"]:
                return
            origin = msg.xml.find("{urn:xmpp:sid:0}origin-id")
            self.recorder.got(
                self.jid, str(msg["from"]),
                msg["id"] if origin is None else origin.get("id"), self.dedup,
                conversation=msg["thread"] or None, delivery=msg["id"],
                hash=fnv1a(msg["body"].encode()), at=self.link)

        def knows(self, kind, mid):
            """An error or a receipt for the same message is the same."""
            key = (self.jid, kind, mid)
            with self.recorder.lock:
                known = self.dedup and key in self.recorder.seen
                self.recorder.seen.add(key)
            return known

        def on_failure(self, msg):
            if self.knows("failed", msg["id"]):
                return
            self.recorder.write("notice", self.jid, id=msg["id"],
                                to=plain(str(msg["from"])), kind="failed",
                                notice=f"error-{next(self.recorder.links)}")

        def on_receipt(self, msg):
            receipt = msg.xml.find("{urn:xmpp:receipts}received")
            if self.knows("received", receipt.get("id")):
                return
            self.recorder.write("answer", self.jid, id=receipt.get("id"),
                                to=plain(str(msg["from"])), code=200,
                                at=self.link)

    return RecordedXmpp
