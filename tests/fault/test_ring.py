# SPDX-License-Identifier: ISC
"""Bridges in a ring through a real Prosody, with somebody in the middle who takes
off everything by which a bridge could know again what it has seen: the count of
hops, and every id. Traffic dies all the same."""

import itertools
import os
import re
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from door import Door  # noqa: E402
from servers import Primd, Prosody, wait_until  # noqa: E402
from xmpp import Client  # noqa: E402

JULIET, BOB = "juliet@localhost", "bob@ring.x"
COPIES = 16     # at most (bridge/loop.h)

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
# What comes in for ring.x goes out again at the other end, where Prosody finds
# that ring.x is here.
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


# Two networks of automata, each a host of the same Prosody.
ECHOES = """routes:
  - {{ domain: xmpp.localhost, via: one, relay: [far.localhost] }}
  - {{ domain: far.localhost, via: two, relay: [xmpp.localhost] }}
adapters:
  - name: one
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: localhost
      secret_file: {secret}
      gateway_domain: i.x
  - name: two
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: back.x
      secret_file: {secret}
      gateway_domain: o.x
"""


class Middle(Door):
    """Sits before the port of Prosody where components log in, and counts the
    texts that come from there. What it does to them is in `takes`: "hops" and
    "ids" are taken off, "names" are changed."""

    HOPS = re.compile(rb"<bridge [^>]*urn:primbridge:hops[^>]*/>")
    ORIGIN = re.compile(rb"<origin-id [^>]*/>")
    ID = re.compile(rb"(<message [^>]*\bid=['\"])[^'\"]*")
    FROM = re.compile(rb"(<message [^>]*\bfrom=['\"])[^'\"@]*@o\.x")

    def __init__(self, port, takes):
        self.target = port
        self.takes = takes
        self.copies = self.taken = 0
        self.numbers = itertools.count(1)
        super().__init__()

    def serve(self, link):
        there = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self.carry, args=(there, link, False),
                         daemon=True).start()
        self.carry(link, there, True)

    def carry(self, one, other, is_out):
        rest = b""
        try:
            while data := one.recv(65536):
                # A tag is not cut in two.
                data, end, rest = (rest + data).rpartition(b">")
                self.copies += is_out * data.count(b"<body")
                other.sendall(self.change(data + end, is_out))
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def new(self, match):
        return match.group(1) + b"evil-%d" % next(self.numbers)

    def change(self, data, is_out):
        if "hops" in self.takes:
            data, count = self.HOPS.subn(b"", data)
            self.taken += count
        if "ids" in self.takes:
            data = self.ORIGIN.sub(b"", data)
            data = self.ID.sub(self.new, data)
        if "names" in self.takes and not is_out:
            data, count = self.FROM.subn(lambda m: self.new(m) + b"@evil.x",
                                         data)
            self.taken += count
        return data


class Automaton(Client):
    """Answers what it hears with the same words."""

    def on_message(self, msg):
        super().on_message(msg)
        if msg["body"] and msg["type"] != "error":
            self.send(str(msg["from"]), msg["body"],
                      f"echo-{len(self.heard)}", receipt=False)


class Ring(unittest.TestCase):
    def begin(self, *configs, domains=(), components=(), takes=(), users=()):
        """A primd for each of `configs`."""
        self.prosody = Prosody(["xmpp.localhost", "far.localhost"], components,
                               dict.fromkeys(users, "secret"))
        self.addCleanup(self.prosody.clean)
        self.middle = Middle(self.prosody.component, takes)
        self.addCleanup(self.middle.close)
        secret = os.path.join(self.prosody.folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write(Prosody.SECRET + "\n")
        os.chmod(secret, 0o600)
        self.primds = []
        for config, domain in zip(configs, domains):
            primd = Primd(config.format(port=self.middle.port, secret=secret),
                          domains=(domain,))
            self.addCleanup(primd.clean)
            self.primds.append(primd)
        self.prosody.start()
        for primd in self.primds:
            primd.account("juliet@" + domains[self.primds.index(primd)])
            primd.start()
        self.assertTrue(wait_until(lambda: self.prosody.log().count(
            "component successfully authenticated") == len(components)))

    def wait_quiet(self, seconds=3):
        """How many copies there were when it was quiet for so long."""
        copies, since = -1, 0
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if copies != self.middle.copies:
                copies, since = self.middle.copies, time.monotonic()
            elif time.monotonic() - since > seconds:
                return copies
            time.sleep(0.05)
        self.fail(f"it goes on: {copies} copies")

    def go_round(self, *takes):
        """One message, and how often it went out."""
        self.begin(FIRST, RING, domains=("localhost", "second.localhost"),
                   components=["localhost", "ring.x", "i.x", "back.x", "o.x"],
                   takes=takes)
        juliet = self.primds[0].client(JULIET, listen=True)
        self.addCleanup(juliet.close)
        answer = juliet.send(BOB, "round and round")
        copies = self.wait_quiet()
        code = answer.result(10).code
        print(f"without {takes}: {copies} copies, {self.middle.taken} times "
              f"changed, answered {code}", flush=True)
        self.assertGreater(self.middle.taken, 0)
        for primd in self.primds:
            self.assertTrue(primd.is_running())
            self.assertEqual(primd.status()["outbox"], 0)
        return copies

    def test_without_hops_and_ids_it_is_known_by_its_sender(self):
        """His name says that he came through a gateway of ours before."""
        self.assertEqual(self.go_round("hops", "ids"), 2)

    def test_with_another_sender_each_time_its_hops_are_counted(self):
        self.assertEqual(self.go_round("names", "ids"), COPIES)

    def test_two_automata_through_one_bridge(self):
        one, two = "romeo@xmpp.localhost", "benvolio@far.localhost"
        self.begin(ECHOES, domains=("localhost",),
                   components=["localhost", "i.x", "back.x", "o.x"],
                   takes=("hops", "ids"), users=(one, two))
        clients = [Automaton(who, "secret", self.prosody.c2s, receipts=False)
                   for who in (one, two)]
        for client in clients:
            self.addCleanup(client.close)
        clients[0].send("benvolio\\40far.localhost@i.x", "are you there?",
                        "first", receipt=False)
        copies = self.wait_quiet()
        print(f"two automata: {copies} copies", flush=True)
        self.assertEqual(copies, COPIES)
        self.assertTrue(self.primds[0].is_running())


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
