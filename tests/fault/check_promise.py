# SPDX-License-Identifier: ISC
"""What is promised is kept: I1, I2, I5, I6 and I10 of check.py."""

from collections import Counter

from history import CERTAIN, POSITIVE, is_failure, is_service

DAY = 24 * 3600
GRACE_MS = 60_000
LIFETIMES = {"inbox": 7 * DAY, "adapter": DAY}


def was_promised(world, life):
    """By the log, or by what its sender heard of the first bridge."""
    if life.was_promised():
        return True
    if life.was_refused() or not life.message:
        return False
    is_first = len(world.cores) == 1 or life.origin == "client"
    return is_first and bool(life.message.promises())


# ---- I1 ----

def i1(world, v):
    for message in world.messages():
        i1_sender(world, v, message)
    left = {id(core): world.outbox_of[id(core)].notices.copy()
            for core in world.cores}
    for life in world.lives():
        if not was_promised(world, life) or is_of_another(life):
            continue
        v.judged += 1
        if life.ends:
            i1_ended(world, v, life)
        else:
            i1_open(world, v, life, left[id(life.core)])


def is_of_another(life):
    """What was promised there is judged there."""
    return life.is_echo() and life.message and any(
        not other.is_echo() for other in life.message.lives)


def i1_sender(world, v, message):
    """As its sender sees it, whatever the bridges say."""
    promises = message.promises()
    if not promises:
        return
    code = promises[-1].code
    if world.cores:
        if not message.lives and not any(c.lost for c in world.cores):
            v.judged += 1
            v.fault(message, f"answered {code}, and no bridge knows it")
        return
    if message.to not in world.records.present:
        return
    v.judged += 1
    queued = any((message.sender, message.to, message.id) in o.rows
                 for o in world.outboxes)
    if not (queued or any(g.is_taken for g in message.gots) or
            any(n.kind == "failed" for n in message.notices)):
        v.fault(message, f"answered {code}, and it never came")


def i1_ended(world, v, life):
    for before, end in zip(life.ends, life.ends[1:]):
        # Another system took it, and spoke later; or the end was in the log
        # and not yet on disk.
        if before.code != 101 and before.cut == end.cut:
            v.fault(life, f"ended twice, {before.code} and then {end.code}")
    row = world.row(life)
    if row and row.get("state") != "quarantined":
        if life.core.was_cut_since(life.ends[-1]):
            v.excused += 1
        else:
            v.fault(life, f"ended {life.ends[-1].code}, and is still queued")
    to = world.to_of(life)
    if (life.ends[-1].code == 200 and not life.is_notice and life.id and
            to in world.records.present and not world.gots_of(life)):
        v.fault(life, "ended 200, and the recipient has not got it")


def i1_open(world, v, life, notices):
    """Promised, and not at its end. `notices`: those that wait, by whom they
    are for."""
    outbox = world.outbox(life)
    if world.row(life):
        return
    if life.is_notice and not life.id and notices[world.to_of(life)] > 0:
        notices[world.to_of(life)] -= 1
        return
    last = life.last()
    proofs = [r for r in life.reports if r.code in POSITIVE or
              r.code in CERTAIN]
    proofs += [n for n in life.notices if n.kind == "failed"]
    # Another system took it, and the line of that went with the process.
    if life.message and any(g.answer == 101 for g in life.message.gots):
        proofs += life.hands
    told = (world.gots_of(life)
            or life.message and any(n.kind == "failed"
                                    for n in life.message.notices)
            or life.is_notice and was_told(world, life))
    # What comes after that may be the answer to the same message again.
    if (any(life.core.was_cut_since(p) for p in proofs) or
            told and life.core.was_cut_since(last)):
        v.excused += 1
    elif not outbox.is_known:
        v.judged -= 1  # it may wait
    else:
        v.fault(life, "promised, and now neither ended nor queued")


def was_told(world, life):
    """Did the sender hear of the notice `life`?"""
    about = life.core.lives.get(life.about)
    message = about[-1].message if about else None
    return message and message.notices


# ---- I2 ----

def i2(world, v):
    for message in world.messages():
        i2_sender(v, message)
    for life in world.lives():
        i2_life(world, v, life)


def i2_sender(v, message):
    if not any(a.code in CERTAIN for a in message.attempts):
        return
    v.judged += 1
    bodies = {a.hash for a in message.attempts}
    for got in message.gots:
        if not got.is_taken:
            continue
        before = [a for a in message.attempts if a.at < got.at]
        # 400 because another content has this id says nothing of the first.
        if len(bodies) > 1:
            before = [a for a in before if got.hash in (a.hash, a.text)]
        # One of them may have come through, unless all were refused.
        if before and all(a.code in CERTAIN for a in before):
            v.fault(got, f"answered {before[-1].code}, and delivered")


def i2_life(world, v, life):
    """By the log alone: after a refusal nothing is handed over or stored."""
    for answer in life.answers:
        if not is_failure(answer.code) or answer.kind in ("joined", "known",
                                                          "conflict"):
            continue
        earlier = [e for e in life.events() if e.at < answer.at]
        # Another content has this id: the first, which is stored, goes on.
        if any(e.seq or e in life.commits or
               e in life.answers and e.code in POSITIVE for e in earlier) or (
                answer.code == 400 and any(e.cut < answer.cut
                                           for e in earlier)):
            continue
        v.judged += 1
        again = min((a.at for a in life.accepts if a.at > answer.at),
                    default=None)
        for event in life.hands + life.commits:
            if event.at <= answer.at or again is not None and event.at > again:
                continue
            if (world.options.disk_fails and answer.code == 500 and
                    event.cut > answer.cut):
                v.excused += 1
                break
            what = "handed over" if event in life.hands else "stored"
            v.fault(life, f"answered {answer.code}, and {what} after that")
            break


# ---- I5 ----

def i5(world, v):
    for life in world.lives():
        if not life.is_stored() or not life.accepts and not life.commits:
            continue
        row = world.row(life) or {}
        if row.get("state") == "quarantined":
            continue
        v.judged += 1
        begin = (life.accepts or life.commits)[0].t
        lifetime = lifetime_of(world, life)
        due = due_at(life.core, begin + lifetime * 1000)
        if life.ends:
            first = life.ends[0]
            if due is not None and first.t > due:
                v.fault(life, f"ended {(first.t - begin) // 1000} s after it "
                              f"came, its lifetime was {lifetime} s")
        elif row and due is not None and world.now > due:
            v.fault(life, f"is queued since {(world.now - begin) // 1000} s, "
                          f"its lifetime was {lifetime} s")


def lifetime_of(world, life):
    lifetimes = {**LIFETIMES, **world.options.lifetimes}
    dest = next((e.dest for e in life.commits + life.hands if e.dest), "")
    if dest in lifetimes:
        return lifetimes[dest]
    kind = dest.partition(":")[0]
    return lifetimes.get(kind, max(lifetimes.values()))


def due_at(core, expiry):
    """When it must have ended: a minute later, in which somebody could have done
    it. None: nobody was there so long."""
    if not core.up:
        return expiry + GRACE_MS
    left = GRACE_MS
    for number, (begin, end) in enumerate(core.up):
        begin = max(begin, expiry)
        # The last one may live on without a word.
        if number == len(core.up) - 1:
            return begin + left
        if end - begin > left:
            return begin + left
        left -= max(0, end - begin)
    return None


# ---- I6 ----

def i6(world, v):
    deliveries = {life.delivery for life in world.lives() if life.is_notice}
    for life in world.lives():
        i6_counts(v, life)
        if life.is_notice:
            if life.about in deliveries:
                v.fault(life, "a notice about a notice")
            continue
        i6_due(world, v, life)
    i6_senders(world, v)


def i6_counts(v, life):
    kinds = Counter(n.kind for n in life.notices)
    v.judged += bool(kinds)
    for kind, count in kinds.items():
        if count > 1:
            v.fault(life, f"{count} notices that it is {kind}")


def has_failed(life):
    """After it was promised: its end, or what was said after it."""
    if not life.ends:
        return False
    # An end that a kill kept off the disk did not happen if another follows.
    last = life.ends[-1].cut
    if any(is_failure(e.code) for e in life.ends if e.cut == last):
        return True
    return life.ends[-1].code == 101 and any(
        r.code in CERTAIN and r.at > life.ends[-1].at for r in life.reports)


def is_eligible(world, life):
    if world.options.eligible and not world.options.eligible(life):
        return False
    if life.origin == "primbridge" or is_service(life.sender):
        return False
    if world.options.notices == "asked":
        return bool(life.message and life.message.asked)
    return True


def i6_due(world, v, life):
    told = [n for n in life.notices if n.kind == "failed"]
    promised = was_promised(world, life)
    if told and life.was_refused():
        v.fault(life, "was refused, and then a notice told it again")
    if told and any(e.code == 200 and e.at < told[0].at for e in life.ends):
        v.fault(life, "was delivered, and then a notice said it failed")
    if not has_failed(life) or not promised or not is_eligible(world, life):
        return
    v.judged += 1
    heard = life.message and any(n.kind == "failed"
                                 for n in life.message.notices)
    if not told and not heard:
        # That it was made may be a line that a kill cut off; then its sender
        # hears it all the same.
        if life.core.was_cut_since(life.ends[-1]) and not must_hear(world,
                                                                    life):
            v.excused += 1
        else:
            v.fault(life, f"failed ({life.ends[-1].code}), and no notice was "
                          "made")
    elif told and not heard and must_hear(world, life):
        own = life.core.lives.get(told[0].who, [None])[-1]
        if not any(is_failure(e.code) for e in own.ends):
            v.fault(life, "failed, and its sender has not got the notice")


def must_hear(world, life):
    """Whatever was made for its sender has reached him by now."""
    if not world.options.settled or not life.message:
        return False
    sender, outbox = life.message.sender, world.outbox(life)
    return (sender in world.records.present and outbox.is_known and
            not outbox.notices[sender])


def i6_senders(world, v):
    owns = {n.own for n in world.records.notices if n.own}
    seen = {}
    for notice in world.records.notices:
        if notice.id in owns:
            v.fault(notice.id, "a sender got a notice about a notice")
        if notice.about:
            seen.setdefault(notice.about, []).append(notice)
    for message, notices in seen.items():
        v.judged += 1
        failed = [n for n in notices if n.kind == "failed"]
        # The same one may come twice, as any message.
        names = {n.own or number for number, n in enumerate(failed)}
        if len(names) > 1:
            v.fault(message, f"its sender got {len(names)} notices that it "
                             "failed")
        codes = [a.code for a in message.attempts]
        if failed and all(is_failure(c) for c in codes):
            v.fault(message, f"was refused with {codes[-1]}, and then a notice "
                             "told it again")


# ---- I10 ----

def i10(world, v):
    for life in world.lives():
        if not is_service(life.to):
            i10_life(world, v, life)
    if world.options.clocks:
        for message in world.messages():
            i10_sender(world, v, message)


def i10_life(world, v, life):
    for answer in life.answers:
        if answer.code not in POSITIVE:
            continue
        v.judged += 1
        if any(proves(life, e, answer) for e in life.events()
               if e.at < answer.at):
            continue
        if may_be_stored_before(world, life, answer):
            v.excused += 1
            continue
        if answer.code == 101:
            v.fault(life, "answered 101, and it was neither stored nor taken "
                          "by anybody")
        else:
            v.fault(life, "answered 200, and nobody had confirmed it")


def may_be_stored_before(world, life, event):
    """By a process that was killed before it could write that down? Even the
    line that it had come may have been in memory then."""
    if any(a.cut < event.cut for a in life.accepts):
        return True
    if event.cut == 0:
        return False
    if event.kind == "known" or life.message and any(
            a.code is None for a in life.message.attempts[:-1]):
        return True
    # It has a number, and none of the lines that are left gave it one.
    return not life.commits and (life.is_stored() or bool(world.row(life)))


def proves(life, event, answer):
    """May the sender be told `answer` because of `event`?"""
    if event in life.ends:  # of one that was never stored, by its answer
        return event.seq is not None and event.code == 200
    if event in life.reports or event in life.answers:
        return event.code == 200 or event.code == answer.code
    return answer.code == 101 and (event in life.commits or bool(event.seq))


def i10_sender(world, v, message):
    """By both clocks: nobody had word of it earlier than there was reason."""
    lives = [l for l in message.lives if l.accepts]
    answers = [a for a in message.attempts if a.code in POSITIVE]
    if not lives or not answers or is_service(message.to):
        return
    if any(life.core.lost or
           may_be_stored_before(world, life, life.accepts[-1])
           for life in lives):
        return
    reasons = [e.t for life in lives for e in
               life.commits + life.reports + life.ends
               if e in life.commits or e.code in POSITIVE]
    v.judged += 1
    if not reasons:
        v.fault(message, f"answered {answers[0].code}, and the log has no "
                         "reason for it")
        return
    early = min(reasons) - answers[0].answer_t
    if early > world.options.slack_ms:
        v.fault(message, f"answered {answers[0].code} {early} ms before it was "
                         "stored or taken")
