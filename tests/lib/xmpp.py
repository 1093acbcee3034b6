# SPDX-License-Identifier: ISC
"""An XMPP client (python3-slixmpp) on a thread of its own."""

import asyncio
import logging
import socket
import struct
import threading
from xml.sax.saxutils import escape, quoteattr

from view import LANG, OFFLINE, Here, Sights, here, seconds_of, stamp

logging.disable(logging.ERROR)  # slixmpp speaks while it is imported

from slixmpp import ClientXMPP  # noqa: E402
from slixmpp.xmlstream import ET  # noqa: E402
from slixmpp.xmlstream.handler import Callback  # noqa: E402
from slixmpp.xmlstream.matcher import MatchXPath  # noqa: E402


class Heard:
    """A message stanza as it came."""

    def __init__(self, msg):
        self.sender = str(msg["from"])
        self.type = msg["type"]
        self.id = msg["id"]
        self.body = msg["body"]
        self.subject = msg["subject"]
        self.thread = msg["thread"]
        self.lang = msg.get_lang() if hasattr(msg, "get_lang") else ""
        self.xml = ET.tostring(msg.xml, encoding="unicode")
        receipt = msg.xml.find("{urn:xmpp:receipts}received")
        self.receipt = None if receipt is None else receipt.get("id")
        self.error = msg["error"]["condition"] if msg["type"] == "error" else None
        self.error_text = msg["error"]["text"] if msg["type"] == "error" else None

    def __repr__(self):
        return f"<{self.type} {self.sender} {self.id} {self.body!r} {self.error}>"


class Client:
    """Logged in as `jid` when the constructor returns. `receipts`: answer
    requests for one, as a person's client would."""

    def __init__(self, jid, password, port, receipts=True, timeout=20,
                 resource="test"):
        self.jid = jid
        self.resource = resource
        self.heard = []
        self.lock = threading.Condition()
        self.ready = threading.Event()
        self.over = threading.Event()
        self.loop = None
        self.xmpp = None
        self.arguments = (jid, password, port, receipts)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        if not self.ready.wait(timeout):
            self.close()
            raise RuntimeError(f"{jid} could not log in")

    def run(self):
        jid, password, port, receipts = self.arguments
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        xmpp = ClientXMPP(f"{jid}/{self.resource}", password)
        self.xmpp = xmpp
        xmpp.loop = self.loop
        xmpp.register_plugin("xep_0030")
        xmpp.register_plugin("xep_0199")
        xmpp.register_plugin("xep_0184",
                             {"auto_ack": receipts, "auto_request": False})
        xmpp.register_plugin("feature_mechanisms", {"unencrypted_plain": True})
        xmpp.add_event_handler("session_start", self.on_start)
        xmpp.add_event_handler("message", self.on_message)
        xmpp.add_event_handler("message_error", self.on_message)
        xmpp.add_event_handler("receipt_received", self.on_message)
        xmpp.add_event_handler("disconnected", lambda _: self.over.set())
        self.prepare(xmpp)
        xmpp.connect(("127.0.0.1", port), disable_starttls=True)
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(
            asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def prepare(self, xmpp):
        """For those who want more."""

    def on_start(self, _event):
        self.xmpp.send_presence()
        self.ready.set()

    def on_message(self, msg):
        heard = Heard(msg)
        with self.lock:
            if any(h.xml == heard.xml and h.id == heard.id and h.receipt
                   for h in self.heard):
                return
            self.heard.append(heard)
            self.lock.notify_all()

    def call(self, function, *args):
        self.loop.call_soon_threadsafe(function, *args)

    def send(self, to, body, mid, receipt=True, thread=None, subject=None,
             extra=""):
        """A chat message with id and origin-id `mid`."""

        def work():
            msg = self.xmpp.make_message(mto=to, mbody=body, mtype="chat",
                                         msubject=subject)
            msg["id"] = mid
            if thread:
                msg["thread"] = thread
            origin = ET.SubElement(msg.xml, "{urn:xmpp:sid:0}origin-id")
            origin.set("id", mid)
            if receipt:
                ET.SubElement(msg.xml, "{urn:xmpp:receipts}request")
            if extra:
                msg.xml.append(ET.fromstring(extra))
            msg.send()

        self.call(work)

    def raw(self, text):
        self.call(self.xmpp.send_raw, text)

    def iq(self, to, payload, timeout=10, kind="get"):
        """An iq with `payload` (XML text); the answer's XML text and type."""

        async def work():
            iq = self.xmpp.make_iq(ito=to, itype=kind)
            iq.xml.append(ET.fromstring(payload))
            try:
                answer = await iq.send(timeout=timeout)
            except Exception as error:
                answer = getattr(error, "iq", None)
                if answer is None:
                    raise
            return answer["type"], ET.tostring(answer.xml, encoding="unicode")

        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(
            timeout + 5)

    def wait(self, enough, timeout=20):
        """The first message for which `enough` is true, or None."""

        def found():
            return next((h for h in self.heard if enough(h)), None)

        with self.lock:
            self.lock.wait_for(found, timeout)
            return found()

    def wait_all(self, true, timeout=20):
        """Until true(heard)."""
        with self.lock:
            return self.lock.wait_for(lambda: true(self.heard), timeout)

    def bodies(self):
        with self.lock:
            return [h.body for h in self.heard if h.body and h.type != "error"]

    def close(self):
        if self.loop is None or self.loop.is_closed():
            return

        def work():
            self.xmpp.abort()
            self.loop.call_later(0.05, self.loop.stop)

        try:
            self.call(work)
        except RuntimeError:
            return
        self.thread.join(5)


NS = "{jabber:client}"


class Stanza:
    """A presence stanza as it came."""

    def __init__(self, xml):
        sender = xml.get("from", "")
        self.who, _, self.resource = sender.partition("/")
        self.type = xml.get("type", "")
        self.id = xml.get("id")
        self.xml = ET.tostring(xml, encoding="unicode")
        idle = xml.find("{urn:xmpp:idle:1}idle")
        self.here = Here(
            xml.findtext(NS + "show", ""),
            tuple(sorted((status.get(LANG, ""), status.text or "")
                         for status in xml.findall(NS + "status"))),
            int(xml.findtext(NS + "priority", "0")),
            None if idle is None else seconds_of(idle.get("since")))
        error = xml.find(NS + "error")
        self.error = None if error is None else error[0].tag.rsplit("}", 1)[1]

    def __repr__(self):
        return self.xml


class Person(Sights, Client):
    """Somebody with contacts, who decides alone: nothing is approved, denied
    or answered by itself. `first`: how they are from the beginning, None: they
    do not say. `stanzas` has every presence stanza that came."""

    def __init__(self, jid, password, port, first=here(), **more):
        self.first = first
        self.seen = []
        self.stanzas = []
        self.now = {}
        super().__init__(jid, password, port, **more)

    def prepare(self, xmpp):
        xmpp.auto_authorize = None
        xmpp.auto_subscribe = False
        xmpp.register_handler(Callback(
            "every presence", MatchXPath(NS + "presence"), self.on_presence))

    def on_start(self, _event):
        async def work():
            await self.xmpp.get_roster()
            if self.first is not None:
                self.xmpp.send_raw(self.text(self.first))
            self.ready.set()

        asyncio.ensure_future(work(), loop=self.loop)

    def on_presence(self, presence):
        stanza = Stanza(presence.xml)
        with self.lock:
            self.stanzas.append(stanza)
            if stanza.type in ("", "unavailable"):
                self.saw(stanza.who, self.change(stanza), stanza)
            self.lock.notify_all()

    def change(self, stanza):
        view = dict(self.now.get(stanza.who, OFFLINE))
        if not stanza.type:
            view[stanza.resource] = stanza.here
        elif stanza.resource:
            view.pop(stanza.resource, None)
        else:
            view = OFFLINE
        self.now[stanza.who] = view
        return view

    # What we say

    @staticmethod
    def text(how, to=None):
        inside = f"<show>{how.show}</show>" if how.show else ""
        for lang, text in how.texts:
            attribute = f" xml:lang={quoteattr(lang)}" if lang else ""
            inside += f"<status{attribute}>{escape(text)}</status>"
        if how.priority:
            inside += f"<priority>{how.priority}</priority>"
        if how.idle:
            inside += f"<idle xmlns='urn:xmpp:idle:1' since='{stamp(how.idle)}'/>"
        attribute = f" to={quoteattr(to)}" if to else ""
        return f"<presence{attribute}>{inside}</presence>"

    def appear(self, how=here(), to=None):
        self.raw(self.text(how, to))

    def say(self, kind, to=None):
        """A presence stanza of that type."""
        attribute = f" to={quoteattr(to)}" if to else ""
        self.raw(f"<presence{attribute} type='{kind}'/>")

    def vanish(self):
        self.say("unavailable")

    def subscribe(self, to):
        self.say("subscribe", to)

    def unsubscribe(self, to):
        self.say("unsubscribe", to)

    def approve(self, who):
        self.say("subscribed", who)

    def deny(self, who):
        """Also takes back an approval."""
        self.say("unsubscribed", who)

    def remove(self, who):
        """From the roster."""
        return self.iq(None, "<query xmlns='jabber:iq:roster'><item "
                       f"jid={quoteattr(who)} subscription='remove'/></query>",
                       kind="set")[0]

    def reset(self):
        """Drops the connection as a machine does that lost its memory: RST."""

        def work():
            if self.xmpp.transport:
                sock = self.xmpp.transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
                self.xmpp.transport.abort()

        self.call(work)

    # What we know

    def subscription(self, who):
        """What the roster says of `who`: "none", "to", "from", "both", or None."""
        _, text = self.iq(None, "<query xmlns='jabber:iq:roster'/>")
        for item in ET.fromstring(text).iter("{jabber:iq:roster}item"):
            if item.get("jid") == who:
                return item.get("subscription")
        return None

    def answers(self, to, timeout=2):
        """Does `to` answer a ping? What was sent to it before has then come."""
        try:
            return self.iq(to, "<ping xmlns='urn:xmpp:ping'/>",
                           timeout=timeout)[0] == "result"
        except Exception:
            return False

    def of_type(self, kind, who, begin=0):
        with self.lock:
            return [s for s in self.stanzas[begin:]
                    if s.type == kind and s.who == who]

    def wait_type(self, kind, who, timeout=30, begin=0):
        """The first stanza of that type from `who`, or None."""
        with self.lock:
            self.lock.wait_for(lambda: self.of_type(kind, who, begin), timeout)
            return next(iter(self.of_type(kind, who, begin)), None)
