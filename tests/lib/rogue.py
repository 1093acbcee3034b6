# SPDX-License-Identifier: ISC
"""An adapter in another language, for what a plugin cannot do wrong: it knows
the link of adapters/README.md and obeys the local part of whoever is watched.

deaf    SUBSCRIBE is never answered
once    the first SUBSCRIBE kills it
lies    accepted and notified, then what the core must refuse, then the truth
flood   accepted, notified 20000 times
mute    the same, and nothing is read meanwhile

Everybody else is accepted; the note of what is notified is our process id. What
it heard, and the answers it got, are lines of JSON in rogue.json beside the
configuration file."""

import json
import os
import shutil
import socket
import stat
import sys
import threading
import time

from prim import Gone, Reader
from publisher import PIDF, document

FLOOD = 20000
WRAPPER = """#!/usr/bin/python3
import sys
sys.path.insert(0, {lib!r})
import rogue
rogue.main({real!r})
"""
BOMB = ('<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a0 "ha">' +
        "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)) +
        ']><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:%s">'
        '<note>&a11;</note></presence>')


def bomb(address):
    """A document that would be 200 GB."""
    return (BOMB % address).encode()


def sized(address, octets):
    """A document of exactly so many."""
    small = len(document(address, ""))
    return document(address, "x" * (octets - small))


def install(primd):
    """Puts us in the place of primd-adapter; other plugins get the real one."""
    own = os.path.join(primd.folder, "bin")
    os.mkdir(own)
    for name in ("primd", "primctl"):
        shutil.copy2(os.path.join(primd.bin, name), own)
    script = os.path.join(own, "primd-adapter")
    with open(script, "w", encoding="utf-8") as file:
        file.write(WRAPPER.format(lib=os.path.dirname(__file__),
                                  real=os.path.join(primd.bin,
                                                    "primd-adapter")))
    os.chmod(script, stat.S_IRWXU)
    primd.bin = own


def heard(primd, **wanted):
    """The lines that have all of these."""
    path = os.path.join(primd.folder, "rogue.json")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.endswith("\n")]
    return [line for line in lines
            if all(line.get(k) == v for k, v in wanted.items())]


class Rogue:
    def __init__(self):
        self.sock = socket.socket(fileno=3)
        self.reader = Reader(self.sock)
        self.lock = threading.Lock()
        self.file = open("rogue.json", "a", encoding="utf-8")
        self.asked = {}
        self.last = 0
        self.may_read = threading.Event()
        self.may_read.set()

    def note(self, **what):
        what.update(pid=os.getpid(), at=time.time())
        self.file.write(json.dumps(what) + "\n")
        self.file.flush()

    # What we say

    def put(self, start, headers=(), body=b"", kind="text/plain"):
        lines = [f"{name}: {value}\r\n" for name, value in headers]
        if body:
            lines.append(f"Content-Type: {kind}\r\n")
        with self.lock:
            self.sock.sendall((start + "\r\n" + "".join(lines) + "\r\n").encode()
                              + body)

    def respond(self, command, code, *headers):
        self.put(f"PRIM/1.0 {command.id} 0 {code} Because", headers)

    def notify(self, tag, s, body, **other):
        """`other`: what is not as the subscription `s` has it."""
        names = {"From": s["to"], "To": s["from"], "Subscription-ID": s["id"]}
        names.update({k.replace("_", "-"): v for k, v in other.items()
                      if k != "kind"})
        with self.lock:
            self.last += 1
            number = self.last
        self.asked[str(number)] = tag
        self.put(f"NOTIFY PRIM/1.0 {number} {len(body)}",
                 [("Date", "Thu, 01 Jan 2026 00:00:00 +0000"), *names.items()],
                 body, other.get("kind", PIDF))

    def show(self, s, note, tag=None):
        self.notify(tag, s, document(s["to"].removeprefix("pres:"), note))

    # What we hear

    def lies(self, s):
        who = s["to"].removeprefix("pres:")
        true = document(who, "false")
        self.show(s, "first", "first")
        for tag, body, other in (
                ("unknown id", true, {"Subscription_ID": "never-heard-of"}),
                ("other watcher", true, {"To": "pres:bob@localhost"}),
                ("other presentity", true, {"From": "pres:no@rogue.localhost"}),
                ("served presentity", true, {"From": "pres:bob@localhost"}),
                ("other entity", document("bob@localhost", "false"), {}),
                ("bomb", bomb(who), {}),
                ("huge", sized(who, 65537), {}),
                ("no document", b"<presence>", {}),
                ("no presence", true, {"kind": "text/html"})):
            self.notify(tag, s, body, **other)
        self.show(s, "last", "last")

    def flood(self, s):
        for number in range(FLOOD):
            self.show(s, number)
        self.show(s, "last", "last")
        self.may_read.set()

    def subscribe(self, command, s):
        order = s["to"].removeprefix("pres:").split("@")[0]
        if order == "once" and not os.path.exists("died"):
            open("died", "w", encoding="ascii").close()
            os._exit(9)
        if order == "deaf":
            return
        if order == "mute":
            self.may_read.clear()
        self.respond(command, 200, ("Duration", command.get("Duration")))
        if order == "lies":
            self.lies(s)
        elif order in ("flood", "mute"):
            threading.Thread(target=self.flood, args=(s,), daemon=True).start()
        else:
            self.show(s, os.getpid())

    def take(self, command):
        if command.is_response:
            tag = self.asked.pop(command.id, None)
            if tag:
                self.note(answer=tag, code=command.code)
            return
        s = {"from": command.get("From"), "to": command.get("To"),
             "id": command.get("Subscription-ID")}
        if command.method not in ("PING", "CONFIG"):
            self.note(method=command.method,
                      duration=int(command.get("Duration", "-1")), **s)
        if command.method == "SUBSCRIBE":
            self.subscribe(command, s)
        elif command.method == "DRAIN":
            sys.exit(0)
        else:
            self.respond(command, 200)
        if command.method == "CONFIG":
            self.put("READY PRIM/1.0 - 0")
            self.put("WINDOW PRIM/1.0 - 0", [("Window", 1024)])
        if command.method == "SEND":
            self.put("REPORT PRIM/1.0 - 0",
                     [("Delivery-ID", command.get("Delivery-ID")),
                      ("Code", 200)])

    def run(self):
        self.sock.recv(2)  # an empty line, with the sockets
        while True:
            self.may_read.wait()
            self.take(self.reader.next())


def main(real):
    if sys.argv[1] == "--check" and sys.argv[2] == "rogue":
        sys.exit(0)
    if sys.argv[1] == "--check" or sys.argv[2] != "rogue":
        os.execv(real, [real, *sys.argv[1:]])
    try:
        Rogue().run()
    except (OSError, Gone):
        sys.exit(3)
