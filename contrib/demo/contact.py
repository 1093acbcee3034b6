#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An XMPP user who says how they are and sees how others are, a line each.

    /usr/bin/python3 contrib/demo/contact.py ACCOUNT CERTIFICATE

ACCOUNT is a file as go-sendxmpp has it: 'username:', 'jserver:', 'password:',
a line each. CERTIFICATE is the file of the one certificate that the server
may have. Commands on standard input; 'help' lists them.
"""

import asyncio
import logging
import os
import sys

logging.disable(logging.CRITICAL)  # slixmpp speaks while it is imported

from slixmpp import ClientXMPP  # noqa: E402

HELP = """\
watch ADDRESS     ask to see how somebody is
allow ADDRESS     let somebody see how you are
online [TEXT]     be there
away [TEXT]       be away; so with chat, dnd (do not disturb), xa (away for long)
offline           be gone, and stay logged in
quit              log out"""
SHOWS = {"online": None, "away": "away", "chat": "chat", "dnd": "dnd",
         "xa": "xa"}
LOGIN_S = 15


def visible(text):
    """Text, with what steers terminals and breaks XML written out."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):04X}}}"
                   for c in text)


def say(text):
    print(visible(text), flush=True)


def words(show, status):
    """away "at the tomb" """
    return (show or "online") + (f' "{status}"' if status else "")


class Contact(ClientXMPP):
    def __init__(self, address, password, certificate):
        super().__init__(address, password)
        self.auto_authorize = None  # whom we let see us, we are asked
        self.auto_subscribe = False
        self.ca_certs = certificate
        self.seen = {}  # address -> resource -> how it is, in words
        self.told = {}  # address -> the lines last said of it
        self.code = 0
        self.is_in = False
        self.is_leaving = False
        self.typed = b""
        for name, heard in {
                "session_start": self.on_start,
                "presence": self.on_presence,
                "failed_auth": lambda _: self.fail("the password is refused"),
                "connection_failed": lambda why: self.fail(str(why)),
                "disconnected": self.on_disconnected,
        }.items():
            self.add_event_handler(name, heard)

    async def get_dns_records(self, domain, port=None):
        """None: ACCOUNT says where the server is."""
        return []

    def fail(self, why):
        print(f"contact: {why}", file=sys.stderr, flush=True)
        self.end(1)

    def end(self, code):
        self.code = code
        self.loop.stop()

    async def on_start(self, _event):
        roster = await self.get_roster()
        self.is_in = True
        for address, item in roster["roster"]["items"].items():
            if item["subscription"] in ("to", "both"):
                say(f"watching: {address}")
            if item["subscription"] in ("from", "both"):
                say(f"watched by: {address}")
        self.send_presence()
        say(f"logged in as {self.boundjid.bare}")
        try:
            self.loop.add_reader(0, self.on_input)
        except PermissionError:  # a plain file, where nothing is waited for
            while not self.is_leaving:
                self.on_input()

    def on_disconnected(self, why):
        if not self.is_leaving:
            self.fail(f"the connection is lost ({why})" if self.is_in else
                      "the server does not let us in")

    # What others are ------------------------------------------------------

    def on_presence(self, stanza):
        sender = stanza["from"]
        kind = stanza["type"]
        if sender.bare == self.boundjid.bare:
            return
        if kind == "subscribe":
            say(f"asked by {sender.bare}: may I see how you are?")
        elif kind == "subscribed":
            say(f"allowed by {sender.bare}")
        elif kind == "unsubscribed":
            say(f"refused by {sender.bare}")
        elif kind == "error":
            say(f"error from {sender.bare}: {stanza['error']['condition']}")
        elif kind == "unavailable":
            self.on_state(sender, None, stanza["status"])
        elif kind == "available" or kind in SHOWS:
            show = None if kind == "available" else kind
            self.on_state(sender, words(show, stanza["status"]),
                          stanza["status"])

    def on_state(self, sender, state, status):
        """Tells what changed, the place only where there are several."""
        address = sender.bare
        places = self.seen.setdefault(address, {})
        if state:
            places[sender.resource] = state
        elif sender.resource:
            places.pop(sender.resource, None)
        else:
            places.clear()
        lines = [f"{address}/{place} {how}" if len(places) > 1 else
                 f"{address} {how}" for place, how in places.items()]
        if not lines:
            lines = [f"{address} {words('offline', status)}"]
        if self.told.get(address) != lines:
            self.told[address] = lines
            for line in lines:
                say(line)

    # What we do -----------------------------------------------------------

    def on_input(self):
        octets = os.read(0, 65536)
        if not octets:
            self.loop.remove_reader(0)
            self.leave()
            return
        *lines, self.typed = (self.typed + octets).split(b"\n")
        for line in lines:
            self.on_line(visible(line.decode(errors="replace").strip()))

    def on_line(self, line):
        verb, _, rest = line.partition(" ")
        rest = rest.strip()
        if verb == "watch" and rest:
            self.send_presence_subscription(pto=rest)
        elif verb == "allow" and rest:
            self.send_presence_subscription(pto=rest, ptype="subscribed")
        elif verb in SHOWS:
            self.send_presence(pshow=SHOWS[verb], pstatus=rest or None)
        elif verb == "offline":
            self.send_presence(ptype="unavailable")
        elif verb == "quit":
            self.leave()
        elif verb:
            print(HELP, flush=True)

    def leave(self):
        self.is_leaving = True
        self.disconnect().add_done_callback(lambda _: self.end(0))


def read_account(path):
    account = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            account[key.strip()] = value.strip()
    return account


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__ + "\n" + HELP)
    account = read_account(sys.argv[1])
    host, _, port = account["jserver"].rpartition(":")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    contact = Contact(account["username"] + "/contact", account["password"],
                      sys.argv[2])
    contact.connect((host, int(port)))
    loop.call_later(LOGIN_S, lambda: contact.is_in or
                    contact.fail("the server does not let us in"))
    try:
        loop.run_forever()
    except KeyboardInterrupt:
        pass
    os._exit(contact.code)  # without a word about what was under way


if __name__ == "__main__":
    main()
