# SPDX-License-Identifier: ISC
"""Two bridges, with a real Prosody between them, that fail everything: what the
one takes the other cannot deliver, and what is told of that may fail, too. Each
sender hears of each message once, nobody of a notice, and then it is quiet."""

import json
import os
import sys
import time
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
from check import judge  # noqa: E402
from recorder import Recorder  # noqa: E402
from servers import LONG, Primd, Prosody, wait_until  # noqa: E402
from witness import Witness  # noqa: E402

EACH = 500 if LONG else 40   # messages to each recipient, from each side
WAVE = 40                    # of them wait for their answers at once
ORDERS = 4                   # of FLOOD messages each: a bridge passes the same
FLOOD = 12                   # text between the same two 16 times a minute
SIDES = "a", "b"
NEED = ("H", "I1", "I2", "I3", "I5", "I6", "I9", "I10")

TOP = """auth: { mechanisms: [PLAIN], allow_plaintext: true }
limits: { offline_messages: 1000000 }
history: history.json
"""
CONFIG = """routes:
  - {{ domain: {you}.localhost, via: xmpp, relay: [far{me}.localhost] }}
  - {{ domain: gw{you}.localhost, via: xmpp, relay: [far{me}.localhost] }}
  - {{ domain: far{me}.localhost, via: far, relay: [{you}.localhost] }}
adapters:
  - name: xmpp
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: {me}.localhost
      secret_file: {secret}
      gateway_domain: gw{me}.localhost
  - {{ name: far, plugin: fault, options: {{ domain: far{me}.localhost,
      notice: refuse-402, record: {record} }} }}
"""

# Who has a link that looks good and bounces: early, while the other bridge still
# waits for word, and late.
LINKED = {"early": "bounce-408-300", "late": "bounce-408-4500"}
LINKED.update({f"flooded{n}": f"bounce-408-46{n:02}" for n in range(ORDERS)})
GHOST = "ghost"              # is removed when much waits for it


def one_name(address):
    """Somebody behind a gateway is still himself."""
    local, _, domain = address.rpartition("@")
    return local if domain.startswith("gw") else address


class Side:
    def __init__(self, world, me, you):
        self.me, self.you = me, you
        self.primd = Primd(CONFIG.format(
            me=me, you=you, port=world.prosody.component, secret=world.secret,
            record=world.witness.port), domains=(f"{me}.localhost",), top=TOP)
        self.world = world
        self.speaker = self.at("speaker")
        for address in (self.speaker, self.at(GHOST), *map(self.at, LINKED)):
            self.primd.account(address)
        for local, order in LINKED.items():
            self.primd.ctl("link", "add", self.at(local),
                           f"{order}@far{me}.localhost")
        self.history = os.path.join(self.primd.folder, "history.json")

    def at(self, local):
        return f"{local}@{self.me}.localhost"

    def client(self, address, listen=False):
        return self.world.recorder.client(self.primd, address, listen,
                                          mechanism="PLAIN", dedup=True)

    def outbox(self):
        return json.loads(self.primd.ctl("--json", "outbox", "list"))


class World:
    def __init__(self):
        self.recorder = Recorder()
        self.witness = Witness(self.recorder, wrapped=True)
        self.prosody = Prosody(["xmpp.localhost"], [
            f"{kind}{side}.localhost" for side in SIDES for kind in ("", "gw")],
            {})
        self.secret = os.path.join(self.prosody.folder, "secret")
        with open(self.secret, "w", encoding="ascii") as file:
            file.write(Prosody.SECRET + "\n")
        os.chmod(self.secret, 0o600)
        self.sides = [Side(self, *SIDES), Side(self, *SIDES[::-1])]

    def start(self):
        self.prosody.start()
        for side in self.sides:
            side.primd.start()
        if not wait_until(lambda: self.prosody.log().count(
                "component successfully authenticated") == 4):
            raise RuntimeError("not all are linked to Prosody")

    def close(self, keep):
        for side in self.sides:
            side.primd.clean(keep)
        self.prosody.clean(keep)
        self.witness.close()

    def lines(self):
        total = len(self.recorder.records)
        for side in self.sides:
            with open(side.history, encoding="ascii") as file:
                total += sum(1 for _ in file)
        return total

    def is_quiet(self, seconds=3):
        before = self.lines()
        time.sleep(seconds)
        return self.lines() == before


class Failing(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.failed = True
        self.world.start()

    def tearDown(self):
        self.world.close(keep=self.failed)

    def test_two_bridges_that_fail_everything(self):
        sides = self.world.sides
        clients = [side.client(side.speaker, listen=True) for side in sides]
        sent = []
        for number in range(EACH):
            if number % WAVE == 0:
                for _, future in sent:
                    future.result(30)
            for side, client in zip(sides, clients):
                for local in ("early", "late", GHOST, "nobody"):
                    to = f"{local}@{side.you}.localhost"
                    sent.append((to, client.send(
                        to, f"{number} from {side.me} to {local}",
                        conversation=f"c{number % 8}")))
        clients += self.order_floods()
        answers = Counter((to.partition("@")[0], f.result(30).code)
                          for to, f in sent)
        for side in sides:
            side.primd.ctl("account", "remove", side.at(GHOST))
        self.assertTrue(wait_until(self.world.is_quiet, 60), "it goes on")
        outboxes = [side.outbox() for side in sides]
        for side in sides:
            self.assertEqual(side.primd.stop(), 0)
        for client in clients:
            client.close()
        self.check(answers, outboxes)
        self.failed = False

    def order_floods(self):
        """Strangers on the far side of each bridge write to whom nothing
        reaches, and will not hear that either."""
        clients = []
        for side in self.world.sides:
            for n in range(ORDERS):
                client = side.client(side.at(f"flooded{n}"))
                clients.append(client)
                self.assertEqual(client.say(
                    f"flood-{FLOOD}%40far{side.you}.localhost"
                    f"@gw{side.you}.localhost", f"order {n}"), 200)
        return clients

    def check(self, answers, outboxes):
        world = self.world
        report = judge([[side.history] for side in world.sides],
                       world.recorder.records,
                       [o["messages"] for o in outboxes], same=one_name,
                       dedup=True, need=NEED)
        told = Counter((r["who"], r["id"]) for r in world.recorder.records
                       if r["event"] == "notice" and r["kind"] == "failed")
        strangers = [key for key in told if "@far" in key[0]]
        print(f"answers {dict(sorted(answers.items()))}; {len(told)} told that "
              f"it failed, {len(strangers)} of them would not hear it\n"
              f"{report.text()}", flush=True)
        self.assertTrue(report.ok)
        self.assertFalse([key for key, n in told.items() if n > 1])
        promised = sum(n for (_, code), n in answers.items() if code == 101)
        self.assertEqual(len(told) - len(strangers), promised)
        self.assertEqual(len(strangers), 2 * ORDERS * FLOOD)
        self.assertEqual(promised, sum(
            n for (local, _), n in answers.items() if local in ("late", GHOST)))
        self.assertEqual([o["messages"] for o in outboxes], [[], []])


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
