# SPDX-License-Identifier: ISC
"""What arrives is right: I3, I4, I7, I8 and I9 of check.py."""

from bisect import insort
from collections import Counter

from history import POSITIVE, is_failure, is_service


# ---- I3 ----

def i3(world, v):
    dedup = world.options.dedup
    seen = {}
    for got in world.records.gots:
        if got.is_again:
            continue
        seen.setdefault((got.who, got.sender, got.id), []).append(got)
    for (who, _sender, _id), gots in seen.items():
        v.judged += 1
        taken = [g for g in gots if g.is_taken]
        if dedup is True or dedup and who in dedup:
            if len(taken) > 1:
                v.fault(taken[1], f"seen {len(taken)} times")
            continue
        i3_copies(v, gots)
    i3_names(world, v)
    for life in world.lives():
        i3_life(v, life)


def i3_copies(v, gots):
    """Nobody gets more copies on one connection than were handed over. Only of
    what comes straight from a bridge: who wrapped it knows that it is."""
    message = gots[0].message
    lives = [life for life in (message.lives if message else [])
             if life.accepts and not life.core.lost]
    if not lives or gots[0].text is None:
        return
    hands = [h for life in lives for h in life.hands if is_inbox(h.dest)]
    for link, count in Counter(g.link for g in gots).items():
        if count > len(hands):
            v.fault(gots[0], f"came {count} times on connection {link}, handed "
                             f"over {len(hands)} times")


def is_inbox(dest):
    """What was never stored has no name for it."""
    return not dest or dest.startswith("inbox:")


def i3_names(world, v):
    """One message under two names would pass whoever looks at names only."""
    names = {}
    for message in world.messages():
        for attempt in message.attempts:
            names.setdefault((message.sender, attempt.text), set()).add(
                message.id)
    for got in world.records.gots:
        known = names.get((got.sender, got.text or got.hash), ())
        if len(known) == 1 and got.id not in known:
            v.fault(got, f"was sent as id={next(iter(known))}")
    deliveries = {}
    for got in world.records.gots:
        if not got.delivery:
            continue
        known = deliveries.setdefault((got.who, got.sender, got.id),
                                      got.delivery)
        if known != got.delivery:
            v.fault(got, f"came as delivery {known[:8]} and as "
                         f"{got.delivery[:8]}")


def i3_life(v, life):
    """What is known to have ended is not handed over once more."""
    for end in life.ends:
        if end.code == 101 or life.was_refused():
            continue
        for hand in life.hands:
            if hand.at > end.at and hand.cut == end.cut:
                v.fault(life, f"handed over after its end {end.code}")
                return


# ---- I4 ----

def i4(world, v):
    lanes = {}
    for got in world.records.gots:
        if got.message and got.is_taken:
            lanes.setdefault((got.sender, got.who, got.message.conversation),
                             {}).setdefault(got.id, got)
    for gots in lanes.values():
        i4_lane(world, v, list(gots.values()))
    for core in world.cores:
        i4_core(v, core)


def i4_lane(world, v, gots):
    """`gots` in the order they came, each once."""
    passed = []  # those that came, in the order in which they were sent
    for got in gots:
        message = got.message
        v.judged += 1
        last = message.attempts[-1]
        for other in reversed(passed):
            first = other.message.attempts[0]
            if first.at < last.at:
                break
            if must_precede(message, other.message) and not (
                    was_under_way(world, got, other)):
                v.fault(other, f"overtook id={got.id}")
        insort(passed, got, key=lambda g: g.message.attempts[0].at)


def must_precede(first, second):
    """All of the sends of `first` were before all of those of `second`, and that
    had an order: on one connection, or one was acknowledged before."""
    last, begin = first.attempts[-1], second.attempts[0]
    if last.at > begin.at or is_failure(last.code):
        return False
    return last.link == begin.link or (
        last.code in POSITIVE and last.answer_at < begin.at)


def was_under_way(world, first, second):
    """Handed over in order, and `first` came back when `second` was under way:
    that one cannot be called back."""
    if world.options.strict_order:
        return False
    return any(a.core is b.core and len(a.hands) > 1 and b.hands and
               is_under_way(a, b.hands[0])
               for a in first.message.lives for b in second.message.lives)


def is_under_way(life, event):
    """Was it handed over before `event`, by the same process, and not back?"""
    begun = [h for h in life.hands if h.at < event.at and h.run == event.run]
    if not begun:
        return False
    back = [e.at for e in life.reports + life.hands if e.at > begun[-1].at]
    return event.at < min(back, default=event.at + 1)


def i4_core(v, core):
    """By the log alone: stored messages of a lane are handed over for the first
    time in the order they were stored in."""
    lanes = {}
    for life in core.all():
        commit = next((c for c in life.commits if c.seq), None)
        # Not those of a process that was killed before it could store it.
        hand = commit and next((h for h in life.hands if h.cut >= commit.cut),
                               None)
        if hand and not life.is_notice:
            key = (life.sender, life.to, life.conversation, hand.dest)
            lanes.setdefault(key, []).append((commit.seq, hand.at, life))
    for lives in lanes.values():
        lives.sort(key=lambda one: one[0])
        latest, latest_at = None, 0
        for _seq, at, life in lives:
            v.judged += 1
            if latest and at < latest_at:
                v.fault(life, f"handed over before id={latest.id}, which was "
                              "stored before it")
            else:
                latest, latest_at = life, at


# ---- I7 ----

def i7(world, v):
    for got in world.records.gots:
        message = got.message
        if got.hash is None:
            continue
        if message:
            v.judged += 1
            hashes = {a.hash for a in message.attempts}
            texts = {a.text for a in message.attempts}
            if got.hash in hashes or (got.text or got.hash) in texts:
                continue
            v.fault(got, f"its body is {got.hash}, sent was "
                         f"{' or '.join(sorted(hashes))}")
        elif got.text is not None:
            # Octets as they left the bridge: those that came to it.
            lives = world.by_address.get((got.sender, got.who, got.id), [])
            hashes = {a.hash for life in lives for a in life.accepts}
            v.judged += bool(hashes)
            if hashes and got.hash not in hashes:
                v.fault(got, f"its body is {got.hash}, accepted was "
                             f"{' or '.join(sorted(hashes))}")
    for life in world.lives():
        i7_life(v, life)


def i7_life(v, life):
    if not life.message or life.origin != "client":
        return
    hashes = {a.hash for a in life.message.attempts if a.hash}
    for accept in life.accepts:
        if hashes and accept.hash and accept.hash not in hashes:
            v.fault(life, f"accepted as {accept.hash}, sent was "
                          f"{' or '.join(sorted(hashes))}")


# ---- I8 ----

def i8(world, v):
    allowed = world.options.allowed
    for got in world.records.gots:
        if not got.is_taken or is_service(got.sender):
            continue
        sends = world.records.by_id.get((got.sender, got.id), [])
        if sends:
            v.judged += 1
            if got.who not in {m.to for m in sends}:
                v.fault(got, f"was sent to {sends[0].to}")
        if allowed:
            v.judged += not sends
            if not allowed(got.sender, got.who):
                v.fault(got, "was not allowed")


# ---- I9 ----

def i9(world, v):
    most = world.options.max_hops
    copies = Counter()
    for life in world.lives():
        v.judged += 1
        if life.hops > most:
            v.fault(life, f"{life.hops} hops")
        if life.id and not life.is_notice:
            copies[life.id] += 1
    sent = Counter()
    for message in world.messages():
        sent[message.id] += len(message.attempts)
    for mid, count in copies.items():
        if count > most * max(1, sent[mid]):
            v.fault(f"id={mid}", f"{count} bridges or more took it in, sent "
                                 f"{max(1, sent[mid])} times")
