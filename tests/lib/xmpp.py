# SPDX-License-Identifier: ISC
"""An XMPP client (python3-slixmpp) on a thread of its own."""

import asyncio
import logging
import threading

logging.disable(logging.ERROR)  # slixmpp speaks while it is imported

from slixmpp import ClientXMPP  # noqa: E402
from slixmpp.xmlstream import ET  # noqa: E402


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

    def __init__(self, jid, password, port, receipts=True, timeout=20):
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
        xmpp = ClientXMPP(jid + "/test", password)
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
        xmpp.connect(("127.0.0.1", port), disable_starttls=True)
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(
            asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

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
