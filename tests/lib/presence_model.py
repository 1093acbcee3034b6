# SPDX-License-Identifier: ISC
"""What a presence service must have after the answers it gave. A change whose
answer never came may have been made or not: then there are several states until
one is seen. Times are spans, from the sending of a request to its answer."""

import random
import threading
import time
from datetime import datetime

from publisher import code_of, document, notes, tuples

LATE = 1.5   # seconds that something may last longer than promised
EARLY = 0.1  # clocks that are read twice


class Wrong(AssertionError):
    """What was answered, or is there, cannot be."""


def is_over(span, now):
    """Certainly; `span` is None or (earliest end, latest end)."""
    return span is None or now > span[1] + LATE


def is_alive(span, now):
    return span is not None and now < span[0] - EARLY


class Thing:
    """Something that changes, and the states it may be in."""

    def __init__(self):
        self.states = [self.NOTHING]

    def change(self, what, code, span):
        """`code` None: there was no answer."""
        if code is None:
            self.states += [self.after(s, what, 200, span, True)
                            for s in self.states]
        else:
            self.states = [self.after(s, what, code, span, False)
                           for s in self.states]

    def see(self, seen, span):
        """Leaves the one state that is seen."""
        if not any(self.fits(s, seen, span) for s in self.states):
            raise Wrong(f"{seen} in {span}, but {self.states}")
        self.states = [self.known(seen)]


class Tuple(Thing):
    """A state is (permanent, (number, end) of the lease); numbers are notes."""

    NOTHING = (None, None, None)

    @staticmethod
    def after(state, what, code, span, is_guess):
        kind, number, seconds = what
        permanent, leased, end = state
        ends = seconds and (span[0] + seconds, span[1] + seconds)
        if is_over(end, span[0]):
            leased = end = None
        exists = permanent is not None or is_alive(end, span[1])
        none = permanent is None and leased is None
        if kind in ("leased", "permanent") and code != 200:
            raise Wrong(f"{what}: {code}")
        if kind == "leased":
            return permanent, number, ends
        if kind == "permanent":
            return number, leased, end
        if code == 403 and (is_alive(end, span[1]) if kind == "renew"
                            else exists):
            raise Wrong(f"{what}: 403 in {span}, but {state}")
        if code == 200 and not is_guess and (
                leased is None if kind == "renew" else none):
            raise Wrong(f"{what}: 200 in {span}, but {state}")
        if code not in (200, 403):
            raise Wrong(f"{what}: {code}")
        if kind == "renew" and code == 200 and leased is not None:
            return permanent, leased, ends
        return (None if kind == "remove" else permanent), None, None

    @staticmethod
    def fits(state, seen, span):
        """`seen`: (permanent, leased, end)."""
        permanent, leased, end = state
        if seen[0] != permanent:
            return False
        if seen[1] is None:
            return not is_alive(end, span[1])
        return (seen[1] == leased and not is_over(end, span[0])
                and end[0] - EARLY <= seen[2] <= end[1] + EARLY)

    @staticmethod
    def known(seen):
        end = seen[2] and (seen[2], seen[2])  # of a renewal or what it renews
        return seen[0], seen[1], end

    def visible(self, span):
        """The notes that may be shown."""
        permanent, leased, end = self.states[-1]
        shown = set()
        if not is_over(end, span[0]):
            shown.add(leased)
        if not is_alive(end, span[1]):
            shown.add(permanent)
        return shown


class Watching(Thing):
    """A state is None, or when it ends."""

    NOTHING = None

    @staticmethod
    def after(state, what, code, span, is_guess):
        kind, seconds = what
        if kind == "subscribe":
            if code != 200:
                raise Wrong(f"{what}: {code}")
            return span[0] + seconds, span[1] + seconds
        if code == 404 and is_alive(state, span[1]) or \
                code == 200 and not is_guess and is_over(state, span[0]) or \
                code not in (200, 404):
            raise Wrong(f"{what}: {code} in {span}, but {state}")
        return None

    @staticmethod
    def fits(state, seen, span):
        """`seen`: when it ends, or None."""
        if seen is None:
            return not is_alive(state, span[1])
        return (not is_over(state, span[0])
                and state[0] - EARLY <= seen <= state[1] + EARLY)

    @staticmethod
    def known(seen):
        return seen and (seen, seen)


def parse_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def value_of(told, kind):
    """(number, end) of what primctl tells of a tuple."""
    value = told.get(kind)
    if value is None:
        return None, None
    end = parse_time(value["ends"]) if "ends" in value else None
    return int(value["states"][0]["notes"][0]), end


class Account:
    """A principal that publishes and watches at random, one change after the
    other, and its model."""

    TUPLES = ("desk", "phone")
    CHOICES = (["leased"] * 6 + ["renew"] * 4 + ["permanent"] * 3 +
               ["revert"] * 2 + ["remove"] + ["subscribe"] * 4 +
               ["unsubscribe"] * 2)

    def __init__(self, address):
        self.address = address
        self.client = None
        self.tuples = {name: Tuple() for name in self.TUPLES}
        self.watched = {}
        self.number = 0
        self.answered = self.cut_off = self.refused = 0
        self.may_be_refused = False  # with 500: primd is ending
        self.wrong = None

    # Changes

    def publish(self, name, kind, seconds=None):
        """One change; True when it was answered."""
        self.number += 1
        what = (kind, self.number, seconds)
        body = document(self.address, self.number) \
            if kind in ("leased", "permanent") else b""
        begun = time.time()
        future = self.client.remove(name) if kind == "remove" else \
            self.client.put_tuple(kind, name, body, seconds)
        return self.note(self.tuples.setdefault(name, Tuple()), what, future,
                         begun)

    def watch(self, other, kind, seconds=None):
        begun = time.time()
        future = self.client.subscribe(other, seconds) \
            if kind == "subscribe" else self.client.unsubscribe(other)
        return self.note(self.watched.setdefault(other, Watching()),
                         (kind, seconds), future, begun)

    def note(self, thing, what, future, begun):
        code = code_of(future)
        if code == 500 and self.may_be_refused:
            self.refused += 1
            return True
        thing.change(what, code, (begun, time.time()))
        self.answered += code is not None
        self.cut_off += code is None
        return code is not None

    def one(self, others):
        kind = random.choice(self.CHOICES)
        if kind in ("subscribe", "unsubscribe"):
            return self.watch(random.choice(others), kind,
                              random.choice((1, 3, 60, 300))
                              if kind == "subscribe" else None)
        return self.publish(random.choice(self.TUPLES), kind,
                            random.choice((1, 2, 4, 60))
                            if kind in ("leased", "renew") else None)

    def run(self, others):
        """Until the connection goes."""
        others = [a for a in others if a != self.address]
        try:
            while self.one(others):
                pass
        except Exception as error:  # told by who looks at us
            self.wrong = error

    def start(self, others):
        thread = threading.Thread(target=self.run, args=(others,), daemon=True)
        thread.start()
        return thread

    # What is there

    def see_stored(self, told, span):
        """`told`: what `primctl presence show` says."""
        values = {t["id"]: t for t in told["tuples"]}
        if set(values) - set(self.tuples):
            raise Wrong(f"{self.address}: {values}")
        for name, thing in self.tuples.items():
            permanent, _ = value_of(values.get(name, {}), "permanent")
            leased, end = value_of(values.get(name, {}), "leased")
            thing.see((permanent, leased, end), span)

    def see_watched(self, ends, span):
        """`ends`: {presentity: end} of our subscriptions."""
        for other in set(ends) | set(self.watched):
            self.watched.setdefault(other, Watching()).see(ends.get(other),
                                                           span)

    def see_shown(self, answer, span):
        """`answer`: a view of ours; every document is as it was published."""
        shown = tuples(answer)
        if set(shown) - set(self.tuples):
            raise Wrong(f"{self.address}: {shown}")
        for name, thing in self.tuples.items():
            body = shown.get(name)
            number = int(notes(body)[0]) if body else None
            if number not in thing.visible(span):
                raise Wrong(f"{self.address} {name}: {number} in {span}, but "
                            f"{thing.states}")
            if body and body != document(self.address, number):
                raise Wrong(f"altered: {body}")
