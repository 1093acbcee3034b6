# SPDX-License-Identifier: ISC
"""How somebody is, in one form for both sides: a view is {resource: Here} with
what is open. Nothing in it is offline, and CANCELLED is one's right to look."""

import datetime
import time
from collections import namedtuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

PIDF = "urn:ietf:params:xml:ns:pidf"
MODEL = "urn:ietf:params:xml:ns:pidf:data-model"
RPID = "urn:ietf:params:xml:ns:pidf:rpid"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

OFFLINE = {}
CANCELLED = "cancelled"

Here = namedtuple("Here", "show texts priority idle")
Sight = namedtuple("Sight", "when who view document")


def here(show="", text=None, priority=0, idle=None):
    """`text`: English, or {language: text}, where "" is no language; `idle`:
    seconds of the epoch since when."""
    if isinstance(text, str):
        text = {"en": text}
    return Here(show, tuple(sorted((text or {}).items())), priority, idle)


def stamp(seconds):
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text):
    return int(datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp())


def thousandths(priority):
    """XMPP to PIDF: floor(1000p/127), as the attribute is written."""
    if priority == 127:
        return "1"
    return f"{priority * 1000 // 127 / 1000:.3f}".rstrip("0").rstrip(".")


def priority_of(text):
    """PIDF to XMPP."""
    if text is None:
        return None
    value = round(float(text) * 1000)
    return 127 if value >= 1000 else min(126, -(-127 * value // 1000))


class Tuple:
    """One of a document, as it stands there."""

    def __init__(self, element):
        def text(path):
            found = element.find(path)
            return None if found is None else (found.text or "")

        self.id = element.get("id")
        self.basic = text(f"{{{PIDF}}}status/{{{PIDF}}}basic")
        self.show = text(f"{{{PIDF}}}status/{{jabber:client}}show")
        contact = element.find(f"{{{PIDF}}}contact")
        self.contact = None if contact is None else contact.text
        self.priority = None if contact is None else contact.get("priority")
        self.notes = [(note.get(LANG, ""), note.text or "")
                      for note in element.findall(f"{{{PIDF}}}note")]
        self.stamp = text(f"{{{PIDF}}}timestamp")
        idle = element.find(f".//{{{RPID}}}user-input")
        self.idle = None if idle is None else idle.get("last-input", "")

    @property
    def resource(self):
        return self.id[3:] if self.id.startswith("ID-") else self.id

    def here(self):
        return Here(self.show or "", tuple(sorted(self.notes)),
                    priority_of(self.priority),
                    seconds_of(self.idle) if self.idle else None)


class Document:
    """A PIDF document that we got."""

    def __init__(self, body):
        root = ET.fromstring(body)
        if root.tag != f"{{{PIDF}}}presence":
            raise ValueError(f"no PIDF: {body!r}")
        self.body = body
        self.entity = root.get("entity")
        self.tuples = [Tuple(t) for t in root.findall(f"{{{PIDF}}}tuple")]
        self.notes = [note.text for note in root.findall(f"{{{PIDF}}}note")]
        self.activities = sorted(
            activity.tag.rsplit("}", 1)[1]
            for activity in root.findall(f"{{{MODEL}}}person/"
                                         f"{{{RPID}}}activities/*"))

    def view(self):
        return {t.resource: t.here() for t in self.tuples if t.basic == "open"}

    def __repr__(self):
        return self.body.decode()


def pidf(who, tuples, activities=()):
    """A document to publish: `tuples` is {id: Here, or None for closed}."""
    inside = ""
    for name, value in tuples.items():
        basic = "closed" if value is None else "open"
        value = value or here()
        show = (f'<show xmlns="jabber:client">{value.show}</show>'
                if value.show else "")
        idle = (f'<r:user-input last-input="{stamp(value.idle)}">idle'
                "</r:user-input>" if value.idle else "")
        notes = "".join(
            "<note" + (f" xml:lang={quoteattr(lang)}" if lang else "") + ">"
            + escape(text) + "</note>" for lang, text in value.texts)
        inside += (f"<tuple id={quoteattr(name)}><status><basic>{basic}</basic>"
                   f"{show}</status>{idle}"
                   f'<contact priority="{thousandths(value.priority)}">'
                   f"im:{who}</contact>{notes}"
                   f"<timestamp>{stamp(time.time())}</timestamp></tuple>")
    if activities:
        inside += ("<dm:person id='p'><r:activities>"
                   + "".join(f"<r:{a}/>" for a in activities)
                   + "</r:activities></dm:person>")
    return (f'<presence xmlns="{PIDF}" xmlns:dm="{MODEL}" xmlns:r="{RPID}" '
            f'entity="pres:{who}">{inside}</presence>').encode()


class Sights:
    """What a watcher has seen, all of it: `seen`, under the condition `lock`."""

    def saw(self, who, view, document=None):
        """Call with the lock held."""
        self.seen.append(Sight(time.time(), who, view, document))
        self.lock.notify_all()

    def sights(self, who, begin=0):
        with self.lock:
            return [s for s in self.seen[begin:] if s.who == who]

    def view(self, who):
        """The last one, or None if nothing was ever seen."""
        sights = self.sights(who)
        return sights[-1].view if sights else None

    def wait_view(self, who, view, timeout=30):
        """Until `who` is seen so: true, or false when the time is over."""
        right = view if callable(view) else lambda now: now == view
        with self.lock:
            return self.lock.wait_for(lambda: right(self.view(who)), timeout)


class Truth:
    """How somebody really was, in order. Each state is to be unlike the others
    around it, so that it is plain which one was seen."""

    def __init__(self, *views):
        self.states = [(0, view) for view in views]

    def add(self, view):
        """Say it before you make it so."""
        self.states.append((time.time(), view))

    @property
    def last(self):
        return self.states[-1][1]

    def index(self, view):
        """Where it was so, last."""
        return max(i for i, state in enumerate(self.states) if state[1] == view)

    def judge(self, sights, begin=0):
        """What was seen must have been so, at the time or before it, and not
        before what was seen earlier. The false sights, and where we are."""
        false, at = [], begin
        for sight in sights:
            index = next((i for i in range(at, len(self.states))
                          if self.states[i][1] == sight.view
                          and self.states[i][0] <= sight.when), None)
            if index is None:
                false.append(sight)
            else:
                at = index
        return false, at
