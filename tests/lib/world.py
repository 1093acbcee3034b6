# SPDX-License-Identifier: ISC
"""What tests between PRIM and XMPP play in."""

import os
import unittest

from prim import Presence
from servers import Primd, Prosody, wait_until
from xmpp import Person

JULIET, NURSE = "juliet@localhost", "nurse@localhost"
ROMEO, TYBALT = "romeo@xmpp.localhost", "tybalt@xmpp.localhost"
# Of a domain that PRIM does not route to the bridge.
BENVOLIO = "benvolio@far.localhost"

CONFIG = """routes:
  - {{ domain: xmpp.localhost, via: xmpp, relay: [{to_xmpp}] }}
  - {{ domain: third.localhost, via: third, relay: [{to_third}] }}
adapters:
  - name: xmpp
    plugin: xmpp
    options:
      server: 127.0.0.1:{port}
      domain: localhost
      secret_file: {secret}
      gateway_domain: gateway.localhost
  - {{ name: third, plugin: echo, options: {{ domain: third.localhost }} }}
"""


class World:
    """Prosody with romeo, primd with juliet and nurse, the bridge between
    them, and a third network where an echo lives."""

    def __init__(self, to_xmpp="", to_third="", acl="", server=Prosody):
        self.prosody = server(["xmpp.localhost", "far.localhost"],
                              ["localhost", "gateway.localhost"],
                              {ROMEO: "r0meo", TYBALT: "tyb4lt",
                               BENVOLIO: "benv0lio"})
        secret = os.path.join(self.prosody.folder, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write(Prosody.SECRET + "\n")
        os.chmod(secret, 0o600)
        self.primd = Primd(CONFIG.format(port=self.prosody.component,
                                         secret=secret, to_xmpp=to_xmpp,
                                         to_third=to_third),
                           top=f"default_acl: {acl}\n" if acl else "")
        for address in (JULIET, NURSE):
            self.primd.account(address)
        self.open = []

    def start(self):
        self.prosody.start()
        self.primd.start()
        self.wait_link()
        return self

    def wait_link(self, timeout=30):
        """Until the bridge's component answers through Prosody."""
        client = self.xmpp(TYBALT)

        def answers():
            try:
                return all(client.iq(to, "<ping xmlns='urn:xmpp:ping'/>",
                                     timeout=2)[0] == "result"
                           for to in ("localhost", "gateway.localhost"))
            except Exception:
                return False

        if not wait_until(answers, timeout, step=0.1):
            raise RuntimeError("no link to Prosody:\n" + self.primd.log()[-3000:])
        client.close()
        self.open.remove(client)

    def links(self):
        """How often the component has logged in."""
        return self.prosody.log().count(self.prosody.LINKED)

    def xmpp(self, address, **more):
        client = self.prosody.client(address, **more)
        self.open.append(client)
        return client

    def person(self, address, **more):
        """An XMPP user who has contacts."""
        client = Person(address, self.prosody.passwords[address],
                        self.prosody.c2s, **more)
        self.open.append(client)
        return client

    def presence(self, address):
        """A PRIM user who has contacts."""
        client = Presence(self.primd.port, address,
                          self.primd.passwords[address])
        self.open.append(client)
        return client

    def prim(self, address, listen=True, **more):
        client = self.primd.client(address, listen=listen, **more)
        self.open.append(client)
        return client

    def end(self, keep):
        for client in self.open:
            client.close()
        self.primd.clean(keep)
        self.prosody.clean(keep)


class Base(unittest.TestCase):
    WORLD = {}

    def setUp(self):
        self.world = World(**self.WORLD)
        self.addCleanup(self.finish)
        self.world.start()

    def finish(self):
        outcome = self._outcome
        bad = [t for t, error in getattr(outcome.result, "errors", []) +
               getattr(outcome.result, "failures", []) if t is self]
        self.world.end(keep=bool(bad))
