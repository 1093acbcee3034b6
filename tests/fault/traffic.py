# SPDX-License-Identifier: ISC
"""Traffic for tests that break things: senders that do not stop, each with a
window of messages that wait for their answer, and recipients of every kind. What
had no answer is sent again under its old Message-ID. All of it is recorded, and
judged in the end (check.py)."""

import itertools
import json
import os
import random
import threading
import time
from datetime import datetime, timedelta, timezone

from check import judge
from door import RecordDoor
from prim import Gone, Refused
from recorder import Recorder
from servers import Primd, wait_until

ALICE = "alice@localhost"
SENDERS = (ALICE, "dave@localhost")
BOB, CAROL, ERIN = "bob@localhost", "carol@localhost", "erin@localhost"
# What the fault adapter does (adapters/fault/README.md).
FAR = ("ok", "late-300", "report-101", "refuse-402", "bounce-408-300", "ok-2")
NEEDED = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I10")

CONFIG = """history: {history}
limits: {{ offline_messages: 1000000 }}
delivery: {{ answer_within: 2s }}
routes:
  - {{ domain: far.example, via: fault, queue: true }}
adapters:
  - {{ name: fault, plugin: fault, options: {{ domain: fault.localhost,
       retry: 1, record: {port} }} }}
"""


def mood(command):
    """Bob's: always the same about the same message."""
    return 408 if command.get("Message-ID").endswith(("1", "5")) else 200


class Record(RecordDoor):
    """What the fault adapter says that it gets goes to the recorder, too. It
    recognises nothing: what came before is told here."""

    def __init__(self, recorder):
        self.recorder = recorder
        super().__init__()

    def take(self, record):
        if record["event"] != "got":
            return
        if record.get("answer") is None:
            record.pop("answer", None)  # it is reported later
        with self.recorder.lock:
            self.recorder.records.append(record)


class Sender(threading.Thread):
    """One connection after the other, for `who`, until end()."""

    WINDOW = 16
    numbers = itertools.count(1)

    def __init__(self, world, who, pause):
        super().__init__(daemon=True)
        self.world = world
        self.who = who
        self.pause = pause
        self.stopping = threading.Event()
        self.flying = []
        self.unanswered = []
        self.client = None
        self.codes = []    # (when, recipient, code)

    def connect(self):
        client = self.world.client(self.who)
        again, self.unanswered = self.unanswered, []
        for message in again:
            self.put(client, *message)
        return client

    def put(self, client, to, text, mid, conversation, extra):
        future = client.send(to, text, message_id=mid, extra=extra,
                             conversation=conversation)
        self.flying.append(((to, text, mid, conversation, extra), future))

    def new(self):
        number = next(self.numbers)
        to = random.choice(self.world.recipients)
        extra = ()
        if to == ERIN:  # she is away until the end
            until = datetime.now(timezone.utc) + timedelta(
                seconds=random.choice((1, 2, 4)))
            extra = (("Expires", until.strftime("%a, %d %b %Y %H:%M:%S +0000")),)
        text = f"{number} " + "x" * random.choice((10, 200, 1000, 6000))
        return to, text, f"id-{number}", f"c{random.randrange(3)}", extra

    def collect(self, everything=False):
        left = []
        for message, future in self.flying:
            if not future.done() and not everything:
                left.append((message, future))
                continue
            try:
                code = future.result(15).code
                self.codes.append((time.monotonic(), message[0], code))
            except (Gone, TimeoutError):
                self.unanswered.append(message)
        self.flying = left

    def run(self):
        while not self.stopping.is_set():
            try:
                if not self.client or self.client.gone:
                    self.collect(everything=True)
                    self.client = self.connect()
                self.collect()
                if len(self.flying) < self.WINDOW:
                    self.put(self.client, *self.new())
                time.sleep(self.pause)
            except (OSError, Gone, Refused, TimeoutError):
                time.sleep(0.05)
        self.collect(everything=True)

    def end(self):
        self.stopping.set()
        self.join(60)


class Surrounded(Primd):
    """A primd with an environment of its own."""

    def __init__(self, env):
        self.env = env
        super().__init__()

    def launch(self, command, env=None, **more):
        super().launch(command, env={**env, **self.env}, **more)


class World:
    """primd with the fault adapter, its senders and its recipients. `env`: what is
    added to the environment of primd."""

    def __init__(self, top="", **env):
        self.recorder = Recorder()
        self.record = Record(self.recorder)
        self.primd = Surrounded(env)
        self.history = os.path.join(self.primd.folder, "history.json")
        with open(self.primd.config, "a", encoding="utf-8") as file:
            file.write(top + CONFIG.format(history=self.history,
                                           port=self.record.port))
        self.recipients = [BOB, BOB, BOB, CAROL, ERIN] + [
            f"{order}@far.example" for order in FAR]
        self.senders = []
        self.listeners = {}

    def make_accounts(self):
        for address in SENDERS + (BOB, CAROL, ERIN):
            self.primd.account(address)

    def start(self):
        self.make_accounts()
        self.primd.start()
        self.wait_up()
        return self

    def wait_up(self):
        wait_until(lambda: all(a["state"] == "up" for a in
                               self.primd.status()["adapters"]), 20)

    def client(self, who):
        """A sender's, who listens for his notices."""
        return self.recorder.client(self.primd, who, listen=True, dedup=True)

    def send(self, pause=0.004):
        """Everybody sends from now on."""
        self.senders = [Sender(self, who, pause) for who in SENDERS]
        for sender in self.senders:
            sender.start()

    def listen(self, who):
        self.hush(who)
        self.listeners[who] = self.recorder.client(
            self.primd, who, listen=True, dedup=True,
            answer=mood if who == BOB else 200)
        return self.listeners[who]

    def hush(self, who):
        client = self.listeners.pop(who, None)
        if client:
            client.close()

    def codes(self, since=0, to=None):
        """Of answers that came since then."""
        return [c for s in self.senders for t, who, c in list(s.codes)
                if t >= since and (to is None or who == to)]

    def end_sending(self):
        for sender in self.senders:
            sender.end()

    def outbox(self):
        return json.loads(self.primd.ctl("--json", "outbox", "list"))

    def drain(self, timeout=60):
        """Until nothing waits; how much still does. Erin, too, comes: what was
        overdue at a start has got a minute more."""
        for who in (BOB, CAROL, ERIN):
            self.listen(who)
        for sender in self.senders:
            if sender.client is None or sender.client.gone:
                sender.client = self.client(sender.who)

        def waiting():
            # What has ended and could not be written yet is in the list only.
            return self.primd.status()["outbox"] or self.outbox()["waiting"]

        wait_until(lambda: waiting() == 0, timeout, step=0.2)
        time.sleep(0.5)  # what comes twice comes now
        return waiting()

    def judge(self, **more):
        """The report; nothing moves any more."""
        more.setdefault("need", NEEDED)
        return judge([[self.history]], list(self.recorder.records),
                     [self.outbox()], dedup=set(SENDERS + (BOB, CAROL, ERIN)), **more)

    def close(self, keep=False):
        for who in list(self.listeners):
            self.hush(who)
        for sender in self.senders:
            sender.stopping.set()
            if sender.client:
                sender.client.close()
        self.record.close()
        self.primd.clean(keep)
