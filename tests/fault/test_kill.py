# SPDX-License-Identifier: ISC
"""primd is killed under load. What was answered 200 or 101 is there afterwards,
and in order."""

import os
import random
import sys
import threading
import time
import unittest
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from prim import Gone, Refused  # noqa: E402
from servers import LONG, Primd, wait_until  # noqa: E402

CYCLES = 100 if LONG else 20
WINDOW = 32
BURST = 8
CONVERSATIONS = 4

LIMITS = "limits: { offline_messages: 1000000 }\n"


class Stream:
    """Numbered messages from one sender to one recipient, and what became of
    them. Text and Message-ID both tell conversation and number."""

    def __init__(self, name, sender, recipient):
        self.name = name
        self.sender = sender
        self.recipient = recipient
        self.next = Counter()
        self.promised = set()   # answered 200 or 101
        self.codes = Counter()
        self.unanswered = []    # texts that may or may not be there
        self.cut_off = 0        # had no answer when primd was killed
        self.flying = []

    def put(self, client, text):
        conversation = text.split("/")[1]
        future = client.send(self.recipient, text, message_id="id-" + text,
                             conversation=conversation)
        self.flying.append((text, future))

    def pump(self, client):
        """One more message, if the window lets it."""
        self.collect()
        if len(self.flying) >= WINDOW or client.gone:
            return
        conversation = f"c{random.randrange(CONVERSATIONS)}"
        self.next[conversation] += 1
        self.put(client, f"{self.name}/{conversation}/{self.next[conversation]}")

    def collect(self, all_of_them=False):
        left = []
        for text, future in self.flying:
            if not future.done() and not all_of_them:
                left.append((text, future))
                continue
            try:
                code = future.result(10).code
            except (Gone, TimeoutError):
                self.unanswered.append(text)
                self.cut_off += 1
                continue
            self.codes[code] += 1
            if code in (200, 101):
                self.promised.add(text)
        self.flying = left

    def again(self, client):
        """What had no answer goes again with its old Message-ID, first."""
        texts, self.unanswered = self.unanswered, []
        for text in sorted(texts, key=lambda t: int(t.split("/")[2])):
            self.put(client, text)


class Ear:
    """What a recipient heard over all its connections, in order."""

    def __init__(self):
        self.texts = []
        self.ids = []

    def take(self, client):
        with client.lock:
            heard, client.heard = client.heard, []
        for command in heard:
            self.texts.append(command.text())
            self.ids.append(command.get("Message-ID"))

    def of(self, stream):
        return [t for t in self.texts if t.startswith(stream.name + "/")]


class Kills(unittest.TestCase):
    def setUp(self):
        self.primd = Primd(top=LIMITS)
        for name in ("alice", "bob", "carol", "dave", "erin"):
            self.primd.account(f"{name}@localhost")
        self.failed = True

    def tearDown(self):
        self.primd.clean(keep=self.failed)

    def check(self, stream, ear, exactly_once=False):
        heard = ear.of(stream)
        missing = stream.promised - set(heard)
        twice = len(heard) - len(set(heard))
        print(f"{stream.name}: {sum(stream.next.values())} sent, "
              f"{len(stream.promised)} promised {dict(stream.codes)}, "
              f"{stream.cut_off} unanswered, "
              f"{len(set(heard))} arrived, {twice} twice, "
              f"{len(missing)} missing", flush=True)
        self.assertFalse(missing, f"{stream.name}: promised and not there: "
                                  f"{sorted(missing)[:20]}")
        ids = {}
        for text, mid in zip(ear.texts, ear.ids):
            ids.setdefault(text, set()).add(mid)
        self.assertFalse([t for t in heard if len(ids[t]) > 1],
                         "came twice under two ids")
        if exactly_once:
            self.assertEqual(twice, 0, [t for t, n in Counter(heard).items()
                                        if n > 1][:20])
        for conversation in {t.split("/")[1] for t in heard}:
            numbers = [int(t.split("/")[2]) for t in dict.fromkeys(heard)
                       if t.split("/")[1] == conversation]
            wrong = [(a, b) for a, b in zip(numbers, numbers[1:]) if a > b]
            self.assertFalse(wrong, f"{stream.name}/{conversation}: out of order")

    def wait_for(self, clients, ears, streams):
        """Until all that was promised has been heard, or nothing more comes."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 15:
            for client, ear in zip(clients, ears):
                ear.take(client)
            if all(s.promised <= set(e.texts) for s, e in streams):
                break
            count = sum(len(e.texts) for e in ears)
            if count != last:
                last, since = count, time.monotonic()
            time.sleep(0.05)
        time.sleep(1)  # what comes twice comes now
        for client, ear in zip(clients, ears):
            ear.take(client)

    def test_what_was_promised_survives_kill_9(self):
        echo = Stream("echo", "alice@localhost", "x@echo.localhost")
        store = Stream("store", "dave@localhost", "bob@localhost")
        mixed = Stream("mixed", "erin@localhost", "carol@localhost")
        alice, bob, carol = Ear(), Ear(), Ear()
        for cycle in range(CYCLES):
            self.primd.start()
            clients = {s: self.primd.client(s.sender) for s in
                       (echo, store, mixed)}
            clients[echo].listen()
            listener = None
            if cycle % 2:
                listener = self.primd.client("carol@localhost", listen=True)
                for stream, client in clients.items():
                    stream.again(client)
            # By another thread, so that it falls between any two octets.
            killer = threading.Timer(random.uniform(0.2, 0.8),
                                     self.primd.process.kill)
            killer.start()
            while self.primd.is_running():
                for stream, client in clients.items():
                    for _ in range(BURST):
                        stream.pump(client)
            killer.join()
            for stream, client in clients.items():
                wait_until(lambda c=client: c.gone, 5)
                stream.collect(all_of_them=True)
                if cycle % 2 == 0:
                    continue  # the next cycle sends these again
                stream.unanswered.clear()
            alice.take(clients[echo])
            if listener:
                wait_until(lambda: listener.gone, 5)
                carol.take(listener)
        self.primd.start()
        clients = [self.primd.client(f"{name}@localhost", listen=True)
                   for name in ("alice", "bob", "carol")]
        self.wait_for(clients, (alice, bob, carol),
                      ((echo, alice), (store, bob), (mixed, carol)))
        print(f"{CYCLES} cycles of kill -9")
        self.check(store, bob, exactly_once=True)
        self.check(mixed, carol)
        self.check(echo, alice)
        self.failed = False

    def test_sigterm_keeps_every_promise_and_ends_within_five_seconds(self):
        store = Stream("store", "dave@localhost", "bob@localhost")
        bob = Ear()
        for _ in range(3):
            self.primd.start()
            client = self.primd.client(store.sender)
            killer = threading.Timer(0.5, self.primd.process.terminate)
            killer.start()
            while not client.gone:
                store.pump(client)
            self.assertEqual(self.primd.process.wait(5), 0)
            wait_until(lambda: client.gone, 5)
            store.collect(all_of_them=True)
        self.primd.start()
        self.wait_for([self.primd.client("bob@localhost", listen=True)], [bob],
                      [(store, bob)])
        self.check(store, bob, exactly_once=True)
        self.failed = False


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
